"""Folding: the one way in which text is made comparable; for matching, never for display."""

import re
import unicodedata
from typing import Final, Literal

# Only the combining marks of European scripts go: the vowel signs of others carry meaning.
_MARKS: Final = re.compile(r"[\u0300-\u036f]+")

#: What people type for an apostrophe, and what keyboards and other scripts put there: quotes, accents that stand alone, primes,
#: the okina of Hawaiian and its kin.
APOSTROPHES: Final = (
    "\u0060\u00b4\u02b9\u02bb\u02bc\u02bd\u02be\u02bf\u02c8\u02ca\u02cb\u02ee\u0374\u0384\u055a\u05f3\u07f4\u07f5\u1fbd\u1fbf\u1fef\u1ffd\u1ffe"
    "\u2018\u2019\u201b\u2032\u2035\ua78b\ua78c\uff07\uff40"
)
_HYPHENS: Final = "\u00ad\u058a\u05be\u2010\u2011\u2012\u2013\u2014\u2015\u2043\u2212\u2e3a\u2e3b\ufe58\ufe63\uff0d"
_EVEN_APOSTROPHES: Final = dict.fromkeys(map(ord, APOSTROPHES), "'")
#: Of these, the compatibility form is an accent over a blank: it would part the word.
_BROKEN: Final = dict.fromkeys(map(ord, "\u00b4\u0384\u1fbd\u1fbf\u1fef\u1ffd\u1ffe"), "'")
_EVEN_HYPHENS: Final = re.compile(rf"(?<=\w)[{_HYPHENS}](?=\w)")

# Letters that Unicode does not decompose, and signs that mean a word.
_LETTERS: Final = str.maketrans(
    {
        "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i",
        "ħ": "h", "ŧ": "t", "ŋ": "n", "&": " and ",
        **dict.fromkeys(APOSTROPHES, "'"),
    }
)  # fmt: skip

#: Fewer marks in a row are put in order at once, whatever their order is.
_FEW_MARKS: Final = 32
_ROW_OF_MARKS: Final = re.compile(rb"[^\0]{%d,}" % _FEW_MARKS)
#: These are marks only once they are taken apart; the last two only as what they are compatible with.
_MARKS_IN_ONE: Final = str.maketrans({"\u0f73": "\u0f71\u0f72", "\u0f75": "\u0f71\u0f74", "\u0f81": "\u0f71\u0f80"})
_NARROW_MARKS: Final = str.maketrans({"\uff9e": "\u3099", "\uff9f": "\u309a"})

_APOSTROPHE: Final = re.compile(r"(?<=\w)'+(?=\w)")
_NOT_WORD: Final = re.compile(r"[\W_]+")
# In ASCII, a sign parts words; only an apostrophe joins them, and only "&" is one.
_JOINING: Final = re.compile(r"['`&]")
_PARTED: Final = bytes(ord(chr(code).lower()) if code < 0x80 and chr(code).isalnum() else 0x20 for code in range(256))


def normalized(form: Literal["NFC", "NFD", "NFKC", "NFKD"], text: str) -> str:
    """Return a text in a form of Unicode, in a time that grows as the text does.

    The library takes the square of a row of marks that are out of order: for 32,000 of them two seconds, in which nothing
    else of the process goes on. So each row comes in order.
    """
    if len(text) > _FEW_MARKS and not text.isascii():
        text = text.translate(_MARKS_IN_ONE)
        if form in {"NFKC", "NFKD"}:
            text = text.translate(_NARROW_MARKS)
        classes = bytes(map(unicodedata.combining, text))
        parts, after = [], 0
        for row in _ROW_OF_MARKS.finditer(classes):
            parts += [text[after : row.start()], *sorted(text[row.start() : row.end()], key=unicodedata.combining)]
            after = row.end()
        if parts:
            text = "".join([*parts, text[after:]])
    return unicodedata.normalize(form, text)


def plain(text: str) -> str:
    """Normalise to NFKC without invisible characters; letters keep their case and their marks."""
    if text.isascii() and text.isprintable():
        return text
    kept = "".join(c for c in text.translate(_BROKEN) if c in "\t\n\r" or unicodedata.category(c) not in {"Cc", "Cf"})
    return normalized("NFKC", kept)


def even_signs(text: str) -> str:
    """Write every apostrophe as ' and every hyphen inside a word as -, as names of people and organizations are kept."""
    if text.isascii():
        return plain(text).replace("`", "'")
    return _EVEN_HYPHENS.sub("-", plain(text.translate(_EVEN_APOSTROPHES)).translate(_EVEN_APOSTROPHES))


def unmarked(text: str) -> str:
    """Casefold, and drop the diacritical marks; punctuation stays."""
    if text.isascii():
        return plain(text).lower().translate(_LETTERS)
    previous, text = "", plain(text)
    # Casefolding may compose or decompose again ("İ", "ΐ"), so until nothing moves any more.
    while previous != text:
        previous = text
        text = normalized("NFKD", text.casefold()).translate(_LETTERS)
        text = normalized("NFKC", _MARKS.sub("", text))
    return text


def fold(text: str) -> str:
    """Casefold, drop marks and punctuation, and part the words by single spaces; idempotent.

    "O’Neil" gives "oneil" and "Ocasio-Cortez" gives "ocasio cortez".
    """
    if text.isascii() and text.replace(" ", "").isalnum():
        # Most names and words need no more than this.
        return " ".join(text.lower().split())
    if text.isascii() and text.isprintable() and not _JOINING.search(text):
        return " ".join(text.encode().translate(_PARTED).decode().split())
    return _NOT_WORD.sub(" ", _APOSTROPHE.sub("", unmarked(text))).strip()


def words(text: str) -> frozenset[str]:
    """Read a closed list that is written as a block of words."""
    return frozenset(text.split())
