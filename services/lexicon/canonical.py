"""Canonical forms, equal for values with the same meaning; for matching, never for display (T9).

Keyed digests of them are made where the keys are. Nicknames are not resolved here but in ``services.lexicon.names``.
"""

import html
import re
from collections.abc import Callable
from typing import Final
from urllib.parse import unquote

import phonenumbers

from services.lexicon.folding import fold, plain, unmarked, words
from services.lexicon.names import family_key, given_key
from services.lexicon.splitting import split_name
from services.lexicon.vocabulary import PHONE_KINDS

_LOCAL_PARTS_WITHOUT_DOTS: Final = frozenset({"gmail.com"})
_DOMAINS_WITH_TAGS: Final = _LOCAL_PARTS_WITHOUT_DOTS | {
    "outlook.com", "hotmail.com", "live.com", "icloud.com", "fastmail.com", "proton.me", "yahoo.com",
}  # fmt: skip
#: Domains that lead to the same mailbox.
_ONE_MAILBOX: Final = {
    "googlemail.com": "gmail.com", "me.com": "icloud.com", "mac.com": "icloud.com", "protonmail.com": "proton.me", "pm.me": "proton.me",
}  # fmt: skip

#: Fast path for the usual form of US numbers; the full parser takes fifty times as long.
USUAL_PHONE: Final = re.compile(r"(?:\+?1[ .-]?)?\(?([2-9][0-9]{2})\)?[ .-]{0,2}([2-9][0-9]{2})[ .-]?([0-9]{4})")
#: Fast path for plain e-mail addresses with an ASCII domain.
_USUAL_EMAIL: Final = re.compile(r"([a-z0-9](?:[a-z0-9._+-]*[a-z0-9_+-])?)@((?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63})")
_DOMAIN: Final = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z0-9-]{2,63}")
_SPACE_OR_AT: Final = re.compile(r"[\s@]")

#: All kinds of quotes, replaced by plain ones before NFKC would decompose some of them.
_QUOTES: Final = str.maketrans(
    dict.fromkeys("\u00b4\u2018\u2019\u201a\u201b\u2032\u2035\u02b9\u02bb\u02bc\u02bd\u02ca\u02cb\u0060\uff07\uff40", "'")
    | dict.fromkeys("\u201c\u201d\u201e\u201f\u2033\u2036\u00ab\u00bb\u2039\u203a\u301d\u301e\u301f\u300c\u300d\u300e\u300f\uff02", '"')
    | dict.fromkeys("\u3002\uff61\uff0e", ".")
)
# A match with leading blanks starts at the first of them, so a text of blanks takes a single pass.
_BRACKETED_AT: Final = re.compile(r"(?:(?<!\s)\s++)?[(\[{<]\s*(?:at|@)\s*[)\]}>]\s*", re.IGNORECASE)
_BRACKETED_DOT: Final = re.compile(r"(?:(?<!\s)\s++)?[(\[{<]\s*(?:dot|\.)\s*[)\]}>]\s*", re.IGNORECASE)
_SPACED_AT: Final = re.compile(r"(?:(?<!\s)\s++)?@\s*")
_QUOTED_LOCAL_PART: Final = re.compile(r"[\"']([^\"'\s@]+)[\"']@")
#: An address in a text, without brackets, quotes, separators and the colon of a scheme.
#: A run of letters that starts no address is also matched, with group None, so that it is scanned only once.
_ADDRESS: Final = re.compile(r"[^\s@<>()\[\]{}\"“,;:|\\?#=*\u2022]++(@[^\s@<>()\[\]{}\"',;:|\\?#=&/!*$%^~\u2022]+)?")
#: The most rounds of unwrapping ("%2540" is "@", encoded twice).
_LAYERS: Final = 8
#: Longer texts are not searched for an address or number.
_LONGEST: Final = 500

_DIALLED: Final = re.compile(r"[+0-9]")
#: The prefix for calls abroad, before the country code.
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
#: Decimals that a spreadsheet added to a number.
_SPREADSHEET_TAIL: Final = re.compile(r"(?<=\d{4})\.0+$")
_VANITY: Final = re.compile(r"(?:\+?1)?([2-9]\d{2})([0-9A-Z]{7,})")

LEGAL_FORMS: Final = words(
    """
    inc incorporated llc ltd limited corp corporation co company plc llp lp pllc pc pa gmbh ag sa nv bv spa
    srl oy ab as lllp na
    """
)

_INITIALS: Final = re.compile(r"\b(?:\w )+\w\b")


def clean_phone(written: str) -> str:
    """Remove labels, brackets and invisible characters around a telephone number; write its extension as "ext. 5".

    A text that isn't one number is returned with extra spaces removed.
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
        # "(202-224-3441)": the opening bracket was removed with the text before the first digit.
        number = number.rstrip(") ")
    if _EXIT_CODE.match(number):
        number = f"+{number[2:]}"
    return f"{number} ext. {extension}" if extension else number


def canonical_phone(written: str, region: str = "US") -> str | None:
    """Return a phone number as E.164 without its extension, or None if it isn't valid (T9).

    Colleagues with different extensions get the same form. Vanity numbers ("1-800-GO-FEMA-1") are valid; single letters
    among digits are not.
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
        # Without an area code, the number is ambiguous.
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _is_vanity(text: str) -> bool:
    packed = re.sub(r"[\s().-]", "", text).upper()
    found = _VANITY.fullmatch(packed)
    return found is not None and sum(c.isalpha() for c in found[2]) >= 4  # fewer letters are typing errors


def clean_email(written: str) -> str:
    """Remove everything around an e-mail address, and keep the address as written.

    This removes schemes (`smtp:`, `mailto:`), quotes, brackets, display names, trailing punctuation, `?subject=…`,
    percent encoding, and invisible and full-width characters. A text without an address, or with two different ones, is
    returned with extra spaces removed.
    """
    return " ".join(plain(written).split()) if len(written) > _LONGEST else _until_same(_unwrapped, written)


def _until_same(unwrap: Callable[[str], str], text: str) -> str:
    """Repeat `unwrap` until the text does not change, at most eight times."""
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
        # Folding turns a letter into three at most, so a longer text is not the same address.
        near = 3 * len(match[0]) + 2
        before, after = text[max(match.start() - near, 0) : match.start()].rstrip(), text[match.end() : match.end() + near].lstrip()
        address = f"{local}@{domain}"
        before, after = (part if part.casefold() != address.casefold() else "" for part in (before, after))
        if not local or "." not in domain or (before and before[-1].isalnum()) or (after and after[0].isalnum()):
            # Words are attached to the address, so its start or end is unknown.
            return text
        found.setdefault(address.casefold(), address)
    return next(iter(found.values())) if len(found) == 1 and text.count("@") == len(addresses) else text


#: The length limit of a domain, checked first because conversion to ASCII takes quadratic time.
_LONGEST_DOMAIN: Final = 253


def canonical_email(written: str) -> str | None:
    """Return an e-mail address folded, with its domain in ASCII, or None if it isn't one.

    This also removes dots and tags that large providers ignore, so that spellings of one mailbox are equal.
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
    """Return "given family" folded, without middle names, initials, salutation and suffix.

    With one argument, the name is split first: "Amy Jean Klobuchar", "KLOBUCHAR, Amy" and "Amy J. Klobuchar" are equal.
    """
    if last_name is None:
        name = split_name(first_name)
        first_name, last_name = name.first_name, name.last_name
    return f"{given_key(first_name)} {family_key(last_name)}".strip()


def canonical_organization(name: str) -> str:
    """Return an organization's name folded, without a leading "the" and the legal form."""
    words = fold(name)
    # "I.B.M." folds to "i b m", so a run of single letters becomes one word.
    words = _INITIALS.sub(lambda run: run[0].replace(" ", ""), words)
    words = words.replace("united states", "us")
    parts = words.split()
    if len(parts) > 1 and parts[0] == "the":
        parts = parts[1:]
    while len(parts) > 1 and parts[-1] in LEGAL_FORMS:
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
    """Return an address folded, with abbreviated street words and a five-digit ZIP code."""
    words = fold(unmarked(f"{street} {city} {state}").replace("#", " ste ")).split()
    shortened = [_STREET_WORDS.get(word, word) for word in words]
    return " ".join([*shortened, fold(postal_code)[:5]]).strip()


def canonical_contact_point(kind: str, value: str) -> str | None:
    """Return the canonical form of a contact point of this kind, or None if the value is invalid."""
    if kind == "email":
        return canonical_email(value)
    if kind == "work_address":
        return canonical_address(value) or None
    return canonical_phone(value)


def compared_as(kind: str) -> str:
    """Return the kind under which a value is compared, which is the same for all kinds of telephones."""
    return "phone" if kind in PHONE_KINDS else kind
