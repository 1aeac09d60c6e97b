"""Who is the same person: a record against people already there, by directory-layer likeness and own values (T23, T28).

*Same* by itself is only what T28 says; what is neither that nor plainly somebody else is kept for people to decide.
Where T28 leaves room, this asks: a value on another person's record is worse than a question.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from services.contacts.domain.imports.comparing import Family, Generation, Given, Kinship, WrittenName, are_organizations_alike, compare
from services.contacts.domain.imports.offices import is_own_office, names_of, title_of
from services.contacts.domain.imports.records import Record
from services.contacts.domain.suppression import is_alone
from services.lexicon.canonical import canonical_name, canonical_organization, compared_as
from services.lexicon.names import PersonName, family_key

Likeness = Literal["same", "like", "other"]
#: Telephones on which one person answers.
_DIRECT = frozenset({"cell", "personal_phone"})
#: More than so many candidates help nobody to decide.
MOST_CANDIDATES = 20


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
    #: Whether the record is the importer's own component's; what was only planned is.
    own: bool = True
    #: (family of kinds, canonical value) of a row's that the importer's own component holds too, and as which kinds.
    values: dict[tuple[str, str], frozenset[str]] = field(default_factory=dict)
    #: Of which kinds the importer's own component holds any value.
    kinds: set[str] = field(default_factory=set)
    #: The notes on them that the importer may see.
    notes: set[str] = field(default_factory=set)
    #: What this import has said of them already, or a later one: `title`, `organization_id`, `work_address`.
    settled: set[str] = field(default_factory=set)
    #: Values (as in `values`) of which another took the place.
    replaced: set[tuple[str, str]] = field(default_factory=set)
    #: What people of one family name have in common, and the name as it is compared; worked out where they are not given.
    family: str = ""
    canonical_name: str = ""

    def __post_init__(self) -> None:
        """Work out once what is not given."""
        self.family = self.family or family_key(self.last_name)
        self.canonical_name = self.canonical_name or canonical_name(self.first_name, self.last_name)

    def holds(self, kind: str, canonical: str) -> None:
        """Note a value that the importer's own component holds."""
        value = (compared_as(kind), canonical)
        self.values[value] = self.values.get(value, frozenset()) | {kind}
        self.kinds.add(kind)


@dataclass(frozen=True, slots=True)
class Match:
    """Whom a record means: the verdict, the one who is meant, and of "like" everybody who could be, the likeliest first."""

    verdict: Likeness
    person: Person | None = None
    candidates: tuple[Person, ...] = ()
    #: Whether the first of them is likelier than all others.
    is_clear: bool = True


@dataclass(frozen=True, slots=True)
class Evidence:
    """What speaks for, and what against, a record being somebody; `None` where one of the two doesn't say."""

    kinship: Kinship
    #: Shared values that the importer's own component holds: of one person alone, of a home, of work.
    personal: bool = False
    home: bool = False
    work_mail: bool = False
    work_phone: bool = False
    organization: bool | None = None
    organization_alike: bool = False
    title: bool | None = None
    state: bool | None = None
    #: Values of which both have some, and none is shared.
    mail_differs: bool = False
    direct_differs: bool = False
    work_phone_differs: bool = False
    address_differs: bool = False

    @property
    def value(self) -> bool:
        """Whether a value is shared by which one reaches a person; an address is many people's."""
        return self.personal or self.home or self.work_mail or self.work_phone

    @property
    def contradicts(self) -> bool:
        """Whether something says that these are two people."""
        kinship = self.kinship
        return kinship.generation is Generation.OTHER or kinship.middle_differs or self.mail_differs or self.direct_differs

    @property
    def weight(self) -> tuple[int, tuple[int, int, int]]:
        """Return it so that the likelier of two is the greater."""
        signs = 16 * self.personal + 8 * self.work_mail + 4 * (self.home or self.work_phone) + 4 * (self.organization is True)
        signs += 2 * (self.state is True) + (self.title is True) - 8 * self.contradicts
        return signs, self.kinship.nearness


def likeness(record: Record, person: Person) -> Likeness:
    """Say whether a record is this person: the same, possibly, or somebody else."""
    return verdict_of(evidence_of(record, person))


def best(record: Record, people: Iterable[Person]) -> Match:
    """Return the one who is meant, if there is exactly one of whom that is certain, or else everybody who could be."""
    found = [(evidence, person, verdict_of(evidence)) for person in people if (evidence := evidence_of(record, person))]
    same = [(evidence, person) for evidence, person, verdict in found if verdict == "same"]
    if len(same) == 1:
        return Match("same", same[0][1])
    # Of several who are certain, a value that only one of them has tells who is meant; a tie is nobody's.
    reached = [person for evidence, person in same if evidence.value]
    if len(reached) == 1:
        return Match("same", reached[0])
    possible = [(evidence.weight, person) for evidence, person, verdict in found if verdict != "other"]
    if not possible:
        return Match("other")
    possible.sort(key=lambda each: each[0], reverse=True)
    candidates = tuple(person for _, person in possible[:MOST_CANDIDATES])
    return Match("like", candidates[0], candidates, is_clear=len(possible) == 1 or possible[0][0] > possible[1][0])


def likeliest(match: Match) -> Match:
    """Return who of those who could be is the likeliest, for whoever says that it is the same; of a tie, all of them still."""
    living = [person for person in match.candidates if not person.frozen]
    return Match("same", living[0]) if match.verdict == "like" and match.is_clear and living[:1] == [match.person] else match


def verdict_of(evidence: Evidence) -> Likeness:
    """Say what the evidence comes to (T28)."""
    if evidence.kinship.is_certain and not evidence.contradicts and _speaks_for_itself(evidence):
        return "same"
    return "like" if _is_possible(evidence) else "other"


def _speaks_for_itself(evidence: Evidence) -> bool:
    kinship, exact = evidence.kinship, evidence.kinship.given is Given.EQUAL
    # (a) A cell and a mailbox are one person's; a telephone at home is a family's.
    if evidence.personal or (evidence.home and exact):
        return True
    # (b) A mailbox at work; and a telephone there, which colleagues and namesakes may share.
    if evidence.work_mail and (evidence.title or evidence.state):
        return True
    settled = evidence.organization is True and exact
    if evidence.work_phone and (evidence.title or evidence.state) and evidence.state is not False:
        return settled or not (evidence.title is False or evidence.organization is False or (kinship.given is Given.SHORT and not evidence.title))
    # (c) A large organization has people of one name.
    if not (kinship.is_whole and evidence.organization):
        return False
    if evidence.value:
        return evidence.state is not False
    if evidence.title is False or evidence.state is False or evidence.work_phone_differs:
        return False
    return bool(evidence.title) or not evidence.address_differs


def _is_possible(evidence: Evidence) -> bool:
    kinship = evidence.kinship
    reached = evidence.personal or evidence.home or evidence.work_mail
    if kinship.generation is Generation.OTHER:
        # Father and son share a telephone; who wrote the suffix wrongly shares it too.
        return reached and kinship.family is Family.EQUAL and kinship.given >= Given.INITIAL
    together = evidence.organization is True or evidence.organization_alike
    if kinship.is_alike:
        if evidence.value or together:
            return True
        if evidence.state is False:
            return False
        plain = kinship.given >= Given.SHORT and kinship.family is Family.EQUAL and not kinship.middle_differs
        return plain or not (evidence.title is False or evidence.organization is False)
    at_work = evidence.work_phone and (together or evidence.title is True)
    if kinship.is_close:
        return bool(reached or at_work or (together and evidence.title is not False and evidence.state is not False))
    if kinship.given >= Given.SHORT and not kinship.middle_differs:
        # Somebody who married; or two who share a telephone at work and a given name.
        return bool(reached or (evidence.work_phone and together and evidence.title))
    # A short form that nobody knows, or a couple.
    if kinship.family is Family.EQUAL and not evidence.contradicts and evidence.state is not False:
        return bool(((evidence.personal or evidence.work_mail) and (together or evidence.title)) or (evidence.value and evidence.title))
    return False


def evidence_of(record: Record, person: Person) -> Evidence:
    """Hold a record against somebody."""
    asked = record.signs
    own = is_own_office(person.organization, person.last_name)
    kinship = _kinship(record, person, own=own)
    organization, organization_alike = _organization(record, person, own=own)
    mine, theirs = asked.title, title_of(person.title, person.organization, own=own)
    shared = _shared(record, person)
    families = {family for family, _ in asked.values & person.values.keys()}
    kinds = {kind for kind, _, canonical in record.points if canonical}
    numbers = {kind for kind, _, canonical in record.points if canonical and ("phone", canonical) in person.values}
    return Evidence(
        kinship,
        personal="personal" in shared,
        home="home" in shared,
        work_mail="mail" in shared,
        work_phone="phone" in shared,
        organization=organization,
        organization_alike=organization_alike,
        title=mine == theirs if mine and theirs else None,
        state=_state(record, person),
        mail_differs="email" in kinds & person.kinds and "email" not in families,
        direct_differs=_direct_differs(kinds, person.kinds, numbers),
        work_phone_differs="work_phone" in kinds & person.kinds and "work_phone" not in numbers,
        address_differs="work_address" in kinds & person.kinds and "work_address" not in families,
    )


def _kinship(record: Record, person: Person, *, own: bool) -> Kinship:
    mine = record.signs.names
    theirs = names_of(PersonName("", person.first_name, person.last_name), person.title, person.organization, own=own)
    # The door of an office leaves a suffix out: that the names themselves contradict each other stays.
    itself = compare(_written(mine[0]), _written(theirs[0]))
    if itself.generation is Generation.OTHER or (len(mine) == 1 and len(theirs) == 1):
        return itself
    found = [compare(_written(one), _written(other)) for one in mine for other in theirs]
    nearest = max(found, key=lambda kinship: (kinship.is_certain, kinship.nearness))
    return Kinship(nearest.given, nearest.family, itself.generation, middle_differs=nearest.middle_differs, swapped=nearest.swapped)


def _written(name: PersonName) -> WrittenName:
    return WrittenName.of(name.first_name, name.last_name)


def _organization(record: Record, person: Person, *, own: bool) -> tuple[bool | None, bool]:
    if not record.organization or not person.organization:
        return None, False
    mine, theirs = record.signs.organization, canonical_organization(person.organization)
    if mine == theirs:
        return True, True
    # Somebody's own office is beside the body that they sit in.
    return (None if record.signs.own or own else False), are_organizations_alike(mine, theirs)


def _state(record: Record, person: Person) -> bool | None:
    if not record.state or not person.state:
        return None
    if record.state == person.state:
        # Two addresses in the capital say nothing.
        return None if record.state_proposed and person.state_proposed and record.state == "DC" else True
    # Offices of one person lie in one state, but for the seat of government.
    return None if (record.state_proposed or person.state_proposed) and "DC" in {record.state, person.state} else False


def _shared(record: Record, person: Person) -> set[str]:
    """Return what kinds of values are shared; what is held counts, not under which kind the row has it."""
    found = set()
    for value in record.signs.values & person.values.keys():
        family, canonical = value
        held = person.values[value]
        if family == "email":
            found.add("personal" if _is_personal_mail(canonical) else "mail")
        elif family == "phone":
            found.add("personal" if "cell" in held else "home" if "personal_phone" in held else "phone")
    return found


def _is_personal_mail(canonical: str) -> bool:
    return is_alone("email", canonical)


def _direct_differs(mine: set[str], theirs: set[str], shared: set[str]) -> bool:
    """Whether both have telephones of their own, and none is the same; or both a cell, and share only what is a family's."""
    if not (mine & _DIRECT and theirs & _DIRECT):
        return False
    return not shared & _DIRECT or ("cell" in mine & theirs and "cell" not in shared)
