"""Request erasures, read them and decide their hits; place holds and read the register of destruction."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING

from services.chassis.answers import Page, total_up_to
from services.chassis.cursors import Cursors
from services.chassis.messages import Caller, Invalid, wire_value
from services.chassis.messages import new_id as make_id
from services.lexicon.policy import Facts
from services.retention.contract import (
    ErasureNotWaiting,
    ErasureUnderWay,
    ErasureUnknown,
    HitDecided,
    HitUnknown,
    HoldUnknown,
    NotYoursToErase,
)
from services.retention.contract.answers import (
    AcceptedErasure,
    Certificate,
    DestructionAnswer,
    ErasureAnswer,
    ErasureHit,
    ErasureReceipt,
    HoldAnswer,
    State,
)
from services.retention.contract.schemas import Decisions, HitQuery, RegisterQuery, SampleQuery
from services.retention.domain import saga
from services.retention.domain.records import Erasure, Hit, Hold, Receipt, Request
from services.retention.storage import erasures
from services.retention.storage import requests as stored
from services.retention.usecases.authorization import is_privacy_officer, may_follow, require_privacy_officer, require_register_reader

if TYPE_CHECKING:
    from services.chassis.database import UnitOfWork

#: The number of hits in the answer about an erasure; the list of hits has all.
_SHOWN = 200
_COUNTED = 10_000


def request_erasure(
    work: UnitOfWork,
    *,
    by: Caller,
    now: datetime,
    subject_type: str,
    subject_id: str,
    cause: str,
    reason: str | None,
    owner: tuple[str | None, str | None],
    new_id: Callable[[], str] = make_id,
) -> AcceptedErasure:
    """Begin the erasure of a record, or return the one that it has. Contacts has allowed it."""
    stored.one_at_a_time(work, subject_id)
    erasures.insert_erasure(
        work,
        id=new_id(),
        subject_type=subject_type,
        subject_id=subject_id,
        cause=cause,
        reason=reason,
        owner_id=owner[0],
        owner_component=owner[1],
        requested_by=by.id,
        requested_component=by.component,
        requested_at=now,
        trace_id=by.trace_id,
        step=saga.first_step(subject_type),
        found_nobody=False,
        waiting=False,
        attempts=0,
        next_at=now,
    )
    row = erasures.find_of(work, subject_id)
    if row is None:
        raise ErasureUnknown
    request = stored.find_request_about(work, subject_id)
    if request is not None:
        stored.begin_erasing(work, request.id, row.id)
    work.record("retention:erasure:request", subjects=[row.id, subject_id], rule=row.cause)
    return accepted(row)


def twins_of(work: UnitOfWork, subject_id: str) -> list[Request]:
    """Return the requests about other records of the same person, which are erased together (T26)."""
    request = stored.find_request_about(work, subject_id)
    return stored.twins_of(work, request.id) if request is not None else []


def begun_before(work: UnitOfWork, *, by: Caller, subject_id: str) -> AcceptedErasure | None:
    """Return the erasure that a record has already, if the caller may read it."""
    row = erasures.find_of(work, subject_id)
    if row is None or not _may_know(by, row, recorded_by=None):
        return None
    work.record("retention:erasure:request", subjects=[row.id, subject_id], rule="requested-before")
    return accepted(row)


def require_allowed(answer: Mapping[str, object]) -> None:
    """Require that contacts allows the erasure.

    :raises NotYoursToErase: it does not; the refusal has its reason and rule.
    """
    if not answer["allowed"]:
        reason = answer.get("reason")
        raise NotYoursToErase(None if reason is None else str(reason), extra={"rule": answer.get("rule")})


def accepted(row: Erasure) -> AcceptedErasure:
    """Return the answer to a request for an erasure."""
    return {"erasure_id": row.id, "state": state_of(row)}


def state_of(row: Erasure) -> State:
    """Return the state of an erasure. It does not reveal a hold (T24)."""
    if row.completed_at is not None:
        return "done"
    return "waiting_for_decision" if row.waiting else "in_progress"


def read_erasure(work: UnitOfWork, *, by: Caller, now: datetime, erasure_id: str) -> ErasureAnswer:
    """Return the progress of an erasure: receipts, certificate and, for the privacy officer, hits.

    If it waits for decisions, a new search is scheduled: an edited or deleted text settles its hit.

    :raises ErasureUnknown: it does not exist, or the caller may not read it.
    """
    row = erasures.find(work, erasure_id)
    request = stored.find_request_about(work, row.subject_id) if row else None
    if row is None or not _may_know(by, row, recorded_by=request.recorded_by if request else None):
        raise ErasureUnknown
    work.record("retention:erasure:read", subjects=[erasure_id, row.subject_id])
    if row.waiting and row.completed_at is None and row.looked_at is not None and now - row.looked_at >= saga.LOOK_WHEN_ASKED:
        erasures.change(work, erasure_id, looked_at=None, next_at=now)
    undecided = erasures.count_hits(work, erasure_id, undecided=True)
    officer = is_privacy_officer(by)
    hits = erasures.page_of_hits(work, erasure_id, undecided=False, after=None, limit=_SHOWN) if officer else []
    receipts = [describe_receipt(receipt) for receipt in erasures.read_receipts(work, erasure_id)]
    return {
        "id": row.id,
        "erasure_id": row.id,
        "subject": {"type": row.subject_type, "id": row.subject_id},
        "cause": row.cause,
        "state": state_of(row),
        "requested_by": row.requested_by,
        "requested_at": str(wire_value(row.requested_at)),
        "completed_at": str(wire_value(row.completed_at)) if row.completed_at else None,
        "decide_by": row.decide_by.isoformat() if undecided and row.decide_by else None,
        # Others may not see the texts, so they do not learn their number.
        "undecided": undecided if officer else None,
        "receipts": receipts if officer else without_counts(receipts),
        "hits": [_describe_hit(hit) for hit in hits],
        "certificate": row.certificate if officer or row.certificate is None else _without_counts(row.certificate),
    }


def without_counts(receipts: Sequence[ErasureReceipt]) -> list[ErasureReceipt]:
    """Return one line for each service and step, without counts, for users other than the privacy officer.

    Counts and stores would reveal what other components held (T34). Searches of texts about others are omitted.
    """
    lines: dict[tuple[str, str], ErasureReceipt] = {}
    for receipt in receipts:
        if receipt["method"] != "searched":
            told: ErasureReceipt = {**receipt, "store": receipt["service"], "found": None, "removed": None, "left": 0}
            line = lines.setdefault((receipt["service"], receipt["step"]), told)
            line["left"] += receipt["left"]
    return list(lines.values())


def _without_counts(certificate: Certificate) -> Certificate:
    """Return a certificate without counts, for users other than the privacy officer, with its own hash.

    The hash of the whole certificate would reveal the counts, because they are small enough to guess.
    """
    services = sorted({line["service"] for line in certificate["reached"]})
    return hashed({**certificate, "reached": [{"service": service} for service in services], "decided": []})


def hashed(certificate: Certificate) -> Certificate:
    """Return a certificate with the hash of its content."""
    said = {name: value for name, value in certificate.items() if name != "sha256"}
    canonical = json.dumps(said, sort_keys=True, separators=(",", ":")).encode()
    return {**certificate, "sha256": hashlib.sha256(canonical).hexdigest()}


def describe_receipt(receipt: Receipt) -> ErasureReceipt:
    """Return a receipt as the answer and the certificate show it."""
    return {
        "service": receipt.service,
        "step": receipt.step,
        "store": receipt.store,
        "found": receipt.found,
        "removed": receipt.removed,
        "left": receipt.remaining,
        "method": receipt.method,
        "at": str(wire_value(receipt.at)),
    }


def _describe_hit(hit: Hit) -> ErasureHit:
    return {
        "id": hit.id,
        "service": hit.service,
        "store": hit.store,
        "record_id": hit.record_id,
        "field": hit.field or None,
        "kinds": list(hit.kinds),
        "decision": hit.decision,
        "decided_by": hit.decided_by,
        "decided_at": str(wire_value(hit.decided_at)) if hit.decided_at else None,
        "stays_because": hit.stays_because,
    }


def decide(work: UnitOfWork, *, by: Caller, now: datetime, erasure_id: str, given: Decisions) -> ErasureAnswer:
    """Decide hits: redact the texts, or keep them as another person's. All decisions are stored, or none.

    The erasure continues at once.

    :raises PrivacyOfficerOnly: the caller is somebody else.
    :raises ErasureUnknown, ErasureNotWaiting: it does not exist, or has no undecided hit.
    :raises HitUnknown, HitDecided: it has no such hit, or the hit is settled.
    """
    require_privacy_officer(by)
    row = erasures.find(work, erasure_id, lock=True)
    if row is None:
        raise ErasureUnknown
    hits = {hit.id: hit for hit in erasures.read_hits(work, erasure_id)}
    left = [hit_id for hit_id, hit in hits.items() if hit.decision is None]
    decisions = dict.fromkeys(left, given.of_all_left) if given.of_all_left else given.of_hits
    if not hits.keys() >= decisions.keys():
        raise HitUnknown
    if row.completed_at is not None or not decisions:
        raise ErasureNotWaiting
    if not decisions.keys() <= set(left):
        raise HitDecided
    for decision in sorted(set(decisions.values())):
        ids = [hit_id for hit_id, each in decisions.items() if each == decision]
        for hit_id in ids:
            erasures.decide_hit(work, erasure_id, hit_id, decision=decision, by=by.id, at=now)
        records = dict.fromkeys(hits[hit_id].record_id for hit_id in ids)
        work.record("retention:erasure:decide", subjects=[erasure_id, row.subject_id, *ids, *records], fields=[decision], rule="T27")
    erasures.change(work, erasure_id, next_at=now)
    return read_erasure(work, by=by, now=now, erasure_id=erasure_id)


def list_hits(work: UnitOfWork, given: HitQuery, *, by: Caller, cursors: Cursors, erasure_id: str) -> tuple[Page[ErasureHit], str | None, list[Hit]]:
    """Return a page of hits for the privacy officer, and what is needed to show their excerpts.

    :return: the page without excerpts, the sealed values if they still exist, and the undecided hits of the page.
    :raises PrivacyOfficerOnly, ErasureUnknown, CursorInvalid:
    """
    require_privacy_officer(by)
    row = erasures.find(work, erasure_id)
    if row is None:
        raise ErasureUnknown
    query = {"erasure_id": erasure_id, "undecided": given.undecided}
    after = cursors.open(given.cursor, of="hits", user_id=by.id, query=query)
    found = erasures.page_of_hits(work, erasure_id, undecided=given.undecided, after=after, limit=given.limit + 1)
    page = found[: given.limit]
    following = cursors.seal(page[-1].id, of="hits", user_id=by.id, query=query) if len(found) > given.limit else None
    work.record("retention:erasure:list-hits", subjects=[erasure_id, row.subject_id, *(hit.record_id for hit in page)], rule="T27")
    total = erasures.count_hits(work, erasure_id, undecided=given.undecided)
    answer: Page[ErasureHit] = {"items": [{**_describe_hit(hit), "excerpts": []} for hit in page], "next": following, "total": total}
    return answer, row.sealed, [hit for hit in page if hit.decision is None]


def found_gone(work: UnitOfWork, *, now: datetime, erasure_id: str) -> None:
    """Schedule a new search, because a text of a hit no longer exists."""
    erasures.change(work, erasure_id, looked_at=None, next_at=now)


def list_sample(work: UnitOfWork, given: SampleQuery, *, by: Caller, cursors: Cursors) -> Page[ErasureHit]:
    """Return a page of the hits that the rule decided as another person's, for the weekly sample (T27).

    :raises PrivacyOfficerOnly, CursorInvalid:
    """
    require_privacy_officer(by)
    query = {"since": given.since}
    after = cursors.open(given.cursor, of="sample", user_id=by.id, query=query)
    begin = datetime.combine(given.since, time(), tzinfo=UTC) if given.since else None
    position = (datetime.fromisoformat(after[0]), str(after[1])) if after else None
    found = erasures.sample(work, since=begin, after=position, limit=given.limit + 1)
    page = found[: given.limit]
    following = None
    if len(found) > given.limit:
        following = cursors.seal([page[-1].decided_at, page[-1].id], of="sample", user_id=by.id, query=query)
    work.record("retention:erasure:list-sample", subjects=[hit.record_id for hit in page], rule="T27")
    counted = erasures.count_sample(work, since=begin, most=_COUNTED + 1)
    items: list[ErasureHit] = [{**_describe_hit(hit), "erasure_id": hit.erasure_id} for hit in page]
    return {"items": items, "next": following, "total": total_up_to(counted, _COUNTED)}


def place_hold(
    work: UnitOfWork,
    *,
    by: Caller,
    now: datetime,
    subject_id: str,
    until: date | None,
    new_id: Callable[[], str] = make_id,
) -> HoldAnswer:
    """Hold the erasure of a record while a request under the Privacy Act or FOIA is pending (R138).

    :raises PrivacyOfficerOnly: the caller is somebody else.
    :raises Invalid: its last day is in the past.
    :raises ErasureUnderWay: the erasure has begun.
    """
    require_privacy_officer(by)
    if until is not None and until < now.date():
        raise Invalid(errors={"until": ["Not in the past."]})
    row = erasures.find_of(work, subject_id, lock=True)
    if row is not None and (
        saga.has_begun(row.subject_type, row.step) or row.completed_at is not None or (row.claimed_until is not None and row.claimed_until >= now)
    ):
        raise ErasureUnderWay
    hold = Hold(new_id(), subject_id, until, by.id, now)
    stored.insert_hold(work, hold)
    work.record("retention:hold:place", subjects=[hold.id, subject_id])
    return _describe_hold(hold)


def lift_hold(work: UnitOfWork, *, by: Caller, now: datetime, hold_id: str) -> None:
    """Lift a hold, so that the erasure continues.

    :raises PrivacyOfficerOnly, HoldUnknown:
    """
    require_privacy_officer(by)
    if not stored.lift_hold(work, hold_id, by=by.id, at=now):
        raise HoldUnknown
    work.record("retention:hold:lift", subjects=[hold_id])


def find_holds(work: UnitOfWork, *, now: datetime, subject_ids: Sequence[str]) -> list[str]:
    """Return the subjects that have a hold: undoing an import keeps them (R138)."""
    held = stored.held(work, subject_ids, today=now.date())
    work.record("retention:hold:find", subjects=held)
    return held


def list_holds(work: UnitOfWork, *, by: Caller, now: datetime) -> Page[HoldAnswer]:
    """Return the active holds to the privacy officer (T24).

    :raises PrivacyOfficerOnly:
    """
    require_privacy_officer(by)
    items = [_describe_hold(row) for row in stored.list_holds(work, today=now.date())]
    work.record("retention:hold:list", subjects=[item["id"] for item in items])
    return {"items": items, "next": None, "total": len(items)}


def list_destructions(work: UnitOfWork, given: RegisterQuery, *, by: Caller, cursors: Cursors) -> Page[DestructionAnswer]:
    """Return a page of the register of destruction, the newest first, to the privacy officer or a system owner.

    :raises PrivacyOfficerOnly, CursorInvalid:
    """
    require_register_reader(by)
    position = cursors.open(given.cursor, of="destructions", user_id=by.id, query={})
    after = (datetime.fromisoformat(position[0]), str(position[1])) if position else None
    rows = erasures.read_register(work, after=after, limit=given.limit + 1)
    following = None
    if len(rows) > given.limit:
        rows = rows[: given.limit]
        following = cursors.seal([rows[-1].destroyed_at, rows[-1].erasure_id], of="destructions", user_id=by.id, query={})
    items: list[DestructionAnswer] = [
        {
            "erasure_id": row.erasure_id,
            "subject_type": row.subject_type,
            "subject_id": row.subject_id,
            "cause": row.cause,
            "requested_by": row.requested_by,
            "destroyed_at": str(wire_value(row.destroyed_at)),
        }
        for row in rows
    ]
    work.record("retention:destruction:list", subjects=[item["erasure_id"] for item in items])
    return {"items": items, "next": following, "total": erasures.count_register(work)}


def _describe_hold(hold: Hold) -> HoldAnswer:
    return {
        "id": hold.id,
        "subject_id": hold.subject_id,
        "until": hold.until.isoformat() if hold.until else None,
        "placed_by": hold.placed_by,
        "placed_at": str(wire_value(hold.placed_at)),
    }


def _may_know(by: Caller, row: Erasure, *, recorded_by: str | None) -> bool:
    facts = Facts(owner_id=row.owner_id, owner_component=row.owner_component, requested_by=row.requested_by, recorded_by=recorded_by)
    return may_follow(by, facts)
