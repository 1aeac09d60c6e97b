"""Coordination requests: ask the owner instead of calling oneself (R86, R87)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from services.chassis.database import UnitOfWork
from services.chassis.messages import Caller, Invalid, NotFound
from services.chassis.messages import new_id as fresh_id
from services.contacts.contract.refusals import IndividualFrozen, OwnerOnly
from services.interactions.contract.refusals import RecordIsYours
from services.interactions.domain.coordination import demand_move
from services.interactions.domain.cursors import Cursors
from services.interactions.domain.rights import Person, demand_contributor, demand_reader, may_answer
from services.interactions.domain.texts import review
from services.interactions.storage import coordination, pages, texts
from services.interactions.storage.tables import coordination_requests as table
from services.interactions.usecases.writing import (
    Ids,
    demand_individuals,
    demand_issues,
    demand_version,
    store_text,
    wire,
)

_FIELDS = ("individual_id", "issue_id", "message", "due_on", "status", "reason")


def request_coordination(
    work: UnitOfWork,
    *,
    by: Caller,
    now: datetime,
    individual_id: str,
    message: str,
    issue_id: str | None = None,
    due_on: date | None = None,
    keep_reason: str | None = None,
    new_id: Ids = fresh_id,
) -> dict[str, Any]:
    """Ask whoever owns an individual's record to speak to them.

    :raises ContributorsOnly: the caller reads only.
    :raises RecordIsYours: the caller is the owner.
    :raises IndividualFrozen: the individual asked not to be contacted.
    :raises Invalid: the due date is past, or somebody or something named does not exist.
    """
    component = demand_contributor(by)
    person = demand_individuals(work, [individual_id], field="individual_id")[individual_id]
    if person.owner_id == by.id:
        raise RecordIsYours
    if issue_id is not None:
        demand_issues(work, [issue_id])
    if due_on is not None and due_on < now.date():
        raise Invalid(errors={"due_on": ["Not in the past."]})
    (written,) = review([("message", message)], keep_reason=keep_reason)
    request_id = new_id()
    coordination.add(
        work,
        id=request_id,
        individual_id=individual_id,
        issue_id=issue_id,
        message=written.shared,
        due_on=due_on,
        status="requested",
        requested_by=by.id,
        requested_component=component,
        created_at=now,
    )
    _store(work, written, request_id, keep_reason=keep_reason, now=now, new_id=new_id)
    work.record("interactions:coordination-request:send", subjects=[request_id, individual_id], fields=_FIELDS[:4])
    return _request(work, request_id)


def read_coordination_request(work: UnitOfWork, *, by: Caller, request_id: str) -> dict[str, Any]:
    """Read a request that the caller sent or has to answer.

    :raises NotFound: there is none that concerns them.
    """
    demand_reader(by)
    found = _request(work, request_id)
    work.record("interactions:coordination-request:read", subjects=[request_id, found["individual_id"]], fields=_FIELDS)
    return found


def list_coordination_requests(work: UnitOfWork, *, by: Caller, cursors: Cursors, query: Mapping[str, Any]) -> dict[str, Any]:
    """List the requests that concern the caller, the latest first."""
    demand_reader(by)
    after = cursors.open(query["cursor"], user=by.id, query=query) if query.get("cursor") else None
    wanted = {name: query[name] for name in ("side", "status", "individual_id", "issue_id") if name in query}
    page = pages.page(work, coordination.matching(by, **wanted), keys=[table.c.created_at, table.c.id], after=after, limit=query["limit"])
    kept = texts.read(work, [row.id for row in page.rows])
    last = page.rows[-1] if page.has_more else None
    subjects = [*(row.id for row in page.rows), *(row.individual_id for row in page.rows)]
    work.record("interactions:coordination-request:list", subjects=subjects, fields=_FIELDS)
    return {
        "items": [_shown(row, kept) for row in page.rows],
        "next": cursors.seal([last.created_at.isoformat(), last.id], user=by.id, query=query) if last else None,
        "total": page.total,
    }


def answer_coordination_request(
    work: UnitOfWork,
    *,
    by: Caller,
    now: datetime,
    request_id: str,
    if_match: str | None,
    status: str,
    reason: str | None = None,
    keep_reason: str | None = None,
    new_id: Ids = fresh_id,
) -> dict[str, Any]:
    """Accept, decline or finish a request; only whoever has to answer it does.

    :raises NotFound: there is none that concerns the caller.
    :raises OwnerOnly: the caller only sent it.
    :raises Stale: it changed since.
    :raises RequestSettled: its state does not allow this answer.
    :raises IndividualFrozen: the individual has asked not to be contacted meanwhile.
    """
    row = coordination.one(work, request_id, lock=True)
    if row is None:
        raise NotFound
    person = Person(row.individual_id, row.owner_id, row.deputy_id, row.component, row.frozen_request_id, row.frozen_by)
    if not may_answer(by, person):
        raise OwnerOnly("Only the owner of the record answers.")
    demand_contributor(by)
    demand_version(_request(work, request_id), if_match)
    if person.frozen_request_id is not None and status == "accepted":
        raise IndividualFrozen
    demand_move(row.status, status)
    values: dict[str, Any] = {"status": status}
    if status == "done":
        values["done_at"] = now
    else:
        values |= {"answered_at": now, "answered_by": by.id}
    if reason is not None:
        (written,) = review([("reason", reason)], keep_reason=keep_reason)
        values["reason"] = written.shared
        _store(work, written, request_id, keep_reason=keep_reason, now=now, new_id=new_id)
    coordination.change(work, request_id, values)
    work.record("interactions:coordination-request:answer", subjects=[request_id, row.individual_id], fields=["status", "reason"])
    return _request(work, request_id)


def _store(work: UnitOfWork, written: Any, request_id: str, *, keep_reason: str | None, now: datetime, new_id: Ids) -> None:
    store_text(
        work,
        written,
        subject_type="coordination_request",
        subject_id=request_id,
        field=written.path,
        keep_reason=keep_reason,
        now=now,
        new_id=new_id,
    )


def _request(work: UnitOfWork, request_id: str) -> dict[str, Any]:
    row = coordination.one(work, request_id)
    if row is None:
        raise NotFound
    return _shown(row, texts.read(work, [request_id]))


def _shown(row: Any, kept: texts.Kept) -> dict[str, Any]:
    return {
        "id": row.id,
        "individual_id": row.individual_id,
        "issue_id": row.issue_id,
        "message": row.message if row.message is not None else kept.get((row.id, "message")),
        "due_on": wire(row.due_on),
        "status": row.status,
        "reason": row.reason if row.reason is not None else kept.get((row.id, "reason")),
        "requested_by": row.requested_by,
        "requested_component": row.requested_component,
        "owner": {"user": row.owner_id, "component": row.component} if row.owner_id else None,
        "created_at": wire(row.created_at),
        "answered_at": wire(row.answered_at),
        "answered_by": row.answered_by,
        "done_at": wire(row.done_at),
    }
