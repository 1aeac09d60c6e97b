"""Parse telephone numbers in typed text: normalize each, or reject it with a reason (R80, T30).

A US number needs no country code; any other needs a plus sign, so that a typing error doesn't become a number abroad.
Fax and pager numbers are rejected by name (R13).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from itertools import pairwise
from typing import Final

import phonenumbers

from services.lexicon.canonical import USUAL_PHONE, clean_phone
from services.lexicon.folding import plain, words

NOT_A_NUMBER: Final = "Not a telephone number."
NO_AREA_CODE: Final = "Not a whole telephone number: the area code is missing."
ELSEWHERE: Final = "Not a telephone number of the United States; write one of another country with + and its code."
MISTYPED: Final = "Not a telephone number: a letter stands where a digit should."
MORE_THAN_A_NUMBER: Final = "There is more in it than a telephone number."
ROUNDED: Final = "Not a telephone number any more: a spreadsheet has rounded it."
FAX: Final = "Fax numbers are not held (R13)."
NO_VOICE: Final = "Only telephones on which a person is spoken to are held (R13)."

_CELL: Final = words("cell cells cellular cellphone cel c mobile mob m iphone android handy")
_PERSONAL: Final = words("home h house residence residential res personal private priv")
_WORK: Final = words("work wk w office o ofc off business bus biz b desk direct dir d did main switchboard reception hq headquarters")
_FAX: Final = words("fax faxes facsimile telefax telecopier fx f")
_NO_VOICE: Final = words("pager pagers beeper page telex tty tdd ttytdd isdn modem textphone")
_VOICE: Final = words("tel telephone phone ph voice t p telephones phones")
#: Labels that say nothing about the kind of a number.
_SILENT: Final = _VOICE | words(
    "no number nr nbr num landline land line text texts sms preferred pref primary secondary alternate alt other"
    " best only call whatsapp signal us usa toll free tollfree at or and cellphone his her their my the"
)
_KNOWN: Final = _CELL | _PERSONAL | _WORK | _FAX | _NO_VOICE | _SILENT

_AREAS: Final = frozenset({"US", "PR", "VI", "GU", "AS", "MP"})
_ROUNDED: Final = re.compile(r"[+-]?\d(?:[.,]\d+)?[eE][+]?\d{1,3}")
_DECIMALS: Final = re.compile(r"(\d{7,15})[.,]0+")
#: Digits dialed after a pause, as an extension.
_PAUSES: Final = re.compile(r"(?<=\d)\s*,{2,}\s*(\d{1,7})#?$")
_LINES: Final = re.compile(r"[\r\n\u2028\u2029]+")
# A match with leading blanks starts at the first of them, so a text of blanks takes a single pass.
_STRONG: Final = re.compile(r"(?:(?<!\s)\s++)?(?::::|[;|\u2022\u00b7])\s*|(?<!\s)\s++(?:or|and)\s+", re.IGNORECASE)
_WEAK: Final = re.compile(r"(?:(?<!\s)\s++)?[,/&]\s*")
_LABEL: Final = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]+(?![A-Za-z0-9])")
_EXTENSION: Final = re.compile(r"(?:\b|(?<=\d))(?:extension|extn|ext|xtn|xt|x)[\s.:#)=-]*\d{1,7}\s*[).]*\s*(?=$|[^\d])", re.IGNORECASE)
_BESIDE_DIGIT: Final = re.compile(r"[A-Za-z]\d|\d[A-Za-z]")
_VANITY: Final = re.compile(r"(?:\+?1[\s.-]*)?\(?(8(?:00|33|44|55|66|77|88)|[2-9]\d\d)\)?[\s.-]*([A-Za-z0-9][A-Za-z0-9\s.-]*)")
#: A US number anywhere in a text, with an extension.
_AMERICAN: Final = re.compile(
    r"(?:\+?1[\s.-]?)?\(?[2-9]\d\d\)?[\s./-]{0,3}[2-9]\d\d[\s.-]?\d{4}(?!\d)(?:[\s,]*(?:ext|x)[\s.:]*\d{1,6})?", re.IGNORECASE
)
_LONGEST: Final = 400


@dataclass(frozen=True, slots=True)
class Telephone:
    """A normalized number, and its kind if a label names one."""

    shown: str
    kind: str | None = None


@dataclass(frozen=True, slots=True)
class Telephones:
    """The numbers of a text in order, and the reasons for rejected parts; the reasons do not quote the text."""

    found: tuple[Telephone, ...]
    refused: tuple[str, ...] = ()


def telephones(written: str) -> Telephones:
    """Parse all telephone numbers in a text: "h: 202-555-0101; w: 202-555-0102 x5" has two."""
    if (usual := USUAL_PHONE.fullmatch(written)) and usual[1] in american_area_codes():
        return Telephones((Telephone("-".join(usual.groups())),))
    text = plain(_LINES.sub(" ; ", written)).strip().strip(";,").strip()
    if not text or len(text) > _LONGEST:
        return Telephones((), (NOT_A_NUMBER,))
    found: dict[str, Telephone] = {}
    refused: dict[str, None] = {}
    for part in _parts(text):
        read = _one(part)
        if isinstance(read, Telephone):
            if read.shown not in found or found[read.shown].kind is None:
                found[read.shown] = read
        else:
            refused.setdefault(read)
    return Telephones(tuple(found.values()), tuple(refused))


def telephone(written: str) -> Telephone | str:
    """Parse a field with one number; return a sentence with the reason if it is rejected."""
    read = telephones(written)
    if read.refused:
        return read.refused[0]
    return read.found[0] if len(read.found) == 1 else "More than one telephone number: enter each by itself."


def kind_said(label: str) -> str | None:
    """Return the kind that a label names, "fax" or "pager", "" for a label without a kind, or None for an unknown label."""
    said = {word.lower() for word in re.findall(r"[A-Za-z]+", label)}
    if not said:
        return ""
    for kind, its in (("fax", _FAX), ("pager", _NO_VOICE), ("cell", _CELL), ("personal_phone", _PERSONAL), ("work_phone", _WORK)):
        if said & its:
            return kind
    return "" if said <= _SILENT else None


@cache
def american_area_codes() -> frozenset[str]:
    """Return the area codes of the United States and its territories."""
    codes = (str(code) for code in range(200, 1000))
    number = phonenumbers.PhoneNumber
    return frozenset(
        code for code in codes if phonenumbers.region_code_for_number(number(country_code=1, national_number=int(f"{code}5550100"))) in _AREAS
    )


def _parts(text: str) -> list[str]:
    if isinstance(_one(text), Telephone):
        return [text]
    parts = [part for part in _STRONG.split(text) if part]
    if len(parts) > 1:
        return [piece for part in parts for piece in _parts(part)]
    parts = [part for part in _WEAK.split(text) if part]
    if len(parts) > 1 and all(sum(c.isdigit() for c in part) >= 7 for part in parts):
        return [piece for part in parts for piece in _parts(part)]
    numbers = list(_AMERICAN.finditer(text))
    if len(numbers) > 1:
        # The first label tells whether labels come before or after their numbers.
        if _LABEL.search(text[: numbers[0].start()]):
            cuts = [0, *(number.end() for number in numbers[:-1]), len(text)]
        else:
            cuts = [0, *(number.start() for number in numbers[1:]), len(text)]
        return [text[start:end].strip(" ,;/&-") for start, end in pairwise(cuts)]
    return [text]


def _one(text: str) -> Telephone | str:
    if _ROUNDED.fullmatch(text):
        text = _unrounded(text)
        if not text:
            return ROUNDED
    if decimals := _DECIMALS.fullmatch(text):
        text = decimals[1]
    if text.lower().startswith(("tel:", "callto:", "sms:", "tel://")):
        text = text.partition(":")[2].lstrip("/").replace(";ext=", " ext. ").partition(";")[0]
    text = _PAUSES.sub(r" ext. \1", text)
    if vanity := _vanity(text):
        text = vanity
    said = {label.lower() for label in _LABEL.findall(_EXTENSION.sub(" ", text))}
    if not said.isdisjoint(_FAX) and said.isdisjoint(_VOICE):
        return FAX
    if not said.isdisjoint(_NO_VOICE):
        return NO_VOICE
    if not any(c.isdigit() for c in text):
        return NOT_A_NUMBER
    if _BESIDE_DIGIT.search(_EXTENSION.sub(" ", text)):
        return MISTYPED
    if said - _KNOWN:
        return MORE_THAN_A_NUMBER
    shown = _shown(text)
    if shown in {NOT_A_NUMBER, NO_AREA_CODE, ELSEWHERE}:
        return shown
    kind = next((kind for kind, its in (("cell", _CELL), ("personal_phone", _PERSONAL), ("work_phone", _WORK)) if said & its), None)
    return Telephone(shown, kind)


def _shown(text: str) -> str:
    number, _, extension = clean_phone(text).partition(" ext. ")
    digits = sum(c.isdigit() for c in number)
    try:
        parsed = phonenumbers.parse(number, "US")
    except phonenumbers.NumberParseException:
        return NOT_A_NUMBER
    if parsed.country_code == 1 and digits < 10:
        return NO_AREA_CODE if digits == 7 else NOT_A_NUMBER
    if not phonenumbers.is_valid_number(parsed):
        return NOT_A_NUMBER
    national = str(parsed.national_number)
    if parsed.country_code == 1 and national[:3] in american_area_codes():
        shown = f"{national[:3]}-{national[3:6]}-{national[6:]}"
    elif not number.startswith(("+", "(+", "011")):
        return ELSEWHERE
    else:
        parsed.extension = None
        shown = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
    return f"{shown} ext. {extension}" if extension else shown


def _vanity(text: str) -> str | None:
    """Convert a vanity number ("1-800-GO-FEMA-1") to digits, or return None."""
    found = _VANITY.fullmatch(text)
    if found is None:
        return None
    packed = re.sub(r"[\s.-]", "", found[2]).upper()
    letters = sum(c.isalpha() for c in packed)
    # Fewer letters are typing errors, and letters with digits between them are not a word.
    if letters < 4 or len(packed) < 7 or not re.fullmatch(r"\d{0,3}[A-Z]+\d{0,3}", packed):
        return None
    if not found[1].startswith("8") and packed.lower().strip("0123456789") in _KNOWN:
        return None
    digits = phonenumbers.convert_alpha_characters_in_number(packed)[:7]
    return f"{found[1]}-{digits[:3]}-{digits[3:]}"


def _unrounded(text: str) -> str:
    """Convert "2.025550142E+09" back to digits; return an empty string if digits are lost."""
    mantissa, _, exponent = text.lower().replace(",", ".").partition("e")
    if len(mantissa.partition(".")[2]) < min(int(exponent), 15) - 1:
        return ""
    number = Decimal(text.replace(",", "."))
    return str(int(number)) if number == int(number) and number > 0 else ""
