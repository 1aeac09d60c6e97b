"""Register the known people and organizations during planning: from storage for a block, and from earlier rows.

A thousand people may have the same family name. Candidates are looked up by given name and by value, so that the cost of
a row does not depend on the number of namesakes.
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

#: Names with a lower similarity (of 100) are not misspellings of each other.
_LOOKS_ALIKE = 70
#: If more people of an organization have a family or given name, it finds no candidates.
MOST_COLLEAGUES = 50
#: If more people have a value, it finds only candidates with the same name.
MOST_HOLDERS = 20


@dataclass(slots=True)
class Organization:
    """An organization that is registered already, or planned by an earlier row."""

    id: str
    name: str
    state: str | None = None
    sector: str | None = None
    group_ids: list[str] = field(default_factory=list)
    #: The keys of its offices, so that none is added twice.
    offices: set[str] = field(default_factory=set)
    fresh: bool = False


@dataclass(slots=True)
class _Family:
    """People with one family name: all of them, and indexes to find candidates."""

    everybody: dict[str, Person] = field(default_factory=dict)
    by_given: dict[str, list[Person]] = field(default_factory=dict)
    by_value: dict[tuple[str, str], list[Person]] = field(default_factory=dict)
    #: People with an own office, which has another form of their name: few, and always compared.
    with_office: dict[str, Person] = field(default_factory=dict)


@dataclass(slots=True)
class _Colleagues:
    """People of one organization, by family name and by signs of the given name, because the other name may be misspelled."""

    found: dict[tuple[str, str], dict[str, tuple[str, Person]]] = field(default_factory=dict)
    known: int = 0

    def learn(self, people: Mapping[str, Person]) -> None:
        """Index the people at the end of the list who are not indexed yet."""
        if len(people) == self.known:
            return
        for person in islice(people.values(), self.known, None):
            whole = _whole(person.first_name, person.last_name)
            for at in (("family", person.family), *(("given", sign) for sign in _signs_of(person.first_name) if _is_word(sign))):
                self.found.setdefault(at, {})[person.id] = (whole, person)
        self.known = len(people)

    def of(self, asked: Iterable[tuple[str, str]]) -> Iterable[tuple[str, Person]]:
        """Return the people with these names and their whole names, unless a name is too frequent."""
        found: dict[str, tuple[str, Person]] = {}
        for at in asked:
            known = self.found.get(at, {})
            if len(known) <= MOST_COLLEAGUES:
                found |= known
        return found.values()


@dataclass(slots=True)
class Register:
    """The known people by family name, and organizations by canonical name."""

    people: dict[str, _Family] = field(default_factory=dict)
    organizations: dict[str, Organization] = field(default_factory=dict)
    #: People by the canonical name of their own office.
    offices: dict[str, dict[str, Person]] = field(default_factory=dict)
    #: People by value, whatever their name is: they may have married, or have another spelling.
    by_value: dict[tuple[str, str], list[Person]] = field(default_factory=dict)
    by_name: dict[str, dict[str, Person]] = field(default_factory=dict)
    #: People by organization (id), in the order in which they were added; organizations that were looked up have an index.
    by_organization: dict[str, dict[str, Person]] = field(default_factory=dict)
    colleagues: dict[str, _Colleagues] = field(default_factory=dict)
    #: Ids of planned people and organizations.
    planned: set[str] = field(default_factory=set)

    def learn_person(self, person: Person, values: Iterable[tuple[str, str]] = ()) -> Person:
        """Add a person with the values that are held, and return them. A known person stays as earlier rows left them.

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
        """Add another spelling of a person's given names to the index."""
        by_given = self.people[person.family].by_given
        for sign in _signs_of(person.first_name):
            known = by_given.setdefault(sign, [])
            if person not in known:
                known.append(person)

    def learn_organization(self, organization: Organization, key: str | None = None) -> Organization:
        """Add an organization, and return the first one with its name."""
        known = self.organizations.setdefault(key or canonical_organization(organization.name), organization)
        if known.fresh:
            self.planned.add(known.id)
        return known

    def holds(self, person: Person, values: Iterable[tuple[str, str]]) -> None:
        """Add values (kind, canonical value) of a person that the importer's component holds."""
        family = self.people[person.family].by_value
        for kind, canonical in values:
            value = (compared_as(kind), canonical)
            if value not in person.values:
                family.setdefault(value, []).append(person)
                if kind != "work_address":
                    self.by_value.setdefault(value, []).append(person)
            person.holds(kind, canonical)

    def joined(self, person: Person) -> None:
        """Add a person to an organization, so that they are found by it."""
        if person.organization_id:
            self.by_organization.setdefault(person.organization_id, {})[person.id] = person
        if person.organization and is_own_office(person.organization, person.last_name):
            self.offices.setdefault(canonical_organization(person.organization), {})[person.id] = person
            self.people[person.family].with_office[person.id] = person

    def candidates(self, record: Record) -> list[Person]:
        """Return the candidates for a record: by family name and similar name or value, by own office, by value or as colleagues.

        The matcher would not accept anybody else without asking.
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
        """Return the people of the record's organization who have its family name or its given name."""
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
    """Return the other words of a double family name, because some lists have only the first."""
    return [word for word in fold(record.name.last_name).split() if len(word) > 2 and word not in record.signs.families]


def words_of(record: Record) -> set[str]:
    """Return the words of a name without initials. Any of them may be a given name, because lists differ in their order."""
    return {word for word in (*given_names(record.name.first_name), *fold(record.name.last_name).split()) if len(word) > 1}


def swapped(record: Record) -> str:
    """Return the compared name with given and family name swapped."""
    return canonical_name(record.name.last_name, record.name.first_name) if record.name.first_name else ""


def _whole(first_name: str, last_name: str) -> str:
    return " ".join((*given_names(first_name), *fold(last_name).split()))


def _is_word(sign: str) -> bool:
    """Return whether a sign is a word, and not only an initial."""
    return len(sign) > 1 and "." not in sign


def _signs_of(first_name: str) -> set[str]:
    """Return the signs of a first name: its words, or the first letter, as `are_given_names_alike` compares them."""
    words = given_names(first_name)
    if not words:
        return {""}
    signs = {word for word in (*words, "".join(words)) if len(word) > 1}
    signs.add(f"{words[0][0]}.")
    if all(len(word) == 1 for word in words):
        signs.add(f"{words[0]}. only")
    return signs


def _signs_asked(first_name: str) -> set[str]:
    """Return the signs under which people with a similar first name are found."""
    words = given_names(first_name)
    if not words:
        return {""}
    signs = {other for word in (*words, "".join(words)) if len(word) > 1 for other in forms_of(word)}
    signs.add(f"{words[0][0]}. only")
    if all(len(word) == 1 for word in words):
        signs.add(f"{words[0]}.")
    return signs
