"""Projections of stakeholders and users, as contacts and access announce them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import ColumnElement, FromClause, Table, Text, and_, any_, delete, exists, false, func, literal, or_, select, text, update
from sqlalchemy.dialects.postgresql import Insert, array, insert

from services.access.contract import UserChanged
from services.chassis.database import Lock, UnitOfWork
from services.chassis.database.rows import all_typed
from services.contacts.contract.announcements import (
    IndividualChanged,
    IndividualFrozen,
    IndividualFrozenFor,
    IndividualRegistered,
    IndividualUnfrozen,
    OrganizationChanged,
    OrganizationRegistered,
    OwnerChanged,
    PreferencesChanged,
)
from services.interactions.domain.rights import Person, Scope
from services.interactions.storage.tables import (
    attendances,
    interaction_individuals,
    interaction_organizations,
    interactions,
    organizations,
    people,
    tombstones,
    users,
    withdrawn_requests,
)

# Text SQL: announcements come by the thousand: a set goes in one statement, without erased ids.

#: Shared while something announced of a stakeholder is stored; held alone while a tombstone is inserted.
_TOMBSTONES = Lock(1, "tombstones")


# An array goes as one text: as five hundred parameters it costs more to put together than all that follows.
_IS_ANYBODY_NEW = text("SELECT EXISTS (SELECT unnest(CAST(:ids AS uuid[])) EXCEPT SELECT id FROM tombstones WHERE id = ANY(CAST(:ids AS uuid[])))")
_INSERT_TOMBSTONES = text(
    "INSERT INTO tombstones (id, kind, erased_at) SELECT id, :kind, :now FROM unnest(CAST(:ids AS uuid[])) AS t (id) ON CONFLICT DO NOTHING"
)


_PERSON = [people.c[field.name] for field in fields(Person)]


def is_erased(work: UnitOfWork, subject_id: str) -> bool:
    """Return whether there is a tombstone for this id."""
    return work.execute(select(tombstones.c.id).where(tombstones.c.id == subject_id)).first() is not None


def _lock_against_tombstones(work: UnitOfWork) -> None:
    """Lock out new tombstones until the transaction ends: a statement sees only those that were committed when it began."""
    work.hold(_TOMBSTONES, shared=True)


def insert_tombstone(work: UnitOfWork, subject_id: str, *, kind: str, now: datetime) -> None:
    """Insert a tombstone, after the transactions that could not see it."""
    insert_tombstones(work, [subject_id], kind=kind, now=now)


def insert_tombstones(work: UnitOfWork, subject_ids: Iterable[str], *, kind: str, now: datetime) -> None:
    """Insert tombstones, after the transactions that could not see them."""
    given = {"ids": f"{{{','.join(sorted(subject_ids))}}}", "kind": kind, "now": now}
    if work.execute(_IS_ANYBODY_NEW, given).scalar_one():
        work.hold(_TOMBSTONES)
        work.execute(_INSERT_TOMBSTONES, given)


def persons(work: UnitOfWork, individual_ids: Iterable[str], *, lock: bool = False) -> dict[str, Person]:
    """Return the projections of individuals, by id; unknown ids are left out.

    :param lock: hold them, so that nobody freezes or erases them before the transaction ends.
    """
    query = select(*_PERSON).where(people.c.id.in_(list(individual_ids))).order_by(people.c.id)
    rows = work.execute(query.with_for_update(read=True) if lock else query).mappings()
    return {one.id: one for one in all_typed(Person, rows)}


def employers_of(work: UnitOfWork, individual_ids: Iterable[str]) -> dict[str, str | None]:
    """Return the organizations of known individuals, by the id of the individual."""
    rows = work.execute(select(people.c.id, people.c.organization_id).where(people.c.id.in_(list(individual_ids))))
    return {row.id: row.organization_id for row in rows}


def known_organizations(work: UnitOfWork, organization_ids: Iterable[str]) -> set[str]:
    """Return which of these organizations are known."""
    return set(work.execute(select(organizations.c.id).where(organizations.c.id.in_(list(organization_ids)))).scalars())


def known_users(work: UnitOfWork, user_ids: Iterable[str]) -> dict[str, tuple[str | None, bool]]:
    """Return component and activity of users, by id."""
    rows = work.execute(select(users.c.id, users.c.component, users.c.active).where(users.c.id.in_(list(user_ids))))
    return {row.id: (row.component, row.active) for row in rows}


def frozen_person(component: str | None, rows: FromClause = people) -> ColumnElement[bool]:
    """Return a condition: the row of `people` is frozen, for everybody (T21) or for this component only (T26)."""
    everywhere = rows.c.frozen_request_id.is_not(None)
    # The first condition is the index's; few are either.
    either = or_(everywhere, rows.c.frozen_for != array([], type_=Text))
    return and_(either, or_(everywhere, literal(component) == any_(rows.c.frozen_for))) if component else everywhere


def hidden_person(scope: Scope, rows: FromClause = people) -> ColumnElement[bool]:
    """Return a condition: the row of `people` is frozen for the caller, who does not handle the request (T21, T26)."""
    frozen = frozen_person(scope.component, rows)
    if scope.sees_frozen:
        return false()
    theirs = [rows.c[column] == scope.user_id for column in ("owner_id", "deputy_id", "frozen_by") if scope.user_id is not None]
    if scope.frozen_of is not None:
        theirs.append(rows.c.component == scope.frozen_of)
    return and_(frozen, ~func.coalesce(or_(*theirs), False)) if theirs else frozen


def _unless_erased(table: Table, **values: Any) -> Insert:
    """Insert a row unless there is a tombstone for its id, in one statement, because announcements come by the thousand."""
    row = select(*(literal(value, table.c[name].type).label(name) for name, value in values.items()))
    return insert(table).from_select(list(values), row.where(~exists().where(tombstones.c.id == values["id"])))


_REGISTER_PEOPLE = text(
    """
    INSERT INTO people (id, organization_id, state, owner_id, component, placed)
    SELECT t.individual_id, CASE WHEN gone.id IS NULL THEN t.organization_id END, t.state, t.owner_id, t.component, true
    FROM json_to_recordset(CAST(:people AS json))
        AS t (individual_id uuid, organization_id uuid, state text, owner_id uuid, component text)
    LEFT JOIN tombstones gone ON gone.id = t.organization_id
    WHERE NOT EXISTS (SELECT FROM tombstones WHERE tombstones.id = t.individual_id)
    -- In one order, so that two transactions with the same people do not deadlock.
    ORDER BY t.individual_id
    -- A retried announcement may come after a later one: an owner or a place that is stored already is newer.
    ON CONFLICT (id) DO UPDATE SET
        organization_id = CASE WHEN people.placed THEN people.organization_id ELSE excluded.organization_id END,
        state = CASE WHEN people.placed THEN people.state ELSE excluded.state END,
        owner_id = coalesce(people.owner_id, excluded.owner_id),
        component = coalesce(people.component, excluded.component),
        placed = true
    WHERE NOT people.placed OR people.owner_id IS NULL
    """
)


def register_people(work: UnitOfWork, new: Iterable[IndividualRegistered]) -> None:
    """Store new individuals, except those who are erased.

    An erased organization is left out as employer. What a later announcement has stored already, stays.
    """
    _lock_against_tombstones(work)
    by_id = {each.individual_id: each for each in new}
    work.execute(_REGISTER_PEOPLE, {"people": orjson.dumps(list(by_id.values())).decode()})


_REGISTER_ORGANIZATIONS = text(
    """
    INSERT INTO organizations (id, state) SELECT CAST(told ->> 0 AS uuid), told ->> 1
    FROM json_array_elements(CAST(:organizations AS json)) AS told
    WHERE NOT EXISTS (SELECT FROM tombstones WHERE tombstones.id = CAST(told ->> 0 AS uuid))
    ORDER BY 1 ON CONFLICT DO NOTHING
    """
)


def register_organizations(work: UnitOfWork, new: Sequence[Sequence[str | None]]) -> None:
    """Store new organizations, [id, state] each, except those that are erased or known."""
    _lock_against_tombstones(work)
    work.execute(_REGISTER_ORGANIZATIONS, {"organizations": orjson.dumps(new).decode()})


def _upsert_latest(work: UnitOfWork, table: Table, row_id: str, values: Mapping[str, Any], *, revision: str) -> bool:
    """Store values of a row, unless a later revision or a tombstone is stored; return whether they were stored.

    :param revision: the column with the revision of these values.
    """
    statement = _unless_erased(table, id=row_id, **values)
    latest = statement.on_conflict_do_update(index_elements=["id"], set_=values, where=table.c[revision] <= values[revision])
    return work.execute(latest.returning(table.c.id)).first() is not None


def upsert_place(work: UnitOfWork, told: IndividualChanged) -> None:
    """Store where an individual works and for which state they speak; an erased organization is left out as employer."""
    _lock_against_tombstones(work)
    employer = None if told.organization_id is None or is_erased(work, told.organization_id) else told.organization_id
    place = {"organization_id": employer, "state": told.state, "placed": True, "place_revision": told.revision}
    _upsert_latest(work, people, told.individual_id, place, revision="place_revision")


def upsert_owner(work: UnitOfWork, told: OwnerChanged) -> bool:
    """Store the owner of an individual; return whether it was stored."""
    owner = {"owner_id": told.owner_id, "component": told.component, "deputy_id": told.deputy_id, "owner_revision": told.revision}
    _lock_against_tombstones(work)
    return _upsert_latest(work, people, told.individual_id, owner, revision="owner_revision")


def upsert_preferences(work: UnitOfWork, told: PreferencesChanged) -> None:
    """Store how an individual's information may be used, and since when."""
    stated = {"preferences": told.spans, "preferences_revision": told.revision}
    _lock_against_tombstones(work)
    _upsert_latest(work, people, told.individual_id, stated, revision="preferences_revision")


def freeze(work: UnitOfWork, told: IndividualFrozen) -> None:
    """Store that an individual is frozen, unless the request was withdrawn already."""
    if _is_withdrawn(work, told.individual_id, told.request_id):
        return
    _lock_against_tombstones(work)
    frozen = {"frozen_request_id": told.request_id, "frozen_by": told.recorded_by}
    work.execute(_unless_erased(people, id=told.individual_id, **frozen).on_conflict_do_update(index_elements=["id"], set_=frozen))


def freeze_for(work: UnitOfWork, told: IndividualFrozenFor) -> None:
    """Store which components see an individual as frozen (T26)."""
    frozen = {"frozen_for": told.components, "frozen_for_revision": told.revision}
    _lock_against_tombstones(work)
    _upsert_latest(work, people, told.individual_id, frozen, revision="frozen_for_revision")


def unfreeze(work: UnitOfWork, told: IndividualUnfrozen) -> None:
    """Store that a request was withdrawn, and unfreeze its individual; the announcements may come in either order (T36)."""
    _is_withdrawn(work, told.individual_id, told.request_id)
    work.execute(insert(withdrawn_requests).values(id=told.request_id).on_conflict_do_nothing())
    known = update(people).where(people.c.id == told.individual_id, people.c.frozen_request_id == told.request_id)
    work.execute(known.values(frozen_request_id=None, frozen_by=None))


def _is_withdrawn(work: UnitOfWork, individual_id: str, request_id: str) -> bool:
    # Both are worked off concurrently: of one individual one at a time, so that each sees what the other left.
    work.hold(Lock(5, individual_id))
    return work.execute(select(withdrawn_requests.c.id).where(withdrawn_requests.c.id == request_id)).first() is not None


def delete_person(work: UnitOfWork, individual_id: str) -> None:
    """Delete an individual."""
    work.execute(delete(people).where(people.c.id == individual_id))


def upsert_organization_projection(work: UnitOfWork, told: OrganizationChanged) -> None:
    """Store an organization, unless a later revision is stored."""
    values = {"state": told.state, "sector": told.sector, "revision": told.revision}
    _lock_against_tombstones(work)
    _upsert_latest(work, organizations, told.organization_id, values, revision="revision")


def register_organization(work: UnitOfWork, told: OrganizationRegistered) -> None:
    """Store a new organization, unless a change of it came first."""
    _lock_against_tombstones(work)
    new = _unless_erased(organizations, id=told.organization_id, state=told.state, sector=told.sector)
    work.execute(new.on_conflict_do_nothing())


def delete_organization(work: UnitOfWork, organization_id: str) -> None:
    """Delete an organization, and remove it as an employer."""
    work.execute(delete(organizations).where(organizations.c.id == organization_id))
    work.execute(update(people).where(people.c.organization_id == organization_id).values(organization_id=None))
    for then in (interaction_individuals, attendances):
        work.execute(update(then).where(then.c.employer_id == organization_id).values(employer_id=None))


def upsert_user_projection(work: UnitOfWork, told: UserChanged) -> None:
    """Store a user, unless a later revision is stored."""
    values = {"component": told.component, "level": told.level, "roles": list(told.roles), "active": told.active, "revision": told.revision}
    known = insert(users).values(id=told.user_id, **values)
    work.execute(known.on_conflict_do_update(index_elements=["id"], set_=values, where=users.c.revision <= told.revision))


def unlink_organization(work: UnitOfWork, organization_id: str) -> list[str]:
    """Unlink an organization from interactions and events; delete the interactions with nobody left, and return their ids."""
    table = interaction_organizations
    linked = list(work.execute(delete(table).where(table.c.organization_id == organization_id).returning(table.c.interaction_id)).scalars())
    work.execute(delete(attendances).where(attendances.c.organization_id == organization_id))
    if not linked:
        return []
    alone: ColumnElement[bool] = interactions.c.id.in_(linked)
    for others in (interaction_individuals, interaction_organizations):
        alone &= ~exists().where(others.c.interaction_id == interactions.c.id)
    return list(work.execute(delete(interactions).where(alone).returning(interactions.c.id)).scalars())
