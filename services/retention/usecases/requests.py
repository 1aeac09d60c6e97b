"""Open and read requests for no more contact, and list the tasks that come with the duty to erase (T10, T21)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from services.chassis.answers import AtLeast, Page, total_up_to
from services.chassis.cursors import Cursors
from services.chassis.messages import Caller, NotFound, wire_value
from services.lexicon.duty import Duty, duty_to_erase
from services.lexicon.refusals import TaskStands
from services.retention.contract import RequestUnknown
from services.retention.contract.answers import RequestAnswer, Subject, TaskAnswer, WithdrawalProposal
from services.retention.contract.schemas import RequestQuery
from services.retention.domain.records import Recording, Request
from services.retention.storage import erasures
from services.retention.storage import requests as stored
from services.retention.usecases.authorization import (
    facts_of,
    has_duty,
    is_privacy_officer,
    may_erase,
    may_follow,
    require_request_reader,
    scope_of_duty,
    scope_to_follow,
)

if TYPE_CHECKING:
    from services.chassis.database import UnitOfWork

_COUNTED = 10_000
#: Users may withdraw a request that they recorded within this time (T36).
BY_ONESELF = timedelta(hours=1)
#: Kinds of tasks that end when they are done, and cannot be dismissed.
_STAND = frozenset({"no_contact_request", "erasure", "withdrawal"})


def open_request(
    work: UnitOfWork,
    *,
    now: datetime,
    request_id: str,
    individual_id: str,
    medium: str,
    received_on: date,
    recorded_by: str,
    recorded_by_component: str | None,
    owner: tuple[str | None, str | None] | None = None,
) -> Request:
    """Open a request, or return the one that the individual has; both keep that the user recorded it.

    :param owner: the owner (user, component) as contacts answered; by default the announced owner.
    """
    stored.one_at_a_time(work, individual_id)
    owner_id, owner_component = owner or stored.owner_of(work, individual_id)
    # If the erasure of the individual was requested before this announcement arrived, it answers the request.
    answered_by = erasures.find_of(work, individual_id)
    entered = stored.insert_request(
        work,
        id=request_id,
        individual_id=individual_id,
        medium=medium,
        received_on=received_on,
        recorded_by=recorded_by,
        recorded_by_component=recorded_by_component,
        recorded_at=now,
        owner_id=owner_id,
        owner_component=owner_component,
        erasure_id=answered_by.id if answered_by else None,
    )
    row = stored.find_request(work, request_id) or stored.find_request_about(work, individual_id)
    if row is None:
        raise RequestUnknown
    if row.withdrawn_at is None:
        stored.note_recording(work, Recording(row.id, recorded_by, recorded_by_component, medium, received_on, now, withdrawn_at=None))
    work.record("retention:request:open", subjects=[row.id, individual_id], rule=None if entered else "opened-before")
    return row


def read_request(work: UnitOfWork, *, by: Caller, now: datetime, request_id: str) -> RequestAnswer:
    """Return a request that the caller may read.

    :raises RequestUnknown: it does not exist, or the caller may not read it.
    """
    row = known_request(work, by=by, request_id=request_id)
    work.record("retention:request:read", subjects=[request_id, row.individual_id])
    return describe(work, row, by=by, now=now)


def list_requests(work: UnitOfWork, given: RequestQuery, *, by: Caller, now: datetime, cursors: Cursors) -> Page[RequestAnswer]:
    """Return a page of the requests that the caller may read, the newest first.

    :raises RequestsWithheld: the caller is not concerned with requests.
    :raises CursorInvalid: the cursor is another user's, or another query's.
    """
    require_request_reader(by)
    scope = scope_to_follow(by)
    query = {"state": given.state}
    position = cursors.open(given.cursor, of="requests", user_id=by.id, query=query)
    after = (datetime.fromisoformat(position[0]), str(position[1])) if position else None
    found = stored.list_requests(work, scope, state=given.state, after=after, limit=given.limit + 1)
    page = found[: given.limit]
    following = None
    if len(found) > given.limit:
        following = cursors.seal([page[-1].recorded_at, page[-1].id], of="requests", user_id=by.id, query=query)
    work.record("retention:request:list", subjects=[row.id for row in page])
    total: int | AtLeast = len(page)
    if following is not None or given.cursor is not None:
        total = total_up_to(stored.count_requests(work, scope, state=given.state, most=_COUNTED + 1), _COUNTED)
    return {"items": [describe(work, row, by=by, now=now) for row in page], "next": following, "total": total}


def list_tasks(work: UnitOfWork, *, by: Caller, now: datetime) -> list[TaskAnswer]:
    """Return all tasks of the caller, in no order: requests to answer with an erasure, hits and proposals to decide."""
    tasks = []
    duties: dict[tuple[str | None, str | None, date], Duty] = {}
    for row in stored.open_requests(work, scope_of_duty(by)):
        # Requests with the same owner and day have the same duty.
        of_day = (row.owner_id, row.owner_component, row.recorded_at.astimezone(UTC).date())
        on = duties.get(of_day) or duties.setdefault(of_day, duty_on(work, row, now=now))
        if has_duty(by, row, duty_of=on.of):
            link = f"/api/v1/no-contact-requests/{row.id}"
            tasks.append(_task("no_contact_request", row.id, on.due_on, link, individual_id=row.individual_id))
    if is_privacy_officer(by):
        tasks += [_task("erasure", row.id, row.decide_by, f"/api/v1/erasures/{row.id}") for row in erasures.waiting(work)]
        tasks += [
            _task("withdrawal", row.id, None, f"/api/v1/no-contact-requests/{row.id}", individual_id=row.individual_id)
            for row in stored.proposed(work)
            if row.proposed_by != by.id
        ]
    work.record("retention:task:list", subjects=[task["subject"]["id"] for task in tasks])
    return tasks


def dismiss_task(*, task_id: str) -> None:
    """Refuse to dismiss a task, because retention has no notices.

    :raises TaskStands, NotFound: the task has to be done, or is not one of retention.
    """
    if task_id.partition(".")[0] in _STAND:
        raise TaskStands
    raise NotFound


def known_request(work: UnitOfWork, *, by: Caller, request_id: str, lock: bool = False) -> Request:
    """Return the row of a request that the caller may read.

    :raises RequestUnknown: it does not exist, or the caller may not read it.
    """
    row = stored.find_request(work, request_id, lock=lock)
    if row is None or not may_follow(by, facts_of(row)):
        raise RequestUnknown
    return row


def duty_on(work: UnitOfWork, row: Request, *, now: datetime) -> Duty:
    """Return who has the duty to erase for a request."""
    return duty_to_erase(
        recorded_at=row.recorded_at,
        owner_is_active=stored.is_active(work, row.owner_id),
        office_has_administrator=stored.has_administrator(work, row.owner_component),
        now=now,
    )


def describe(work: UnitOfWork, row: Request, *, by: Caller, now: datetime) -> RequestAnswer:
    """Return a request as the answer shows it to the caller."""
    on = duty_on(work, row, now=now)
    state = "open" if row.erasure_id is None else "erasing" if row.completed_at is None else "done"
    state = "withdrawn" if row.withdrawn_at else state
    proposal: WithdrawalProposal | None = None
    if row.proposed_at is not None:
        proposal = {"proposed_by": row.proposed_by, "proposed_at": str(wire_value(row.proposed_at)), "reason": row.proposal_reason}
    return {
        "id": row.id,
        "individual_id": row.individual_id,
        "medium": row.medium,
        "received_on": row.received_on.isoformat(),
        "recorded_by": row.recorded_by,
        "recorded_by_component": row.recorded_by_component,
        "recorded_at": str(wire_value(row.recorded_at)),
        "state": state,
        "due_on": on.due_on.isoformat(),
        "duty_of": on.of,
        "owner": {"user": row.owner_id, "component": row.owner_component},
        "erasure_id": row.erasure_id,
        "may_erase": state == "open" and may_erase(by, row, duty_of=on.of),
        "withdrawal": proposal,
        "withdrawn_at": str(wire_value(row.withdrawn_at)) if row.withdrawn_at else None,
        "you_may_withdraw": may_withdraw(work, row, by=by, now=now) if state == "open" else None,
    }


def may_withdraw(work: UnitOfWork, row: Request, *, by: Caller, now: datetime) -> str | None:
    """Return how the caller may withdraw a request: `now`, `propose`, `confirm` or None (T36)."""
    mine = next((each for each in stored.recordings_of(work, row.id) if each.recorded_by == by.id), None)
    if mine is not None and now - mine.recorded_at <= BY_ONESELF:
        return "now"
    if is_privacy_officer(by) and row.proposed_at is not None and row.proposed_by != by.id:
        return "confirm"
    on = duty_on(work, row, now=now)
    if mine is not None or has_duty(by, row, duty_of=on.of):
        return "propose"
    return None


def _task(kind: str, subject_id: str, due_on: date | None, link: str, *, individual_id: str | None = None) -> TaskAnswer:
    subject: Subject = {"type": kind, "id": subject_id}
    if individual_id is not None:
        subject = {**subject, "individual_id": individual_id, "individual_ids": [individual_id]}
    due = None if due_on is None else due_on.isoformat()
    return {"id": f"{kind}.{subject_id}", "kind": kind, "notice": False, "subject": subject, "due_on": due, "link": link}
