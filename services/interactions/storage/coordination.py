"""Coordination requests, in SQL."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, func, insert, or_, select, update

from services.chassis.database import UnitOfWork
from services.chassis.messages import Caller
from services.interactions.domain.coordination import OPEN_STATES
from services.interactions.storage.directory import hidden_person
from services.interactions.storage.tables import coordination_requests as requests
from services.interactions.storage.tables import people


def _theirs_to_answer(by: Caller) -> ColumnElement[bool]:
    mine = [people.c.owner_id == by.id, people.c.deputy_id == by.id]
    if "office_administrator" in by.roles and by.component:
        mine.append(people.c.component == by.component)
    return func.coalesce(or_(*mine), False)


def _theirs_to_follow(by: Caller) -> ColumnElement[bool]:
    sent = [requests.c.requested_by == by.id]
    if "office_administrator" in by.roles and by.component:
        sent.append(requests.c.requested_component == by.component)
    return or_(*sent)


def with_owner() -> Select[Any]:
    """Select requests with whoever has to answer them now."""
    return select(requests, people.c.owner_id, people.c.deputy_id, people.c.component, people.c.frozen_request_id, people.c.frozen_by).outerjoin(
        people, people.c.id == requests.c.individual_id
    )


def concerning(by: Caller, *, side: str | None = None) -> Select[Any]:
    """Select the requests that a caller sent or has to answer; frozen people are out (T21)."""
    sides = {
        "received": _theirs_to_answer(by),
        "sent": _theirs_to_follow(by),
        None: or_(_theirs_to_answer(by), _theirs_to_follow(by)),
    }
    return with_owner().where(sides[side], ~func.coalesce(and_(people.c.id.is_not(None), hidden_person(by)), False))


def matching(
    by: Caller,
    *,
    side: str | None = None,
    status: str | None = None,
    individual_id: str | None = None,
    issue_id: str | None = None,
) -> Select[Any]:
    """Select requests that concern the caller."""
    query = concerning(by, side=side)
    if status is not None:
        query = query.where(requests.c.status == status)
    if individual_id is not None:
        query = query.where(requests.c.individual_id == individual_id)
    if issue_id is not None:
        query = query.where(requests.c.issue_id == issue_id)
    return query


def one(work: UnitOfWork, request_id: str, *, lock: bool = False) -> Row[Any] | None:
    """Return a request that concerns the caller; others don't exist for them."""
    query = concerning(work.caller).where(requests.c.id == request_id)
    return work.execute(query.with_for_update(of=requests) if lock else query).one_or_none()


def add(work: UnitOfWork, **values: Any) -> None:
    """Insert a request."""
    work.execute(insert(requests).values(**values))


def change(work: UnitOfWork, request_id: str, values: dict[str, Any]) -> None:
    """Update a request."""
    work.execute(update(requests).where(requests.c.id == request_id).values(**values))


def decline_open(work: UnitOfWork, individual_id: str, *, reason: str, now: Any) -> None:
    """Decline what is still open about one individual."""
    work.execute(
        update(requests)
        .where(requests.c.individual_id == individual_id, requests.c.status.in_(OPEN_STATES))
        .values(status="declined", reason=reason, answered_at=now)
    )
