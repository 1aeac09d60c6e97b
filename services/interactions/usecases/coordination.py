"""Coordination requests: ask the owner to speak to somebody instead of calling oneself (R86, R87)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import datetime

from services.chassis.answers import Page
from services.chassis.cursors import Cursors
from services.chassis.database import UnitOfWork
from services.chassis.messages import Caller, Invalid, entity_tags, new_id, require_match
from services.interactions.contract.answers import CoordinationRequestAnswer
from services.interactions.contract.commands import CoordinationRequestChange, CoordinationRequestCreate, CoordinationRequestListQuery
from services.interactions.contract.refusals import AlreadyAsked, RecordIsYours
from services.interactions.domain.coordination import WITHDRAWN, moves, require_move
from services.interactions.domain.moments import day_somewhere
from services.interactions.domain.records import AddressedRequest, CoordinationRequest
from services.interactions.domain.texts import review
from services.interactions.storage import coordination, texts
from services.interactions.usecases.authorization import is_contributor, may_answer, may_withdraw, require_contributor, require_reader, scope_of
from services.interactions.usecases.listing import Listing
from services.interactions.usecases.preconditions import require_individuals, require_issues
from services.interactions.usecases.writing import answer_of, found, kept_texts, store_text
from services.lexicon.refusals import IndividualFrozen, OwnerOnly, PreferenceStands
from services.lexicon.vocabulary import PREFERENCE_AGAINST

_SENT = ("individual_id", "issue_id", "message", "due_on", "mode")
_FIELDS = (*_SENT, "status", "reason")


def request_coordination(
    work: UnitOfWork,
    *,
    now: datetime,
    command: CoordinationRequestCreate,
    holder: str | None = None,
    use_preferences: Sequence[str] = (),
) -> CoordinationRequestAnswer:
    """Ask the owner of a record, or another component with a relationship, to speak to an individual.

    :param holder: who stands for the relationship of the component that is asked, as contacts said.
    :param use_preferences: what the person wants done with their information or not, as contacts said.
    :raises ContributorsOnly: the caller reads only.
    :raises PreferenceStands: the person does not want it (T33).
    :raises RecordIsYours: the caller is the owner, and names no other component.
    :raises AlreadyAsked: the caller's component has asked the same, and that is open; `request_id` says which.
    :raises IndividualFrozen: the individual asked not to be contacted.
    :raises Invalid: the due date is past, or somebody or something named does not exist.
    """
    own, by = require_contributor(work.caller), work.caller
    person = require_individuals(work, [command.individual_id], field="individual_id")[command.individual_id]
    _require_wanted(command.mode, use_preferences)
    # The owner answers for their own component, whoever the relationship began with.
    asked = None if command.component == person.component else command.component
    if asked is not None and (holder is None or asked == own):
        raise Invalid(errors={"component": ["Another component, with a relationship to this person."]})
    if by.id == (person.owner_id if asked is None else holder):
        raise RecordIsYours
    if command.issue_id is not None:
        require_issues(work, [command.issue_id])
    if command.due_on is not None and command.due_on < day_somewhere(now):
        raise Invalid(errors={"due_on": ["Not in the past."]})
    (written,) = review([("message", command.message)], keep_reason=command.keep_reason)
    coordination.hold_place(work, command.individual_id, own)
    same = coordination.open_one(work, individual_id=command.individual_id, issue_id=command.issue_id, requested_component=own, asked_component=asked)
    if same is not None:
        raise AlreadyAsked(extra={"request_id": same.id, "requested_by": same.requested_by})
    request = CoordinationRequest(
        id=new_id(),
        individual_id=command.individual_id,
        issue_id=command.issue_id,
        message=written.shared,
        due_on=command.due_on,
        mode=command.mode,
        status="requested",
        requested_by=by.id,
        requested_component=own,
        asked_component=asked,
        asked_user=holder if asked is not None else None,
        created_at=now,
    )
    coordination.add(work, request)
    store_text(work, written, "coordination_request", request.id, now=now)
    work.record("interactions:coordination-request:send", subjects=[request.id, command.individual_id], fields=_SENT)
    return _request(work, request.id)


def read_coordination_request(work: UnitOfWork, request_id: str) -> CoordinationRequestAnswer:
    """Return a request that the caller sent or has to answer.

    :raises NotFound: there is none that concerns them.
    """
    require_reader(work.caller)
    request = _request(work, request_id)
    work.record("interactions:coordination-request:read", subjects=[request_id, request["individual_id"]], fields=_FIELDS)
    return request


def list_coordination_requests(work: UnitOfWork, *, cursors: Cursors, query: CoordinationRequestListQuery) -> Page[CoordinationRequestAnswer]:
    """List the requests that concern the caller, latest first."""
    require_reader(work.caller)
    listing = Listing(cursors, "coordination-requests", work.caller.id, asdict(query))
    page = coordination.matching(work, scope_of(work.caller), query, after=listing.after(query.cursor))
    kept = kept_texts(work, [row.id for row in page.rows])
    subjects = [*(row.id for row in page.rows), *(row.individual_id for row in page.rows)]
    work.record("interactions:coordination-request:list", subjects=subjects, fields=_FIELDS)
    return listing.answer(page, [_shown(work.caller, row, kept) for row in page.rows])


def move_coordination_request(
    work: UnitOfWork,
    *,
    now: datetime,
    request_id: str,
    if_match: str | None,
    command: CoordinationRequestChange,
    use_preferences: Sequence[str] = (),
) -> CoordinationRequestAnswer:
    """Accept, decline, finish or reopen a request as its addressee, or withdraw it as its sender.

    The sender gets a notice of the answer, and a user who had accepted gets one of the withdrawal.

    :raises NotFound: there is none that concerns the caller.
    :raises OwnerOnly: the caller may not set this state.
    :raises Stale: it changed since.
    :raises RequestSettled: its state does not allow this one.
    :raises IndividualFrozen: the individual has asked not to be contacted meanwhile.
    :raises PreferenceStands: it is to be accepted, and the individual has said meanwhile that they do not want it (T33).
    """
    row = found(coordination.one(work, scope_of(work.caller), request_id, lock=True))
    status, by = command.status, work.caller
    if status == WITHDRAWN and not may_withdraw(by, row):
        raise OwnerOnly("Only whoever asked withdraws a request.")
    if status != WITHDRAWN and not may_answer(by, row.addressee):
        raise OwnerOnly("Only the addressee answers.")
    require_contributor(by)
    require_match(if_match, entity_tags(_request(work, request_id)))
    if row.addressee.is_frozen_for(by.component) and status in {"accepted", "requested"}:
        raise IndividualFrozen
    require_move(row.status, status)
    if status == "accepted":
        _require_wanted(row.mode, use_preferences)
    changed = _moved(row, status, by=by, now=now)
    if command.reason is not None:
        (written,) = review([("reason", command.reason)], keep_reason=command.keep_reason)
        changed = replace(changed, reason=written.shared)
        store_text(work, written, "coordination_request", request_id, now=now)
    coordination.change(work, changed)
    if status in {"declined", "done"} and row.requested_by != by.id:
        coordination.notify(work, row.requested_by, f"coordination-request-{status}", [row], now=now)
    if status == WITHDRAWN and row.status == "accepted" and row.answered_by is not None and row.answered_by != by.id:
        coordination.notify(work, row.answered_by, "coordination-request-withdrawn", [row], now=now)
    act = "withdraw" if status == WITHDRAWN else "answer"
    work.record(f"interactions:coordination-request:{act}", subjects=[request_id, row.individual_id], fields=["status", "reason"])
    return _request(work, request_id)


def individual_asked_about(work: UnitOfWork, request_id: str) -> str | None:
    """Return the individual whom a request is about; nothing is shown to anybody, so nothing is recorded."""
    row = coordination.one(work, scope_of(work.caller), request_id)
    return row.individual_id if row is not None else None


def _require_wanted(mode: str | None, use_preferences: Sequence[str]) -> None:
    against = {"no_sharing", PREFERENCE_AGAINST.get(mode or "")}
    if stopping := [one for one in use_preferences if one in against]:
        raise PreferenceStands(extra={"preferences": stopping})


def _moved(row: AddressedRequest, status: str, *, by: Caller, now: datetime) -> AddressedRequest:
    """Return a request in its new state."""
    if status == "done":
        return replace(row, status=status, done_at=now)
    if status == WITHDRAWN:
        return replace(row, status=status)
    if status == "requested":
        return replace(row, status=status, answered_at=None, answered_by=None, reason=None)
    return replace(row, status=status, answered_at=now, answered_by=by.id)


def _request(work: UnitOfWork, request_id: str) -> CoordinationRequestAnswer:
    row = found(coordination.one(work, scope_of(work.caller), request_id))
    return _shown(work.caller, row, kept_texts(work, [request_id]))


def _shown(by: Caller, row: AddressedRequest, kept: texts.Kept) -> CoordinationRequestAnswer:
    owner = {"user": row.owner_id, "component": row.component} if row.owner_id else None
    return answer_of(CoordinationRequestAnswer, row, kept, owner=owner, moves=_moves(by, row))


def _moves(by: Caller, row: AddressedRequest) -> list[str]:
    if not is_contributor(by):
        return []
    possible = moves(row.status, may_answer=may_answer(by, row.addressee), may_withdraw=may_withdraw(by, row))
    frozen = row.addressee.is_frozen_for(by.component)
    return [state for state in possible if not (frozen and state in {"accepted", "requested"})]
