"""Freeze people who ask not to be contacted, withdraw that, and decide who may erase (T10, T21, T36)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

from services.chassis.answers import Page
from services.chassis.cursors import Cursors
from services.chassis.database import UnitOfWork
from services.chassis.messages import Caller, Forbidden, Invalid, entity_tags
from services.contacts.contract.announcements import IndividualFrozen as FrozenAnnouncement
from services.contacts.contract.announcements import IndividualUnfrozen
from services.contacts.contract.answers.cases import (
    DayCountAnswer,
    FoundFrozen,
    FreezeAnswer,
    ManyFreezesAnswer,
    MayEraseAnswer,
    NoticeAnswer,
    TwinDecidedAnswer,
)
from services.contacts.contract.refusals import FreezeReasonRequired, NoticeUnknown, TwinDecided, TwinUnknown
from services.contacts.domain import representations
from services.contacts.domain.stakeholders import Frozen
from services.contacts.storage import directory, individuals, ledger, notices, projections, twins
from services.contacts.storage.contact_layer import ContactLayer
from services.contacts.usecases import suppressing
from services.contacts.usecases.authorization import (
    duty,
    facts_of,
    is_officer,
    require,
    require_officer,
    stands_for_office,
    truly,
    visible_individual,
    visible_organization,
)
from services.contacts.usecases.preconditions import require_clean
from services.lexicon.duty import owner_erases_by
from services.lexicon.folding import fold
from services.lexicon.policy import Facts, Granted, decide

#: Which of a user's freezes of a day is the first to need a reason, and to be told to their office administrator (T36).
REASON_FROM = 10


def freeze(
    work: UnitOfWork,
    *,
    by: Caller,
    now: datetime,
    request_id: str,
    individual_id: str,
    medium: str,
    received_on: date,
    layer: ContactLayer,
    reason: str | None = None,
) -> FreezeAnswer:
    """Freeze an individual who asked anyone, by any medium, not to be contacted, and mark what they are known by (R164-R170, T25).

    The role is `caseworker`, because the marks include every component's values. A repeated request gets the same answer.
    Another request for a frozen person is answered for callers who may find the record; others get "not found" (T21).

    :raises Invalid: the day of receipt is in the future (T29).
    :raises FreezeReasonRequired: it is at least the caller's tenth of the day (T36).
    :raises TextNeedsReview: screening stops the reason.
    """
    # Before any row is held: whoever enters somebody holds it, and may wait for this row.
    ledger.hold_alone(work)
    row = truly(visible_individual(work, individual_id, by=by, now=now, lock=True))
    require(decide(by, "freeze", None, facts_of(row)))
    if received_on > now.astimezone(UTC).date():
        raise Invalid(errors={"received_on": ["Not in the future."]})
    if row.frozen_at is None:
        _count(work, by=by, now=now, individual_id=individual_id, reason=reason)
        individuals.freeze(work, individual_id, request_id=request_id, medium=medium, received_on=received_on, by=by, now=now)
        directory.leave(work, individual_id)
        suppressing.open_case(work, layer, row, case_id=request_id, recorder=by.id, now=now)
        work.announce(FrozenAnnouncement(individual_id, request_id, medium, received_on.isoformat(), by.id, by.component))
        row = replace(row, frozen_at=now, frozen_request_id=request_id, frozen_by=by.id)
    work.record("contacts:individual:freeze", subjects=[individual_id], fields=["frozen"], rule="T21")
    return {
        **representations.frozen_individual(row),
        "request_id": row.frozen_request_id,
        "due_on": owner_erases_by(row.frozen_at or now).isoformat(),
    }


def take_back(work: UnitOfWork, *, now: datetime, request_id: str, individual_id: str) -> None:
    """Withdraw a request: free the record and its twins, and delete the case's marks (T36). A repeated call changes nothing.

    The role is `caseworker`. What another case holds stays frozen and blocked.
    """
    ledger.hold_alone(work)
    individuals.lock(work, individual_id)
    row = individuals.find(work, individual_id)
    marks = ledger.drop(work, request_id)
    freed = twins.free(work, request_id)
    if row is not None and row.frozen_request_id == request_id:
        individuals.unfreeze(work, individual_id, now=now)
        directory.index_individuals(work, [individual_id])
        twins.show(work, [individual_id])
        work.announce(IndividualUnfrozen(individual_id, request_id))
    work.record("contacts:individual:unfreeze", subjects=[individual_id, request_id, *freed], fields=["frozen"] if marks or row else [], rule="T36")


def decide_twin(
    work: UnitOfWork,
    *,
    by: Caller,
    now: datetime,
    layer: ContactLayer,
    case_id: str,
    request_id: str,
    individual_id: str,
    decision: str,
    medium: str,
    received_on: date,
) -> TwinDecidedAnswer:
    """Decide whether another record is of the person in a case: *same* freezes it for everybody, *another* frees it (T26).

    The role is `caseworker`, on behalf of the privacy officer. A repeated decision gets the same answer.

    :param request_id: the request for which it is frozen; the case is `case_id`.
    :returns: `decision`; for *same* also the record's `owner` and `request_id`.
    :raises TwinUnknown: it is no twin of that case, or it is gone.
    :raises TwinDecided: it was decided the other way.
    """
    require_officer(by)
    ledger.hold_alone(work)
    individuals.lock(work, individual_id)
    row, twin = individuals.find(work, individual_id), twins.find(work, case_id, individual_id)
    if twin is None or row is None:
        raise TwinUnknown
    if twin.decision not in {None, decision}:
        raise TwinDecided
    if twin.decision is None:
        twins.decide(work, case_id, individual_id, decision=decision, by=by.id, now=now)
        row = individuals.find(work, individual_id) or row
    if decision == "same" and row.frozen_at is None:
        individuals.freeze(work, individual_id, request_id=request_id, medium=medium, received_on=received_on, by=by, now=now)
        directory.leave(work, individual_id)
        suppressing.open_case(work, layer, row, case_id=request_id, recorder=by.id, now=now)
        work.announce(FrozenAnnouncement(individual_id, request_id, medium, received_on.isoformat(), by.id, by.component))
        row = replace(row, frozen_request_id=request_id)
    work.record("contacts:twin:decide", subjects=[individual_id, case_id], fields=["frozen"], rule=decision)
    return {
        "decision": decision,
        "request_id": row.frozen_request_id if decision == "same" else None,
        "owner": representations.owner_of(row),
    }


def find_frozen(work: UnitOfWork, *, by: Caller, cursors: Cursors, q: str, limit: int = 50, cursor: str | None = None) -> Page[FoundFrozen]:
    """Return frozen people whose names have the words `q`, to callers who may find them. No search shows them (T21).

    :raises Forbidden: the caller's account sees no stakeholders.
    """
    require(decide(by, "find_frozen"), Forbidden)
    wanted = fold(q).split()
    rows = individuals.frozen_among(work, user_id=by.id, component=by.component, office=stands_for_office(by), officer=is_officer(by))
    found = []
    for row in rows if wanted else ():
        name = fold(f"{row.first_name} {row.last_name}").split()
        if all(any(part.startswith(word) for part in name) for word in wanted):
            found.append(row)
    found.sort(key=_by_name)
    bound = {"q": q}
    after = cursors.open(cursor, of="frozen", user_id=by.id, query=bound)
    rest = [row for row in found if after is None or _by_name(row) > tuple(after)]
    shown = rest[:limit]
    following = cursors.seal(_by_name(shown[-1]), of="frozen", user_id=by.id, query=bound) if len(rest) > len(shown) else None
    work.record("contacts:individual:find-frozen", subjects=[row.id for row in shown], fields=["first_name", "last_name"], rule="T21")
    items: list[FoundFrozen] = [
        {
            "id": row.id,
            "first_name": row.first_name,
            "last_name": row.last_name,
            "owner": representations.owner_of(row),
            "request_id": row.frozen_request_id,
            "frozen": True,
            "notice": representations.DO_NOT_CONTACT,
        }
        for row in shown
    ]
    return {"items": items, "next": following, "total": len(found)}


def _by_name(row: Frozen) -> tuple[str, str, str]:
    return row.last_name, row.first_name, row.id


def read_notice(work: UnitOfWork, *, by: Caller, notice_id: str) -> NoticeAnswer:
    """Return a notice of the caller's component that somebody was erased, without their data (T16).

    :raises NoticeUnknown: the caller has no such notice.
    """
    row = notices.find(work, notice_id, component=by.component)
    if row is None:
        raise NoticeUnknown
    work.record("contacts:notice:read", subjects=[notice_id])
    return {
        "id": row.id,
        "at": representations.instant(row.at),
        "text": "Somebody your component had a relationship with asked not to be contacted, and was erased.",
    }


def list_many_freezes(work: UnitOfWork, *, by: Caller, cursors: Cursors, limit: int = 50, cursor: str | None = None) -> Page[ManyFreezesAnswer]:
    """Return to an office's administrator which users had many people frozen on one day, with the reasons (T36).

    :raises Forbidden: the caller is no office administrator.
    """
    if by.component is None or not stands_for_office(by):
        raise Forbidden
    after = cursors.open(cursor, of="many-freezes", user_id=by.id, query={})
    rows = notices.unseen_freezes(work, component=by.component, after=after, limit=limit + 1)
    items: list[ManyFreezesAnswer] = [
        {"user_id": row.user_id, "day": row.day.isoformat(), "count": row.count, "individual_id": row.individual_id, "reason": row.reason}
        for row in rows[:limit]
    ]
    following = None
    if len(rows) > limit:
        last = items[-1]
        following = cursors.seal([last["day"], last["user_id"], last["count"]], of="many-freezes", user_id=by.id, query={})
    work.record("contacts:freezes:list", subjects=[item["user_id"] for item in items], rule="T36")
    return {"items": items, "next": following, "total": notices.count_unseen_freezes(work, component=by.component)}


def list_counts(work: UnitOfWork, *, by: Caller, cursors: Cursors, limit: int = 50, cursor: str | None = None) -> Page[DayCountAnswer]:
    """Return how many requests each user recorded on each day, and how many of their entries were blocked (T36, T9).

    The security officer gets numbers only, and no person's record.

    :raises Forbidden: the caller is not the security officer.
    """
    require(decide(by, "read_trail"), Forbidden)
    rows = notices.counts_by_day(work, after=cursors.open(cursor, of="counts", user_id=by.id, query={}), limit=limit + 1)
    items: list[DayCountAnswer] = [
        {"user_id": row.user_id, "day": row.day.isoformat(), "freezes": row.freezes, "blocked": row.blocked, "component": row.component}
        for row in rows[:limit]
    ]
    following = None
    if len(rows) > limit:
        following = cursors.seal([items[-1]["day"], items[-1]["user_id"]], of="counts", user_id=by.id, query={})
    work.record("contacts:count:list", subjects=list(dict.fromkeys(item["user_id"] for item in items)), fields=["freezes", "blocked"], rule="T36")
    return {"items": items, "next": following, "total": notices.count_counts(work)}


def _count(work: UnitOfWork, *, by: Caller, now: datetime, individual_id: str, reason: str | None) -> None:
    if by.kind != "user":
        return
    require_clean(reason or "")
    day = now.astimezone(UTC).date()
    count = ledger.count_freeze(work, by.id, day)
    if count < REASON_FROM:
        return
    if not reason:
        raise FreezeReasonRequired(errors={"reason": ["Say why."]})
    notices.note_freeze(work, by=by, day=day, count=count, individual_id=individual_id, reason=reason)


def may_erase(work: UnitOfWork, *, by: Caller, now: datetime, individual_id: str) -> MayEraseAnswer:
    """Return whether this caller may erase this individual now, and whose record it is (R165, T10)."""
    seen = visible_individual(work, individual_id, by=by, now=now)
    row = truly(seen)
    on = duty(work, row, now=now)
    decision = decide(by, "erase", None, replace(facts_of(row), duty_of=on))
    work.record("contacts:individual:may-erase", subjects=[individual_id], fields=["owner"])
    return {
        "allowed": bool(decision),
        "rule": decision.rule,
        "reason": None if isinstance(decision, Granted) else decision.reason,
        "owner": representations.owner_of(row),
        "deputy": row.deputy_id,
        "duty_of": on,
        "frozen": row.frozen_at is not None,
        "request_id": row.frozen_request_id,
        "etags": entity_tags(representations.individual(seen)),
    }


def may_erase_organization(work: UnitOfWork, *, by: Caller, organization_id: str) -> MayEraseAnswer:
    """Return whether this caller may erase this organization, and whose record it is."""
    row = visible_organization(work, organization_id, by=by)
    owner = projections.user(work, row.owner_id)
    on = "owner" if owner is None or owner.active else "office_administrator"
    facts = Facts(owner_id=row.owner_id, owner_component=row.owner_component, duty_of=on)
    decision = decide(by, "erase", None, facts)
    work.record("contacts:organization:may-erase", subjects=[organization_id], fields=["owner"])
    return {
        "allowed": bool(decision),
        "rule": decision.rule,
        "reason": None if isinstance(decision, Granted) else decision.reason,
        "owner": representations.owner_of(row),
        "duty_of": on,
        "etags": entity_tags(representations.organization(row)),
    }
