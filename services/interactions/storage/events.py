"""Events and attendance, in SQL."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, ColumnElement, Row, Select, Uuid, and_, delete, exists, func, insert, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from services.chassis.database import UnitOfWork
from services.chassis.messages import Caller
from services.interactions.storage.directory import hidden_person
from services.interactions.storage.tables import attendances, event_issues, events, people


def with_issues() -> Select[Any]:
    """Select events with the issues that were discussed."""
    discussed = select(event_issues.c.issue_id).where(event_issues.c.event_id == events.c.id).order_by(event_issues.c.issue_id)
    return select(events, func.array(discussed.scalar_subquery(), type_=ARRAY(Uuid(as_uuid=False))).label("issue_ids"))


def one(work: UnitOfWork, event_id: str, *, lock: bool = False) -> Row[Any] | None:
    """Return an event."""
    query = with_issues().where(events.c.id == event_id)
    return work.execute(query.with_for_update(of=events) if lock else query).one_or_none()


def matching(
    by: Caller,
    *,
    individual_id: str | None = None,
    organization_id: str | None = None,
    issue_ids: Sequence[str] | None = None,
    component: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Select[Any]:
    """Select events."""
    query = with_issues()
    if individual_id is not None:
        attended = select(attendances.c.event_id).where(attendances.c.individual_id == individual_id)
        query = query.where(events.c.id.in_(attended), ~exists().where(people.c.id == individual_id).where(hidden_person(by)))
    if organization_id is not None:
        came = select(attendances.c.event_id).where(or_(attendances.c.organization_id == organization_id, _with_people_of(organization_id, by)))
        query = query.where(events.c.id.in_(came))
    if issue_ids is not None:
        about = select(event_issues.c.event_id).where(event_issues.c.issue_id.in_(issue_ids))
        query = query.where(events.c.id.in_(about))
    if component is not None:
        query = query.where(events.c.component == component)
    if since is not None:
        query = query.where(events.c.starts_at >= since)
    if until is not None:
        query = query.where(events.c.starts_at <= until)
    return query


def _with_people_of(organization_id: str, by: Caller) -> ColumnElement[bool]:
    """Say which attendances are of somebody who works at an organization, or did so then (R57, T6)."""
    theirs = or_(people.c.organization_id == organization_id, attendances.c.employer_id == organization_id)
    return exists().where(people.c.id == attendances.c.individual_id, theirs, ~hidden_person(by))


def add(work: UnitOfWork, **values: Any) -> None:
    """Insert an event."""
    work.execute(insert(events).values(revision=0, **values))


def change(work: UnitOfWork, event_id: str, values: dict[str, Any]) -> None:
    """Update an event."""
    if values:
        work.execute(update(events).where(events.c.id == event_id).values(**values))


def discuss(work: UnitOfWork, event_id: str, issue_ids: Iterable[str]) -> None:
    """Say exactly which issues were discussed."""
    work.execute(delete(event_issues).where(event_issues.c.event_id == event_id))
    if rows := [{"event_id": event_id, "issue_id": issue_id} for issue_id in dict.fromkeys(issue_ids)]:
        work.execute(insert(event_issues), rows)


def next_revision(work: UnitOfWork, event_id: str) -> int:
    """Count up what was told of an event's attendance."""
    statement = update(events).where(events.c.id == event_id).values(revision=events.c.revision + 1)
    revision: int = work.execute(statement.returning(events.c.revision)).scalar_one()
    return revision


def attend(work: UnitOfWork, rows: list[dict[str, Any]]) -> None:
    """Insert attendances; who is recorded already, stays."""
    if rows:
        work.execute(upsert(attendances).on_conflict_do_nothing(), rows)


def attendees(by: Caller, event_id: str) -> Select[Any]:
    """Select who attended; frozen people are out (T21)."""
    shown = or_(attendances.c.individual_id.is_(None), ~func.coalesce(_hidden(by), False))
    return select(attendances).outerjoin(people, people.c.id == attendances.c.individual_id).where(attendances.c.event_id == event_id, shown)


def _hidden(by: Caller) -> ColumnElement[bool]:
    return and_(people.c.id.is_not(None), hidden_person(by))


def attending(work: UnitOfWork, event_id: str) -> tuple[list[str], list[str]]:
    """Return the individuals and the organizations that are recorded, whoever may see them."""
    rows = work.execute(
        select(attendances.c.individual_id, attendances.c.organization_id).where(attendances.c.event_id == event_id).order_by(attendances.c.id)
    ).all()
    return [r.individual_id for r in rows if r.individual_id], [r.organization_id for r in rows if r.organization_id]


def leave(work: UnitOfWork, event_id: str, attendee_id: str) -> Row[Any] | None:
    """Delete one attendance, named by its own id or by the stakeholder's; return it."""
    named = or_(
        attendances.c.id == attendee_id,
        attendances.c.individual_id == attendee_id,
        attendances.c.organization_id == attendee_id,
    )
    return work.execute(delete(attendances).where(attendances.c.event_id == event_id, named).returning(attendances)).one_or_none()
