"""Canonical forms: equal for values that mean the same, for matching and never for display.

The keyed digests of them are made by whoever owns the keys; nothing here is a secret (T9).
Nicknames are not resolved here: likeness of names is in ``services.lexicon.names``.
"""

import html
import re
from collections.abc import Callable
from typing import Final
from urllib.parse import unquote

import phonenumbers

from services.lexicon.folding import fold, plain, unmarked, words
from services.lexicon.names import family_key, given_key, split_name

_LOCAL_PARTS_WITHOUT_DOTS: Final = frozenset({"gmail.com"})
_DOMAINS_WITH_TAGS: Final = _LOCAL_PARTS_WITHOUT_DOTS | {
    "outlook.com", "hotmail.com", "live.com", "icloud.com", "fastmail.com", "proton.me", "yahoo.com",
}  # fmt: skip
#: Domains under which a provider keeps one and the same mailbox.
_ONE_MAILBOX: Final = {
    "googlemail.com": "gmail.com", "me.com": "icloud.com", "mac.com": "icloud.com", "protonmail.com": "proton.me", "pm.me": "proton.me",
}  # fmt: skip

#: How nearly every number here is written; the full parser takes fifty times as long for the same answer.
USUAL_PHONE: Final = re.compile(r"(?:\+?1[ .-]?)?\(?([2-9][0-9]{2})\)?[ .-]{0,2}([2-9][0-9]{2})[ .-]?([0-9]{4})")
#: The same for e-mail: nothing in it to unwrap, and a domain in ASCII already.
_USUAL_EMAIL: Final = re.compile(r"([a-z0-9](?:[a-z0-9._+-]*[a-z0-9_+-])?)@((?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63})")
_DOMAIN: Final = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z0-9-]{2,63}")
_SPACE_OR_AT: Final = re.compile(r"[\s@]")

#: Quotes of every kind. Some of them fall apart under NFKC, so they become plain ones first.
_QUOTES: Final = str.maketrans(
    dict.fromkeys("\u00b4\u2018\u2019\u201a\u201b\u2032\u2035\u02b9\u02bb\u02bc\u02bd\u02ca\u02cb\u0060\uff07\uff40", "'")
    | dict.fromkeys("\u201c\u201d\u201e\u201f\u2033\u2036\u00ab\u00bb\u2039\u203a\u301d\u301e\u301f\u300c\u300d\u300e\u300f\uff02", '"')
    | dict.fromkeys("\u3002\uff61\uff0e", ".")
)
# What begins with blanks begins where a run of them does: a text of blanks costs a single pass.
_BRACKETED_AT: Final = re.compile(r"(?:(?<!\s)\s++)?[(\[{<]\s*(?:at|@)\s*[)\]}>]\s*", re.IGNORECASE)
_BRACKETED_DOT: Final = re.compile(r"(?:(?<!\s)\s++)?[(\[{<]\s*(?:dot|\.)\s*[)\]}>]\s*", re.IGNORECASE)
_SPACED_AT: Final = re.compile(r"(?:(?<!\s)\s++)?@\s*")
_QUOTED_LOCAL_PART: Final = re.compile(r"[\"']([^\"'\s@]+)[\"']@")
#: One address among what may stand around it: neither a bracket, a quote, a separator nor a scheme's colon is part of it.
#: A run of letters that no address begins with is passed over at once (its group is None), and not tried from each of them.
_ADDRESS: Final = re.compile(r"[^\s@<>()\[\]{}\"“,;:|\\?#=*\u2022]++(@[^\s@<>()\[\]{}\"',;:|\\?#=&/!*$%^~\u2022]+)?")
#: How often text is unwrapped at most ("%2540" is "@" wrapped twice).
_LAYERS: Final = 8
#: What is longer is no address and no number, whatever stands around it; it is not searched for one.
_LONGEST: Final = 500

_DIALLED: Final = re.compile(r"[+0-9]")
#: Dialled before the code of a country.
_EXIT_CODE: Final = re.compile(r"00\s?[1-9]")
_NO_NUMBER: Final = re.compile(r"[A-Za-z]")
_EXTENSION: Final = re.compile(
    r"(?:(?<![\s,;(\[./-])[\s,;(\[./-]++)?(?:\b(?:e?xtn?|extn?|extension|xt?|poste|opt(?:ion)?|pin)|(?<=\d)(?:ext?n?|xt?)|(?<!\#)\#|~)"
    r"[\s.:#)=-]*+(\d{1,7})[\s)\].;,]*+$",
    re.IGNORECASE,
)
_TELEPHONE_WORDS: Final = re.compile(
    r"(?:(?<![\s(\[{\-–—:,;./|*'\"])[\s(\[{\-–—:,;./|*'\"]++)?\b(?:c|m|h|w|o|d|p|t|f|x|ext|tel|telephone|ph|phone|cell|cellular|cel|mobile|mob|home|house|residence|work|wk|office"
    r"|ofc|off|business|bus|direct|dir|desk|main|personal|private|priv|fax|voice|landline|land|line|number|no|nr|nbr|text|texts|sms|preferred"
    r"|pref|primary|secondary|other|evening|evenings|day|days|daytime|only|best|call|whatsapp|signal)\b[\s)\]}.:,;*'\"]*+$",
    re.IGNORECASE,
)
#: A number that a spreadsheet kept as one with decimals.
_SPREADSHEET_TAIL: Final = re.compile(r"(?<=\d{4})\.0+$")
_VANITY: Final = re.compile(r"(?:\+?1)?([2-9]\d{2})([0-9A-Z]{7,})")

_LEGAL_FORMS: Final = words(
    """
    inc incorporated llc ltd limited corp corporation co company plc llp lp pllc pc pa gmbh ag sa nv bv spa
    srl oy ab as lllp na
    """
)

_INITIALS: Final = re.compile(r"\b(?:\w )+\w\b")


def clean_phone(written: str) -> str:
    """Take away what surrounds a telephone number: labels, brackets, invisible characters; the extension stays as "ext. 5".

    What isn't one number comes back without needless space and as it is otherwise.
    """
    return _until_same(_dialled, written)


def _dialled(written: str) -> str:
    text = " ".join(unquote(plain(written.translate(_QUOTES))).split())
    start = _DIALLED.search(text)
    if start is None or len(text) > _LONGEST:
        return text
    begin = start.start()
    if text[:begin].endswith("(") and ")" in text[begin : begin + 6]:
        begin -= 1
    number, extension = _SPREADSHEET_TAIL.sub("", text[begin:]), ""
    while (rest := _TELEPHONE_WORDS.sub("", number)) != number:
        number = rest
    if found := _EXTENSION.search(number):
        number, extension = number[: found.start()], found[1]
        while (rest := _TELEPHONE_WORDS.sub("", number)) != number:
            number = rest
    number = number.rstrip(" .,;:/|-–—_*'\"#&>]}~")
    if number.endswith(")") and "(" not in number:
        # "(202-224-3441)": its opening bracket was before the first digit.
        number = number.rstrip(") ")
    if _EXIT_CODE.match(number):
        number = f"+{number[2:]}"
    return f"{number} ext. {extension}" if extension else number


def canonical_phone(written: str, region: str = "US") -> str | None:
    """Give a phone number as E.164 without its extension, or None if it can't be one.

    Two colleagues behind one switchboard have the same number here: likeness of name tells them
    apart (T9). A letter typed for a digit makes no number; a word on the keys ("1-800-GO-FEMA-1") does.
    """
    text = plain(written).strip()
    if region == "US" and (usual := USUAL_PHONE.fullmatch(text)):
        return f"+1{usual[1]}{usual[2]}{usual[3]}"
    text = clean_phone(written).partition(" ext. ")[0]
    if _NO_NUMBER.search(text) and not _is_vanity(text):
        return None
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    if phonenumbers.is_possible_number_with_reason(number) != phonenumbers.ValidationResult.IS_POSSIBLE:
        # A number without its area code can't be told from its neighbors'.
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _is_vanity(text: str) -> bool:
    packed = re.sub(r"[\s().-]", "", text).upper()
    found = _VANITY.fullmatch(packed)
    return found is not None and sum(c.isalpha() for c in found[2]) >= 4  # fewer letters are slips


def clean_email(written: str) -> str:
    """Take away everything that surrounds one e-mail address, and keep the address as it was written.

    Schemes (`smtp:`, `mailto:`), quotes and brackets of every kind, display names, trailing marks, `?subject=…`,
    invisible and full-width characters and percent signs go. The same address twice is one. Text that holds no
    address, or two different ones, comes back without needless space and as it is otherwise.
    """
    return " ".join(plain(written).split()) if len(written) > _LONGEST else _until_same(_unwrapped, written)


def _until_same(unwrap: Callable[[str], str], text: str) -> str:
    """Take one layer after the other away, up to so many."""
    for _ in range(_LAYERS):
        text, before = unwrap(text), text
        if text == before:
            break
    return text


def _unwrapped(written: str) -> str:
    text = " ".join(plain(html.unescape(unquote(written)).translate(_QUOTES)).split())
    text = _SPACED_AT.sub("@", _BRACKETED_DOT.sub(".", _BRACKETED_AT.sub("@", text)))
    text = _QUOTED_LOCAL_PART.sub(r"\1@", text)
    found: dict[str, str] = {}
    addresses = [match for match in _ADDRESS.finditer(text) if match[1]]
    for match in addresses:
        local, _, domain = match[0].partition("@")
        if local.startswith("_") and domain.endswith("_"):
            local = local[1:]  # "_dov@example.org_", as some write italics
        local, domain = local.lstrip("'`.-/~^!$&%"), domain.rstrip("'`.-_")
        # What is longer is no other spelling of it: folding makes of a letter three at most.
        near = 3 * len(match[0]) + 2
        before, after = text[max(match.start() - near, 0) : match.start()].rstrip(), text[match.end() : match.end() + near].lstrip()
        address = f"{local}@{domain}"
        before, after = (part if part.casefold() != address.casefold() else "" for part in (before, after))
        if not local or "." not in domain or (before and before[-1].isalnum()) or (after and after[0].isalnum()):
            # Words run into it: nobody knows where the address begins or ends.
            return text
        found.setdefault(address.casefold(), address)
    return next(iter(found.values())) if len(found) == 1 and text.count("@") == len(addresses) else text


#: A domain has at most so many characters, and writing one in ASCII takes the square of them.
_LONGEST_DOMAIN: Final = 253


def canonical_email(written: str) -> str | None:
    """Give an e-mail address folded, with its domain in ASCII, or None if it isn't one.

    What surrounds it is taken away, and so are dots and tags that the large providers ignore: the same mailbox is
    recognized in another spelling.
    """
    text = plain(written).strip()
    if usual := _USUAL_EMAIL.fullmatch(text.lower()):
        return _mailbox(usual[1], usual[2])
    local, at, domain = clean_email(written).rpartition("@")
    local, domain = local.casefold(), domain.casefold()
    if not at or not local or len(domain) > _LONGEST_DOMAIN or _SPACE_OR_AT.search(local + domain):
        return None
    try:
        domain = domain.encode("idna").decode("ascii")
    except UnicodeError:
        return None
    if "." not in domain or not _DOMAIN.fullmatch(domain):
        return None
    return _mailbox(local, domain)


def _mailbox(local: str, domain: str) -> str | None:
    domain = _ONE_MAILBOX.get(domain, domain)
    if domain in _DOMAINS_WITH_TAGS:
        local = local.split("+", 1)[0]
    if domain in _LOCAL_PARTS_WITHOUT_DOTS:
        local = local.replace(".", "")
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
