"""Who is the same person: a record against people already there, by directory-layer likeness and own values (T23)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from services.contacts.domain.imports.records import Record, compared_as
from services.lexicon.canonical import canonical_contact_point, canonical_organization
from services.lexicon.folding import fold
from services.lexicon.names import SUFFIXES, PersonName, are_names_alike, family_key

Likeness = Literal["same", "like", "other"]

_OWN_OFFICE = re.compile(r"^(?:the )?(?:\w+ )?office of (?:the )?(?P<rest>.+)$")
#: Nearly all are none, which is told without folding them: only an apostrophe or another script could hide the word.
_MAY_BE_OFFICE = re.compile(r"office|['`]|[^\x00-\x7f]", re.IGNORECASE)
_TITLES = {
    "sen": "senator",
    "us senator": "senator",
    "rep": "representative",
    "us representative": "representative",
    "congressman": "representative",
    "congresswoman": "representative",
    "member of congress": "representative",
    "delegate": "representative",
    "resident commissioner": "representative",
    "gov": "governor",
}

_OFFICIALS = frozenset(_TITLES.values())
_TITLE_WORDS = frozenset(word for title in (*_TITLES, *_TITLES.values()) for word in title.split())


@dataclass(slots=True)
class Person:
    """Somebody already there, or planned by an earlier row, as far as matching looks."""

    id: str
    first_name: str
    last_name: str
    salutation: str | None = None
    title: str | None = None
    state: str | None = None
    state_proposed: bool = False
    organization_id: str | None = None
    organization: str | None = None
    interests: tuple[str, ...] = ()
    declined: frozenset[str] = frozenset()
    frozen: bool = False
    fresh: bool = False
    #: (family of kinds, canonical value) that the importer's own component holds.
    values: set[tuple[str, str]] = field(default_factory=set)
    #: What people of one family name have in common.
    family: str = field(init=False)

    def __post_init__(self) -> None:
        """Work the family name out once."""
        self.family = family_key(self.last_name)


def value_keys(points: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
    """Return values as they are compared: a number is one number, whatever kind of telephone it was taken for."""
    return {(compared_as(kind), canonical) for kind, value in points if (canonical := canonical_contact_point(kind, value))}


def is_own_office(organization: str | None, last_name: str) -> bool:
    """Whether an organization is the office of the person of that family name: "Office of Senator Tammy Baldwin"."""
    if not organization or not _MAY_BE_OFFICE.search(organization):
        return False
    found = _OWN_OFFICE.match(fold(organization))
    names = [name for name in fold(last_name).split() if name not in SUFFIXES]
    return found is not None and any(name in found["rest"].split() for name in names if len(name) > 2)


def family_keys(record: Record) -> set[str]:
    """Return under which family names a record's person may be there already."""
    return {family_key(name.last_name) for name in names_of(record.name, record.title, record.organization)} - {""}


def office_keys(record: Record) -> set[str]:
    """Return what the record's person's own office may be called, as organizations are compared."""
    keys = set()
    if is_own_office(record.organization, record.name.last_name):
        keys.add(canonical_organization(record.organization or ""))
    if record.title and (title := _TITLES.get(folded := fold(record.title), folded)) in _OFFICIALS:
        keys.add(canonical_organization(f"Office of {title} {record.name.first_name} {record.name.last_name}"))
    return keys


def likeness(record: Record, person: Person) -> Likeness:
    """Say whether a record is this person: the same, possibly, or somebody else."""
    return _likeness(_Asked.of(record), person)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is asked of every candidate, worked out once."""

    record: Record
    names: list[PersonName]
    family: str
    keys: frozenset[tuple[str, str]]
    organization: str
    own: bool
    title: str | None
    first_name: str

    @classmethod
    def of(cls, record: Record) -> _Asked:
        own = is_own_office(record.organization, record.name.last_name)
        return cls(
            record,
            names_of(record.name, record.title, record.organization),
            family_key(record.name.last_name),
            record.keys,
            record.organization_key,
            own,
            _title(record.title, record.organization, own=own),
            fold(record.name.first_name),
        )


def _likeness(asked: _Asked, person: Person) -> Likeness:
    theirs = names_of(PersonName("", person.first_name, person.last_name), person.title, person.organization)
    alike = any(are_names_alike(one, other) for one in asked.names for other in theirs)
    if not alike and not asked.keys & person.values:
        return "other"
    evidence, contradiction = _signs(asked, person)
    if not alike:
        # One telephone, one title and one family name: a middle name that somebody goes by, or a couple. People decide.
        related = asked.family == person.family and {"value", "title"} <= evidence
        return "like" if related and not contradiction else "other"
    if {"value", "organization"} & evidence:
        return "same"
    if contradiction:
        return "other"
    return "same" if evidence else "like"


def names_of(name: PersonName, title: str | None, organization: str | None) -> list[PersonName]:
    """Return a name, and the name that the person's own office bears: lists say "Garland Barr", the door "Andy Barr"."""
    names = [name]
    found = _OWN_OFFICE.match(fold(organization or "")) if is_own_office(organization, name.last_name) else None
    if found:
        office_title = _title(None, organization, own=True)
        # Somebody of the same family name may work in that office, under a title of their own.
        if title is None or _title(title, None, own=False) == office_title:
            words = found["rest"].split()
            while len(words) > 1 and words[0] in _TITLE_WORDS:
                words.pop(0)
            while len(words) > 1 and words[-1] in SUFFIXES:
                words.pop()
            names.append(PersonName("", " ".join(words[:-1]), words[-1]))
    return names


def best(record: Record, people: Sequence[Person]) -> tuple[Likeness, Person | None]:
    """Return the one who is meant; of several that could be, the one with the most signs, or none if two have as many."""
    if not people:
        return "other", None
    asked = _Asked.of(record)
    found = [(_likeness(asked, person), person) for person in people]
    same = [person for verdict, person in found if verdict == "same"]
    if not same:
        like = next((person for verdict, person in found if verdict == "like"), None)
        return ("like", like) if like else ("other", None)
    if len(same) == 1:
        return "same", same[0]
    ranked = sorted(same, key=lambda person: _rank(asked, person), reverse=True)
    if _rank(asked, ranked[0]) == _rank(asked, ranked[1]):
        return "like", ranked[0]
    return "same", ranked[0]


def _signs(asked: _Asked, person: Person) -> tuple[set[str], bool]:
    record = asked.record
    evidence: set[str] = set()
    contradiction = False
    # An address is many people's: a house of Congress is one address.
    if any(kind != "work_address" for kind, _ in asked.keys & person.values):
        evidence.add("value")
    own = is_own_office(person.organization, person.last_name)
    if record.organization and person.organization:
        if asked.organization == canonical_organization(person.organization):
            evidence.add("organization")
        elif not (asked.own or own):
            contradiction = True
    title = _title(person.title, person.organization, own=own)
    if asked.title and title:
        if asked.title == title:
            evidence.add("title")
        else:
            contradiction = True
    if record.state and person.state:
        if record.state == person.state:
            # Two addresses in the capital say nothing.
            if not (record.state_proposed and person.state_proposed and record.state == "DC"):
                evidence.add("state")
        elif (not record.state_proposed and not person.state_proposed) or "DC" not in {record.state, person.state}:
            # Offices of one person lie in one state, but for the seat of government.
            contradiction = True
    return evidence, contradiction


def _rank(asked: _Asked, person: Person) -> tuple[int, int]:
    evidence, contradiction = _signs(asked, person)
    weight = sum({"value": 8, "organization": 4, "state": 2, "title": 1}[sign] for sign in evidence)
    return weight - (4 if contradiction else 0), int(asked.first_name == fold(person.first_name))


def _title(title: str | None, organization: str | None, *, own: bool) -> str | None:
    """Return a title as it is compared; an own office's name says it too."""
    if title:
        folded = fold(title)
        return _TITLES.get(folded, folded)
    if own and (found := _OWN_OFFICE.match(fold(organization or ""))):
        words = found["rest"].split()
        for length in (2, 1):
            known = " ".join(words[:length])
            if known in _TITLES or known in _TITLES.values():
                return _TITLES.get(known, known)
    return None
