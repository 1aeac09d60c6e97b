"""Coordination requests, in SQL."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, delete, func, insert, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from services.chassis.database import Lock, UnitOfWork
from services.chassis.database.rows import all_typed, columns_of, typed_or_none
from services.chassis.messages import new_id
from services.interactions.contract.commands import CoordinationRequestListQuery
from services.interactions.domain.coordination import OPEN_STATES, WITHDRAWN
from services.interactions.domain.records import AddressedRequest, CoordinationRequest
from services.interactions.domain.rights import Scope
from services.interactions.storage import pages
from services.interactions.storage.directory import hidden_person
from services.interactions.storage.tables import coordination_requests as requests
from services.interactions.storage.tables import notices, people

#: Who has to answer: the record's owner and deputy, or who stands for the relationship of the component that was asked.
addressee = case((requests.c.asked_component.is_(None), people.c.owner_id), else_=requests.c.asked_user)
addressee_deputy = case((requests.c.asked_component.is_(None), people.c.deputy_id))
addressee_component = func.coalesce(requests.c.asked_component, people.c.component)


def _theirs_to_answer(scope: Scope) -> ColumnElement[bool]:
    mine = [addressee == scope.user_id, addressee_deputy == scope.user_id]
    if scope.answers_for is not None:
        mine.append(addressee_component == scope.answers_for)
    return func.coalesce(or_(*mine), False)


def _theirs_to_follow(scope: Scope) -> ColumnElement[bool]:
    sent = [requests.c.requested_by == scope.user_id]
    if scope.follows_for is not None:
        sent.append(requests.c.requested_component == scope.follows_for)
    return or_(*sent)


def not_hidden(scope: Scope) -> ColumnElement[bool]:
    """Return a condition: the request is not about a frozen individual whom the caller may not find (T21)."""
    return ~func.coalesce(and_(people.c.id.is_not(None), hidden_person(scope)), False)


def with_owner() -> Select[Any]:
    """Select requests with their present addressees."""
    return select(
        requests,
        addressee.label("owner_id"),
        addressee_deputy.label("deputy_id"),
        addressee_component.label("component"),
        people.c.frozen_request_id,
        people.c.frozen_by,
        people.c.frozen_for,
    ).outerjoin(people, people.c.id == requests.c.individual_id)


def matching(work: UnitOfWork, scope: Scope, wanted: CoordinationRequestListQuery, *, after: Sequence[object] | None) -> pages.Page[AddressedRequest]:
    """Return a page of the requests that a caller sent or has to answer, the latest first, without frozen individuals (T21)."""
    sides = {
        "received": _theirs_to_answer(scope),
        "sent": _theirs_to_follow(scope),
        None: or_(_theirs_to_answer(scope), _theirs_to_follow(scope)),
    }
    asked = {requests.c.status: wanted.status, requests.c.individual_id: wanted.individual_id, requests.c.issue_id: wanted.issue_id}
    query = with_owner().where(sides[wanted.side], not_hidden(scope), *pages.equal(asked))
    return pages.page(work, AddressedRequest, query, keys=[requests.c.created_at, requests.c.id], after=after, limit=wanted.limit)


def one(work: UnitOfWork, scope: Scope, request_id: str, *, lock: bool = False) -> AddressedRequest | None:
    """Return a request that concerns the caller, or that their component sent; None for any other.

    :param lock: hold it until the end of the transaction.
    """
    theirs = [_theirs_to_answer(scope), _theirs_to_follow(scope)]
    if scope.contributes_to is not None:
        # A user who asks the same again is told of this one, and can look at it.
        theirs.append(requests.c.requested_component == scope.contributes_to)
    query = with_owner().where(or_(*theirs), not_hidden(scope), requests.c.id == request_id)
    rows = work.execute(query.with_for_update(of=requests) if lock else query).mappings()
    return typed_or_none(AddressedRequest, rows.one_or_none())


def hold_place(work: UnitOfWork, individual_id: str, component: str) -> None:
    """Lock out other requests of a component about an individual until the transaction ends."""
    work.hold(Lock(0, f"coordination {individual_id} {component}"))


def open_one(
    work: UnitOfWork, *, individual_id: str, issue_id: str | None, requested_component: str, asked_component: str | None
) -> CoordinationRequest | None:
    """Return the open request for the same, if there is one."""
    query = select(requests).where(
        requests.c.individual_id == individual_id,
        requests.c.issue_id.is_not_distinct_from(issue_id),
        requests.c.requested_component == requested_component,
        requests.c.asked_component.is_not_distinct_from(asked_component),
        requests.c.status.in_(OPEN_STATES),
    )
    return typed_or_none(CoordinationRequest, work.execute(query).mappings().one_or_none())


def add(work: UnitOfWork, request: CoordinationRequest) -> None:
    """Insert a request."""
    work.execute(insert(requests), asdict(request))


def change(work: UnitOfWork, request: CoordinationRequest) -> None:
    """Store a changed request, which is locked."""
    work.execute(update(requests).where(requests.c.id == request.id).values(columns_of(request, requests)))


def decline_open(work: UnitOfWork, individual_id: str, *, reason: str, now: datetime) -> list[CoordinationRequest]:
    """Decline the open requests about an individual who asked not to be contacted; return the requests."""
    statement = (
        update(requests)
        .where(requests.c.individual_id == individual_id, requests.c.status.in_(OPEN_STATES))
        .values(status="declined", reason=reason, closed_because="no_contact", answered_at=now)
    )
    return all_typed(CoordinationRequest, work.execute(statement.returning(requests)).mappings())


def open_about(work: UnitOfWork, issue_ids: Iterable[str]) -> list[CoordinationRequest]:
    """Return the open requests about these issues, locked."""
    query = select(requests).where(requests.c.issue_id.in_(list(issue_ids)), requests.c.status.in_(OPEN_STATES)).order_by(requests.c.id)
    return all_typed(CoordinationRequest, work.execute(query.with_for_update()).mappings())


def close_ones_own(work: UnitOfWork, individual_id: str, *, owner_id: str) -> list[CoordinationRequest]:
    """Withdraw the open requests that the new owner of an individual had sent to the former one; return the requests."""
    statement = (
        update(requests)
        .where(
            requests.c.individual_id == individual_id,
            requests.c.requested_by == owner_id,
            requests.c.asked_component.is_(None),
            requests.c.status.in_(OPEN_STATES),
        )
        .values(status=WITHDRAWN, closed_because="record_is_yours")
    )
    return all_typed(CoordinationRequest, work.execute(statement.returning(requests)).mappings())


def notify(work: UnitOfWork, user_id: str, kind: str, about: Iterable[CoordinationRequest], *, now: datetime) -> None:
    """Store a notice to a user about each of these requests, in place of the earlier notice."""
    for request in about:
        values = {"id": new_id(), "kind": kind, "issue_id": request.issue_id, "asked_at": request.created_at, "created_at": now}
        statement = upsert(notices).values(user_id=user_id, request_id=request.id, **values)
        work.execute(statement.on_conflict_do_update(index_elements=["user_id", "request_id"], set_=values))


def dismiss(work: UnitOfWork, notice_id: str, *, user_id: str) -> str | None:
    """Delete a notice of a user; return the id of its request, or None when it is not theirs."""
    statement = delete(notices).where(notices.c.id == notice_id, notices.c.user_id == user_id)
    request_id: str | None = work.execute(statement.returning(notices.c.request_id)).scalar_one_or_none()
    return request_id
