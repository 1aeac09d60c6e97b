"""Canonical forms: equal for values that mean the same, for matching and never for display.

The keyed digests of them are made by whoever owns the keys; nothing here is a secret (T9).
Nicknames are not resolved here: likeness of names is in ``services.lexicon.names``.
"""

import re
from typing import Final

import phonenumbers

from services.lexicon.folding import fold, plain, unmarked, words
from services.lexicon.names import family_key, given_key, split_name

_LOCAL_PARTS_WITHOUT_DOTS: Final = frozenset({"gmail.com", "googlemail.com"})
_DOMAINS_WITH_TAGS: Final = _LOCAL_PARTS_WITHOUT_DOTS | {
    "outlook.com", "hotmail.com", "live.com", "icloud.com", "me.com", "fastmail.com",
    "proton.me", "protonmail.com", "yahoo.com",
}  # fmt: skip

#: How nearly every number here is written; the full parser takes fifty times as long for the same answer.
USUAL_PHONE: Final = re.compile(r"(?:\+?1[ .-]?)?\(?([2-9][0-9]{2})\)?[ .-]{0,2}([2-9][0-9]{2})[ .-]?([0-9]{4})")
#: The same for e-mail: nothing in it to unwrap, and a domain in ASCII already.
_USUAL_EMAIL: Final = re.compile(r"([a-z0-9._%+-]+)@((?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63})")
_SPACE_OR_AT: Final = re.compile(r"[\s@]")
_ADDRESS_IN_BRACKETS: Final = re.compile(r"<([^<>]+)>\s*$")

_LEGAL_FORMS: Final = words(
    """
    inc incorporated llc ltd limited corp corporation co company plc llp lp pllc pc pa gmbh ag sa nv bv spa
    srl oy ab as lllp na
    """
)

_INITIALS: Final = re.compile(r"\b(?:\w )+\w\b")


def canonical_phone(written: str, region: str = "US") -> str | None:
    """Give a phone number as E.164 without its extension, or None if it can't be one.

    Two colleagues behind one switchboard have the same number here: likeness of name tells them
    apart (T9).
    """
    text = plain(written).strip()
    if region == "US" and (usual := USUAL_PHONE.fullmatch(text)):
        return f"+1{usual[1]}{usual[2]}{usual[3]}"
    if text.lower().startswith("tel:"):
        text = text[4:]
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def canonical_email(written: str) -> str | None:
    """Give an e-mail address folded, with its domain in ASCII, or None if it isn't one.

    Dots and tags that the large providers ignore are dropped, so that the same mailbox is
    recognised in another spelling.
    """
    text = plain(written).strip()
    if usual := _USUAL_EMAIL.fullmatch(text.lower()):
        return _mailbox(usual[1], usual[2])
    if bracketed := _ADDRESS_IN_BRACKETS.search(text):
        text = bracketed[1].strip()
    if text.lower().startswith("mailto:"):
        text = text[7:]
    local, at, domain = text.rpartition("@")
    local, domain = local.strip().strip('"').casefold(), domain.strip().strip(".").casefold()
    if not at or not local or _SPACE_OR_AT.search(local + domain):
        return None
    try:
        domain = domain.encode("idna").decode("ascii")
    except UnicodeError:
        return None
    if "." not in domain:
        return None
    return _mailbox(local, domain)


def _mailbox(local: str, domain: str) -> str | None:
    if domain in _DOMAINS_WITH_TAGS:
        local = local.split("+", 1)[0]
    if domain in _LOCAL_PARTS_WITHOUT_DOTS:
        local, domain = local.replace(".", ""), "gmail.com"
    return f"{local}@{domain}" if local else None


def canonical_name(first_name: str, last_name: str | None = None) -> str:
    """Give "given family" folded, without middle names, initials, salutation and suffix.

    With one argument the name is split first. "Amy Jean Klobuchar", "KLOBUCHAR, Amy" and
    "Amy J. Klobuchar" give the same.
    """
    if last_name is None:
        name = split_name(first_name)
        first_name, last_name = name.first_name, name.last_name
    return f"{given_key(first_name)} {family_key(last_name)}".strip()


def canonical_organization(name: str) -> str:
    """Give an organization's name folded, without a leading "the" and its legal form."""
    words = fold(name)
    # "I.B.M." folds to "i b m"; single letters in a row are one word.
    words = _INITIALS.sub(lambda run: run[0].replace(" ", ""), words)
    words = words.replace("united states", "us")
    parts = words.split()
    if len(parts) > 1 and parts[0] == "the":
        parts = parts[1:]
    while len(parts) > 1 and parts[-1] in _LEGAL_FORMS:
        parts.pop()
    return " ".join(parts)


_STREET_WORDS: Final = {
    "street": "st", "avenue": "ave", "av": "ave", "road": "rd", "boulevard": "blvd",
    "drive": "dr", "lane": "ln", "court": "ct", "place": "pl", "highway": "hwy", "square": "sq",
    "parkway": "pkwy", "suite": "ste", "room": "rm", "floor": "fl", "building": "bldg",
    "north": "n", "south": "s", "east": "e", "west": "w", "northeast": "ne", "northwest": "nw",
    "southeast": "se", "southwest": "sw", "saint": "st", "fort": "ft", "mount": "mt",
}  # fmt: skip


def canonical_address(street: str, city: str = "", state: str = "", postal_code: str = "") -> str:
    """Give an address folded, with street words abbreviated and the ZIP code cut to five."""
    words = fold(unmarked(f"{street} {city} {state}").replace("#", " ste ")).split()
    shortened = [_STREET_WORDS.get(word, word) for word in words]
    return " ".join([*shortened, fold(postal_code)[:5]]).strip()


def canonical_contact_point(kind: str, value: str) -> str | None:
    """Give the canonical form of a contact point by its kind, or None if the value can't be one."""
    if kind == "email":
        return canonical_email(value)
    if kind == "work_address":
        return canonical_address(value) or None
    return canonical_phone(value)


def compared_as(kind: str) -> str:
    """Give the kind under which a value is compared: a number is one number, whatever telephone it was taken for."""
    return "phone" if kind in _TELEPHONES else kind


_TELEPHONES: Final = frozenset({"cell", "personal_phone", "work_phone"})
