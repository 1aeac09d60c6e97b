"""Checking and committing, block by block; every block is one transaction that moves the import's position.

Whoever is killed between two blocks has left a position, and whoever takes the import over goes on from there. A block
is decided by the same pure plan for a check and for a commit, so that they differ only in what happened in between.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import text

from services.chassis.database import UnitOfWork
from services.chassis.messages import Caller, chunks, new_id
from services.contacts.contract.announcements import (
    IndividualChanged,
    IndividualsImported,
    OrganizationChanged,
    OrganizationsImported,
    RelationshipEstablished,
)
from services.contacts.contract.imports import ImportsForContributors, ImportUnreadable
from services.contacts.domain.imports.planning import Plan, plan
from services.contacts.domain.imports.records import Record, record_of
from services.contacts.domain.imports.register import Register
from services.contacts.domain.imports.tables import Row
from services.contacts.domain.suppression import Mark, marks_of
from services.contacts.storage import directory, import_register, imports, individuals, ledger, links, organizations, projections
from services.contacts.storage.bulk import array_of_bytes
from services.contacts.storage.contact_layer import ContactLayer, ContactPoint
from services.contacts.storage.digests import Digests
from services.contacts.storage.vault import KeyDestroyed, Vault, decrypt
from services.contacts.usecases.imports.representing import ended, layout_of
from services.lexicon.screening import screen
from services.lexicon.vocabulary import at_least

LEASE = timedelta(seconds=60)
#: So many at a time, where each costs the loop some computing.
_TOLD_AT_ONCE = 500
_PART = 200
#: First name, last name, and by what they are known again.
_Candidate = tuple[str, str, list[Mark]]


class ImportOvertaken(Exception):
    """Another worker has gone on with this import, or its owner has cancelled it."""


class PeopleMoved(Exception):
    """Somebody whom a block means was frozen or erased while it was planned; it is planned again."""


def read_block(vault: Vault, row: dict[str, Any], ciphertext: bytes | None, *, n: int) -> tuple[list[Row], dict[str, str]]:
    """Return a block's rows and the mapping.

    :raises ImportUnreadable: what was staged is gone.
    """
    try:
        if ciphertext is None:
            raise ImportUnreadable
        staged = orjson.loads(decrypt(vault.key(row["id"]), ciphertext, bound_to=f"import block {row['id']} {n}"))
    except KeyDestroyed as error:
        raise ImportUnreadable from error
    mapping: dict[str, str] = layout_of(vault, row)["mapping"]
    return [Row(sheet, number, cells, too_long=too_long) for sheet, number, cells, too_long in staged], mapping


def records_of(rows: Sequence[Row], mapping: dict[str, str]) -> list[Record]:
    """Normalise a block's rows; the work of a second for thousands of them, with no effect."""
    return [record_of(row, mapping) for row in rows]


def check_block(
    work: UnitOfWork,
    *,
    by: Caller,
    now: datetime,
    layer: ContactLayer,
    import_id: str,
    n: int,
    records: Sequence[Record],
    register: Register,
    heavy: Callable[..., Any],
) -> bool:
    """Say what would become of a block's rows; return whether it was the last one."""
    row = _held(work, import_id, state="checking", position=n * imports.BLOCK)
    _demand_rights(work, by)
    import_register.learn(work, register, records, digests=layer.digests, component=str(by.component), heavy=heavy)
    blocked = _blocked(work, layer, records, heavy=heavy)
    made = heavy(plan, records, register, blocked=blocked, new_id=new_id)
    _put_rows(work, import_id, n, records, made, hidden=register.planned)
    # Each look at the ledger that an import takes counts like one at the keyboard (T9).
    for _ in range(sum(decision.outcome == "blocked" for decision in made.decisions)):
        ledger.count_blocked(work, by.id, now.astimezone(UTC).date())
    done = n * imports.BLOCK + len(records)
    last: bool = done >= row["rows"]
    changes: dict[str, Any] = {"position": done, "lease_until": None if last else now + LEASE}
    imports.update(work, import_id, changes | ({"state": "checked", "acting": None} if last else {}), now=now)
    shown = [decision.individual_id for decision in made.decisions if decision.individual_id and decision.individual_id not in register.planned]
    work.record("contacts:import:check-rows", subjects=[import_id, *dict.fromkeys(shown)])
    return last


def commit_block(
    work: UnitOfWork,
    *,
    by: Caller,
    now: datetime,
    layer: ContactLayer,
    import_id: str,
    n: int,
    records: Sequence[Record],
    heavy: Callable[..., Any],
) -> bool:
    """Take a block's rows in: everything that they come to, or nothing; return whether it was the last one.

    :raises PeopleMoved: roll back, and try again.
    :raises ImportOvertaken, ImportsForContributors:
    """
    row = _held(work, import_id, state="committing", position=n * imports.BLOCK)
    _demand_rights(work, by)
    import_register.hold_names(work, records)
    register = Register()
    import_register.learn(work, register, records, digests=layer.digests, component=str(by.component), heavy=heavy)
    made = heavy(plan, records, register, blocked=_blocked(work, layer, records, heavy=heavy), new_id=new_id)
    fresh = {person.id for person in made.new_people}
    if not import_register.hold_people(work, [person_id for person_id in made.people if person_id not in fresh]):
        raise PeopleMoved
    _carry_out(work, row, made, register, by=by, now=now, layer=layer, heavy=heavy)
    _put_rows(work, import_id, n, records, made)
    done = n * imports.BLOCK + len(records)
    last: bool = done >= row["rows"]
    if last:
        imports.drop_staged(work, import_id)
    imports.update(work, import_id, {"position": done, **(ended(row, "committed", now=now) if last else {"lease_until": now + LEASE})}, now=now)
    return last


def restart_check(work: UnitOfWork, *, now: datetime, import_id: str) -> None:
    """Begin a check again: what earlier rows planned was in the memory of a process that is gone."""
    imports.update(work, import_id, {"position": 0}, now=now)


def _held(work: UnitOfWork, import_id: str, *, state: str, position: int) -> dict[str, Any]:
    row = imports.find(work, import_id, lock=True)
    if row is None or row["state"] != state or row["position"] != position:
        raise ImportOvertaken
    return row


def _demand_rights(work: UnitOfWork, by: Caller) -> None:
    """An import stops where its owner's rights end."""
    known = projections.user(work, by.id)
    if known and (not known["active"] or known["component"] != by.component or not at_least(known["level"], "contributor")):
        raise ImportsForContributors


def _blocked(work: UnitOfWork, layer: ContactLayer, records: Sequence[Record], *, heavy: Callable[..., Any]) -> set[int]:
    """Return which records the ledger knows: by their values first, and of those that it has by the words of the name too."""
    candidates, by_digest, asked = heavy(_marked, layer.digests, records)
    found = ledger.written(work, asked)
    if not found:
        return set()
    suspects = sorted({at for digest, _, _ in found for at in by_digest[digest]})
    known = ledger.answers(heavy(ledger.questions, layer.digests, [candidates[at] for at in suspects]), found)
    return {suspects[at] for at in known}


def _marked(digests: Digests, records: Sequence[Record]) -> tuple[list[_Candidate], dict[bytes, list[int]], str]:
    candidates = _candidates(records)
    by_digest: dict[bytes, list[int]] = {}
    for at, (_, _, marks) in enumerate(candidates):
        for mark in marks:
            for digest in digests.suppressions(mark.kind, mark.canonical):
                by_digest.setdefault(digest, []).append(at)
    return candidates, by_digest, array_of_bytes(by_digest)


def _candidates(records: Sequence[Record]) -> list[_Candidate]:
    return [
        (
            record.name.first_name,
            record.name.last_name,
            marks_of(organization=record.organization, contact_points=record.points) if record.is_person else [],
        )
        for record in records
    ]


def _put_rows(
    work: UnitOfWork,
    import_id: str,
    n: int,
    records: Sequence[Record],
    made: Plan,
    *,
    hidden: set[str] = frozenset(),  # type: ignore[assignment]  # empty, and only read
) -> None:
    def shown(subject_id: str | None) -> str | None:
        # A check gives nobody an id: it is only planned.
        return None if subject_id in hidden else subject_id

    sheets = {sheet: _harmless(sheet) for sheet in {record.sheet for record in records}}
    imports.put_rows(
        work,
        import_id,
        [
            {
                "n": n * imports.BLOCK + at,
                "sheet": sheets[record.sheet],
                "number": record.number,
                "outcome": decision.outcome,
                "reason": decision.reason,
                "individual_id": shown(decision.individual_id),
                "organization_id": shown(decision.organization_id),
            }
            for at, (record, decision) in enumerate(zip(records, made.decisions, strict=True))
        ],
    )


def _harmless(sheet: str | None) -> str | None:
    return None if sheet is None or any(found.klass in {"phone", "email"} for found in screen(sheet)) else sheet


def _carry_out(
    work: UnitOfWork,
    row: dict[str, Any],
    made: Plan,
    register: Register,
    *,
    by: Caller,
    now: datetime,
    layer: ContactLayer,
    heavy: Callable[..., Any],
) -> None:
    component = str(by.component)
    entered = {
        "owner_id": by.id,
        "owner_component": component,
        "created_by": by.id,
        "created_component": component,
        "now": now,
        "source": row["source"],
    }
    import_register.insert_organizations(work, [{**entered, "id": o.id, "name": o.name, "state": o.state} for o in made.new_organizations])
    import_register.insert_offices(work, made.new_offices)
    bodies = {organization.id: organization for organization in register.organizations.values()}
    import_register.insert_people(work, [_individual(person, entered) for person in made.new_people], bodies, heavy=heavy)
    import_register.fill(work, made.changes, now=now)
    points = [ContactPoint(person_id, component, kind, value, row["source"]) for person_id, kind, value in made.new_points]
    fresh = {person.id for person in made.new_people}
    point_ids = import_register.insert_points(work, layer, points, fresh=fresh, by_user=by.id, now=now, heavy=heavy)
    established = _relate(work, made, component=component, by=by, now=now)
    linked = _link(work, row, made)
    _index_and_tell(work, made, by=by)
    effects = import_register.effects_of(made, point_ids, established=established, linked=[])
    effects += [("linked", stakeholder_id, {"issues": pairs}) for stakeholder_id, pairs in linked.items() if stakeholder_id not in fresh]
    imports.add_effects(work, row["id"], effects)
    _record(work, row["id"], made)


def _individual(person: Any, entered: dict[str, Any]) -> dict[str, Any]:
    names = ("id", "salutation", "first_name", "last_name", "title", "organization_id", "state")
    return {**entered, **{name: getattr(person, name) for name in names}, "interests": list(person.interests)}


def _relate(work: UnitOfWork, made: Plan, *, component: str, by: Caller, now: datetime) -> list[str]:
    everybody = [(stakeholder_id, component) for stakeholder_id in (*made.people, *made.organizations)]
    established = [stakeholder_id for stakeholder_id, _ in links.establish(work, everybody, user_id=by.id, since=now)]
    since = now.astimezone(UTC).date().isoformat()
    # That of a new record's component is told with the record.
    fresh = {*(person.id for person in made.new_people), *(organization.id for organization in made.new_organizations)}
    for stakeholder_id in (each for each in established if each not in fresh):
        kind = "individual" if stakeholder_id in made.people else "organization"
        work.announce(RelationshipEstablished(kind, stakeholder_id, component, since))
    return established


def _link(work: UnitOfWork, row: dict[str, Any], made: Plan) -> dict[str, list[list[str]]]:
    """Link everybody to the import's issues; return which of the links are new."""
    issues = row["issues"]
    bare = [d.organization_id for d in made.decisions if d.organization_id and not d.individual_id]
    subjects = list(dict.fromkeys([*made.people, *bare]))
    if not issues or not subjects:
        return {}
    found: dict[str, list[list[str]]] = {}
    for issue in issues:
        rows = work.execute(
            text(
                "INSERT INTO stakeholder_issues (stakeholder_id, issue_id, kind, since, ended_on)"
                " SELECT s, CAST(:issue AS uuid), :kind, CAST(:since AS date), CAST(:ended AS date)"
                " FROM unnest(CAST(:subjects AS uuid[])) AS s ON CONFLICT DO NOTHING RETURNING stakeholder_id"
            ),
            {
                "issue": issue["issue_id"],
                "kind": issue["kind"],
                "since": issue.get("since"),
                "ended": issue.get("ended_on"),
                "subjects": subjects,
            },
        )
        for linked in rows:
            found.setdefault(str(linked.stakeholder_id), []).append([issue["issue_id"], issue["kind"]])
    return found


def _index_and_tell(work: UnitOfWork, made: Plan, *, by: Caller) -> None:
    touched = dict.fromkeys(organization_id for _, organization_id, _, _ in made.new_offices)
    fresh = {organization.id for organization in made.new_organizations}
    for part in chunks(list(dict.fromkeys([*fresh, *touched])), _PART):
        directory.index_organizations(work, part)
    # Whoever is new is in the directory already.
    for part in chunks(list(made.changes), _PART):
        directory.index_individuals(work, part)
    for organizations_part in chunks([[o.id, o.state] for o in made.new_organizations], _TOLD_AT_ONCE):
        work.announce(OrganizationsImported(organizations_part))
    known = organizations.find_many(work, [organization_id for organization_id in touched if organization_id not in fresh])
    for organization_id, organization_row in known.items():
        work.announce(OrganizationChanged(organization_id, organization_row["state"], organization_row["sector"], organization_row["version"]))
    for people_part in chunks([[p.id, p.organization_id, p.state] for p in made.new_people], _TOLD_AT_ONCE):
        work.announce(IndividualsImported(people_part, by.id, str(by.component)))
    changed = individuals.find_many(work, made.changes)
    for person_id, person_row in changed.items():
        work.announce(IndividualChanged(person_id, person_row["organization_id"], person_row["state"], person_row["version"]))


def _record(work: UnitOfWork, import_id: str, made: Plan) -> None:
    """Name each record that the block touched, and the fields; at most 500 in an entry."""
    kinds = {kind for _, kind, _ in made.new_points}
    if made.new_people:
        fields = {"salutation", "first_name", "last_name", "title", "organization_id", "state", "interests", "issues"} | kinds
        work.record("contacts:individual:create", subjects=[person.id for person in made.new_people], fields=fields, rule="import")
    if made.changes:
        fields = {name for changes in made.changes.values() for name in changes}
        work.record("contacts:individual:change", subjects=made.changes, fields=fields, rule="import")
    fresh = {person.id for person in made.new_people}
    reached = dict.fromkeys(person_id for person_id, _, _ in made.new_points if person_id not in fresh)
    if reached:
        work.record("contacts:individual:add-contact-point", subjects=reached, fields=kinds, rule="import")
    if made.new_organizations:
        work.record(
            "contacts:organization:create", subjects=[o.id for o in made.new_organizations], fields=["name", "state", "offices"], rule="import"
        )
    known = {organization.id for organization in made.new_organizations}
    grown = dict.fromkeys(organization_id for _, organization_id, _, _ in made.new_offices if organization_id not in known)
    if grown:
        work.record("contacts:organization:change", subjects=grown, fields=["offices"], rule="import")
    work.record("contacts:import:commit-rows", subjects=[import_id])
