"""Find contact-layer values in a search: telephone numbers and e-mail addresses (T31)."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Final

from services.lexicon.folding import plain
from services.lexicon.mailboxes import mailboxes

#: Seven or more digits with usual separators, and an extension.
_NUMBER: Final = re.compile(
    r"\+?\(?\d(?:[\s.\-()+/\u00b7\u2022\u2010-\u2015]{0,3}\d){6,}(?:[\s,;]*(?:x|ext\.?|extension)[\s.:]*\d{1,6})?", re.IGNORECASE
)
#: Dates, ranges of years and ZIP+4 codes, which are not telephone numbers.
_NO_NUMBER: Final = re.compile(
    r"(?:19|20)\d\d-\d\d-\d\d|\d{1,2}[/.-]\d{1,2}[/.-](?:19|20)\d\d|(?:19|20)\d\d\s?[-\u2013/ ]\s?(?:19|20)\d\d|\d{5}-\d{4}"
)
_AT: Final = re.compile(r"@|[(\[{<]\s*at\s*[)\]}>]", re.IGNORECASE)
_SPACED_AT: Final = re.compile(r"(?:(?<!\s)\s++)?([(\[{<]\s*at\s*[)\]}>]|@)\s*", re.IGNORECASE)
#: A street with a number, or a post office box: it may be a person's work address.
_STREET: Final = re.compile(
    r"\b\d{1,6}\s+(?:[\w.'-]+\s+){1,4}(?:street|st|avenue|ave|road|rd|boulevard|blvd|drive|dr|lane|ln|court|ct|place|pl|highway|hwy|parkway|pkwy"
    r"|way|circle|cir|square|sq|terrace|ter|plaza|suite|ste)\b|\bp\.?\s?o\.?\s*box\s+\d+",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Search:
    """A parsed search: its words, and the contact-layer values among them."""

    words: str
    phones: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    #: Whether there is a contact-layer value, even an impossible one.
    has_values: bool = False


def read_search(text: str) -> Search:
    """Parse a search text."""
    written = _digits(plain(text))
    emails: tuple[str, ...] = ()
    has_values = False
    if _AT.search(written):
        has_values = True
        words = _SPACED_AT.sub("@", written).split()
        emails = tuple(found for word in words if "@" in word for found in mailboxes(word.strip(",;")).found)
        written = " ".join(word for word in words if "@" not in word)
    phones: list[str] = []

    def taken(match: re.Match[str]) -> str:
        if _NO_NUMBER.fullmatch(match[0].strip()):
            return match[0]
        phones.append(match[0].strip())
        return " "

    written = _NUMBER.sub(taken, written)
    return Search(" ".join(written.split()), tuple(phones), emails, has_values or bool(phones))


def has_contact_value(text: str) -> bool:
    """Return whether a text contains a telephone number or an e-mail address."""
    return read_search(text).has_values


def has_street(text: str) -> bool:
    """Return whether a text contains a street address."""
    return _STREET.search(plain(text)) is not None


def _digits(text: str) -> str:
    """Convert digits of all scripts to ASCII."""
    return text if text.isascii() else "".join(str(unicodedata.decimal(c)) if c.isdecimal() else c for c in text)
