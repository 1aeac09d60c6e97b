"""Withdraw requests for no more contact (T36), and decide other records of the same person (T26)."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from services.chassis.messages import Caller
from services.lexicon.refusals import TextNeedsReview
from services.lexicon.screening import screen
from services.retention.contract import (
    ErasureUnderWay,
    NothingProposed,
    NotYoursToWithdraw,
    RequestUnknown,
    RequestWithdrawn,
    WithdrawalReasonRequired,
)
from services.retention.contract.answers import RequestAnswer
from services.retention.domain.records import Request
from services.retention.storage import requests as stored
from services.retention.usecases.authorization import is_privacy_officer, require_privacy_officer
from services.retention.usecases.requests import describe, known_request, may_withdraw

if TYPE_CHECKING:
    from services.chassis.database import UnitOfWork


def withdraw(
    work: UnitOfWork, *, by: Caller, now: datetime, request_id: str, reason: str | None = None, decision: str | None = None
) -> RequestAnswer:
    """Withdraw a request, propose it, or decide a proposal, as the caller may (T36). A repeated call changes nothing.

    Within an hour, users withdraw what they recorded; the recordings of others stay. After it, a recorder or whoever has
    the duty to erase proposes to withdraw the request, and the privacy officer confirms or declines.

    :raises RequestUnknown: it does not exist, or the caller may not read it.
    :raises ErasureUnderWay: the erasure was requested.
    :raises NotYoursToWithdraw, NothingProposed, WithdrawalReasonRequired: the caller may not, or has to do something else.
    """
    row = known_request(work, by=by, request_id=request_id)
    stored.one_at_a_time(work, row.individual_id)
    row = known_request(work, by=by, request_id=request_id, lock=True)
    if row.withdrawn_at is None:
        if row.erasure_id is not None:
            raise ErasureUnderWay
        way = may_withdraw(work, row, by=by, now=now)
        if way == "now":
            _take_back_recording(work, row, by=by, now=now)
        elif way == "confirm":
            _decide(work, row, by=by, now=now, decision=decision or "confirm")
        elif way == "propose":
            _propose(work, row, by=by, now=now, reason=reason)
        elif is_privacy_officer(by) and row.proposed_at is None:
            raise NothingProposed
        else:
            raise NotYoursToWithdraw
        # Users who withdrew their recording may not read the request any more; they get this answer nevertheless.
        row = stored.find_request(work, request_id) or row
    work.record("retention:request:withdraw", subjects=[request_id, row.individual_id], rule="withdrawn" if row.withdrawn_at else "open")
    return describe(work, row, now=now, by=by)


def waiting_for_release(work: UnitOfWork) -> list[tuple[str, str]]:
    """Return (request id, individual id) of withdrawn requests whose individuals contacts has not unfrozen yet."""
    return [(row.id, row.individual_id) for row in stored.unreleased(work)]


def released(work: UnitOfWork, *, request_id: str, now: datetime) -> None:
    """Store that contacts unfroze the individual."""
    stored.change_request(work, request_id, released_at=now)
    work.record("retention:request:release", subjects=[request_id])


def case_of(work: UnitOfWork, *, by: Caller, request_id: str) -> Request:
    """Return a request for a decision of the privacy officer on another record.

    :raises PrivacyOfficerOnly: the caller is somebody else.
    :raises RequestUnknown, RequestWithdrawn: it does not exist, or was withdrawn.
    """
    require_privacy_officer(by)
    row = stored.find_request(work, request_id)
    if row is None:
        raise RequestUnknown
    if row.withdrawn_at is not None:
        raise RequestWithdrawn
    work.record("retention:request:read", subjects=[request_id, row.individual_id])
    return row


def join(work: UnitOfWork, *, twin_request: str, case_id: str) -> Request | None:
    """Join the request about another record to the case, so that one erasure answers both.

    :return: the case if its erasure has begun, so that the erasure of the other record has to begin too.
    """
    stored.change_request(work, twin_request, twin_of=case_id)
    case = stored.find_request(work, case_id, lock=True)
    work.record("retention:request:join", subjects=[twin_request, case_id], rule="T26")
    return case if case is not None and case.erasure_id is not None else None


def _take_back_recording(work: UnitOfWork, row: Request, *, by: Caller, now: datetime) -> None:
    stored.withdraw_recording(work, row.id, by.id, at=now)
    others = stored.recordings_of(work, row.id)
    if others:
        # Another user recorded the request too, so it stays with that recording.
        first = others[0]
        stored.change_request(
            work,
            row.id,
            recorded_by=first.recorded_by,
            recorded_by_component=first.recorded_by_component,
            medium=first.medium,
            received_on=first.received_on,
        )
    else:
        _withdraw(work, row, by=by, now=now)


def _propose(work: UnitOfWork, row: Request, *, by: Caller, now: datetime, reason: str | None) -> None:
    if not reason or not reason.strip():
        raise WithdrawalReasonRequired(errors={"reason": ["Say why."]})
    TextNeedsReview.unless_clean([("reason", reason, screen)])
    stored.change_request(work, row.id, proposed_by=by.id, proposed_at=now, proposal_reason=reason.strip())


def _decide(work: UnitOfWork, row: Request, *, by: Caller, now: datetime, decision: str) -> None:
    if decision == "confirm":
        _withdraw(work, row, by=by, now=now)
    else:
        stored.change_request(work, row.id, proposed_by=None, proposed_at=None, proposal_reason=None)


def _withdraw(work: UnitOfWork, row: Request, *, by: Caller, now: datetime) -> None:
    """Mark a request as withdrawn, with the requests about other records of the same person."""
    for each in (row, *stored.twins_of(work, row.id)):
        stored.change_request(work, each.id, withdrawn_by=by.id, withdrawn_at=now)
