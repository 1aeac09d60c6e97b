"""Individuals: their directory layer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, insert, select, text
from sqlalchemy import update as update_of

from services.chassis.database import UnitOfWork
from services.chassis.database.rows import all_typed, typed, typed_or_none
from services.chassis.messages import Caller
from services.contacts.domain.stakeholders import Frozen, Individual, IndividualChanges
from services.contacts.storage.previous import PREVIOUS
from services.contacts.storage.rows import INSTANT
from services.contacts.storage.tables import directory as tables
from services.contacts.storage.tables.directory import individuals
from services.lexicon.canonical import canonical_name
from services.lexicon.names import family_key

# Text SQL: one statement reads a record with everything that belongs to it, as JSON.

# Text where a row is read with all that stands beside it in one statement, and for a union.
RELATIONSHIPS = f"""
    (SELECT coalesce(json_agg(json_build_object('component', r.component,
        'since', to_char(r.since AT TIME ZONE 'UTC', 'YYYY-MM-DD'), 'last_contact_at', {INSTANT.format("r.last_contact_at")})
        ORDER BY r.since, r.component), '[]') FROM relationships r WHERE r.stakeholder_id = {{id}}) AS relationships
"""  # noqa: S608 - put together from our own constants
ISSUES = """
    (SELECT coalesce(json_agg(json_build_object('issue_id', s.issue_id, 'kind', s.kind, 'since', s.since,
        'ended_on', s.ended_on) ORDER BY s.issue_id, s.kind), '[]')
     FROM stakeholder_issues s WHERE s.stakeholder_id = {id}) AS issues
"""
_SELECT = f"""
    SELECT i.*, o.name AS organization_name, {RELATIONSHIPS.format(id="i.id")}, {ISSUES.format(id="i.id")}, {PREVIOUS.format(id="i.id")}
    FROM individuals i LEFT JOIN organizations o ON o.id = i.organization_id
"""  # noqa: S608 - put together from our own constants
#: For `BatchedReads`: those that everyone may see alike, which a frozen one is not (T21). One by one through the index
#: (`OFFSET 0`): how many are asked for the planner can't know, and it would rather read everybody.
GATHERED = f"""
    SELECT asked.place, i.*, (SELECT o.name FROM organizations o WHERE o.id = i.organization_id) AS organization_name,
        {RELATIONSHIPS.format(id="i.id")}, {ISSUES.format(id="i.id")}, {PREVIOUS.format(id="i.id")}
    FROM asked, LATERAL (SELECT * FROM individuals WHERE id = asked.id AND frozen_at IS NULL OFFSET 0) i
"""  # noqa: S608 - put together from our own constants
_BY_ID = text(f"{_SELECT} WHERE i.id = CAST(:id AS uuid)")
_BY_IDS = text(f"{_SELECT} WHERE i.id = ANY(CAST(:ids AS uuid[])) AND i.frozen_at IS NULL")


def find(work: UnitOfWork, individual_id: str) -> Individual | None:
    """Return an individual's directory layer, with relationships and issues, in one statement."""
    return typed_or_none(Individual, work.execute(_BY_ID, {"id": individual_id}).mappings().one_or_none())


def of_row(row: Mapping[Any, Any]) -> Individual:
    """Return a row of `GATHERED`."""
    return typed(Individual, row)


def find_many(work: UnitOfWork, ids: Iterable[str]) -> dict[str, Individual]:
    """Return those of these individuals that exist and are not frozen, by id."""
    return {row.id: row for row in all_typed(Individual, work.execute(_BY_IDS, {"ids": list(ids)}).mappings())}


def lock(work: UnitOfWork, individual_id: str, *, share: bool = False) -> bool:
    """Lock an individual's row until the end of the transaction; return whether there is one.

    :param share: only against erasing and freezing, not against others who add to it.
    """
    held = select(individuals.c.id).where(individuals.c.id == individual_id).with_for_update(read=share)
    return work.execute(held).one_or_none() is not None


def update(work: UnitOfWork, individual_id: str, changes: IndividualChanges, *, now: datetime) -> None:
    """Set these columns; version and `updated_at` move (for directory-layer changes only, T17)."""
    row = _set(work, individual_id, **changes, updated_at=now)
    if {"first_name", "last_name"} & changes.keys():
        names = {"canonical_name": canonical_name(row.first_name, row.last_name), "family_key": family_key(row.last_name)}
        work.execute(update_of(individuals).where(individuals.c.id == individual_id).values(names))


def freeze(work: UnitOfWork, individual_id: str, *, request_id: str, medium: str, received_on: date, by: Caller, now: datetime) -> None:
    """Freeze an individual for a request that this caller recorded."""
    _set(
        work,
        individual_id,
        frozen_at=now,
        frozen_request_id=request_id,
        frozen_medium=medium,
        frozen_received_on=received_on,
        frozen_by=by.id,
        frozen_by_component=by.component,
        updated_at=now,
    )


def unfreeze(work: UnitOfWork, individual_id: str, *, now: datetime) -> None:
    """Withdraw the freeze of an individual."""
    nothing = ("frozen_at", "frozen_request_id", "frozen_medium", "frozen_received_on", "frozen_by", "frozen_by_component")
    _set(work, individual_id, **dict.fromkeys(nothing), updated_at=now)


def _set(work: UnitOfWork, individual_id: str, **values: object) -> Row[Any]:
    changed = update_of(individuals).where(individuals.c.id == individual_id).values(**values, version=individuals.c.version + 1)
    return work.execute(changed.returning(individuals.c.first_name, individuals.c.last_name)).one()


def employers(work: UnitOfWork, individual_id: str) -> list[str]:
    """Return every name of an individual's organization and of their former employers (T25)."""
    rows = work.execute(
        text(
            "SELECT o.name FROM individuals i JOIN organizations o ON o.id = i.organization_id WHERE i.id = CAST(:id AS uuid)"
            " UNION SELECT f.name FROM individuals i JOIN former_names f ON f.organization_id = i.organization_id WHERE i.id = CAST(:id AS uuid)"
            " UNION SELECT name FROM former_employers WHERE individual_id = CAST(:id AS uuid)"
            # What a former employer was called later, too.
            " UNION SELECT o.name FROM previous_facts p JOIN organizations o ON o.id = p.organization_id WHERE p.individual_id = CAST(:id AS uuid)"
            " UNION SELECT f.name FROM previous_facts p JOIN former_names f ON f.organization_id = p.organization_id"
            " WHERE p.individual_id = CAST(:id AS uuid) ORDER BY 1"
        ),
        {"id": individual_id},
    )
    return [row.name for row in rows]


def frozen_among(work: UnitOfWork, *, user_id: str, component: str | None, office: bool, officer: bool) -> list[Frozen]:
    """Return frozen individuals whom this user may find: their own, those whom they recorded, their office's, or all (T21)."""
    rows = work.execute(
        text(
            "SELECT id, first_name, last_name, frozen_request_id, owner_id, owner_component FROM individuals"
            " WHERE (frozen_at IS NOT NULL AND (owner_id = CAST(:user AS uuid) OR deputy_id = CAST(:user AS uuid) OR frozen_by = CAST(:user AS uuid)"
            " OR (:office AND owner_component = :component) OR :officer)) OR (frozen_at IS NULL AND :component = ANY(frozen_for))"
            " ORDER BY last_name, first_name, id"
        ),
        {"user": user_id, "component": component or "", "office": office, "officer": officer},
    )
    return all_typed(Frozen, rows.mappings())


def hand_over(work: UnitOfWork, individual_id: str, *, owner_id: str, component: str, now: datetime) -> None:
    """Give a record to another owner, without the former owner's deputy."""
    _set(work, individual_id, owner_id=owner_id, owner_component=component, deputy_id=None, updated_at=now)


@dataclass(frozen=True, slots=True)
class HandOver:
    """Who handed a record over to whom."""

    id: str
    individual_id: str
    at: datetime
    by_user: str
    by_component: str
    from_user: str
    from_component: str
    to_user: str
    to_component: str


def insert_hand_over(work: UnitOfWork, entry: HandOver) -> None:
    """Insert a hand-over."""
    work.execute(insert(tables.hand_overs), asdict(entry))


def hand_overs(work: UnitOfWork, individual_id: str) -> list[HandOver]:
    """Return an individual's hand-overs, latest first."""
    of = tables.hand_overs.c
    return all_typed(HandOver, work.execute(select(tables.hand_overs).where(of.individual_id == individual_id).order_by(of.at.desc())).mappings())
