"""Read and write erasures: their steps, receipts, hits, certificates and the register."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import and_, delete, exists, func, insert, literal, or_, select, text, tuple_, update
from sqlalchemy.dialects.postgresql import insert as upsert

from services.chassis.database.rows import all_typed, typed_or_none
from services.retention.contract.answers import FoundHit, StoreReceipt
from services.retention.domain.records import Destruction, Erasure, Hit, Receipt
from services.retention.domain.saga import COURSES, first_step
from services.retention.storage.requests import standing_hold
from services.retention.storage.tables import destructions, erasures, hits, holds, receipts

if TYPE_CHECKING:
    from services.chassis.database import UnitOfWork

# Text SQL: a step's receipts go in one statement.

_FIRST_STEPS = [first_step(subject_type) for subject_type in COURSES]
# One statement inserts all receipts of a step: a step has dozens, and single statements would dominate an erasure.
_PUT_RECEIPTS = text(
    "INSERT INTO receipts (erasure_id, step, store, service, found, removed, remaining, method, at)"
    ' SELECT CAST(:erasure_id AS uuid), :step, store, :service, found, removed, "left", method, :at'
    ' FROM json_to_recordset(CAST(:rows AS json)) AS r (store text, found integer, removed integer, "left" integer, method text)'
)


def insert_erasure(work: UnitOfWork, **values: object) -> bool:
    """Insert an erasure; return False if the record has one already."""
    entered = work.execute(upsert(erasures).values(**values).on_conflict_do_nothing().returning(erasures.c.id))
    return entered.first() is not None


def find(work: UnitOfWork, erasure_id: str, *, lock: bool = False) -> Erasure | None:
    """Return an erasure by its id, or None."""
    query = select(erasures).where(erasures.c.id == erasure_id)
    row = work.execute(query.with_for_update() if lock else query).mappings().one_or_none()
    return typed_or_none(Erasure, row)


def find_of(work: UnitOfWork, subject_id: str, *, lock: bool = False) -> Erasure | None:
    """Return the erasure of a record, or None."""
    query = select(erasures).where(erasures.c.subject_id == subject_id)
    row = work.execute(query.with_for_update() if lock else query).mappings().one_or_none()
    return typed_or_none(Erasure, row)


def due(work: UnitOfWork, *, now: datetime, limit: int = 20) -> list[str]:
    """Return the erasures whose next step can run: not completed, claimed, postponed or held before they began.

    Those whose record is still there come first. Those that wait for a decision come last, because all of them are
    searched again after each completed erasure.
    """
    order = (erasures.c.waiting, erasures.c.step.not_in(_FIRST_STEPS), erasures.c.next_at)
    query = select(erasures.c.id).where(_ready(now)).order_by(*order).limit(limit)
    return list(work.execute(query).scalars())


def claim(work: UnitOfWork, erasure_id: str, *, claim_id: str, until: datetime, now: datetime) -> Erasure | None:
    """Claim an erasure for one step, so that no other process takes it; return None if no step can run."""
    statement = update(erasures).where(erasures.c.id == erasure_id, _ready(now)).values(claim=claim_id, claimed_until=until).returning(erasures)
    row = work.execute(statement).mappings().one_or_none()
    return typed_or_none(Erasure, row)


def _ready(now: datetime) -> Any:
    held = exists().where(holds.c.subject_id == erasures.c.subject_id, standing_hold(now.date()))
    return and_(
        erasures.c.completed_at.is_(None),
        erasures.c.next_at <= now,
        or_(erasures.c.claimed_until.is_(None), erasures.c.claimed_until < now),
        ~and_(erasures.c.step.in_(_FIRST_STEPS), held),
    )


def change(work: UnitOfWork, erasure_id: str, *, claim_id: str | None = None, **values: object) -> bool:
    """Update an erasure; with `claim_id`, only while the claim holds. Return whether it was updated."""
    condition = erasures.c.id == erasure_id
    if claim_id is not None:
        condition = and_(condition, erasures.c.claim == claim_id)
    return work.execute(update(erasures).where(condition).values(**values)).rowcount == 1


def put_receipts(work: UnitOfWork, erasure_id: str, step: str, service: str, rows: Iterable[StoreReceipt], *, at: datetime) -> None:
    """Replace the receipts of a step.

    Receipts of the same store are added up.
    """
    work.execute(delete(receipts).where(receipts.c.erasure_id == erasure_id, receipts.c.step == step))
    by_store: dict[str, StoreReceipt] = {}
    for row in rows:
        kept = by_store.setdefault(row["store"], {"store": row["store"], "method": row["method"], "found": 0, "removed": 0, "left": 0})
        kept["found"] += row["found"]
        kept["removed"] += row["removed"]
        kept["left"] += row["left"]
    if by_store:
        given = {"erasure_id": erasure_id, "step": step, "service": service, "at": at, "rows": orjson.dumps(list(by_store.values())).decode()}
        work.execute(_PUT_RECEIPTS, given)


def read_receipts(work: UnitOfWork, erasure_id: str) -> list[Receipt]:
    """Return the receipts of an erasure, in the order of their steps."""
    query = select(receipts).where(receipts.c.erasure_id == erasure_id)
    # Repeated searches have growing numbers in their step names.
    query = query.order_by(receipts.c.at, func.length(receipts.c.step), receipts.c.step, receipts.c.store)
    return all_typed(Receipt, work.execute(query).mappings())


def put_hits(work: UnitOfWork, erasure_id: str, service: str, found: Iterable[FoundHit], *, at: datetime, new_id: Callable[[], str]) -> None:
    """Store the hits of a service's search. An undecided hit that was not found again is settled; decisions stay."""
    places = {(hit["store"], hit["id"], hit.get("field") or ""): hit for hit in found}
    known = {
        (row.store, row.record_id, row.field): row
        for row in work.execute(select(hits).where(hits.c.erasure_id == erasure_id, hits.c.service == service))
    }
    gone = [row.id for place, row in known.items() if place not in places and row.decision is None]
    if gone:
        work.execute(update(hits).where(hits.c.id.in_(gone)).values(decision="gone", decided_at=at))
    for (store, record, field), hit in places.items():
        looks = {"kinds": sorted(hit["kinds"]), "sure": hit["sure"]}
        row = known.get((store, record, field))
        if row is None:
            place = {"erasure_id": erasure_id, "service": service, "store": store, "record_id": record, "field": field}
            work.execute(insert(hits).values(id=new_id(), found_at=at, carried_out=False, **place, **looks))
        elif row.decision in {None, "gone"}:
            # The text mentions the person again, so it needs a new decision.
            work.execute(update(hits).where(hits.c.id == row.id).values(decision=None, decided_at=None, **looks))


def carried_out(work: UnitOfWork, hit_ids: Sequence[str]) -> None:
    """Mark the decisions on these hits as carried out."""
    if hit_ids:
        work.execute(update(hits).where(hits.c.id.in_(hit_ids)).values(carried_out=True))


def to_carry_out(work: UnitOfWork, erasure_id: str) -> bool:
    """Return whether a decision has not been carried out yet."""
    waits = hits.c.decision.in_(["redact", "another_person"]), ~hits.c.carried_out
    return work.execute(select(hits.c.id).where(hits.c.erasure_id == erasure_id, *waits).limit(1)).first() is not None


def read_hits(work: UnitOfWork, erasure_id: str) -> list[Hit]:
    """Return all hits of an erasure."""
    query = select(hits).where(hits.c.erasure_id == erasure_id).order_by(hits.c.service, hits.c.store, hits.c.id)
    return all_typed(Hit, work.execute(query).mappings())


def page_of_hits(work: UnitOfWork, erasure_id: str, *, undecided: bool, after: str | None, limit: int) -> list[Hit]:
    """Return a page of the hits of an erasure, in the order in which they were found."""
    query = select(hits).where(hits.c.erasure_id == erasure_id)
    if undecided:
        query = query.where(hits.c.decision.is_(None))
    if after is not None:
        query = query.where(hits.c.id > after)
    return all_typed(Hit, work.execute(query.order_by(hits.c.id).limit(limit)).mappings())


def sample(work: UnitOfWork, *, since: datetime | None, after: tuple[datetime, str] | None, limit: int) -> list[Hit]:
    """Return hits that the rule decided as another person's, the newest first."""
    query = select(hits).where(hits.c.stays_because.is_not(None))
    if since is not None:
        query = query.where(hits.c.decided_at >= since)
    if after is not None:
        query = query.where(tuple_(hits.c.decided_at, hits.c.id) < after)
    return all_typed(Hit, work.execute(query.order_by(hits.c.decided_at.desc(), hits.c.id.desc()).limit(limit)).mappings())


def count_sample(work: UnitOfWork, *, since: datetime | None, most: int) -> int:
    """Count the hits that the rule decided as another person's, up to `most`."""
    query = select(hits.c.id).where(hits.c.stays_because.is_not(None))
    if since is not None:
        query = query.where(hits.c.decided_at >= since)
    return int(work.execute(select(func.count()).select_from(query.limit(most).subquery())).scalar_one())


def count_hits(work: UnitOfWork, erasure_id: str, *, undecided: bool) -> int:
    """Count the hits of an erasure."""
    query = select(func.count()).where(hits.c.erasure_id == erasure_id)
    return int(work.execute(query.where(hits.c.decision.is_(None)) if undecided else query).scalar_one())


def decide_hit(work: UnitOfWork, erasure_id: str, hit_id: str, *, decision: str, by: str, at: datetime, stays_because: str | None = None) -> bool:
    """Store the decision on a hit; return False if the erasure has no undecided hit of that id."""
    statement = update(hits).where(hits.c.erasure_id == erasure_id, hits.c.id == hit_id, hits.c.decision.is_(None))
    return work.execute(statement.values(decision=decision, decided_by=by, decided_at=at, stays_because=stays_because)).rowcount == 1


def look_again_soon(work: UnitOfWork, *, now: datetime) -> None:
    """Schedule a new search for every erasure that waits for decisions."""
    waits = erasures.c.waiting, erasures.c.completed_at.is_(None)
    work.execute(update(erasures).where(*waits).values(looked_at=None, next_at=now))


def waiting(work: UnitOfWork) -> list[Erasure]:
    """Return the erasures that wait for the privacy officer, the most urgent first."""
    query = select(erasures).where(erasures.c.waiting, erasures.c.completed_at.is_(None))
    return all_typed(Erasure, work.execute(query.order_by(erasures.c.decide_by, erasures.c.requested_at)).mappings())


def insert_destruction(work: UnitOfWork, destruction: Destruction) -> None:
    """Insert a row into the register of destruction, unless it has one."""
    work.execute(upsert(destructions).values(**asdict(destruction)).on_conflict_do_nothing())


def read_register(work: UnitOfWork, *, after: tuple[datetime, str] | None, limit: int) -> list[Destruction]:
    """Return the register of destruction, the newest first.

    :param after: the time and erasure of the last row of the page before.
    """
    query = select(destructions)
    keys = (destructions.c.destroyed_at, destructions.c.erasure_id)
    if after is not None:
        query = query.where(tuple_(*keys) < tuple_(*(literal(value, key.type) for value, key in zip(after, keys, strict=True))))
    rows = work.execute(query.order_by(*(key.desc() for key in keys)).limit(limit))
    return all_typed(Destruction, rows.mappings())


def count_register(work: UnitOfWork) -> int:
    """Count the rows of the register of destruction."""
    return int(work.execute(select(func.count()).select_from(destructions)).scalar_one())
