"""Statements over sessions and acknowledgements."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Row, and_, insert, select, update

from services.access.domain.sessions import IDLE, Session
from services.access.storage.tables import acknowledgements, sessions

if TYPE_CHECKING:
    from services.chassis.database import UnitOfWork

_columns = [column for column in sessions.c if column.name != "token_digest"]


def _session(row: Row[Any]) -> Session:
    return Session(**row._mapping)  # noqa: SLF001 - its public name, underscored against clashes with columns


def find_by_digest(work: UnitOfWork, digest: bytes) -> Session | None:
    """Return the session of a token, also an ended one, or None."""
    row = work.execute(select(*_columns).where(sessions.c.token_digest == digest)).one_or_none()
    return _session(row) if row else None


def find(work: UnitOfWork, session_id: str, *, lock: bool = False) -> Session | None:
    """Return a session by its id, or None."""
    query = select(*_columns).where(sessions.c.id == session_id)
    row = work.execute(query.with_for_update() if lock else query).one_or_none()
    return _session(row) if row else None


def live(work: UnitOfWork, user_id: str) -> list[Session]:
    """Return a user's sessions that were not ended, also idle ones."""
    query = select(*_columns).where(sessions.c.user_id == user_id, sessions.c.ended_at.is_(None))
    return [_session(row) for row in work.execute(query.order_by(sessions.c.opened_at, sessions.c.id))]


def insert_session(work: UnitOfWork, session: Session, digest: bytes) -> None:
    """Insert a session under the digest of its token."""
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
    """Set when the session was last used; never to an earlier instant, even where another process's clock is behind."""
    newer = and_(sessions.c.id == session_id, sessions.c.last_seen_at < at)
    work.execute(update(sessions).where(newer).values(last_seen_at=at))


def end(work: UnitOfWork, session_id: str, *, because: str, at: datetime) -> bool:
    """End a session; return False if it had already ended."""
    alive = and_(sessions.c.id == session_id, sessions.c.ended_at.is_(None))
    return work.execute(update(sessions).where(alive).values(ended_at=at, ended_because=because)).rowcount == 1


def insert_acknowledgement(work: UnitOfWork, acknowledgement_id: str, *, session: Session, version: str, digest: bytes | None, at: datetime) -> None:
    """Insert an acknowledgement; a new digest replaces that of the session's token."""
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
    """Return the sessions that ended after an instant."""
    query = select(sessions.c.id).where(sessions.c.ended_at > since).order_by(sessions.c.ended_at)
    return list(work.execute(query).scalars())


def over_but_not_ended(work: UnitOfWork, *, now: datetime, limit: int = 500) -> list[Session]:
    """Lock and return sessions whose time has passed and that were not ended yet."""
    past = (sessions.c.expires_at <= now) | (sessions.c.last_seen_at <= now - IDLE)
    query = select(*_columns).where(sessions.c.ended_at.is_(None), past).limit(limit).with_for_update(skip_locked=True)
    return [_session(row) for row in work.execute(query)]
