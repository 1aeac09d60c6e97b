"""Who is the same person: a record against people already there, by directory-layer likeness and own values (T23)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from services.contacts.domain.imports.offices import is_own_office, names_of, title_of
from services.contacts.domain.imports.records import Record
from services.lexicon.canonical import canonical_name, canonical_organization
from services.lexicon.folding import fold
from services.lexicon.names import PersonName, are_names_alike, family_key

Likeness = Literal["same", "like", "other"]


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
    #: What people of one family name have in common, and the name as it is compared; worked out where they are not given.
    family: str = ""
    canonical_name: str = ""

    def __post_init__(self) -> None:
        """Work out once what is not given."""
        self.family = self.family or family_key(self.last_name)
        self.canonical_name = self.canonical_name or canonical_name(self.first_name, self.last_name)


def likeness(record: Record, person: Person) -> Likeness:
    """Say whether a record is this person: the same, possibly, or somebody else."""
    own = is_own_office(person.organization, person.last_name)
    theirs = names_of(PersonName("", person.first_name, person.last_name), person.title, person.organization, own=own)
    alike = any(are_names_alike(one, other) for one in record.signs.names for other in theirs)
    if not alike and not record.signs.values & person.values:
        return "other"
    evidence, contradiction = _signs(record, person)
    if not alike:
        # One telephone, one title and one family name: a middle name that somebody goes by, or a couple. People decide.
        related = record.signs.families[0] == person.family and {"value", "title"} <= evidence
        return "like" if related and not contradiction else "other"
    if {"value", "organization"} & evidence:
        return "same"
    if contradiction:
        return "other"
    return "same" if evidence else "like"


def best(record: Record, people: Sequence[Person]) -> tuple[Likeness, Person | None]:
    """Return the one who is meant; of several that could be, the one with the most signs, or none if two have as many."""
    if not people:
        return "other", None
    found = [(likeness(record, person), person) for person in people]
    same = [person for verdict, person in found if verdict == "same"]
    if not same:
        like = next((person for verdict, person in found if verdict == "like"), None)
        return ("like", like) if like else ("other", None)
    if len(same) == 1:
        return "same", same[0]
    ranked = sorted(same, key=lambda person: _rank(record, person), reverse=True)
    if _rank(record, ranked[0]) == _rank(record, ranked[1]):
        return "like", ranked[0]
    return "same", ranked[0]


def _signs(record: Record, person: Person) -> tuple[set[str], bool]:
    asked = record.signs
    evidence: set[str] = set()
    contradiction = False
    # An address is many people's: a house of Congress is one address.
    if any(kind != "work_address" for kind, _ in asked.values & person.values):
        evidence.add("value")
    own = is_own_office(person.organization, person.last_name)
    if record.organization and person.organization:
        if asked.organization == canonical_organization(person.organization):
            evidence.add("organization")
        elif not (asked.own or own):
            contradiction = True
    title = title_of(person.title, person.organization, own=own)
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


def _rank(record: Record, person: Person) -> tuple[int, int]:
    evidence, contradiction = _signs(record, person)
    weight = sum({"value": 8, "organization": 4, "state": 2, "title": 1}[sign] for sign in evidence)
    return weight - (4 if contradiction else 0), int(record.signs.first_name == fold(person.first_name))
