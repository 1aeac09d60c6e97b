"""Fold text for comparison; for matching, never for display."""

import re
import unicodedata
from typing import Final, Literal

# Only combining marks of European scripts are removed; in other scripts, vowel signs carry meaning.
_MARKS: Final = re.compile(r"[\u0300-\u036f]+")

#: Characters that are used as apostrophes: quotes, spacing accents, primes, and the Hawaiian okina and its variants.
APOSTROPHES: Final = (
    "\u0060\u00b4\u02b9\u02bb\u02bc\u02bd\u02be\u02bf\u02c8\u02ca\u02cb\u02ee\u0374\u0384\u055a\u05f3\u07f4\u07f5\u1fbd\u1fbf\u1fef\u1ffd\u1ffe"
    "\u2018\u2019\u201b\u2032\u2035\ua78b\ua78c\uff07\uff40"
)
_HYPHENS: Final = "\u00ad\u058a\u05be\u2010\u2011\u2012\u2013\u2014\u2015\u2043\u2212\u2e3a\u2e3b\ufe58\ufe63\uff0d"
_EVEN_APOSTROPHES: Final = dict.fromkeys(map(ord, APOSTROPHES), "'")
#: Apostrophes whose compatibility form contains a space, which would split the word.
_BROKEN: Final = dict.fromkeys(map(ord, "\u00b4\u0384\u1fbd\u1fbf\u1fef\u1ffd\u1ffe"), "'")
_EVEN_HYPHENS: Final = re.compile(rf"(?<=\w)[{_HYPHENS}](?=\w)")

# Letters that Unicode does not decompose, and symbols that stand for a word.
_LETTERS: Final = str.maketrans(
    {
        "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i",
        "ħ": "h", "ŧ": "t", "ŋ": "n", "&": " and ",
        **dict.fromkeys(APOSTROPHES, "'"),
    }
)  # fmt: skip

#: Runs with fewer marks are fast to normalize in any order.
_FEW_MARKS: Final = 32
_ROW_OF_MARKS: Final = re.compile(rb"[^\0]{%d,}" % _FEW_MARKS)
#: Characters that contain several marks, and are decomposed before the marks are sorted.
_MARKS_IN_ONE: Final = str.maketrans({"\u0f73": "\u0f71\u0f72", "\u0f75": "\u0f71\u0f74", "\u0f81": "\u0f71\u0f80"})
_NARROW_MARKS: Final = str.maketrans({"\uff9e": "\u3099", "\uff9f": "\u309a"})

_APOSTROPHE: Final = re.compile(r"(?<=\w)'+(?=\w)")
_NOT_WORD: Final = re.compile(r"[\W_]+")
# In ASCII, punctuation separates words, except that an apostrophe joins them and "&" is a word.
_JOINING: Final = re.compile(r"['`&]")
_PARTED: Final = bytes(ord(chr(code).lower()) if code < 0x80 and chr(code).isalnum() else 0x20 for code in range(256))


def normalized(form: Literal["NFC", "NFD", "NFKC", "NFKD"], text: str) -> str:
    """Normalize a text to a Unicode form in linear time.

    `unicodedata.normalize` needs quadratic time for a run of unordered marks, two seconds for 32,000 of them, and blocks
    the process. So the marks of each run are sorted first.
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
    """Normalize to NFKC and remove invisible characters; keep case and diacritical marks."""
    if text.isascii() and text.isprintable():
        return text
    kept = "".join(c for c in text.translate(_BROKEN) if c in "\t\n\r" or unicodedata.category(c) not in {"Cc", "Cf"})
    return normalized("NFKC", kept)


def even_signs(text: str) -> str:
    """Replace every apostrophe by ' and every hyphen inside a word by -, as in stored names."""
    if text.isascii():
        return plain(text).replace("`", "'")
    return _EVEN_HYPHENS.sub("-", plain(text.translate(_EVEN_APOSTROPHES)).translate(_EVEN_APOSTROPHES))


def unmarked(text: str) -> str:
    """Casefold and remove diacritical marks; keep punctuation."""
    if text.isascii():
        return plain(text).lower().translate(_LETTERS)
    previous, text = "", plain(text)
    # Casefolding may compose or decompose characters again ("İ", "ΐ"), so repeat until nothing changes.
    while previous != text:
        previous = text
        text = normalized("NFKD", text.casefold()).translate(_LETTERS)
        text = normalized("NFKC", _MARKS.sub("", text))
    return text


def fold(text: str) -> str:
    """Casefold, remove marks and punctuation, and separate words by single spaces; idempotent.

    "O’Neil" gives "oneil" and "Ocasio-Cortez" gives "ocasio cortez".
    """
    if text.isascii() and text.replace(" ", "").isalnum():
        # Fast path for most names.
        return " ".join(text.lower().split())
    if text.isascii() and text.isprintable() and not _JOINING.search(text):
        return " ".join(text.encode().translate(_PARTED).decode().split())
    return _NOT_WORD.sub(" ", _APOSTROPHE.sub("", unmarked(text))).strip()


def words(text: str) -> frozenset[str]:
    """Parse a block of words, separated by white space, into a set."""
    return frozenset(text.split())
