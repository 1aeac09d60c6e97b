"""Folding: the one way in which text is made comparable; for matching, never for display."""

import re
import unicodedata
from typing import Final

# Only the combining marks of European scripts go: the vowel signs of others carry meaning.
_MARKS: Final = re.compile(r"[\u0300-\u036f]+")

# Letters that Unicode does not decompose, and signs that mean a word.
_LETTERS: Final = str.maketrans(
    {
        "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i",
        "ħ": "h", "ŧ": "t", "ŋ": "n", "&": " and ", "’": "'", "‘": "'", "ʼ": "'", "`": "'",
    }
)  # fmt: skip

_APOSTROPHE: Final = re.compile(r"(?<=\w)'(?=\w)")
_NOT_WORD: Final = re.compile(r"[\W_]+")
# In ASCII, a sign parts words; only an apostrophe joins them, and only "&" is one.
_JOINING: Final = re.compile(r"['`&]")
_PARTED: Final = bytes(ord(chr(code).lower()) if code < 0x80 and chr(code).isalnum() else 0x20 for code in range(256))


def plain(text: str) -> str:
    """Normalise to NFKC without invisible characters; letters keep their case and their marks."""
    if text.isascii() and text.isprintable():
        return text
    kept = "".join(c for c in text if c in "\t\n\r" or unicodedata.category(c) not in {"Cc", "Cf"})
    return unicodedata.normalize("NFKC", kept)


def unmarked(text: str) -> str:
    """Casefold, and drop the diacritical marks; punctuation stays."""
    if text.isascii():
        return plain(text).lower().translate(_LETTERS)
    previous, text = "", plain(text)
    # Casefolding may compose or decompose again ("İ", "ΐ"), so until nothing moves any more.
    while previous != text:
        previous = text
        text = unicodedata.normalize("NFKD", text.casefold()).translate(_LETTERS)
        text = unicodedata.normalize("NFKC", _MARKS.sub("", text))
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
