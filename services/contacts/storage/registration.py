"""Register individuals in two statements, however many at once: one reads what is known, one inserts every row.

Each statement is a round trip and a turn of the event loop, so they are few. The first statement always runs whole, so
that neither the answer nor its time tells what other components hold (T23).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from sqlalchemy import text

from services.chassis.database import Lock, UnitOfWork
from services.contacts.contract.answers.shared import LinkedIssue
from services.contacts.contract.commands import GivenLink
from services.contacts.domain.notes import Note
from services.contacts.domain.stakeholders import Compared, Employer, Individual
from services.contacts.storage import contact_layer, directory
from services.contacts.storage.bulk import as_json, insert_from, records
from services.contacts.storage.contact_layer import SealedPoints
from services.contacts.storage.ledger import Found
from services.lexicon.canonical import canonical_name

# Text SQL: one statement asks several tables about many registrations, with a plan that a test checks.

# Text, for each of the two statements is of many tables.


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked about one registration."""

    canonical_name: str
    family_key: str
    #: The canonical name of an organization that is looked for, or the id of one that is known, and the state.
    organization: str | None
    organization_id: str | None
    state: str | None
    #: Whose blocked entries of the day are counted; None counts none.
    user_id: str | None
    #: Whose looked-up values of the day are counted (T35).
    account: str
    suppressions: list[bytes]
    #: Digests of the values as the caller's component would hold them.
    lookups: list[bytes]
    issue_ids: list[str]


@dataclass(slots=True)
class Known:
    """What forbids a registration, and whom it may be the same as."""

    blocked_today: int = 0
    #: Values that the account has looked up today, and up to how many the privacy officer let it go on.
    looked: int = 0
    allowed: int = 0
    organization: Employer | None = None
    suppressions: list[Found] = field(default_factory=list)
    erased_issues: list[str] = field(default_factory=list)
    #: Of exactly this name, of this family name, and holders of a value (with its digest as `lookup`).
    same: list[Compared] = field(default_factory=list)
    family: list[Compared] = field(default_factory=list)
    holders: list[Compared] = field(default_factory=list)


def lock_of_name(first_name: str, last_name: str) -> Lock:
    """Return the lock of a person's name, which each registration of it holds."""
    return Lock(2, f"individual {canonical_name(first_name, last_name)}")


def hold_name(work: UnitOfWork, first_name: str, last_name: str) -> None:
    """Let nobody else register this name until the transaction ends.

    Call it in a statement before `look`: a statement sees only what was committed when it began.
    """
    work.hold(lock_of_name(first_name, last_name))


_COMPARED = "i.id, i.first_name, i.last_name, i.canonical_name, i.organization_id, i.owner_id, i.owner_component, i.frozen_at, i.frozen_for, i.state"
#: Where an entry says that they work. Whom it is compared with is chosen by it, and not cut off before: fifty namesakes
#: elsewhere would hide the one at this organization.
_EMPLOYER = (
    "coalesce(t.organization_id, (SELECT o.id FROM organizations o WHERE o.canonical_name = t.organization ORDER BY o.created_at, o.id LIMIT 1))"
)
_ASKED = {
    "place": "integer",
    "canonical_name": "text",
    "family_key": "text",
    "organization": "text",
    "organization_id": "uuid",
    "state": "text",
    "user_id": "uuid",
    "account": "text",
    "suppressions": "bytea[]",
    "lookups": "bytea[]",
    "issue_ids": "uuid[]",
}
_LOOK = text(
    f"""
    SELECT t.place, f.why, f.found FROM {records("asked", _ASKED)} CROSS JOIN LATERAL (
        SELECT 'blocked' AS why, to_json(b.count) AS found FROM blocked_tries b WHERE b.user_id = t.user_id AND b.day = :day
        UNION ALL
        SELECT 'looked', json_build_array(l.looked, l.allowed) FROM ledger_lookups l WHERE l.account = t.account AND l.day = :day
        UNION ALL
        SELECT 'suppressed', json_build_array(s.id, s.case_id, s.kind, s.digest, s.alone, s.likenesses) FROM suppressions s
            WHERE s.stands AND s.digest = ANY(t.suppressions)
        UNION ALL
        SELECT 'erased issue', to_json(e.id) FROM erased_issues e WHERE e.id = ANY(t.issue_ids)
        UNION ALL
        (SELECT 'organization', json_build_object('id', o.id, 'name', o.name, 'sector', o.sector, 'group_ids', o.group_ids)
            FROM organizations o WHERE o.canonical_name = t.organization ORDER BY o.created_at, o.id LIMIT 1)
        UNION ALL
        SELECT 'same', row_to_json(p) FROM (
            -- A range of one, because of two columns in one order only their index gives that: asked for equality and the
            -- order of ids, the planner reads everybody in that order where it takes the name for a common one.
            SELECT {_COMPARED} FROM individuals i WHERE i.canonical_name BETWEEN t.canonical_name AND t.canonical_name
                AND i.organization_id = {_EMPLOYER}
            ORDER BY i.canonical_name, i.id) p
        UNION ALL
        SELECT 'family', row_to_json(p) FROM (
            SELECT {_COMPARED} FROM individuals i WHERE i.family_key BETWEEN t.family_key AND t.family_key
                AND (i.canonical_name = t.canonical_name OR i.state = t.state OR i.organization_id = {_EMPLOYER})
            ORDER BY i.family_key, i.id) p
        UNION ALL
        SELECT 'holder', row_to_json(p) FROM (
            SELECT {_COMPARED}, c.lookup FROM (
                -- Values are looked up before they are ordered: else, with old statistics, everybody's are read in that order.
                SELECT * FROM (SELECT individual_id, lookup FROM contact_points WHERE component = :component AND lookup = ANY(t.lookups) OFFSET 0) h
                ORDER BY individual_id LIMIT 50
            ) c JOIN individuals i ON i.id = c.individual_id ORDER BY i.id) p
    ) f
    """  # noqa: S608 - put together from our own constants
)


def look(work: UnitOfWork, questions: Sequence[Question], *, component: str, day: date) -> list[Known]:
    """Return what is known about each registration, in their order. Hold their names first."""
    asked = [{"place": place, **{name: getattr(question, name) for name in _ASKED if name != "place"}} for place, question in enumerate(questions)]
    known = [Known() for _ in questions]
    for row in work.execute(_LOOK, {"asked": as_json(asked), "component": component, "day": day}):
        found, of = row.found, known[row.place]
        match row.why:
            case "blocked":
                of.blocked_today = found
            case "looked":
                of.looked, of.allowed = found
            case "suppressed":
                mark_id, case_id, kind, digest, alone, likenesses = found
                of.suppressions.append(Found(mark_id, case_id, kind, _bytes(digest), alone, frozenset(_bytes(each) for each in likenesses)))
            case "erased issue":
                of.erased_issues.append(found)
            case "organization":
                of.organization = Employer(**found)
            case "same":
                of.same.append(Compared(**found))
            case "family":
                of.family.append(Compared(**found))
            case "holder":
                of.holders.append(Compared(**{**found, "lookup": _bytes(found["lookup"])}))
    return known


def _bytes(written: str) -> bytes:
    return bytes.fromhex(written.removeprefix("\\x"))


_PERSON = {
    **dict.fromkeys(("id", "organization_id", "deputy_id", "owner_id", "created_by"), "uuid"),
    **dict.fromkeys(("salutation", "first_name", "last_name", "canonical_name", "family_key", "title", "state", "source"), "text"),
    **dict.fromkeys(("interests", "declined", "use_preferences"), "text[]"),
    "preference_spans": "jsonb",
    **dict.fromkeys(("owner_component", "created_component"), "text"),
    **dict.fromkeys(("created_at", "updated_at"), "timestamptz"),
}
_RELATIONSHIP = {"stakeholder_id": "uuid", "component": "text", "since": "timestamptz", "user_id": "uuid"}
_LINK = {"stakeholder_id": "uuid", "state": "text", "issue_id": "uuid", "kind": "text", "since": "date", "ended_on": "date"}
_NOTE = {
    **dict.fromkeys(("id", "individual_id", "author_id"), "uuid"),
    **dict.fromkeys(("text", "component", "keep_reason"), "text"),
    **dict.fromkeys(("created_at", "updated_at"), "timestamptz"),
    "kept": "boolean",
}

#: By the name of their parameter; of what a person has none of, nothing is inserted.
_INSERTS: dict[str, str] = {
    "people": insert_from("individuals", _PERSON, "people"),
    "relationships": insert_from("relationships", _RELATIONSHIP, "relationships"),
    "links": insert_from("stakeholder_issues", _LINK, "links"),
    "notes": insert_from("notes", _NOTE, "notes"),
    "lines": directory.insert(records("lines", directory.ENTRY)),
}


@dataclass(frozen=True, slots=True)
class Newcomer:
    """An individual with everything that is registered with them."""

    individual: Individual
    organization: Employer | None
    issues: Iterable[GivenLink]
    points: Sequence[SealedPoints]
    #: What is kept for the component alone, as notes.
    notes: Sequence[Note] = ()


def register(work: UnitOfWork, newcomers: Sequence[Newcomer], *, now: datetime) -> list[Individual]:
    """Insert individuals when the transaction commits; return their rows as `individuals.find` will."""
    rows: dict[str, list[object]] = {name: [] for name in _INSERTS}
    registered = []
    for newcomer in newcomers:
        row = newcomer.individual
        wanted = sorted(newcomer.issues, key=lambda link: (link["issue_id"], link["kind"]))
        links: list[LinkedIssue] = [
            {"issue_id": link["issue_id"], "kind": link["kind"], "since": _day(link.get("since")), "ended_on": _day(link.get("ended_on"))}
            for link in wanted
        ]
        rows["people"].append({name: getattr(row, name) for name in _PERSON})
        rows["relationships"].append({"stakeholder_id": row.id, "component": row.owner_component, "since": now, "user_id": row.owner_id})
        rows["links"] += [{"stakeholder_id": row.id, "state": row.state, **link} for link in links]
        rows["notes"] += [{name: getattr(note, name) for name in _NOTE} for note in newcomer.notes]
        rows["lines"].append(directory.entry_of_new(row, newcomer.organization))
        registered.append(replace(row, issues=links))
    given = [name for name in _INSERTS if rows[name]]
    work.insert_on_commit({name: _INSERTS[name] for name in given}, {name: as_json(rows[name]) for name in given})
    if points := [together for newcomer in newcomers for together in newcomer.points]:
        work.insert_on_commit(contact_layer.INSERTS, contact_layer.parameters(points))
    return registered


def _day(value: date | None) -> str | None:
    return None if value is None else value.isoformat()
