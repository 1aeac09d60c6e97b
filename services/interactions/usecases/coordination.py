"""Coordination requests: ask the owner instead of calling oneself (R86, R87)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from services.chassis.cursors import Cursors
from services.chassis.database import UnitOfWork
from services.chassis.messages import Caller, Invalid, NotFound, entity_tags, require_match
from services.chassis.messages import new_id as fresh_id
from services.contacts.contract.refusals import IndividualFrozen, OwnerOnly, PreferenceStands
from services.interactions.contract.refusals import AlreadyAsked, RecordIsYours
from services.interactions.domain.coordination import WITHDRAWN, moves, require_move
from services.interactions.domain.moments import day_somewhere
from services.interactions.domain.rights import Person, may_answer
from services.interactions.domain.texts import review
from services.interactions.storage import coordination, pages, texts
from services.interactions.storage.tables import coordination_requests as table
from services.interactions.usecases.authorization import is_contributor, require_contributor, require_reader
from services.interactions.usecases.preconditions import require_individuals, require_issues
from services.interactions.usecases.writing import Ids, store_text, wire
from services.lexicon.vocabulary import PREFERENCE_AGAINST

_FIELDS = ("individual_id", "issue_id", "message", "due_on", "mode", "status", "reason")


def request_coordination(
    work: UnitOfWork,
    *,
    by: Caller,
    now: datetime,
    individual_id: str,
    message: str,
    issue_id: str | None = None,
    due_on: date | None = None,
    mode: str | None = None,
    component: str | None = None,
    holder: str | None = None,
    use_preferences: Sequence[str] = (),
    keep_reason: str | None = None,
    new_id: Ids = fresh_id,
) -> dict[str, Any]:
    """Ask whoever owns an individual's record, or another component with a relationship, to speak to them.

    :param component: the component to ask, where it is not the owner's.
    :param holder: who stands for the relationship there, as contacts said.
    :param mode: how they are to be spoken to, if that is to be said.
    :param use_preferences: what the person wants done with their information or not, as contacts said.
    :raises ContributorsOnly: the caller reads only.
    :raises PreferenceStands: the person does not want it (T33).
    :raises RecordIsYours: the caller is the owner, and names no other component.
    :raises AlreadyAsked: the caller's component has asked the same, and that is open; `request_id` says which.
    :raises IndividualFrozen: the individual asked not to be contacted.
    :raises Invalid: the due date is past, or somebody or something named does not exist.
    """
    own = require_contributor(by)
    person = require_individuals(work, [individual_id], field="individual_id")[individual_id]
    _require_wanted(mode, use_preferences)
    # The owner answers for their own component, whoever the relationship began with.
    asked = None if component == person.component else component
    if asked is not None and (holder is None or asked == own):
        raise Invalid(errors={"component": ["Another component, with a relationship to this person."]})
    if asked is None and person.owner_id == by.id:
        raise RecordIsYours
    if asked is not None and holder == by.id:
        raise RecordIsYours
    if issue_id is not None:
        require_issues(work, [issue_id])
    if due_on is not None and due_on < day_somewhere(now):
        raise Invalid(errors={"due_on": ["Not in the past."]})
    (written,) = review([("message", message)], keep_reason=keep_reason)
    coordination.hold_place(work, individual_id, own)
    same = coordination.open_one(work, individual_id=individual_id, issue_id=issue_id, requested_component=own, asked_component=asked)
    if same is not None:
        raise AlreadyAsked(extra={"request_id": same.id, "requested_by": same.requested_by})
    request_id = new_id()
    coordination.add(
        work,
        id=request_id,
        individual_id=individual_id,
        issue_id=issue_id,
        message=written.shared,
        due_on=due_on,
        mode=mode,
        status="requested",
        requested_by=by.id,
        requested_component=own,
        asked_component=asked,
        asked_user=holder if asked is not None else None,
        created_at=now,
    )
    _store(work, written, request_id, keep_reason=keep_reason, now=now, new_id=new_id)
    work.record("interactions:coordination-request:send", subjects=[request_id, individual_id], fields=_FIELDS[:5])
    return _request(work, request_id)


def read_coordination_request(work: UnitOfWork, *, by: Caller, request_id: str) -> dict[str, Any]:
    """Read a request that the caller sent or has to answer.

    :raises NotFound: there is none that concerns them.
    """
    require_reader(by)
    found = _request(work, request_id)
    work.record("interactions:coordination-request:read", subjects=[request_id, found["individual_id"]], fields=_FIELDS)
    return found


def list_coordination_requests(work: UnitOfWork, *, by: Caller, cursors: Cursors, query: Mapping[str, Any]) -> dict[str, Any]:
    """List the requests that concern the caller, the latest first."""
    require_reader(by)
    after = cursors.open(query.get("cursor"), of="coordination-requests", user_id=by.id, query=query)
    wanted = {name: query[name] for name in ("side", "status", "individual_id", "issue_id") if name in query}
    page = pages.page(work, coordination.matching(by, **wanted), keys=[table.c.created_at, table.c.id], after=after, limit=query["limit"])
    kept = texts.read(work, [row.id for row in page.rows])
    last = page.rows[-1] if page.has_more else None
    subjects = [*(row.id for row in page.rows), *(row.individual_id for row in page.rows)]
    work.record("interactions:coordination-request:list", subjects=subjects, fields=_FIELDS)
    return {
        "items": [_shown(by, row, kept) for row in page.rows],
        "next": cursors.seal([last.created_at.isoformat(), last.id], of="coordination-requests", user_id=by.id, query=query) if last else None,
        "total": page.total,
    }


def move_coordination_request(
    work: UnitOfWork,
    *,
    by: Caller,
    now: datetime,
    request_id: str,
    if_match: str | None,
    status: str,
    reason: str | None = None,
    use_preferences: Sequence[str] = (),
    keep_reason: str | None = None,
    new_id: Ids = fresh_id,
) -> dict[str, Any]:
    """Accept, decline or finish a request, or take an acceptance back, as its addressee; or withdraw it, as who asked.

    Whoever asked gets a notice of what became of it, and who had accepted one of its withdrawal.

    :raises NotFound: there is none that concerns the caller.
    :raises OwnerOnly: the caller may not set this state.
    :raises Stale: it changed since.
    :raises RequestSettled: its state does not allow this one.
    :raises IndividualFrozen: the individual has asked not to be contacted meanwhile.
    :raises PreferenceStands: it is to be accepted, and the individual has said meanwhile that they do not want it (T33).
    """
    row = coordination.one(work, request_id, lock=True)
    if row is None:
        raise NotFound
    if status == WITHDRAWN and not _may_withdraw(by, row):
        raise OwnerOnly("Only whoever asked withdraws a request.")
    if status != WITHDRAWN and not may_answer(by, _addressee(row)):
        raise OwnerOnly("Only the addressee answers.")
    require_contributor(by)
    require_match(if_match, entity_tags(_request(work, request_id)))
    if _addressee(row).is_frozen_for(by.component) and status in {"accepted", "requested"}:
        raise IndividualFrozen
    require_move(row.status, status)
    if status == "accepted":
        _require_wanted(row.mode, use_preferences)
    values: dict[str, Any] = {"status": status, **_moments(by, status, now=now)}
    if reason is not None:
        (written,) = review([("reason", reason)], keep_reason=keep_reason)
        values["reason"] = written.shared
        _store(work, written, request_id, keep_reason=keep_reason, now=now, new_id=new_id)
    coordination.change(work, request_id, values)
    if status in {"declined", "done"} and row.requested_by != by.id:
        coordination.tell(work, row.requested_by, f"coordination-request-{status}", [row], now=now)
    if status == WITHDRAWN and row.status == "accepted" and row.answered_by != by.id:
        coordination.tell(work, row.answered_by, "coordination-request-withdrawn", [row], now=now)
    act = "withdraw" if status == WITHDRAWN else "answer"
    work.record(f"interactions:coordination-request:{act}", subjects=[request_id, row.individual_id], fields=["status", "reason"])
    return _request(work, request_id)


def individual_asked_about(work: UnitOfWork, request_id: str) -> str | None:
    """Return whom a request is about; nothing is recorded, for nothing is told."""
    row = coordination.one(work, request_id)
    return row.individual_id if row is not None else None


def _require_wanted(mode: str | None, use_preferences: Sequence[str]) -> None:
    against = {"no_sharing", PREFERENCE_AGAINST.get(mode or "")}
    if stopping := [one for one in use_preferences if one in against]:
        raise PreferenceStands(extra={"preferences": stopping})


def _moments(by: Caller, status: str, *, now: datetime) -> dict[str, Any]:
    if status == "done":
        return {"done_at": now}
    if status == WITHDRAWN:
        return {}
    if status == "requested":
        return {"answered_at": None, "answered_by": None, "reason": None}
    return {"answered_at": now, "answered_by": by.id}


def _addressee(row: Any) -> Person:
    return Person(row.individual_id, row.owner_id, row.deputy_id, row.component, row.frozen_request_id, row.frozen_by, tuple(row.frozen_for or ()))


def _may_withdraw(by: Caller, row: Any) -> bool:
    return by.id == row.requested_by or ("office_administrator" in by.roles and by.component == row.requested_component)


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
    return _shown(work.caller, row, texts.read(work, [request_id]))


def _shown(by: Caller, row: Any, kept: texts.Kept) -> dict[str, Any]:
    return {
        "id": row.id,
        "individual_id": row.individual_id,
        "issue_id": row.issue_id,
        "message": row.message if row.message is not None else kept.get((row.id, "message")),
        "due_on": wire(row.due_on),
        "mode": row.mode,
        "status": row.status,
        "reason": row.reason if row.reason is not None else kept.get((row.id, "reason")),
        "requested_by": row.requested_by,
        "requested_component": row.requested_component,
        "asked_component": row.asked_component,
        "owner": {"user": row.owner_id, "component": row.component} if row.owner_id else None,
        "closed_because": row.closed_because,
        "moves": _moves(by, row),
        "created_at": wire(row.created_at),
        "answered_at": wire(row.answered_at),
        "answered_by": row.answered_by,
        "done_at": wire(row.done_at),
    }


def _moves(by: Caller, row: Any) -> list[str]:
    if not is_contributor(by):
        return []
    possible = moves(row.status, may_answer=may_answer(by, _addressee(row)), may_withdraw=_may_withdraw(by, row))
    frozen = _addressee(row).is_frozen_for(by.component)
    return [state for state in possible if not (frozen and state in {"accepted", "requested"})]
