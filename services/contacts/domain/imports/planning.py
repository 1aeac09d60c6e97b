"""Plan what becomes of each row. The plan is pure, so that the check and the commit cannot differ.

The register has what storage read for a block of rows, and what earlier rows of the import planned.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from services.contacts.domain.imports.addresses import Office
from services.contacts.domain.imports.comparing import are_organizations_alike, fuller
from services.contacts.domain.imports.matching import MOST_CANDIDATES, Match, Person, best, evidence_of, likeliest
from services.contacts.domain.imports.offices import is_own_office, title_of
from services.contacts.domain.imports.records import Record
from services.contacts.domain.imports.register import Organization, Register
from services.contacts.domain.imports.states import FieldValue
from services.lexicon.canonical import canonical_name, canonical_organization, compared_as
from services.lexicon.places import STATES
from services.lexicon.vocabulary import VALUES_OF_A_KIND


@dataclass(frozen=True, slots=True)
class Decision:
    """The outcome of a row, with a reason that reveals no value of another component."""

    outcome: str
    reason: str | None = None
    individual_id: str | None = None
    organization_id: str | None = None
    #: The candidates of an undecided row, the likeliest first.
    candidates: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """The importer's decision whom a row is about."""

    verdict: Literal["same", "another"]
    #: The person; *same* without an id means the likeliest.
    individual_id: str | None = None
    #: Whether *same* without an id registers a person who has no candidate.
    or_new: bool = False
    #: The candidates that the decision excluded.
    besides: frozenset[str] = frozenset()


@dataclass(slots=True)
class Plan:
    """The plan of a block of rows, ready for set statements."""

    decisions: list[Decision] = field(default_factory=list)
    new_people: list[Person] = field(default_factory=list)
    new_organizations: list[Organization] = field(default_factory=list)
    #: (office id, organization id, position, office)
    new_offices: list[tuple[str, str, int, Office]] = field(default_factory=list)
    #: (individual id, kind, value, the value as it is compared)
    new_points: list[tuple[str, str, str, str]] = field(default_factory=list)
    #: (individual id, text)
    new_notes: list[tuple[str, str]] = field(default_factory=list)
    #: individual id → field → new value, for people who were there before.
    changes: dict[str, dict[str, FieldValue]] = field(default_factory=dict)
    #: Individual id → canonical name, for more complete names.
    names: dict[str, str] = field(default_factory=dict)
    #: Organization id → state, for organizations without one (T18).
    organization_states: dict[str, str] = field(default_factory=dict)
    #: Individual id → field → former value, for undoing the import.
    former: dict[str, dict[str, FieldValue]] = field(default_factory=dict)
    #: Individual id → previous `title` and `organization_id`, and `work_address` (without its value) if other addresses become previous.
    previous: dict[str, dict[str, str | None]] = field(default_factory=dict)
    #: (individual id, kind, canonical value) of current values, so that others of the kind become previous.
    present: list[tuple[str, str, str]] = field(default_factory=list)
    #: Individual id → state, for states that come from an address.
    proposed: dict[str, str] = field(default_factory=dict)
    #: All people and organizations of the rows, for relationships and issues.
    people: dict[str, None] = field(default_factory=dict)
    organizations: dict[str, None] = field(default_factory=dict)


def plan(
    records: Sequence[Record],
    register: Register,
    *,
    blocked: Collection[int],
    new_id: Callable[[], str],
    answers: Mapping[int, Answer] = MappingProxyType({}),
) -> Plan:
    """Decide on each record in order; the register learns what is planned.

    :param blocked: the records that the suppression ledger blocks (T9).
    :param answers: the decisions whom the records are about.
    """
    made = Plan()
    for at, record in enumerate(records):
        made.decisions.append(_decide(record, register, made, blocked=at in blocked, new_id=new_id, answer=answers.get(at)))
    return made


def _decide(record: Record, register: Register, made: Plan, *, blocked: bool, new_id: Callable[[], str], answer: Answer | None = None) -> Decision:
    if blocked:
        return Decision("blocked", _BLOCKED)
    match = _meant(record, register, answer) if record.is_person else Match("other")
    if _is_frozen(record, match):
        # The same outcome as for the suppression ledger, so that it does not reveal which one it was (T9, T21).
        return Decision("blocked", _BLOCKED)
    # Only now, because no cell of a blocked person is kept for correction.
    if record.problems:
        return Decision("invalid", " ".join(record.problems))
    if not record.is_person:
        organization, news = _organization(record, register, made, new_id=new_id)
        outcome = "create" if "organization" in news else "update" if news else "duplicate"
        return Decision(outcome, _told(news), None, organization.id if organization else None)
    person = match.person if match.verdict == "same" else None
    possible = [each for each in match.candidates if not each.frozen]
    if possible and _is_all_there(record, possible[0], register):
        return Decision("duplicate", _NOTHING_NEW, possible[0].id, possible[0].organization_id)
    gone = answer is not None and answer.verdict == "same" and person is None and not answer.or_new
    if possible or gone:
        # Nothing is imported before the decision (T28), which covers all candidates that are shown with the row.
        if answer is not None and answer.verdict == "another":
            possible = [each for each in best(record, register.candidates(record)).candidates if not each.frozen]
        candidates = tuple(each.id for each in possible)
        asked = UNDECIDED if len(match.candidates) < MOST_CANDIDATES else f"{UNDECIDED} Of many, only the {MOST_CANDIDATES} likeliest are shown."
        return Decision("undecided", asked, candidates[0] if candidates else None, candidates=candidates)
    organization, news = _organization(record, register, made, new_id=new_id)
    left_out: set[str] = set()
    offered = False
    if person is None:
        person = _registered(record, organization, new_id=new_id)
        register.learn_person(person)
        made.new_people.append(person)
        news.add("person")
    else:
        left_out, offered = _contradicted(record, person, organization), _is_offered(record, person)
        news |= _filled(record, person, organization, made)
        left_out -= news
        if "name" in news:
            register.renamed(person)
        register.joined(person)
    made.people[person.id] = None
    declined, crowded = _points(record, person, register, made, news)
    # Only one row of the file can set them.
    person.settled |= {name for name, value in (("title", record.title), ("organization_id", record.organization)) if value}
    for note in record.notes:
        if note not in person.notes:
            person.notes.add(note)
            made.new_notes.append((person.id, note))
            news.add("notes")
    if record.state_proposed and record.state and {"person", "state"} & news:
        made.proposed[person.id] = record.state
    outcome = "create" if "person" in news else "update" if news else "duplicate"
    told = [_told(news - {"person"}) if outcome == "update" else _NOTHING_NEW if outcome == "duplicate" else None]
    if former := news & made.previous.get(person.id, {}).keys():
        told.append(f"What was there is kept as previous: {', '.join(sorted(former))}.")
    if offered:
        told.append(OFFERED)
    if left_out:
        told.append(f"Left out, as the record says something else: {', '.join(sorted(left_out))}.")
    if declined:
        told.append(f"Left out, as the person declined to give it: {', '.join(declined)}.")
    if crowded:
        told.append(f"Left out, as {VALUES_OF_A_KIND} values of a kind are there: {', '.join(sorted(crowded))}.")
    return Decision(outcome, " ".join(filter(None, told)) or None, person.id, organization.id if organization else None)


_BLOCKED = "This entry is blocked; the privacy officer can say why."
_NOTHING_NEW = "Nothing in this row is new."
OFFERED = "This row writes the name more fully than the record, which another component owns: correct it there if it is right."
UNDECIDED = "This may be a person who is already here. Decide whether it is the same person."


def _meant(record: Record, register: Register, answer: Answer | None) -> Match:
    """Return the match of a row, with the decision on it if there is one."""
    people = register.candidates(record)
    if answer is None:
        return best(record, people)
    if answer.verdict == "another":
        return best(record, [person for person in people if person.id not in answer.besides and not _is_another_too(record, person)])
    if answer.individual_id is None:
        return likeliest(best(record, people))
    chosen = next((person for person in people if person.id == answer.individual_id), None)
    if chosen is not None:
        return Match("same", chosen)
    # The chosen person is gone, so another certain match does not replace the decision.
    found = best(record, people)
    return Match("like", found.person, (found.person,)) if found.verdict == "same" and found.person else found


def _is_another_too(record: Record, person: Person) -> bool:
    """Return whether a decision covers a person of another row with the same decision: both waited, and their names differ."""
    return person.fresh and not evidence_of(record, person).kinship.is_alike


def _is_frozen(record: Record, match: Match) -> bool:
    """Return whether a row is about a frozen person: by decision, value or organization. A name alone is not enough."""
    if match.verdict == "same" and match.person is not None:
        return match.person.frozen
    return any(found.value or found.organization for each in match.candidates if each.frozen for found in [evidence_of(record, each)])


def _is_all_there(record: Record, person: Person, register: Register) -> bool:
    """Return whether everything in a row is stored already, so that there is nothing to decide."""
    evidence = evidence_of(record, person)
    if not (evidence.value and evidence.kinship.is_whole) or evidence.contradicts or record.signs.values - person.values.keys():
        return False
    if any(canonical is None for _, _, canonical in record.points):
        return False
    if evidence.organization is False or (record.organization and not person.organization):
        return False
    if (record.title and not evidence.title) or (record.state and record.state != person.state) or set(record.interests) - set(person.interests):
        return False
    if set(record.notes) - person.notes:
        return False
    organization = register.organizations.get(record.signs.organization) if record.offices else None
    return not record.offices or (organization is not None and {office.key() for office in record.offices} <= organization.offices)


def _organization(record: Record, register: Register, made: Plan, *, new_id: Callable[[], str]) -> tuple[Organization | None, set[str]]:
    news: set[str] = set()
    if not record.organization:
        return None, news
    key = record.signs.organization
    organization = register.organizations.get(key)
    if organization is None:
        state = record.organization_state or next((office.state for office in record.offices if office.state in STATES), None)
        organization = Organization(new_id(), record.organization, state=state, fresh=True)
        register.learn_organization(organization, key)
        made.new_organizations.append(organization)
        news.add("organization")
    elif organization.state is None and record.organization_state:
        organization.state = record.organization_state
        if not organization.fresh:
            made.organization_states[organization.id] = record.organization_state
            news.add("state of the organization")
    made.organizations[organization.id] = None
    for office in record.offices:
        if office.key() not in organization.offices:
            made.new_offices.append((new_id(), organization.id, len(organization.offices), office))
            organization.offices.add(office.key())
            news.add("office")
    return organization, news


def _registered(record: Record, organization: Organization | None, *, new_id: Callable[[], str]) -> Person:
    return Person(
        id=new_id(),
        first_name=record.name.first_name,
        last_name=record.name.last_name,
        salutation=record.name.salutation or None,
        title=record.title,
        state=record.state,
        state_proposed=record.state_proposed,
        organization_id=organization.id if organization else None,
        organization=organization.name if organization else None,
        interests=record.interests,
        fresh=True,
        family=record.signs.families[0],
        canonical_name=record.signs.canonical_name,
    )


def _contradicted(record: Record, person: Person, organization: Organization | None) -> set[str]:
    """Return the fields in which a record and a row differ."""
    own = is_own_office(person.organization, person.last_name)
    found = set()
    if record.title and person.title and title_of(record.title, None, own=False) != title_of(person.title, person.organization, own=own):
        found.add("title")
    if organization and person.organization_id not in {None, organization.id}:
        found.add("organization_id")
    if record.state and not record.state_proposed and person.state and record.state != person.state:
        found.add("state")
    written, known = (record.name.first_name, record.name.last_name), (person.first_name, person.last_name)
    if _words(written) != _words(known) and not fuller(written, known) and not fuller(known, written):
        found.add("name")
    return found


def _is_offered(record: Record, person: Person) -> bool:
    """Return whether a row has a more complete name for a record of another component, which its owner has to accept (T2, T28)."""
    return not person.own and fuller((record.name.first_name, record.name.last_name), (person.first_name, person.last_name)) is not None


def _words(name: tuple[str, str]) -> list[str]:
    return sorted(canonical_name(*name).split())


def _succeeds(record: Record, person: Person, organization: Organization | None) -> dict[str, FieldValue]:
    """Return the title and employer that replace those of an earlier file or user (T28).

    They are replaced on the component's own records only, and once, because rows of one file have no order in time. A
    person's own office, or another name of the same organization, is not another employer.
    """
    wanted: dict[str, FieldValue] = {}
    if not person.own or person.fresh:
        return wanted
    other = _contradicted(record, person, organization) - person.settled
    if "title" in other:
        wanted["title"] = record.title
    if "organization_id" in other and organization and not is_own_office(person.organization, person.last_name):
        names = [canonical_organization(name) for name in (organization.name, person.organization or "")]
        if not is_own_office(organization.name, person.last_name) and not are_organizations_alike(*names):
            wanted["organization_id"] = organization.id
    return wanted


def _filled(record: Record, person: Person, organization: Organization | None, made: Plan) -> set[str]:
    """Fill empty fields. A newer file also replaces title and employer, which become previous."""
    wanted = _succeeds(record, person, organization)
    if wanted:
        former = {name: getattr(person, name) for name in wanted}
        made.previous.setdefault(person.id, {}).update(former)
    known = (person.first_name, person.last_name)
    # Only a more complete spelling is stored, and only on the component's own record.
    better = fuller((record.name.first_name, record.name.last_name), known) if person.own else None
    if better:
        wanted |= {name: value for name, value, before in zip(("first_name", "last_name"), better, known, strict=True) if value != before}
    if record.name.salutation and not person.salutation:
        wanted["salutation"] = record.name.salutation
    if record.title and not person.title:
        wanted["title"] = record.title
    if record.state and (person.state is None or (person.state_proposed and not record.state_proposed and record.state != person.state)):
        wanted["state"] = record.state
    if record.state and not record.state_proposed:
        person.state_proposed = False
    elif "state" in wanted:
        person.state_proposed = True
    fresh = tuple(interest for interest in record.interests if interest not in person.interests)
    if fresh:
        wanted["interests"] = (*person.interests, *fresh)
    # A person's own office is more specific than the body they belong to, in any order of files.
    if organization and (
        person.organization_id is None
        or (is_own_office(organization.name, person.last_name) and not is_own_office(person.organization, person.last_name))
    ):
        wanted["organization_id"] = organization.id
    for name, value in wanted.items():
        if not person.fresh:
            made.former.setdefault(person.id, {}).setdefault(name, getattr(person, name))
            made.changes.setdefault(person.id, {})[name] = value
        setattr(person, name, value)
    if better:
        person.canonical_name = canonical_name(person.first_name, person.last_name)
        made.names[person.id] = person.canonical_name
    if organization and "organization_id" in wanted:
        person.organization = organization.name
    return {"name" if name in {"first_name", "last_name"} else name for name in wanted}


def _points(record: Record, person: Person, register: Register, made: Plan, news: set[str]) -> tuple[list[str], set[str]]:
    """Plan the new values of a row; return the declined kinds and those with too many values (T20, T26)."""
    declined: list[str] = []
    crowded: set[str] = set()
    addresses: list[str] = []
    moved, held = False, "work_address" in person.kinds
    for kind, value, canonical in record.points:
        if kind in person.declined:
            declined.append(kind)
            continue
        if kind == "work_address" and canonical:
            addresses.append(canonical)
            moved |= (compared_as(kind), canonical) not in person.values.keys() - person.replaced
        if canonical is None or (compared_as(kind), canonical) in person.values:
            continue
        if sum(kind in kinds for kinds in person.values.values()) >= VALUES_OF_A_KIND:
            crowded.add(kind)
            continue
        register.holds(person, [(kind, canonical)])
        made.new_points.append((person.id, kind, value, canonical))
        news.add("contact_points")
    if moved and not person.fresh and held and "work_address" not in person.settled:
        # An address in a later file is newer; all addresses of one file stay current.
        made.present += [(person.id, "work_address", canonical) for canonical in addresses]
        made.previous.setdefault(person.id, {})["work_address"] = None
        present = {("work_address", canonical) for canonical in addresses}
        person.replaced = (person.replaced | {value for value in person.values if value[0] == "work_address"}) - present
        news.add("work_address")
    return declined, crowded


def _told(news: Iterable[str]) -> str | None:
    names = sorted(news)
    return f"New: {', '.join(names)}." if names else None
