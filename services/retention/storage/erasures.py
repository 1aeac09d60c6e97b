"""Statements over erasures: their steps, receipts, hits, certificates and the register."""

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

_FIRST_STEPS = [first_step(subject_type) for subject_type in COURSES]
# A step has the receipts of dozens of stores: one statement for each would be most of the work of an erasure.
_PUT_RECEIPTS = text(
    "INSERT INTO receipts (erasure_id, step, store, service, found, removed, remaining, method, at)"
    ' SELECT CAST(:erasure_id AS uuid), :step, store, :service, found, removed, "left", method, :at'
    ' FROM json_to_recordset(CAST(:rows AS json)) AS r (store text, found integer, removed integer, "left" integer, method text)'
)


def insert_erasure(work: UnitOfWork, **values: object) -> bool:
    """Enter an erasure; False when there is one of the same record."""
    entered = work.execute(upsert(erasures).values(**values).on_conflict_do_nothing().returning(erasures.c.id))
    return entered.first() is not None


def find(work: UnitOfWork, erasure_id: str, *, lock: bool = False) -> Erasure | None:
    """Return one erasure, or None."""
    query = select(erasures).where(erasures.c.id == erasure_id)
    row = work.execute(query.with_for_update() if lock else query).mappings().one_or_none()
    return typed_or_none(Erasure, row)


def find_of(work: UnitOfWork, subject_id: str, *, lock: bool = False) -> Erasure | None:
    """Return the erasure of a record, or None."""
    query = select(erasures).where(erasures.c.subject_id == subject_id)
    row = work.execute(query.with_for_update() if lock else query).mappings().one_or_none()
    return typed_or_none(Erasure, row)


def due(work: UnitOfWork, *, now: datetime, limit: int = 20) -> list[str]:
    """Return erasures on which a step can be taken: not done, not claimed, not to wait longer, not on hold before it began.

    Those that wait for a decision come last: after each erasure that ends, all of them are searched for again.
    """
    query = select(erasures.c.id).where(_ready(now)).order_by(erasures.c.waiting, erasures.c.next_at).limit(limit)
    return list(work.execute(query).scalars())


def claim(work: UnitOfWork, erasure_id: str, *, claim_id: str, until: datetime, now: datetime) -> Erasure | None:
    """Take an erasure for one step, so that nobody else takes it meanwhile; None when it is not ready."""
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
    """Change an erasure; with `claim_id` only for whoever still has the claim. False when that is somebody else."""
    condition = erasures.c.id == erasure_id
    if claim_id is not None:
        condition = and_(condition, erasures.c.claim == claim_id)
    return work.execute(update(erasures).where(condition).values(**values)).rowcount == 1


def put_receipts(work: UnitOfWork, erasure_id: str, step: str, service: str, rows: Iterable[StoreReceipt], *, at: datetime) -> None:
    """Keep what a step's stores answered, in place of what they answered to the same step before.

    A store that answers twice is kept once, with the sum of what it counted.
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
    """Return the receipts, in the order in which they came."""
    query = select(receipts).where(receipts.c.erasure_id == erasure_id)
    # Looks bear a number that grows.
    query = query.order_by(receipts.c.at, func.length(receipts.c.step), receipts.c.step, receipts.c.store)
    return all_typed(Receipt, work.execute(query).mappings())


def put_hits(work: UnitOfWork, erasure_id: str, service: str, found: Iterable[FoundHit], *, at: datetime, new_id: Callable[[], str]) -> None:
    """Keep what a service's search hit now: an undecided hit that is not there any more is settled, decisions stay."""
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
            # Written again, it is to be decided again.
            work.execute(update(hits).where(hits.c.id == row.id).values(decision=None, decided_at=None, **looks))


def carried_out(work: UnitOfWork, hit_ids: Sequence[str]) -> None:
    """Say that a search has carried these decisions out."""
    if hit_ids:
        work.execute(update(hits).where(hits.c.id.in_(hit_ids)).values(carried_out=True))


def to_carry_out(work: UnitOfWork, erasure_id: str) -> bool:
    """Whether something was decided since the last search."""
    waits = hits.c.decision.in_(["redact", "another_person"]), ~hits.c.carried_out
    return work.execute(select(hits.c.id).where(hits.c.erasure_id == erasure_id, *waits).limit(1)).first() is not None


def read_hits(work: UnitOfWork, erasure_id: str) -> list[Hit]:
    """Return the hits of an erasure."""
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
    """Return hits that the rule left as another person's, the latest first."""
    query = select(hits).where(hits.c.stays_because.is_not(None))
    if since is not None:
        query = query.where(hits.c.decided_at >= since)
    if after is not None:
        query = query.where(tuple_(hits.c.decided_at, hits.c.id) < after)
    return all_typed(Hit, work.execute(query.order_by(hits.c.decided_at.desc(), hits.c.id.desc()).limit(limit)).mappings())


def count_sample(work: UnitOfWork, *, since: datetime | None, most: int) -> int:
    """Count them, up to `most`."""
    query = select(hits.c.id).where(hits.c.stays_because.is_not(None))
    if since is not None:
        query = query.where(hits.c.decided_at >= since)
    return int(work.execute(select(func.count()).select_from(query.limit(most).subquery())).scalar_one())


def count_hits(work: UnitOfWork, erasure_id: str, *, undecided: bool) -> int:
    """Count the hits of an erasure."""
    query = select(func.count()).where(hits.c.erasure_id == erasure_id)
    return int(work.execute(query.where(hits.c.decision.is_(None)) if undecided else query).scalar_one())


def decide_hit(work: UnitOfWork, erasure_id: str, hit_id: str, *, decision: str, by: str, at: datetime, stays_because: str | None = None) -> bool:
    """Decide one hit; False when none of that id is undecided in this erasure."""
    statement = update(hits).where(hits.c.erasure_id == erasure_id, hits.c.id == hit_id, hits.c.decision.is_(None))
    return work.execute(statement.values(decision=decision, decided_by=by, decided_at=at, stays_because=stays_because)).rowcount == 1


def look_again_soon(work: UnitOfWork, *, now: datetime) -> None:
    """Have the search made again for every erasure that waits."""
    waits = erasures.c.waiting, erasures.c.completed_at.is_(None)
    work.execute(update(erasures).where(*waits).values(looked_at=None, next_at=now))


def waiting(work: UnitOfWork) -> list[Erasure]:
    """Return the erasures that wait for the privacy officer, the most urgent first."""
    query = select(erasures).where(erasures.c.waiting, erasures.c.completed_at.is_(None))
    return all_typed(Erasure, work.execute(query.order_by(erasures.c.decide_by, erasures.c.requested_at)).mappings())


def insert_destruction(work: UnitOfWork, destruction: Destruction) -> None:
    """Enter a destruction into the register, once."""
    work.execute(upsert(destructions).values(**asdict(destruction)).on_conflict_do_nothing())


def read_register(work: UnitOfWork, *, after: tuple[datetime, str] | None, limit: int) -> list[Destruction]:
    """Return the register of destruction, the newest first.

    :param after: when, and of which erasure, the last one before.
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
