"""Claim the steps of an erasure, store their results, or postpone them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from services.chassis.backoff import pause_after
from services.chassis.messages import new_id as make_id
from services.chassis.messages import wire_value
from services.lexicon.mentions import Sought
from services.lexicon.refusals import SealUnknown
from services.lexicon.seal import open_seal
from services.retention.contract import ErasureCompleted
from services.retention.contract.answers import Certificate, Decided, Reached, StepAnswer, StoreReceipt
from services.retention.domain import saga
from services.retention.domain.records import Destruction, Erasure, Hit, Receipt
from services.retention.storage import erasures, reasons
from services.retention.storage import requests as stored
from services.retention.usecases.erasing import hashed

if TYPE_CHECKING:
    from services.chassis.database import UnitOfWork
    from services.retention.storage.erased_ids import ErasedIds

#: A claim lapses after this time, which is longer than a call may take.
LEASE = timedelta(seconds=15)
#: The shortest and the longest pause before a step is retried, in seconds.
_FIRST_PAUSE = 1.0
_LONGEST_PAUSE = 60.0
#: The decisions on a hit; `gone` means that the text was edited or deleted.
REDACT, ANOTHER_PERSON, GONE = "redact", "another_person", "gone"
#: `decided_by` of hits that the rule decided.
RULE = "rule"


@dataclass(frozen=True, slots=True)
class Claim:
    """An erasure that is claimed for its next step."""

    id: str
    erasure_id: str
    subject_type: str
    subject_id: str
    cause: str
    step: str
    sealed: str | None
    trace_id: str | None
    attempts: int
    #: The number of times that the saga returned to the search.
    returns: int
    #: The decided hits.
    decided: tuple[Hit, ...]

    @property
    def look(self) -> str:
        """Return the name of this search for its receipts. A repeated call has the same name, a new search another."""
        return f"{self.step}-{self.returns + 1}" if self.returns else self.step

    def places(self, service: str) -> dict[str, list[list[str]]]:
        """Return the places where a service redacts every mention, where only sure ones, and which it leaves."""
        found: dict[str, list[list[str]]] = {"redact_in": [], "redact_sure_in": [], "leave_in": []}
        for hit in self.decided:
            if hit.service == service:
                redacts = "redact_sure_in" if hit.decided_by == RULE else "redact_in"
                way = redacts if hit.decision == REDACT else "leave_in"
                found[way].append([hit.store, hit.record_id, hit.field])
        return found


def due(work: UnitOfWork, *, now: datetime) -> list[str]:
    """Return the erasures whose next step can run."""
    return erasures.due(work, now=now)


def is_search_next(work: UnitOfWork, erasure_id: str) -> bool:
    """Return whether the next step of an erasure is a search."""
    row = erasures.find(work, erasure_id)
    return row is not None and row.step in saga.SEARCHES


def claim(work: UnitOfWork, *, erasure_id: str, now: datetime, new_id: Callable[[], str] = make_id) -> Claim | None:
    """Claim the next step of an erasure for this process; return None if no step can run."""
    claim_id = new_id()
    row = erasures.claim(work, erasure_id, claim_id=claim_id, until=now + LEASE, now=now)
    if row is None:
        return None
    decided = tuple(hit for hit in erasures.read_hits(work, erasure_id) if hit.decision in {REDACT, ANOTHER_PERSON})
    return Claim(
        id=claim_id,
        erasure_id=row.id,
        subject_type=row.subject_type,
        subject_id=row.subject_id,
        cause=row.cause,
        step=row.step,
        sealed=row.sealed,
        trace_id=row.trace_id,
        attempts=row.attempts,
        returns=row.returns,
        decided=decided,
    )


def received(
    work: UnitOfWork,
    claim: Claim,
    *,
    service: str,
    answer: StepAnswer,
    now: datetime,
    new_id: Callable[[], str] = make_id,
) -> None:
    """Store a service's receipts with the sealed values or hits, and move to the next step."""
    values: dict[str, str | bool | date | datetime | None] = {}
    if claim.step == "erase_contacts":
        # None if contacts does not know the individual.
        sealed = answer["sealed"]
        values = {"sealed": sealed, "found_nobody": sealed is None, "decide_by": None if sealed is None else saga.decide_by(now)}
    if claim.step in saga.SEARCHES:
        values = {"looked_at": now}
    if _go_on(work, claim, now=now, **values):
        step = claim.look if claim.step in saga.SEARCHES else claim.step
        erasures.put_receipts(work, claim.erasure_id, step, service, answer["receipts"], at=now)
        if claim.step in saga.SEARCHES:
            erasures.put_hits(work, claim.erasure_id, service, answer["hits"], at=now, new_id=new_id)
            # A decision that was made during this search waits for the next one.
            places = {tuple(place) for place in answer["carried_out"]}
            decided = [hit for hit in claim.decided if hit.service == service]
            erasures.carried_out(work, [hit.id for hit in decided if (hit.store, hit.record_id, hit.field) in places])


def erase_here(work: UnitOfWork, claim: Claim, *, now: datetime) -> None:
    """Delete what retention stores about the record. The ids of the case stay."""
    stored.one_at_a_time(work, claim.subject_id)
    row = erasures.find(work, claim.erasure_id, lock=True)
    if row is None or not _go_on(work, claim, now=now, reason=None):
        return
    gone = stored.forget_individual(work, claim.subject_id)
    said = int(row.reason is not None)
    proposed = stored.forget_proposals(work, claim.subject_id)
    stores: list[StoreReceipt] = [
        {"store": "retention.individuals", "found": gone, "removed": gone, "left": 0, "method": "deleted"},
        {"store": "retention.erasures.reason", "found": said, "removed": said, "left": 0, "method": "cleared"},
        {"store": "retention.no_contact_requests.proposal_reason", "found": proposed, "removed": proposed, "left": 0, "method": "cleared"},
    ]
    erasures.put_receipts(work, claim.erasure_id, claim.step, "retention", stores, at=now)


def has_reasons(work: UnitOfWork) -> bool:
    """Return whether any reason is stored, because it may name the person."""
    return any(words.texts for words in reasons.read(work))


def seek_here(work: UnitOfWork, claim: Claim, *, key: str | None, now: datetime) -> None:
    """Clear the reasons of all cases that name the person. They need no decision, because nobody edits them.

    :raises SealUnknown: the key of the sealed values was destroyed.
    """
    sought: Sought | None = None
    receipts: list[StoreReceipt] = []
    for words in reasons.read(work):
        found = 0
        for row_id, text in words.texts:
            if sought is None:
                if key is None or claim.sealed is None:
                    raise SealUnknown
                sought = Sought(open_seal(claim.sealed, key, erasure_id=claim.erasure_id))
            if sought.find(text):
                reasons.clear(work, words, row_id)
                found += 1
        receipts.append({"store": words.store, "found": found, "removed": found, "left": 0, "method": "cleared"})
    received(work, claim, service="retention", answer={"receipts": receipts, "hits": [], "carried_out": []}, now=now)


def pass_gate(work: UnitOfWork, claim: Claim, *, now: datetime) -> bool:
    """Continue if all hits are settled; otherwise search again, or wait for the privacy officer.

    :return: whether the deadline has passed with undecided hits, so that `decide_overdue` has to run.
    """
    row = erasures.find(work, claim.erasure_id, lock=True)
    if row is None or row.claim != claim.id:
        return False
    undecided = erasures.count_hits(work, claim.erasure_id, undecided=True)
    is_fresh = row.looked_at is not None and now - row.looked_at < saga.LOOK_AGAIN
    if erasures.to_carry_out(work, claim.erasure_id) or (undecided and not is_fresh):
        _search_again(work, claim, row, now=now)
    elif not undecided:
        _go_on(work, claim, now=now, waiting=False)
    elif row.decide_by is None or now >= (until := saga.deadline(row.decide_by)):
        return True
    else:
        erasures.change(work, claim.erasure_id, waiting=True, claim=None, claimed_until=None, next_at=min(until, now + saga.LOOK_AGAIN))
        if not row.waiting:
            work.record("retention:erasure:wait", subjects=[claim.erasure_id, claim.subject_id], rule="T27")
    return False


def decide_overdue(work: UnitOfWork, claim: Claim, *, living_namesake: bool, now: datetime) -> None:
    """Decide the overdue hits by rule (T27). Those that are kept appear in the weekly sample."""
    row = erasures.find(work, claim.erasure_id, lock=True)
    if row is None or row.claim != claim.id:
        return
    hits = [hit for hit in erasures.read_hits(work, claim.erasure_id) if hit.decision != GONE]
    for hit in hits:
        if hit.decision is None:
            because = saga.stays_because(cause=row.cause, living_namesake=living_namesake, texts=len(hits), sure=hit.sure)
            decision = ANOTHER_PERSON if because else REDACT
            erasures.decide_hit(work, claim.erasure_id, hit.id, decision=decision, by=RULE, at=now, stays_because=because)
            work.record("retention:erasure:decide", subjects=[claim.erasure_id, hit.id, hit.record_id], fields=[decision], rule="T27")
    erasures.change(work, claim.erasure_id, claim=None, claimed_until=None, next_at=now)


def _search_again(work: UnitOfWork, claim: Claim, row: Erasure, *, now: datetime) -> None:
    erasures.change(
        work,
        claim.erasure_id,
        step=saga.SEARCH,
        returns=row.returns + 1,
        attempts=0,
        claim=None,
        claimed_until=None,
        next_at=now,
    )
    work.record("retention:erasure:search-again", subjects=[claim.erasure_id, claim.subject_id])


def note_erased(erased: ErasedIds | None, erasure_id: str, subject_type: str, subject_ids: Sequence[str], now: datetime) -> None:
    """Add the subjects of an erasure or an undone import to the list of erased ids, if the installation has one."""
    if erased is not None:
        erased.append(erasure_id=erasure_id, subject_type=subject_type, subject_ids=subject_ids, at=str(wire_value(now)))


def close(work: UnitOfWork, claim: Claim, *, now: datetime) -> bool:
    """Write the certificate and the register, delete the sealed values and announce the completion.

    :return: False if another process completed the erasure.
    """
    row = erasures.find(work, claim.erasure_id, lock=True)
    if row is None or row.completed_at is not None:
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
    register_row = Destruction(row.id, row.subject_type, row.subject_id, row.cause, row.requested_by, row.requested_component, now)
    erasures.insert_destruction(work, register_row)
    # The erased texts may have mentioned another person whose erasure waits.
    erasures.look_again_soon(work, now=now)
    if row.subject_type == "individual":
        work.announce(ErasureCompleted(row.id, row.subject_id, row.cause))
    work.record("retention:erasure:complete", subjects=[row.id, row.subject_id], rule=row.cause)
    return True


def put_off(work: UnitOfWork, claim: Claim, *, now: datetime, code: str) -> None:
    """Postpone the step; the pause grows to a minute."""
    pause = timedelta(seconds=pause_after(claim.attempts, first=_FIRST_PAUSE, longest=_LONGEST_PAUSE))
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


def _go_on(work: UnitOfWork, claim: Claim, *, now: datetime, **values: str | bool | date | datetime | None) -> bool:
    nobody = bool(values.get("found_nobody", _has_nothing(claim)))
    following = saga.step_after(claim.subject_type, claim.step, found_nobody=nobody)
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


def _certificate(work: UnitOfWork, row: Erasure, *, now: datetime) -> Certificate:
    decided: list[Decided] = [
        {
            "service": hit.service,
            "store": hit.store,
            "record_id": hit.record_id,
            "field": hit.field,
            "decision": hit.decision,
            "decided_by": hit.decided_by,
            "stays_because": hit.stays_because,
        }
        for hit in erasures.read_hits(work, row.id)
        if hit.decision is not None
    ]
    certificate: Certificate = {
        "erasure_id": row.id,
        "subject": {"type": row.subject_type, "id": row.subject_id},
        "cause": row.cause,
        "requested_by": row.requested_by,
        "requested_at": str(wire_value(row.requested_at)),
        "completed_at": str(wire_value(now)),
        "reached": _totals(erasures.read_receipts(work, row.id)),
        "decided": decided,
        "not_reached": list(saga.NOT_REACHED),
    }
    return hashed(certificate)


def _totals(receipts: Iterable[Receipt]) -> list[Reached]:
    """Return one line for each store, with what was found, removed and left in all steps.

    What one search left is found again by the next, and counts once.
    """
    totals: dict[str, Reached] = {}
    for receipt in receipts:
        line = totals.setdefault(receipt.store, {"service": receipt.service, "store": receipt.store, "found": 0, "removed": 0, "left": 0})
        line["removed"] += receipt.removed
        line["found"] = line["removed"] + receipt.found - receipt.removed
        line["left"] = receipt.remaining
    return [totals[store] for store in sorted(totals)]
