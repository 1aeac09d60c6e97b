"""Who and what is known while an import is planned: what storage read for a block, and what earlier rows planned.

A family name may be a thousand people's. Whom a record may mean is looked up by given name and by value, so that a
row costs the same however many bear its name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import islice

from rapidfuzz.fuzz import token_sort_ratio

from services.contacts.domain.imports.comparing import forms_of
from services.contacts.domain.imports.matching import Person
from services.contacts.domain.imports.offices import is_own_office
from services.contacts.domain.imports.records import Record
from services.lexicon.canonical import canonical_name, canonical_organization, compared_as
from services.lexicon.folding import fold
from services.lexicon.names import given_names

#: Two whole names that are less alike than this, of 100, are not one that was written wrongly.
_LOOKS_ALIKE = 70
#: An organization in which more people than this bear a family name, or a given name, tells of nobody by it.
MOST_COLLEAGUES = 50
#: A value that more people have than this tells of nobody beyond those who bear the name.
MOST_HOLDERS = 20


@dataclass(slots=True)
class Organization:
    """An organization already there, or planned by an earlier row."""

    id: str
    name: str
    state: str | None = None
    sector: str | None = None
    group_ids: list[str] = field(default_factory=list)
    #: Keys of its offices, so that the same one is not added twice.
    offices: set[str] = field(default_factory=set)
    fresh: bool = False


@dataclass(slots=True)
class _Family:
    """People of one family name: all of them, and by what a record may mean them."""

    everybody: dict[str, Person] = field(default_factory=dict)
    by_given: dict[str, list[Person]] = field(default_factory=dict)
    by_value: dict[tuple[str, str], list[Person]] = field(default_factory=dict)
    #: Whoever has an office of their own bears its name too: few, and always looked at.
    with_office: dict[str, Person] = field(default_factory=dict)


@dataclass(slots=True)
class _Colleagues:
    """People of one organization by family name, and by what a given name is found by: the other name may be written wrongly."""

    found: dict[tuple[str, str], dict[str, tuple[str, Person]]] = field(default_factory=dict)
    known: int = 0

    def learn(self, people: Mapping[str, Person]) -> None:
        """Take in those at the end that are not known yet."""
        if len(people) == self.known:
            return
        for person in islice(people.values(), self.known, None):
            whole = _whole(person.first_name, person.last_name)
            for at in (("family", person.family), *(("given", sign) for sign in _signs_of(person.first_name) if _is_word(sign))):
                self.found.setdefault(at, {})[person.id] = (whole, person)
        self.known = len(people)

    def of(self, asked: Iterable[tuple[str, str]]) -> Iterable[tuple[str, Person]]:
        """Return whole names and people of these names, unless many bear one."""
        found: dict[str, tuple[str, Person]] = {}
        for at in asked:
            known = self.found.get(at, {})
            if len(known) <= MOST_COLLEAGUES:
                found |= known
        return found.values()


@dataclass(slots=True)
class Register:
    """Who and what is known: by family name, and by canonical name."""

    people: dict[str, _Family] = field(default_factory=dict)
    organizations: dict[str, Organization] = field(default_factory=dict)
    #: People by the canonical name of their own office.
    offices: dict[str, dict[str, Person]] = field(default_factory=dict)
    #: Whoever is reached by a value, whatever they are called: who married, or whose name was written otherwise.
    by_value: dict[tuple[str, str], list[Person]] = field(default_factory=dict)
    by_name: dict[str, dict[str, Person]] = field(default_factory=dict)
    #: People of one organization (id), in the order in which they were learned; and of those that somebody asked about, an index.
    by_organization: dict[str, dict[str, Person]] = field(default_factory=dict)
    colleagues: dict[str, _Colleagues] = field(default_factory=dict)
    #: Ids of whoever and whatever was only planned.
    planned: set[str] = field(default_factory=set)

    def learn_person(self, person: Person, values: Iterable[tuple[str, str]] = ()) -> Person:
        """Take in somebody, with what of theirs is held; return them, who if known already stay as planned rows left them.

        :param values: (kind, canonical value)
        """
        family = self.people.setdefault(person.family, _Family())
        known = family.everybody.get(person.id)
        if known is None:
            known = family.everybody[person.id] = person
            for sign in _signs_of(person.first_name):
                family.by_given.setdefault(sign, []).append(person)
            self.by_name.setdefault(person.canonical_name, {})[person.id] = person
            if person.fresh:
                self.planned.add(person.id)
        self.joined(known)
        self.holds(known, values)
        return known

    def renamed(self, person: Person) -> None:
        """Note another spelling of somebody's given names, by which they are found too."""
        by_given = self.people[person.family].by_given
        for sign in _signs_of(person.first_name):
            known = by_given.setdefault(sign, [])
            if person not in known:
                known.append(person)

    def learn_organization(self, organization: Organization, key: str | None = None) -> Organization:
        """Take in an organization; return the one that counts, which of two of one name is the first."""
        known = self.organizations.setdefault(key or canonical_organization(organization.name), organization)
        if known.fresh:
            self.planned.add(known.id)
        return known

    def holds(self, person: Person, values: Iterable[tuple[str, str]]) -> None:
        """Note values of somebody's that the importer's own component holds: (kind, canonical value)."""
        family = self.people[person.family].by_value
        for kind, canonical in values:
            value = (compared_as(kind), canonical)
            if value not in person.values:
                family.setdefault(value, []).append(person)
                if kind != "work_address":
                    self.by_value.setdefault(value, []).append(person)
            person.holds(kind, canonical)

    def joined(self, person: Person) -> None:
        """Note that somebody works for an organization, so that they are found by it."""
        if person.organization_id:
            self.by_organization.setdefault(person.organization_id, {})[person.id] = person
        if person.organization and is_own_office(person.organization, person.last_name):
            self.offices.setdefault(canonical_organization(person.organization), {})[person.id] = person
            self.people[person.family].with_office[person.id] = person

    def candidates(self, record: Record) -> list[Person]:
        """Return whoever a record may mean: of its family names and a like name or value, of an office of that name, or reached by a value.

        All others are nobody whom the matcher would take for the record's person by itself.
        """
        found: list[Person] = []
        signs = record.signs
        for name, key in zip(signs.names, signs.families, strict=True):
            family = self.people.get(key) if key else None
            if family is None:
                continue
            for sign in _signs_asked(name.first_name):
                found += family.by_given.get(sign, ())
            for value in signs.values:
                found += family.by_value.get(value, ())
            found += family.with_office.values()
        for key in families_besides(record):
            if family := self.people.get(key):
                for sign in _signs_asked(record.name.first_name):
                    found += family.by_given.get(sign, ())
        for key in signs.offices:
            found += self.offices.get(key, {}).values()
        found += self._colleagues(record)
        found += self.by_name.get(swapped(record), {}).values()
        for value in signs.values:
            holders = self.by_value.get(value, ())
            if len(holders) <= MOST_HOLDERS:
                found += holders
        once = {person.id: person for person in found}
        return [once[person_id] for person_id in sorted(once)]

    def _colleagues(self, record: Record) -> list[Person]:
        """Return who works where the record says, and bears its family name or its given name."""
        organization = self.organizations.get(record.signs.organization) if record.organization else None
        if organization is None:
            return []
        asked = [("family", key) for key in record.signs.families if key]
        signs = _signs_asked(record.name.first_name) | words_of(record)
        asked += [("given", sign) for sign in sorted(signs) if _is_word(sign)]
        whole = _whole(record.name.first_name, record.name.last_name)
        colleagues = self.colleagues.setdefault(organization.id, _Colleagues())
        colleagues.learn(self.by_organization.get(organization.id, {}))
        return [person for name, person in colleagues.of(asked) if token_sort_ratio(whole, name, score_cutoff=_LOOKS_ALIKE)]


def families_besides(record: Record) -> list[str]:
    """Return further words of a double family name: some lists have the first of them alone."""
    return [word for word in fold(record.name.last_name).split() if len(word) > 2 and word not in record.signs.families]


def words_of(record: Record) -> set[str]:
    """Return the words of the name, any of which may be a given name: lists disagree on their order. Initials are none."""
    return {word for word in (*given_names(record.name.first_name), *fold(record.name.last_name).split()) if len(word) > 1}


def swapped(record: Record) -> str:
    """Return the name as it is compared if the two fields were taken for each other."""
    return canonical_name(record.name.last_name, record.name.first_name) if record.name.first_name else ""


def _whole(first_name: str, last_name: str) -> str:
    return " ".join((*given_names(first_name), *fold(last_name).split()))


def _is_word(sign: str) -> bool:
    """Whether a given name is found by it, and not by an initial alone."""
    return len(sign) > 1 and "." not in sign


def _signs_of(first_name: str) -> set[str]:
    """Return by what a first name is found: as `are_given_names_alike` compares, the words, or the first letter."""
    words = given_names(first_name)
    if not words:
        return {""}
    signs = {word for word in (*words, "".join(words)) if len(word) > 1}
    signs.add(f"{words[0][0]}.")
    if all(len(word) == 1 for word in words):
        signs.add(f"{words[0]}. only")
    return signs


def _signs_asked(first_name: str) -> set[str]:
    """Return under which of these signs whoever has a like first name is found."""
    words = given_names(first_name)
    if not words:
        return {""}
    signs = {other for word in (*words, "".join(words)) if len(word) > 1 for other in forms_of(word)}
    signs.add(f"{words[0][0]}. only")
    if all(len(word) == 1 for word in words):
        signs.add(f"{words[0]}.")
    return signs
