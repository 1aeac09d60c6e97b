"""Statements over sessions, acknowledgements and refusals at the gateway."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import Row, and_, delete, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from services.access.domain.sessions import IDLE, Session
from services.access.storage.tables import acknowledgements, gateway_refusals, sessions, users

if TYPE_CHECKING:
    from services.chassis.database import UnitOfWork

_columns = [column for column in sessions.c if column.name != "token_digest"]


@dataclass(frozen=True, slots=True)
class FurtherRefusals:
    """How many refusals of a source followed the first one in a minute."""

    source_digest: str
    code: str
    further: int


def _session(row: Row[Any]) -> Session:
    return Session(**row._mapping)  # noqa: SLF001 - its public name, underscored against clashes with columns


def find_by_digest(work: UnitOfWork, digest: bytes, *, lock: bool = False) -> Session | None:
    """Return the session of a token, ended ones too, or None."""
    query = select(*_columns).where(sessions.c.token_digest == digest)
    row = work.execute(query.with_for_update() if lock else query).one_or_none()
    return _session(row) if row else None


def find(work: UnitOfWork, session_id: str, *, lock: bool = False) -> Session | None:
    """Return a session by its id, or None."""
    query = select(*_columns).where(sessions.c.id == session_id)
    row = work.execute(query.with_for_update() if lock else query).one_or_none()
    return _session(row) if row else None


def lock_sessions_of(work: UnitOfWork, user_id: str) -> None:
    """Let one sign-in or change of rights of a user at a time count and end sessions."""
    work.execute(select(users.c.id).where(users.c.id == user_id).with_for_update())


def live(work: UnitOfWork, user_id: str) -> list[Session]:
    """Return a user's sessions that have not been ended, the idle among them."""
    query = select(*_columns).where(sessions.c.user_id == user_id, sessions.c.ended_at.is_(None))
    return [_session(row) for row in work.execute(query.order_by(sessions.c.opened_at, sessions.c.id))]


def insert_session(work: UnitOfWork, session: Session, digest: bytes) -> None:
    """Enter a new session under the digest of its token."""
    work.execute(
        insert(sessions).values(
            id=session.id,
            user_id=session.user_id,
            token_digest=digest,
            opened_at=session.opened_at,
            last_seen_at=session.last_seen_at,
            expires_at=session.expires_at,
        )
    )


def touch(work: UnitOfWork, session_id: str, *, at: datetime) -> None:
    """Note that the session is in use; never backwards, whatever a second process's clock says."""
    newer = and_(sessions.c.id == session_id, sessions.c.last_seen_at < at)
    work.execute(update(sessions).where(newer).values(last_seen_at=at))


def end(work: UnitOfWork, session_id: str, *, because: str, at: datetime) -> bool:
    """End a session; False when it had ended before."""
    alive = and_(sessions.c.id == session_id, sessions.c.ended_at.is_(None))
    return work.execute(update(sessions).where(alive).values(ended_at=at, ended_because=because)).rowcount == 1


def insert_acknowledgement(work: UnitOfWork, acknowledgement_id: str, *, session: Session, version: str, digest: bytes | None, at: datetime) -> None:
    """Record who acknowledged which text, and when; a new digest replaces the session's token."""
    work.execute(
        insert(acknowledgements).values(
            id=acknowledgement_id,
            user_id=session.user_id,
            session_id=session.id,
            statements_version=version,
            acknowledged_at=at,
        )
    )
    values: dict[str, Any] = {"acknowledgement_id": acknowledgement_id}
    if digest is not None:
        values["token_digest"] = digest
    work.execute(update(sessions).where(sessions.c.id == session.id).values(**values))


def ended_since(work: UnitOfWork, since: datetime) -> list[str]:
    """Return the sessions that ended after that instant."""
    query = select(sessions.c.id).where(sessions.c.ended_at > since).order_by(sessions.c.ended_at)
    return list(work.execute(query).scalars())


def over_but_not_ended(work: UnitOfWork, *, now: datetime, limit: int = 500) -> list[Session]:
    """Return sessions whose time has passed and which nobody has ended yet."""
    past = (sessions.c.expires_at <= now) | (sessions.c.last_seen_at <= now - IDLE)
    query = select(*_columns).where(sessions.c.ended_at.is_(None), past).limit(limit).with_for_update(skip_locked=True)
    return [_session(row) for row in work.execute(query)]


def count_refusal(work: UnitOfWork, digest: str, code: str, *, minute: datetime) -> bool:
    """Count one anonymous refusal; True for the first of its source and minute."""
    row = work.execute(
        upsert(gateway_refusals)
        .values(source_digest=digest, minute=minute, code=code, further=0)
        .on_conflict_do_update(index_elements=["source_digest", "minute"], set_={"further": gateway_refusals.c.further + 1})
        .returning(gateway_refusals.c.further)
    ).one()
    return bool(row.further == 0)


def settled_refusals(work: UnitOfWork, *, before: datetime, limit: int = 200) -> list[FurtherRefusals]:
    """Return the minutes that are over and not yet summed up, and mark them so."""
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


def forget_refusals(work: UnitOfWork, *, before: datetime) -> None:
    """Drop counts that were summed up."""
    work.execute(delete(gateway_refusals).where(gateway_refusals.c.recorded_at.is_not(None), gateway_refusals.c.minute < before - timedelta(hours=1)))
