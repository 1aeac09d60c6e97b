"""Compare names by digests of words, where no name may be stored (T9, T25).

`lexicon.names.are_names_alike` compares two names, but the suppression ledger stores none. It stores digests of all words
under which a similar name is looked up; a candidate's name becomes the words to look up. The two sets share a word if the
names are alike, and also if given and family name are swapped, a salutation or suffix is included, words are split or
joined, or letters are replaced by similar signs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from services.lexicon.folding import fold, words
from services.lexicon.honorifics import SUFFIXES
from services.lexicon.lookalikes import latin, skeleton
from services.lexicon.names import family_key, known_as

#: Words that accompany a name without being part of it, compared by the look of their letters.
_BESIDE = SUFFIXES | words(
    """
        mr mrs ms miss mx dr doctor prof professor hon honorable the sen senator rep representative congressman congresswoman
        gov governor mayor sheriff chief judge justice col colonel capt captain maj major lt lieutenant gen general sgt
        sergeant adm admiral rev reverend rabbi imam fr father amb ambassador sec secretary sir madam
        junior senior 2nd 3rd 4th 5th esq retired md phd dr
        """
)
_PARTICLES = words("de la las los del der den das do dos da di du von van y e of ter ten el al bin ibn")
#: A sign in place of a letter, between letters.
_SIGN_FOR_A = re.compile(r"(?<=[^\W\d_])@(?=[^\W\d_])")
#: Single letters, as many as may be initials.
_SPELLED = 3
#: The most words that are joined to one name.
_JOINED = 3


def kept_words(first_name: str, last_name: str) -> frozenset[str]:
    """Return the words of a name that the ledger stores as digests."""
    given, family = _parts(first_name), _parts(last_name)
    if not given:
        # The whole name may be in one field.
        return frozenset(word for at, one in enumerate(family) for word in _kept([one], [*family[:at], *family[at + 1 :]])) | _alone(family)
    families = [word for word in family if word not in _PARTICLES] or family
    return frozenset(_kept([*families, *_joined(family)], given))


def asked_words(first_name: str, last_name: str) -> frozenset[str]:
    """Return the words to look up for a candidate's name. Each of its words may be the family name."""
    read = [*_read(first_name), *_read(last_name)]
    tokens = [skeleton(word) for word in [word for word in read if word not in _BESIDE] or read]
    if len(tokens) == 1:
        return frozenset({f"{tokens[0]}|"})
    # A family name of two words, without a given name.
    found: set[str] = set() if _parts(first_name) else set(_alone(tokens))
    for begin in range(len(tokens)):
        for end in range(begin + 1, min(begin + _JOINED, len(tokens)) + 1):
            family = "".join(tokens[begin:end])
            others = [*tokens[:begin], *tokens[end:]]
            if len(family) > 1 and others:
                found |= _asked(family, others)
    return frozenset(found)


def may_be_one(one: tuple[str, str], other: tuple[str, str]) -> bool:
    """Return whether the ledger would match two names (first, last)."""
    return bool(kept_words(*one) & asked_words(*other))


def family_keys(first_name: str, last_name: str) -> list[str]:
    """Return the keys under which a database stores similar names."""
    return sorted({family_key(last_name), *fold(f"{first_name} {last_name}").split()} - {""})


def _parts(written: str) -> list[str]:
    found = _read(written)
    return [word for word in found if word not in _BESIDE] or found


def _read(written: str) -> list[str]:
    found = latin(_SIGN_FOR_A.sub("a", written)).split()
    # "E r a s e g a r d": no name has so many initials.
    return ["".join(found)] if len(found) > _SPELLED and all(len(word) == 1 for word in found) else found


def _joined(parts: Sequence[str]) -> list[str]:
    """Return adjacent words joined: "mc donald" and "mcdonald" are one name."""
    spans = ((begin, end) for begin in range(len(parts)) for end in range(begin + 2, min(begin + _JOINED, len(parts)) + 1))
    return ["".join(parts[begin:end]) for begin, end in spans]


def _alone(family: Sequence[str]) -> frozenset[str]:
    return frozenset(f"{skeleton(word)}|" for word in family[-1:] if len(word) > 1)


def _kept(families: Iterable[str], given: Sequence[str]) -> set[str]:
    families = {skeleton(family) for family in families if len(family) > 1}
    if not given:
        return {f"{family}|" for family in families}
    full = [name for name in given if len(name) > 1]
    full += _joined(given) if full else []
    first_letter = skeleton(given[0])[0]
    if not full:
        # "J. Smith": full names find it through "initials of", other initials through "letter".
        signs = {f"initials of {first_letter}", f"letters {first_letter}"}
    else:
        signs = {skeleton(other) for name in full for other in known_as(name)} | {f"letter {first_letter}"}
    return {f"{family}|{sign}" for family in families for sign in signs}


def _asked(family: str, given: Sequence[str]) -> set[str]:
    full = [name for name in given if len(name) > 1]
    first_letter = given[0][0]
    signs = {f"letter {first_letter}", f"letters {first_letter}"} if len(given[0]) == 1 else set()
    signs |= {f"initials of {first_letter}", *full, *_joined(given)} if full else set()
    return {f"{family}|{sign}" for sign in signs}
