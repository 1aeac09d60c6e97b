"""Statements over erasures: their course, receipts, hits, certificates and the register."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, delete, exists, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from services.retention.domain.saga import COURSES
from services.retention.storage.requests import standing_hold
from services.retention.storage.tables import destructions, erasures, hits, holds, receipts

if TYPE_CHECKING:
    from services.chassis.database import UnitOfWork

Row = Mapping[str, Any]
_FIRST_STEPS = [course[0] for course in COURSES.values()]


def insert_erasure(work: UnitOfWork, values: Mapping[str, Any]) -> bool:
    """Enter an erasure; False when there is one of the same record."""
    entered = work.execute(upsert(erasures).values(**values).on_conflict_do_nothing().returning(erasures.c.id))
    return entered.first() is not None


def find(work: UnitOfWork, erasure_id: str, *, lock: bool = False) -> Row | None:
    """Return one erasure, or None."""
    query = select(erasures).where(erasures.c.id == erasure_id)
    row = work.execute(query.with_for_update() if lock else query).one_or_none()
    return _mapped(row) if row else None


def find_of(work: UnitOfWork, subject_id: str, *, lock: bool = False) -> Row | None:
    """Return the erasure of a record, or None."""
    query = select(erasures).where(erasures.c.subject_id == subject_id)
    row = work.execute(query.with_for_update() if lock else query).one_or_none()
    return _mapped(row) if row else None


def due(work: UnitOfWork, *, now: datetime, limit: int = 20) -> list[str]:
    """Return erasures on which a step can be taken: not done, not waiting, not claimed, not on hold before it began."""
    query = select(erasures.c.id).where(_ready(now)).order_by(erasures.c.next_at).limit(limit)
    return list(work.execute(query).scalars())


def claim(work: UnitOfWork, erasure_id: str, *, claim_id: str, until: datetime, now: datetime) -> Row | None:
    """Take an erasure for one step, so that nobody else takes it meanwhile; None when it is not ready."""
    statement = update(erasures).where(erasures.c.id == erasure_id, _ready(now)).values(claim=claim_id, claimed_until=until).returning(erasures)
    row = work.execute(statement).one_or_none()
    return _mapped(row) if row else None


def _ready(now: datetime) -> Any:
    held = exists().where(holds.c.subject_id == erasures.c.subject_id, standing_hold(now.date()))
    return and_(
        erasures.c.completed_at.is_(None),
        ~erasures.c.waiting,
        erasures.c.next_at <= now,
        or_(erasures.c.claimed_until.is_(None), erasures.c.claimed_until < now),
        ~and_(erasures.c.step.in_(_FIRST_STEPS), held),
    )


def change(work: UnitOfWork, erasure_id: str, *, claim_id: str | None = None, **values: Any) -> bool:
    """Change an erasure; with `claim_id` only for whoever still has the claim. False when that is somebody else."""
    condition = erasures.c.id == erasure_id
    if claim_id is not None:
        condition = and_(condition, erasures.c.claim == claim_id)
    return work.execute(update(erasures).where(condition).values(**values)).rowcount == 1


def put_receipts(work: UnitOfWork, erasure_id: str, step: str, service: str, rows: Iterable[Mapping[str, Any]], *, at: datetime) -> None:
    """Keep what a step's stores answered, in place of what they answered to the same step before."""
    work.execute(delete(receipts).where(receipts.c.erasure_id == erasure_id, receipts.c.step == step))
    for row in rows:
        values = {
            "service": service,
            "found": int(row["found"]),
            "removed": int(row["removed"]),
            "remaining": int(row["left"]),
            "method": str(row["method"]),
            "at": at,
        }
        statement = upsert(receipts).values(erasure_id=erasure_id, step=step, store=str(row["store"]), **values)
        work.execute(
            statement.on_conflict_do_update(
                index_elements=["erasure_id", "step", "store"],
                set_={
                    "found": receipts.c.found + statement.excluded.found,
                    "removed": receipts.c.removed + statement.excluded.removed,
                    "remaining": receipts.c.remaining + statement.excluded.remaining,
                },
            )
        )


def read_receipts(work: UnitOfWork, erasure_id: str) -> list[Row]:
    """Return the receipts, in the order in which they came."""
    query = select(receipts).where(receipts.c.erasure_id == erasure_id).order_by(receipts.c.at, receipts.c.store)
    return [_mapped(row) for row in work.execute(query)]


def put_hits(work: UnitOfWork, erasure_id: str, service: str, found: Iterable[Mapping[str, Any]]) -> None:
    """Keep what a service's search hit now: what it hit before and not any more goes, decisions stay."""
    now_found = [(str(hit["store"]), str(hit["id"]), str(hit.get("field") or ""), str(hit["hit_id"])) for hit in found]
    known = {
        (row.store, row.record_id, row.field): row.id
        for row in work.execute(select(hits).where(hits.c.erasure_id == erasure_id, hits.c.service == service))
    }
    places = {(store, record, field) for store, record, field, _ in now_found}
    gone = [row_id for place, row_id in known.items() if place not in places]
    if gone:
        # Whatever was decided to be kept is not reported again by a service that was told so: it stays on record.
        work.execute(delete(hits).where(hits.c.id.in_(gone), hits.c.decision.is_(None)))
    for store, record, field, hit_id in now_found:
        work.execute(
            upsert(hits)
            .values(id=hit_id, erasure_id=erasure_id, service=service, store=store, record_id=record, field=field)
            .on_conflict_do_nothing()
        )


def read_hits(work: UnitOfWork, erasure_id: str) -> list[Row]:
    """Return the hits of an erasure."""
    query = select(hits).where(hits.c.erasure_id == erasure_id).order_by(hits.c.service, hits.c.store, hits.c.id)
    return [_mapped(row) for row in work.execute(query)]


def undecided(work: UnitOfWork, erasure_id: str) -> int:
    """Count the hits that are not decided."""
    query = select(func.count()).where(hits.c.erasure_id == erasure_id, hits.c.decision.is_(None))
    return int(work.execute(query).scalar_one())


def decide_hit(work: UnitOfWork, erasure_id: str, hit_id: str, *, decision: str | None, by: str, at: datetime) -> bool:
    """Decide one hit; False when there is none of that id in this erasure."""
    statement = update(hits).where(hits.c.erasure_id == erasure_id, hits.c.id == hit_id)
    return work.execute(statement.values(decision=decision, decided_by=by, decided_at=at)).rowcount == 1


def waiting(work: UnitOfWork) -> list[Row]:
    """Return the erasures that wait for the privacy officer."""
    query = select(erasures).where(erasures.c.waiting, erasures.c.completed_at.is_(None))
    return [_mapped(row) for row in work.execute(query.order_by(erasures.c.requested_at))]


def insert_destruction(work: UnitOfWork, values: Mapping[str, Any]) -> None:
    """Enter a destruction into the register, once."""
    work.execute(upsert(destructions).values(**values).on_conflict_do_nothing())


def read_register(work: UnitOfWork, *, after: datetime | None, limit: int) -> list[Row]:
    """Return the register of destruction, the newest first."""
    query = select(destructions)
    if after is not None:
        query = query.where(destructions.c.destroyed_at < after)
    rows = work.execute(query.order_by(destructions.c.destroyed_at.desc(), destructions.c.erasure_id).limit(limit))
    return [_mapped(row) for row in rows]


def _mapped(row: Any) -> dict[str, Any]:
    return dict(row._mapping)  # noqa: SLF001 - its public name, underscored against clashes with columns
