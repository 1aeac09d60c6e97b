"""Decide whether a record is of a person already registered, by directory fields and own values (T23, T28).

Only T28 makes a record the *same* person without asking. Cases that are neither clear nor excluded wait for a decision,
because a value on the wrong record is worse than a question.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from services.contacts.domain.imports.comparing import Family, Generation, Given, Kinship, WrittenName, are_organizations_alike, as_words, compare
from services.contacts.domain.imports.offices import is_own_office, names_of, title_of
from services.contacts.domain.imports.records import Record
from services.contacts.domain.suppression import PERSONAL, is_alone
from services.lexicon.canonical import canonical_name, canonical_organization, compared_as
from services.lexicon.names import family_key
from services.lexicon.splitting import PersonName

Likeness = Literal["same", "like", "other"]
#: The most candidates that are shown for a decision.
MOST_CANDIDATES = 20


@dataclass(slots=True)
class Person:
    """A person already registered, or planned by an earlier row, with what matching compares."""

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
    #: Whether the importer's component owns the record. It owns planned ones.
    own: bool = True
    #: (family of kinds, canonical value) of row values that the importer's component holds too → their kinds.
    values: dict[tuple[str, str], frozenset[str]] = field(default_factory=dict)
    #: The kinds of which the importer's component holds a value.
    kinds: set[str] = field(default_factory=set)
    #: The notes that the importer may see.
    notes: set[str] = field(default_factory=set)
    #: Fields that this import or a later one has set: `title`, `organization_id`, `work_address`.
    settled: set[str] = field(default_factory=set)
    #: Values (as in `values`) that were replaced.
    replaced: set[tuple[str, str]] = field(default_factory=set)
    #: The family keys, and the name as it is compared; computed if not given.
    family: str = ""
    canonical_name: str = ""

    def __post_init__(self) -> None:
        """Compute what was not given."""
        self.family = self.family or family_key(self.last_name)
        self.canonical_name = self.canonical_name or canonical_name(self.first_name, self.last_name)

    def holds(self, kind: str, canonical: str) -> None:
        """Add a value that the importer's component holds."""
        value = (compared_as(kind), canonical)
        self.values[value] = self.values.get(value, frozenset()) | {kind}
        self.kinds.add(kind)


@dataclass(frozen=True, slots=True)
class Match:
    """The result of matching a record: the verdict, the person, and for "like" all candidates, the likeliest first."""

    verdict: Likeness
    person: Person | None = None
    candidates: tuple[Person, ...] = ()
    #: Whether the first candidate is likelier than all others.
    is_clear: bool = True


@dataclass(frozen=True, slots=True)
class Evidence:
    """The evidence that a record is of a person; None where one of the two has no value."""

    kinship: Kinship
    #: The shared values that the importer's component holds: personal, home and work ones.
    personal: bool = False
    home: bool = False
    work_mail: bool = False
    work_phone: bool = False
    organization: bool | None = None
    organization_alike: bool = False
    title: bool | None = None
    state: bool | None = None
    #: Families of kinds of which both have values and share none.
    mail_differs: bool = False
    direct_differs: bool = False
    work_phone_differs: bool = False
    address_differs: bool = False

    @property
    def value(self) -> bool:
        """Return whether a shared value identifies a person; an address does not."""
        return self.personal or self.home or self.work_mail or self.work_phone

    @property
    def contradicts(self) -> bool:
        """Return whether evidence contradicts that they are the same person."""
        kinship = self.kinship
        return kinship.generation is Generation.OTHER or kinship.middle_differs or self.mail_differs or self.direct_differs

    @property
    def weight(self) -> tuple[int, tuple[int, int, int]]:
        """Return a sort key; a greater one is likelier."""
        signs = 16 * self.personal + 8 * self.work_mail + 4 * (self.home or self.work_phone) + 4 * (self.organization is True)
        signs += 2 * (self.state is True) + (self.title is True) - 8 * self.contradicts
        return signs, self.kinship.nearness


def best(record: Record, people: Iterable[Person]) -> Match:
    """Return the match if exactly one person is certain, or else all candidates."""
    found = [(evidence, person, verdict_of(evidence)) for person in people if (evidence := evidence_of(record, person))]
    same = [(evidence, person) for evidence, person, verdict in found if verdict == "same"]
    if len(same) == 1:
        return Match("same", same[0][1])
    # If several are certain, a value of only one of them decides; a tie decides nothing.
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
    """Return the likeliest candidate for an answer of "same", or all candidates of a tie."""
    living = [person for person in match.candidates if not person.frozen]
    return Match("same", living[0]) if match.verdict == "like" and match.is_clear and living[:1] == [match.person] else match


def verdict_of(evidence: Evidence) -> Likeness:
    """Return the verdict on the evidence (T28)."""
    if evidence.kinship.is_certain and not evidence.contradicts and _speaks_for_itself(evidence):
        return "same"
    return "like" if _is_possible(evidence) else "other"


def _speaks_for_itself(evidence: Evidence) -> bool:
    kinship, exact = evidence.kinship, evidence.kinship.given is Given.EQUAL
    # (a) A cell phone and a mailbox belong to one person, a home phone to a family.
    if evidence.personal or (evidence.home and exact):
        return True
    # (b) A work mailbox, and a work phone, which colleagues and namesakes may share.
    if evidence.work_mail and (evidence.title or evidence.state):
        return True
    settled = evidence.organization is True and exact
    if evidence.work_phone and (evidence.title or evidence.state) and evidence.state is not False:
        return settled or not (evidence.title is False or evidence.organization is False or (kinship.given is Given.SHORT and not evidence.title))
    # (c) A large organization may have several people with the same name.
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
        # Father and son share a telephone, and so does a person with a wrong suffix.
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
        # A person with a new family name, or two people who share a work phone and a given name.
        return bool(reached or (evidence.work_phone and together and evidence.title))
    # An unknown short form, or a couple.
    if kinship.family is Family.EQUAL and not evidence.contradicts and evidence.state is not False:
        return bool(((evidence.personal or evidence.work_mail) and (together or evidence.title)) or (evidence.value and evidence.title))
    return False


def evidence_of(record: Record, person: Person) -> Evidence:
    """Compare a record with a person."""
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
    # The name of an office omits the suffix, so the generations of the names themselves are compared.
    itself = compare(_written(mine[0]), _written(theirs[0]))
    if itself.generation is Generation.OTHER or (len(mine) == 1 and len(theirs) == 1):
        return itself
    found = [compare(_written(one), _written(other)) for one in mine for other in theirs]
    nearest = max(found, key=lambda kinship: (kinship.is_certain, kinship.nearness))
    return Kinship(nearest.given, nearest.family, itself.generation, middle_differs=nearest.middle_differs, swapped=nearest.swapped)


def _written(name: PersonName) -> WrittenName:
    return as_words(name.first_name, name.last_name)


def _organization(record: Record, person: Person, *, own: bool) -> tuple[bool | None, bool]:
    if not record.organization or not person.organization:
        return None, False
    mine, theirs = record.signs.organization, canonical_organization(person.organization)
    if mine == theirs:
        return True, True
    # A person's own office is not another employer than the body they belong to.
    return (None if record.signs.own or own else False), are_organizations_alike(mine, theirs)


def _state(record: Record, person: Person) -> bool | None:
    if not record.state or not person.state:
        return None
    if record.state == person.state:
        # Two addresses in Washington are no evidence.
        return None if record.state_proposed and person.state_proposed and record.state == "DC" else True
    # The offices of one person are in one state, except in the capital.
    return None if (record.state_proposed or person.state_proposed) and "DC" in {record.state, person.state} else False


def _shared(record: Record, person: Person) -> set[str]:
    """Return the kinds of the shared values, as they are stored and not as the row names them."""
    found = set()
    for value in record.signs.values & person.values.keys():
        family, canonical = value
        held = person.values[value]
        if family == "email":
            found.add("personal" if is_alone("email", canonical) else "mail")
        elif family == "phone":
            found.add("personal" if "cell" in held else "home" if "personal_phone" in held else "phone")
    return found


def _direct_differs(mine: set[str], theirs: set[str], shared: set[str]) -> bool:
    """Return whether both have personal phones and share none, or both have cell phones and share only a family's phone."""
    if not (mine & PERSONAL and theirs & PERSONAL):
        return False
    return not shared & PERSONAL or ("cell" in mine & theirs and "cell" not in shared)
