"""Events and attendance, in SQL."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import ARRAY, ColumnElement, Select, Uuid, and_, delete, exists, func, insert, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from services.chassis.database import UnitOfWork
from services.chassis.database.rows import columns_of, typed_or_none
from services.interactions.contract.commands import EventListQuery
from services.interactions.domain.records import Attendance, Event
from services.interactions.domain.rights import Scope
from services.interactions.storage import pages
from services.interactions.storage.directory import hidden_person
from services.interactions.storage.tables import attendances, event_issues, events, people


def with_issues() -> Select[Any]:
    """Select events with the issues that were discussed."""
    discussed = select(event_issues.c.issue_id).where(event_issues.c.event_id == events.c.id).order_by(event_issues.c.issue_id)
    return select(events, func.array(discussed.scalar_subquery(), type_=ARRAY(Uuid(as_uuid=False))).label("issue_ids"))


def one(work: UnitOfWork, event_id: str, *, lock: bool = False) -> Event | None:
    """Return an event.

    :param lock: lock it until the end of the transaction.
    """
    query = with_issues().where(events.c.id == event_id)
    return typed_or_none(Event, work.execute(query.with_for_update(of=events) if lock else query).mappings().one_or_none())


def matching(
    work: UnitOfWork, scope: Scope, wanted: EventListQuery, *, issue_ids: Sequence[str] | None, after: Sequence[object] | None
) -> pages.Page[Event]:
    """Return a page of events, most recent first, about one of these issues if there are any."""
    period = pages.within(events.c.starts_at, wanted.since, wanted.until)
    query = with_issues().where(*pages.equal({events.c.component: wanted.component}), *period)
    if wanted.individual_id is not None:
        attended = select(attendances.c.event_id).where(attendances.c.individual_id == wanted.individual_id)
        query = query.where(events.c.id.in_(attended), ~exists().where(people.c.id == wanted.individual_id).where(hidden_person(scope)))
    if wanted.organization_id is not None:
        theirs = or_(attendances.c.organization_id == wanted.organization_id, _with_people_of(wanted.organization_id, scope))
        query = query.where(events.c.id.in_(select(attendances.c.event_id).where(theirs)))
    if issue_ids is not None:
        about = select(event_issues.c.event_id).where(event_issues.c.issue_id.in_(issue_ids))
        query = query.where(events.c.id.in_(about))
    return pages.page(work, Event, query, keys=[events.c.starts_at, events.c.id], after=after, limit=wanted.limit)


def _with_people_of(organization_id: str, scope: Scope) -> ColumnElement[bool]:
    """Return a condition: the attendance is of an individual who works at an organization, or worked there then (R57, T6)."""
    theirs = or_(people.c.organization_id == organization_id, attendances.c.employer_id == organization_id)
    return exists().where(people.c.id == attendances.c.individual_id, theirs, ~hidden_person(scope))


def add(work: UnitOfWork, event: Event) -> None:
    """Insert an event."""
    work.execute(insert(events), columns_of(event, events))


def change(work: UnitOfWork, event: Event) -> None:
    """Store a changed event, which is locked."""
    work.execute(update(events).where(events.c.id == event.id).values(columns_of(event, events)))


def discuss(work: UnitOfWork, event_id: str, issue_ids: Iterable[str]) -> None:
    """Make these the event's only discussed issues."""
    work.execute(delete(event_issues).where(event_issues.c.event_id == event_id))
    if rows := [{"event_id": event_id, "issue_id": issue_id} for issue_id in dict.fromkeys(issue_ids)]:
        work.execute(insert(event_issues), rows)


def next_revision(work: UnitOfWork, event_id: str) -> int:
    """Return the next revision of an event's attendance."""
    statement = update(events).where(events.c.id == event_id).values(revision=events.c.revision + 1)
    revision: int = work.execute(statement.returning(events.c.revision)).scalar_one()
    return revision


def add_attendances(work: UnitOfWork, rows: Sequence[Attendance]) -> None:
    """Insert attendances, except those that are recorded already."""
    if rows:
        work.execute(upsert(attendances).on_conflict_do_nothing(), [asdict(row) for row in rows])


def attendees(work: UnitOfWork, scope: Scope, event_id: str, *, after: Sequence[object] | None, limit: int) -> pages.Page[Attendance]:
    """Return a page of who attended, in the order in which they were recorded, without frozen individuals (T21)."""
    hidden = and_(people.c.id.is_not(None), hidden_person(scope))
    shown = or_(attendances.c.individual_id.is_(None), ~func.coalesce(hidden, False))
    query = select(attendances).outerjoin(people, people.c.id == attendances.c.individual_id).where(attendances.c.event_id == event_id, shown)
    return pages.page(work, Attendance, query, keys=[attendances.c.id], after=after, limit=limit, descending=False)


def attending(work: UnitOfWork, event_id: str) -> tuple[list[str], list[str]]:
    """Return the ids of all attendees: individuals and organizations."""
    rows = work.execute(
        select(attendances.c.individual_id, attendances.c.organization_id).where(attendances.c.event_id == event_id).order_by(attendances.c.id)
    ).all()
    return [r.individual_id for r in rows if r.individual_id], [r.organization_id for r in rows if r.organization_id]


def delete_attendance(work: UnitOfWork, event_id: str, attendee_id: str) -> Attendance | None:
    """Delete one attendance, named by its own id or by the stakeholder's; return it."""
    named = or_(
        attendances.c.id == attendee_id,
        attendances.c.individual_id == attendee_id,
        attendances.c.organization_id == attendee_id,
    )
    statement = delete(attendances).where(attendances.c.event_id == event_id, named).returning(attendances)
    return typed_or_none(Attendance, work.execute(statement).mappings().one_or_none())
