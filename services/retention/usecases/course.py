"""The course of an erasure in the database: claim a step, keep its outcome, or put it off."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from services.chassis.messages import new_id as make_id
from services.chassis.messages import wire_value
from services.retention.contract import ErasureCompleted
from services.retention.domain import saga
from services.retention.storage import erasures
from services.retention.storage import requests as stored
from services.retention.usecases.erasing import describe_receipt

if TYPE_CHECKING:
    from services.chassis.database import UnitOfWork

#: A step that was not finished by then is taken again; longer than a call may take.
LEASE = timedelta(seconds=15)
_FIRST_PAUSE = timedelta(seconds=1)
_LONGEST_PAUSE = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Claim:
    """One erasure, taken for its next step."""

    id: str
    erasure_id: str
    subject_type: str
    subject_id: str
    cause: str
    step: str
    sealed: str | None
    trace_id: str | None
    attempts: int
    #: How often a decision of the privacy officer sent the course back to search again.
    returns: int
    #: Records whose hit the privacy officer decided to keep.
    kept: tuple[str, ...]

    @property
    def look(self) -> str:
        """The word for this search and its receipts: a repetition bears the same, a new search another one."""
        return f"{self.step}-{self.returns + 1}" if self.returns else self.step


def due(work: UnitOfWork, *, now: datetime) -> list[str]:
    """Return the erasures on which a step can be taken."""
    return erasures.due(work, now=now)


def claim(work: UnitOfWork, *, erasure_id: str, now: datetime, new_id: Callable[[], str] = make_id) -> Claim | None:
    """Take the next step of an erasure, for this process alone; None when there is none to take now."""
    claim_id = new_id()
    row = erasures.claim(work, erasure_id, claim_id=claim_id, until=now + LEASE, now=now)
    if row is None:
        return None
    kept = tuple(hit["record_id"] for hit in erasures.read_hits(work, erasure_id) if hit["decision"] == "keep")
    return Claim(
        id=claim_id,
        erasure_id=row["id"],
        subject_type=row["subject_type"],
        subject_id=row["subject_id"],
        cause=row["cause"],
        step=row["step"],
        sealed=row["sealed"],
        trace_id=row["trace_id"],
        attempts=row["attempts"],
        returns=row["returns"],
        kept=kept,
    )


def sealed(work: UnitOfWork, claim: Claim, *, values: str | None, now: datetime) -> None:
    """Keep the sealed values; None when contacts knows nobody of that id."""
    _go_on(work, claim, now=now, sealed=values, found_nobody=values is None)


def received(
    work: UnitOfWork,
    claim: Claim,
    *,
    service: str,
    answer: Mapping[str, Any],
    now: datetime,
    new_id: Callable[[], str] = make_id,
) -> None:
    """Keep a service's receipts, and the hits of its search, and go on."""
    if _go_on(work, claim, now=now):
        receipts = list(answer["receipts"])
        step = claim.look if claim.step in saga.SEARCHES else claim.step
        erasures.put_receipts(work, claim.erasure_id, step, service, receipts, at=now)
        if claim.step in saga.SEARCHES:
            found = [{**hit, "hit_id": new_id()} for hit in hits_in(answer)]
            erasures.put_hits(work, claim.erasure_id, service, found)


def hits_in(answer: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the names that a search hit: as `hits` of the answer, or as `left_in` of its receipts."""
    found = [dict(hit) for hit in answer.get("hits", ())]
    for receipt in answer["receipts"]:
        found += [{"store": receipt["store"], "id": record, "field": ""} for record in receipt.get("left_in", ())]
    return found


def erase_here(work: UnitOfWork, claim: Claim, *, now: datetime) -> None:
    """Remove what retention itself keeps about the record; ids of the case stay, as its tombstone."""
    stored.one_at_a_time(work, claim.subject_id)
    row = erasures.find(work, claim.erasure_id, lock=True)
    if row is None or not _go_on(work, claim, now=now, reason=None):
        return
    gone = stored.forget_individual(work, claim.subject_id)
    said = int(row["reason"] is not None)
    stores = [
        {"store": "retention.individuals", "found": gone, "removed": gone, "left": 0, "method": "deleted"},
        {"store": "retention.erasures.reason", "found": said, "removed": said, "left": 0, "method": "cleared"},
    ]
    erasures.put_receipts(work, claim.erasure_id, claim.step, "retention", stores, at=now)


def pass_gate(work: UnitOfWork, claim: Claim, *, now: datetime) -> None:
    """Go on when every hit is decided; else wait for the privacy officer."""
    if erasures.undecided(work, claim.erasure_id) == 0:
        _go_on(work, claim, now=now)
    elif erasures.change(work, claim.erasure_id, claim_id=claim.id, waiting=True, claim=None, claimed_until=None):
        work.record("retention:erasure:wait", subjects=[claim.erasure_id, claim.subject_id])


def close(work: UnitOfWork, claim: Claim, *, now: datetime) -> bool:
    """Write the certificate and the register, drop the seal, and announce; False when somebody else did."""
    row = erasures.find(work, claim.erasure_id, lock=True)
    if row is None or row["completed_at"] is not None:
        return False
    certificate = _certificate(work, row, now=now)
    if not erasures.change(
        work,
        claim.erasure_id,
        claim_id=claim.id,
        completed_at=now,
        certificate=certificate,
        sealed=None,
        reason=None,
        claim=None,
        claimed_until=None,
    ):
        return False
    erasures.insert_destruction(
        work,
        {
            "erasure_id": row["id"],
            "subject_type": row["subject_type"],
            "subject_id": row["subject_id"],
            "cause": row["cause"],
            "requested_by": row["requested_by"],
            "requested_component": row["requested_component"],
            "destroyed_at": now,
        },
    )
    if row["subject_type"] == "individual":
        work.announce(ErasureCompleted(row["id"], row["subject_id"], row["cause"]))
    work.record("retention:erasure:complete", subjects=[row["id"], row["subject_id"]], rule=row["cause"])
    return True


def put_off(work: UnitOfWork, claim: Claim, *, now: datetime, code: str) -> None:
    """Try the step again after a pause that grows to a minute."""
    pause = min(_FIRST_PAUSE * 2 ** min(claim.attempts, 6), _LONGEST_PAUSE)
    if erasures.change(
        work,
        claim.erasure_id,
        claim_id=claim.id,
        claim=None,
        claimed_until=None,
        attempts=claim.attempts + 1,
        next_at=now + pause,
    ):
        work.record(
            "retention:erasure:put-off",
            subjects=[claim.erasure_id, claim.subject_id],
            fields=[claim.step],
            outcome="failed",
            rule=code,
        )


def _go_on(work: UnitOfWork, claim: Claim, *, now: datetime, **values: Any) -> bool:
    following = saga.step_after(claim.subject_type, claim.step, found_nobody=values.get("found_nobody", claim.step != "seal" and _has_nothing(claim)))
    moved = erasures.change(
        work,
        claim.erasure_id,
        claim_id=claim.id,
        step=following,
        claim=None,
        claimed_until=None,
        attempts=0,
        next_at=now,
        **values,
    )
    if moved:
        work.record("retention:erasure:step", subjects=[claim.erasure_id, claim.subject_id], fields=[claim.step], rule=claim.cause)
    return moved


def _has_nothing(claim: Claim) -> bool:
    return claim.subject_type == "individual" and claim.sealed is None


def _certificate(work: UnitOfWork, row: Mapping[str, Any], *, now: datetime) -> dict[str, Any]:
    receipts = [describe_receipt(receipt) for receipt in erasures.read_receipts(work, row["id"])]
    decided = [
        {"service": hit["service"], "store": hit["store"], "record_id": hit["record_id"], "decided_by": hit["decided_by"]}
        for hit in erasures.read_hits(work, row["id"])
        if hit["decision"] is not None
    ]
    certificate = {
        "erasure_id": row["id"],
        "subject": {"type": row["subject_type"], "id": row["subject_id"]},
        "cause": row["cause"],
        "requested_by": row["requested_by"],
        "requested_at": wire_value(row["requested_at"]),
        "completed_at": wire_value(now),
        "reached": _totals(receipts),
        "decided": decided,
        "not_reached": list(saga.NOT_REACHED),
    }
    canonical = json.dumps(certificate, sort_keys=True, separators=(",", ":")).encode()
    return {**certificate, "sha256": hashlib.sha256(canonical).hexdigest()}


def _totals(receipts: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return one line for each store: what the last look left, all that was removed, and all that was found.

    What a look found and left is found again by the next one, and counts once.
    """
    totals: dict[str, dict[str, Any]] = {}
    for receipt in receipts:
        line = totals.setdefault(receipt["store"], {"service": receipt["service"], "store": receipt["store"], "found": 0, "removed": 0, "left": 0})
        line["removed"] += receipt["removed"]
        line["found"] = line["removed"] + receipt["found"] - receipt["removed"]
        line["left"] = receipt["left"]
    return [totals[store] for store in sorted(totals)]
