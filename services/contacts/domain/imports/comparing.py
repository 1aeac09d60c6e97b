"""Compare two written names: given names, whole family name and generation (T28).

`services.lexicon.names` tells which names may be of one person. An import that matches a row without asking also needs to
know which names differ and which are equal. `matching` decides.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from typing import Final

from rapidfuzz.distance import OSA

from services.lexicon.folding import fold, plain, words
from services.lexicon.honorifics import SUFFIXES
from services.lexicon.names import SHORT_FORMS, given_names, known_as

#: Suffixes that tell father from son. Suffixes of degrees and offices identify nobody.
_GENERATIONS: Final = {
    "jr": "jr", "jnr": "jr", "junior": "jr", "hijo": "jr", "sr": "sr", "snr": "sr", "senior": "sr",
    "ii": "2", "2nd": "2", "2d": "2", "iii": "3", "3rd": "3", "3d": "3", "iv": "4", "4th": "4", "v": "5", "5th": "5",
    "vi": "6", "6th": "6", "vii": "7", "viii": "8",
}  # fmt: skip
#: These are initials too, among given names.
_INITIALS_TOO: Final = words("v i")
_DEGREES: Final = SUFFIXES - _GENERATIONS.keys()
_PARTICLES: Final = words(
    """
    de del della dello da di do dos das du des d la las los le l el al ul ad as van von der den het t ten ter te vande vander
    vanden zu zum zur af av bin ibn ben bint abu abd y e i ap st saint san santa mac mc o
    """
)
_QUOTED: Final = re.compile(r"[\"“”(\[]([^\"“”()\[\]]*)[\"“”)\]]")

#: Names and the short forms that stand for them.
_SHORTENED: Final = {
    formal: frozenset(short for short, of in SHORT_FORMS.items() if formal in of) for formal in frozenset().union(*SHORT_FORMS.values())
}


def forms_of(given_name: str) -> frozenset[str]:
    """Return all folded given names that are similar to this one, and itself."""
    return known_as(given_name) | SHORT_FORMS.get(given_name, frozenset()) | _SHORTENED.get(given_name, frozenset())


class Given(IntEnum):
    """The similarity of two given names; a greater value is more similar."""

    #: Different names, or an unknown short form.
    OTHER = 0
    #: One or two letters differ: a typing error, or another name ("Maria", "Marie").
    CLOSE = 1
    #: One is the middle name of the other, or both belong to one group of names ("Jon", "John").
    RELATED = 2
    #: One is the initial of the other.
    INITIAL = 3
    #: One is a known short form of the other ("Bill", "William").
    SHORT = 4
    #: Equal, except that one has another middle name.
    FULLER = 5
    EQUAL = 6


class Family(IntEnum):
    """The similarity of two family names; a greater value is more similar."""

    OTHER = 0
    #: One or two letters differ.
    CLOSE = 1
    #: One is a part of the other ("Masto", "Cortez Masto"), or they differ in a particle.
    PART = 2
    EQUAL = 3


class Generation(IntEnum):
    """The relation of two generation suffixes."""

    OTHER = 0
    #: One has no suffix: a father rarely writes "Sr.".
    ONE = 1
    EQUAL = 2


@dataclass(frozen=True, slots=True)
class Kinship:
    """The comparison of two whole names."""

    given: Given
    family: Family
    generation: Generation
    #: Middle names that contradict each other ("John Allen", "John Brian").
    middle_differs: bool = False
    #: The same words in another order: swapped fields, or family name first.
    swapped: bool = False

    @property
    def is_certain(self) -> bool:
        """Return whether the names match well enough to be of one person without asking."""
        return self.given >= Given.SHORT and self.family is Family.EQUAL and self.generation is Generation.EQUAL and not self.middle_differs

    @property
    def is_whole(self) -> bool:
        """Return whether the whole names and their suffixes are equal."""
        return self.given is Given.EQUAL and self.is_certain

    @property
    def is_alike(self) -> bool:
        """Return whether one person may have both names."""
        if self.generation is Generation.OTHER:
            return False
        return self.swapped or (self.family >= Family.PART and self.given >= Given.RELATED)

    @property
    def is_close(self) -> bool:
        """Return whether the names look alike, although they are different names as written."""
        return (self.family >= Family.CLOSE and self.given >= Given.CLOSE) or self.is_alike

    @property
    def nearness(self) -> tuple[int, int, int]:
        """Return a sort key; a greater one is more similar."""
        return int(self.is_alike), self.given + self.family, int(self.generation)


@dataclass(frozen=True, slots=True)
class WrittenName:
    """A name, split into the words that are compared."""

    given: tuple[str, ...]
    nicknames: tuple[str, ...]
    family: tuple[str, ...]
    #: The generation of a suffix, such as "jr", "sr", "2" or "3", or an empty string.
    generation: str


@lru_cache(maxsize=8192)
def as_words(first_name: str, last_name: str) -> WrittenName:
    """Split the two fields of a name into words."""
    nicknames = tuple(word for found in _QUOTED.findall(plain(first_name)) for word in fold(found).split())
    given = list(given_names(_QUOTED.sub(" ", plain(first_name))))
    family = fold(last_name).split()
    generation = _taken(family, initials=False) or _taken(given, initials=True)
    # "Jr. Adlai": some lists put the suffix before the given name.
    if not generation and len(given) > 1 and given[0] in _GENERATIONS and given[0] not in _INITIALS_TOO:
        generation = _GENERATIONS[given.pop(0)]
    return WrittenName(tuple(given), nicknames, tuple(family), generation)


def _taken(name: list[str], *, initials: bool) -> str:
    """Remove degrees and the generation from the end of a name; return the generation."""
    generation = ""
    while len(name) > 1 and (name[-1] in _DEGREES or (not generation and name[-1] in _GENERATIONS)):
        if initials and name[-1] in _INITIALS_TOO:
            break
        word = name.pop()
        generation = generation or _GENERATIONS.get(word, "")
    return generation


def compare(one: WrittenName, other: WrittenName) -> Kinship:
    """Compare two names. The result does not depend on their order."""
    generation = Generation.OTHER if one.generation and other.generation else Generation.ONE
    if one.generation == other.generation:
        generation = Generation.EQUAL
    if one.given == other.given and one.family == other.family:
        # Initials only are not enough: "J. Smith" may be two people.
        full = Given.INITIAL if one.given and all(len(word) == 1 for word in one.given) else Given.EQUAL
        return Kinship(full, Family.EQUAL, generation)
    given, middle_differs = _given(one, other)
    family = _family(one.family, other.family)
    mine, theirs = one.given + one.family, other.given + other.family
    if "".join(mine) == "".join(theirs) and one.given and other.given:
        # Lists split double names differently ("Catherine / Cortez Masto", "Catherine Cortez / Masto").
        return Kinship(Given.EQUAL, Family.EQUAL, generation)
    swapped = bool(one.given and other.given) and sorted(mine) == sorted(theirs) and family is not Family.EQUAL
    return Kinship(given, family, generation, middle_differs=middle_differs, swapped=swapped)


def _family(one: tuple[str, ...], other: tuple[str, ...]) -> Family:
    mine, theirs = "".join(one), "".join(other)
    if not mine or not theirs:
        return Family.OTHER
    if mine == theirs:
        return Family.EQUAL
    core, their_core = _core(one), _core(other)
    if "".join(core) == "".join(their_core):
        return Family.PART
    shorter, longer = sorted((core, their_core), key=len)
    if len(shorter) < len(longer) and shorter in (longer[: len(shorter)], longer[-len(shorter) :]):
        return Family.PART
    return Family.CLOSE if are_close(mine, theirs) else Family.OTHER


def _core(family: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(word for word in family if word not in _PARTICLES) or family


def _given(one: WrittenName, other: WrittenName) -> tuple[Given, bool]:
    """Compare given names; also return whether the middle names contradict each other."""
    mine, theirs = one.given, other.given
    if not mine or not theirs:
        # A family name without a given name matches only itself.
        return (Given.EQUAL if mine == theirs else Given.OTHER), False
    if "".join(mine) == "".join(theirs) and len("".join(mine)) > max(len(mine), len(theirs)):
        return Given.EQUAL, False
    first = _first(mine[0], theirs[0])
    if first >= Given.INITIAL:
        middle_differs = _middles_differ(mine[1:], theirs[1:])
        if first is Given.EQUAL and mine[1:] != theirs[1:]:
            first = Given.FULLER
        # A short form replaces all given names: "Bill" matches "William James", "Bill Ray" does not.
        return (Given.RELATED if middle_differs else first), middle_differs
    if any(_first(nickname, theirs[0]) >= Given.SHORT for nickname in one.nicknames) or any(
        _first(nickname, mine[0]) >= Given.SHORT for nickname in other.nicknames
    ):
        return Given.SHORT, _middles_differ(mine[1:], theirs[1:])
    full, others = [word for word in (*mine, *one.nicknames) if len(word) > 1], [word for word in (*theirs, *other.nicknames) if len(word) > 1]
    if any(_first(a, b) >= Given.SHORT or b in known_as(a) for a in full for b in others):
        return Given.RELATED, False
    close = are_close(mine[0], theirs[0]) or are_close("".join(mine), "".join(theirs))
    return (Given.CLOSE if close else Given.OTHER), False


def _first(one: str, other: str) -> Given:
    if one == other:
        return Given.EQUAL if len(one) > 1 else Given.INITIAL
    if len(one) == 1 or len(other) == 1:
        return Given.INITIAL if one[0] == other[0] else Given.OTHER
    if other in SHORT_FORMS.get(one, ()) or one in SHORT_FORMS.get(other, ()):
        return Given.SHORT
    return Given.OTHER


def _middles_differ(mine: tuple[str, ...], theirs: tuple[str, ...]) -> bool:
    """Return whether middle names contradict each other: with equal numbers, one has a name or initial that the other lacks."""
    shorter, longer = sorted((mine, theirs), key=len)
    rest = iter(longer)
    return not all(any(_is_middle(word, other) for other in rest) for word in shorter)


def _is_middle(one: str, other: str) -> bool:
    return one == other or (1 in {len(one), len(other)} and one[0] == other[0]) or _first(one, other) >= Given.SHORT


def fuller(written: tuple[str, str], known: tuple[str, str]) -> tuple[str, str] | None:
    """Return a more complete spelling of the known name (first, last), or None if the other one adds nothing or loses something.

    More complete is a middle name, a name instead of its initial, a suffix or a diacritic, but not another word.
    """
    mine, theirs = as_words(*written), as_words(*known)
    if len(mine.family) != len(theirs.family) or "".join(mine.family) != "".join(theirs.family):
        return None
    if mine.generation != theirs.generation and theirs.generation:
        return None
    rest = iter((*mine.given, *mine.nicknames))
    if not mine.given or not all(any(word == other or (len(word) == 1 and other[0] == word) for other in rest) for word in theirs.given):
        return None
    if not set(theirs.nicknames) <= {*mine.nicknames, *mine.given} or (mine.given[:1] != theirs.given[:1] and len(theirs.given[0]) > 1):
        return None
    more = sum(map(len, mine.given)) - sum(map(len, theirs.given))
    if more > 0 or mine.generation != theirs.generation:
        return written
    return written if more == 0 and _marks(written) > _marks(known) else None


def _marks(name: tuple[str, str]) -> int:
    """Count what folding removes: diacritics, mixed case and signs."""
    return sum(not character.isascii() for part in name for character in plain(part))


#: Letters that scanners and typists confuse.
_LOOKALIKE: Final = (("0", "o"), ("1", "l"), ("5", "s"), ("8", "b"), ("rn", "m"), ("vv", "w"), ("cl", "d"), ("ii", "u"))
#: Spellings of the same sound in transcriptions.
_SOUNDALIKE: Final = (
    ("ph", "f"), ("ck", "k"), ("kh", "h"), ("sch", "sh"), ("tch", "ch"), ("tz", "ts"), ("dj", "j"), ("gh", "g"), ("th", "t"), ("qu", "k"),
    ("x", "ks"), ("q", "k"), ("c", "k"), ("w", "v"), ("y", "i"), ("j", "i"), ("z", "s"), ("ee", "i"), ("oo", "u"), ("ou", "u"), ("o", "u"),
    ("e", "i"),
)  # fmt: skip


@lru_cache(maxsize=4096)
def are_close(one: str, other: str) -> bool:
    """Return whether two words look or sound alike, as after a typing error, a scanning error or another transcription."""
    if min(len(one), len(other)) < 3:
        return False
    one, other = _read(one, _LOOKALIKE), _read(other, _LOOKALIKE)
    most = 1 if min(len(one), len(other)) < 6 else 2
    if OSA.distance(one, other, score_cutoff=most) <= most:
        return True
    return OSA.distance(_sound(one), _sound(other), score_cutoff=1) <= (1 if min(len(one), len(other)) > 4 else 0)


def _sound(word: str) -> str:
    return re.sub(r"(.)\1+", r"\1", _read(word, _SOUNDALIKE))


def _read(word: str, pairs: tuple[tuple[str, str], ...]) -> str:
    for written, meant in pairs:
        word = word.replace(written, meant)
    return word


_LITTLE: Final = words("of the and for a an in on at to de la")


def are_organizations_alike(one: str, other: str) -> bool:
    """Return whether two compared organizations may be the same: one is an acronym or a part, or they differ in a letter or two."""
    if not one or not other:
        return False
    if one == other or are_close(one.replace(" ", ""), other.replace(" ", "")):
        return True
    shorter, longer = sorted((one.split(), other.split()), key=len)
    if len(shorter) == 1 and len(longer) > 1:
        letters = "".join(word[0] for word in longer)
        meant = "".join(word[0] for word in longer if word not in _LITTLE)
        if shorter[0] in {letters, meant}:
            return True
    said = [word for word in shorter if word not in _LITTLE]
    return len(said) > 1 and set(said) <= set(longer)
