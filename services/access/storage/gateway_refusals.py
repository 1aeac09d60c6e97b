"""Statements over refusals at the gateway."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from services.access.storage.tables import gateway_refusals

if TYPE_CHECKING:
    from services.chassis.database import UnitOfWork


@dataclass(frozen=True, slots=True)
class FurtherRefusals:
    """The number of refusals of a source that followed the first one in a minute."""

    source_digest: str
    code: str
    further: int


def count(work: UnitOfWork, digest: str, code: str, *, minute: datetime) -> bool:
    """Count an anonymous refusal; return True for the first of its source and minute."""
    row = work.execute(
        upsert(gateway_refusals)
        .values(source_digest=digest, minute=minute, code=code, further=0)
        .on_conflict_do_update(index_elements=["source_digest", "minute"], set_={"further": gateway_refusals.c.further + 1})
        .returning(gateway_refusals.c.further)
    ).one()
    return bool(row.further == 0)


def settle(work: UnitOfWork, *, before: datetime, limit: int = 200) -> list[FurtherRefusals]:
    """Mark past minutes as summed up, and return what they had."""
    chosen = (
        select(gateway_refusals.c.source_digest, gateway_refusals.c.minute)
        .where(gateway_refusals.c.recorded_at.is_(None), gateway_refusals.c.minute < before)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).subquery()
    settled = work.execute(
        update(gateway_refusals)
        .where(
            gateway_refusals.c.source_digest == chosen.c.source_digest,
            gateway_refusals.c.minute == chosen.c.minute,
        )
        .values(recorded_at=func.now())
        .returning(gateway_refusals.c.source_digest, gateway_refusals.c.code, gateway_refusals.c.further)
    )
    return [FurtherRefusals(row.source_digest, row.code, row.further) for row in settled]


def forget(work: UnitOfWork, *, before: datetime) -> None:
    """Delete counts that were summed up."""
    work.execute(delete(gateway_refusals).where(gateway_refusals.c.recorded_at.is_not(None), gateway_refusals.c.minute < before - timedelta(hours=1)))
