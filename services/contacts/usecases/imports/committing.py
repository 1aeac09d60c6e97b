"""Committing: taking rows in, block by block; every block is one transaction that moves the import's position.

Whoever is killed between two blocks has left a position, and whoever takes the import over goes on from there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from types import MappingProxyType

from services.chassis.database import UnitOfWork
from services.chassis.messages import Caller, chunks, new_id
from services.contacts.contract.announcements import (
    IndividualChanged,
    IndividualsImported,
    OrganizationChanged,
    OrganizationsImported,
    RelationshipEstablished,
)
from services.contacts.domain.imports.planning import Answer, Plan, plan
from services.contacts.domain.imports.register import Register
from services.contacts.domain.imports.states import EffectDetail, Import, ImportChanges
from services.contacts.storage import contact_layer, directory, individuals, ledger, links, organizations, previous
from services.contacts.storage.contact_layer import ContactLayer
from services.contacts.storage.imports import effects, files, imports, questions, refused, writing
from services.contacts.storage.imports.writing import Entry
from services.contacts.usecases.imports import refused_rows
from services.contacts.usecases.imports.checking import cells_sealed, kept_of, learn, put_rows
from services.contacts.usecases.imports.parsing import Threads
from services.contacts.usecases.imports.preparing import Prepared, blocked
from services.contacts.usecases.imports.representing import ended
from services.contacts.usecases.imports.working import LEASE, held, require_rights
from services.lexicon.canonical import compared_as

#: So many at a time, where each costs the loop some computing.
_TOLD_AT_ONCE = 500
_PART = 200
#: People in one statement.
_WRITTEN_AT_ONCE = 250


class PeopleMoved(Exception):
    """Somebody whom a block means was frozen or erased while it was planned; it is planned again."""


def commit_block(
    work: UnitOfWork,
    *,
    by: Caller,
    now: datetime,
    layer: ContactLayer,
    import_id: str,
    block: Prepared,
    kept_key: bytes,
    threads: Threads,
) -> None:
    """Take a block's rows in: everything that they come to, or nothing.

    :raises PeopleMoved: roll back, and try again.
    :raises LookupsExhausted, ImportsStopped: it waits for the privacy officer (T35).
    :raises ImportOvertaken, ImportsForContributors:
    """
    row = held(work, import_id, state="committing", position=block.first)
    require_rights(work, by)
    made = take_in(work, row, block, by=by, now=now, layer=layer, threads=threads)
    # What an import enters of blocked people counts like an entry at the keyboard (T9).
    for _ in range(sum(decision.outcome == "blocked" for decision in made.decisions)):
        ledger.count_blocked(work, by.id, now.astimezone(UTC).date())
    counts = put_rows(work, row, block, made, threads=threads)
    kept = kept_of(block, made)
    # What was entered since the check may make more rows undecided than it said.
    before = refused.keep(work, import_id, kept, first=block.first, last=block.end - 1)
    refused.add(work, import_id, threads.run(cells_sealed, import_id, kept_key, block, [n for n in kept if n not in before]))
    changes: ImportChanges = {"position": block.end, "counts": counts, "lease_until": now + LEASE}
    if block.end >= row.rows:
        files.drop_staged(work, import_id)
        changes |= ended(row, "committed", now=now)
        if row.refused_layout is not None and refused.exists(work, import_id):
            changes |= {"refused_layout": row.refused_layout, "refused_until": now + refused_rows.KEPT}
    imports.update(work, import_id, changes, now=now)


def take_in(
    work: UnitOfWork,
    row: Import,
    block: Prepared,
    *,
    by: Caller,
    now: datetime,
    layer: ContactLayer,
    threads: Threads,
    answers: Mapping[int, Answer] = MappingProxyType({}),
) -> Plan:
    """Plan a block under the names' locks, and carry it out; return the plan.

    :param answers: what was decided of some of its records.
    :raises PeopleMoved: roll back, and try again.
    :raises LookupsExhausted, ImportsStopped: nothing of the block may be told (T35).
    """
    questions.hold_names(work, block.questions)
    ledger.hold_shared(work)
    register = Register()
    learn(work, register, block, row.id, by=by, threads=threads)
    known = blocked(work, layer, block, by=by, now=now, threads=threads)
    made = threads.run(plan, block.records, register, blocked=known, new_id=new_id, answers=answers)
    fresh = {person.id for person in made.new_people}
    if not questions.hold_people(work, [person_id for person_id in made.people if person_id not in fresh]):
        raise PeopleMoved
    _carry_out(work, row, block, made, register, by=by, now=now, layer=layer, threads=threads)
    return made


def refresh_statistics(work: UnitOfWork) -> None:
    """Let the planner know at once who came."""
    writing.refresh_statistics(work)


def _carry_out(
    work: UnitOfWork,
    row: Import,
    block: Prepared,
    made: Plan,
    register: Register,
    *,
    by: Caller,
    now: datetime,
    layer: ContactLayer,
    threads: Threads,
) -> None:
    entry = Entry(by.id, str(by.component), row.source, now, row.id, row.issues)
    writing.insert_organizations(work, made.new_organizations, entry)
    writing.insert_offices(work, made.new_offices)
    writing.fill_states(work, made.organization_states, now=now)
    point_ids = _enter(work, block, made, register, entry, layer=layer, threads=threads)
    note_ids = writing.insert_notes(work, made.new_notes, entry)
    writing.fill(work, made.changes, made.names, now=now)
    turned = _replace(work, block, made, entry)
    established = _relate(work, made, entry, by=by, now=now)
    fresh = {person.id for person in made.new_people}
    bare = [d.organization_id for d in made.decisions if d.organization_id and not d.individual_id]
    linked = writing.link(work, dict.fromkeys([*(each for each in made.people if each not in fresh), *bare]), entry)
    _index_and_tell(work, made, by=by)
    done = writing.effects_of(made, point_ids, note_ids, established=established, linked=linked, turned=turned)
    effects.add(work, row.id, done)
    _record(work, row.id, made)
    if turned:
        work.record("contacts:individual:change", subjects=turned, fields=["work_address"], rule="import")
    if note_ids:
        work.record("contacts:note:create", subjects=[*dict.fromkeys(person_id for person_id, _ in made.new_notes)], fields=["notes"], rule="import")


def _enter(work: UnitOfWork, block: Prepared, made: Plan, register: Register, entry: Entry, *, layer: ContactLayer, threads: Threads) -> list[str]:
    """Enter new people, and contact points under keys of their people; return the points' ids, in order.

    While the server writes one part, the next is put together.
    """
    fresh = dict.fromkeys(person.id for person in made.new_people)
    reached = dict.fromkeys(person_id for person_id, _, _, _ in made.new_points)
    # Without a value, too (see `registration.register`).
    keys = layer.vault.new_keys(fresh)
    keys |= layer.vault.keys_for([person_id for person_id in reached if person_id not in fresh])
    bodies = {organization.id: organization for organization in register.organizations.values()}
    people = [partial(writing.people_written, part, bodies) for part in chunks(made.new_people, _WRITTEN_AT_ONCE)]
    points = [
        partial(writing.points_written, layer, part, keys, block.questions.digests, entry) for part in chunks(made.new_points, _WRITTEN_AT_ONCE * 3)
    ]
    steps: list[Callable[[], str | tuple[list[str], dict[str, str]]]] = [*people, *points]
    point_ids: list[str] = []
    for written in threads.prefetch(lambda put_together: put_together(), steps):
        if isinstance(written, str):
            writing.insert_people(work, written, entry)
        else:
            ids, points_sent = written
            contact_layer.insert_points(work, points_sent)
            point_ids += ids
    return point_ids


def _replace(work: UnitOfWork, block: Prepared, made: Plan, entry: Entry) -> dict[str, EffectDetail]:
    """Keep what others take the place of; return which contact points were turned."""
    facts = {person_id: {name: former.get(name) for name in ("title", "organization_id")} for person_id, former in made.previous.items()}
    previous.keep(work, facts, now=entry.now, import_id=entry.import_id)
    digests = block.questions.digests
    present = [(person_id, digest) for person_id, kind, canonical in made.present for digest in digests[compared_as(kind), canonical]]
    return previous.turn(work, present, kind="work_address", component=entry.component, import_id=entry.import_id, now=entry.now)


def _relate(work: UnitOfWork, made: Plan, entry: Entry, *, by: Caller, now: datetime) -> list[str]:
    """Give the component a relationship with everybody whom it had none with; return with whom, but for who is new."""
    new_people = {person.id for person in made.new_people}
    asked = [(each, entry.component) for each in (*made.people, *made.organizations) if each not in new_people]
    established = [stakeholder_id for stakeholder_id, _ in links.establish(work, asked, user_id=by.id, since=now)]
    since = now.astimezone(UTC).date().isoformat()
    # That of a new record's component is told with the record.
    new_organizations = {organization.id for organization in made.new_organizations}
    for stakeholder_id in (each for each in established if each not in new_organizations):
        kind = "individual" if stakeholder_id in made.people else "organization"
        work.announce(RelationshipEstablished(kind, stakeholder_id, entry.component, since))
    return established


def _index_and_tell(work: UnitOfWork, made: Plan, *, by: Caller) -> None:
    touched = dict.fromkeys([*(organization_id for _, organization_id, _, _ in made.new_offices), *made.organization_states])
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
        work.announce(OrganizationChanged(organization_id, organization_row.state, organization_row.sector, organization_row.version))
    for people_part in chunks([[p.id, p.organization_id, p.state] for p in made.new_people], _TOLD_AT_ONCE):
        work.announce(IndividualsImported(people_part, by.id, str(by.component)))
    changed = individuals.find_many(work, made.changes)
    for person_id, person_row in changed.items():
        work.announce(IndividualChanged(person_id, person_row.organization_id, person_row.state, person_row.version))


def _record(work: UnitOfWork, import_id: str, made: Plan) -> None:
    """Name each record that the block touched, and the fields; at most 500 in an entry."""
    kinds = {kind for _, kind, _, _ in made.new_points}
    if made.new_people:
        fields = {"salutation", "first_name", "last_name", "title", "organization_id", "state", "interests", "issues"} | kinds
        work.record("contacts:individual:create", subjects=[person.id for person in made.new_people], fields=fields, rule="import")
    if made.changes:
        fields = {name for changes in made.changes.values() for name in changes}
        work.record("contacts:individual:change", subjects=made.changes, fields=fields, rule="import")
    fresh = {person.id for person in made.new_people}
    reached = dict.fromkeys(person_id for person_id, _, _, _ in made.new_points if person_id not in fresh)
    if reached:
        work.record("contacts:individual:add-contact-point", subjects=reached, fields=kinds, rule="import")
    if made.new_organizations:
        work.record(
            "contacts:organization:create", subjects=[o.id for o in made.new_organizations], fields=["name", "state", "offices"], rule="import"
        )
    known = {organization.id for organization in made.new_organizations}
    grown = dict.fromkeys(organization_id for _, organization_id, _, _ in made.new_offices if organization_id not in known)
    if made.organization_states:
        work.record("contacts:organization:change", subjects=made.organization_states, fields=["state"], rule="import")
    if grown:
        work.record("contacts:organization:change", subjects=grown, fields=["offices"], rule="import")
    work.record("contacts:import:commit-rows", subjects=[import_id])
