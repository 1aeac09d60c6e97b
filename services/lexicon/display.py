"""Standardize values for display (R80)."""

import re
from typing import Final

from services.lexicon.folding import even_signs, fold, plain, words

_ROMAN: Final = frozenset({"ii", "iii", "iv", "vi"})
_PARTICLES: Final = frozenset({"de", "la", "del", "der", "den", "von", "van", "da", "di", "y", "of"})
#: Two letters, or three without a vowel, are initials ("JD", "TJ", "MLK") unless they are a name.
_INITIALS: Final = re.compile(r"[A-Za-z]{2}|[B-DF-HJ-NP-TV-XZb-df-hj-np-tv-xz]{3}")
_SHORT_NAMES: Final = words(
    """
    al bo cy ed jo ty mo vi di li wu xu yu an ng lu su ho hu le vo bi ah ky ly ya yi qi ye mi na ai ko oz io st mt ft mc mr ms dr jr sr
    de la da di do du el le van von y
    """
)
_DEGREES: Final = {
    "phd": "PhD", "md": "MD", "jd": "JD", "cpa": "CPA", "esq": "Esq.", "edd": "EdD", "rn": "RN", "dds": "DDS", "mba": "MBA", "mph": "MPH",
    "mpa": "MPA", "usn": "USN", "usa": "USA", "usaf": "USAF", "usmc": "USMC", "uscg": "USCG", "ret": "(Ret.)",
}  # fmt: skip
_SPACE_BEFORE_COMMA: Final = re.compile(r"(?<!\s)\s++,")


def tidy(text: str) -> str:
    """Remove control and invisible characters, line breaks and extra spaces."""
    return " ".join(plain(text).split())


def tidy_lines(text: str) -> str:
    """Tidy each line of a text, and reduce several empty lines to one."""
    lines = [" ".join(plain(line).split()) for line in text.splitlines()]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def _titled(word: str, at: int, *, given: bool) -> str:
    folded = fold(word)
    if folded in _ROMAN:
        return word.upper()
    if at and folded.replace(" ", "") in _DEGREES:
        return _DEGREES[folded.replace(" ", "")]
    if given and _INITIALS.fullmatch(word) and word.lower() not in _SHORT_NAMES:
        return word.upper()
    return re.sub(
        r"\w+",
        lambda part: "Mc" + part[0][2:].capitalize() if part[0].lower().startswith("mc") and len(part[0]) > 3 else part[0].capitalize(),
        word,
    )


def display_name(written: str, *, given: bool = True) -> str:
    """Standardize one field of a name: change the case of words in all capitals or all small letters only.

    "MCDONALD JR" becomes "McDonald Jr.", and "O´Neil" becomes "O'Neil"; "de la Cruz" and "JD" stay.

    :param given: whether it may contain initials, as a family name without a given name may; otherwise "WU" becomes "Wu".
    """
    text = _SPACE_BEFORE_COMMA.sub(",", tidy(even_signs(written))).replace(", ", " ")
    if (text.isupper() or text.islower()) and sum(c.isalpha() for c in text) > 1:
        parts = [_titled(word, at, given=given) for at, word in enumerate(text.split())]
        text = " ".join(part.lower() if fold(part) in _PARTICLES and i + 1 < len(parts) else part for i, part in enumerate(parts))
        text = text[:1].upper() + text[1:]
    head, *rest = text.split() or [""]
    return " ".join([head, *(f"{fold(word).capitalize()}." if fold(word) in {"jr", "sr"} else word for word in rest)])
