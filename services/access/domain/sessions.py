"""Sessions: their lifetime, their number, and the stored form of a token."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

#: A session ends after this time without a request.
IDLE = timedelta(minutes=15)
#: Every session ends after this time.
TOTAL = timedelta(hours=12)
#: For how long a heartbeat names an ended session: longer than any passport of it is valid.
TOLD_FOR = timedelta(seconds=120)

# 32 bytes in base64url without padding; the last character carries four bits of the token, so only 16 can stand there.
_TOKEN = re.compile(r"[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]", re.ASCII)


@dataclass(frozen=True, slots=True)
class Session:
    """A session. `ended_because` is set when it has ended."""

    id: str
    user_id: str
    opened_at: datetime
    last_seen_at: datetime
    expires_at: datetime
    acknowledgement_id: str | None = None
    ended_at: datetime | None = None
    ended_because: str | None = None

    @property
    def idle_expires_at(self) -> datetime:
        """When the session ends without a further request."""
        return min(self.last_seen_at + IDLE, self.expires_at)


def new_token() -> str:
    """Return 256 random bits as text."""
    return secrets.token_urlsafe(32)


def token_digest(token: object) -> bytes | None:
    """Return the SHA-256 under which a token is stored, or None if this cannot be a token.

    Base64 leaves two bits of the last character unused. Only the canonical spelling counts, so that each changed
    character makes another token.
    """
    if not isinstance(token, str) or not _TOKEN.fullmatch(token):
        return None
    return hashlib.sha256(token.encode()).digest()


def why_over(session: Session, *, now: datetime) -> str | None:
    """Return why a session is over (`signed-out`, `idle`, `expired`, …), or None while it lives."""
    if session.ended_because is not None:
        return session.ended_because
    if now >= session.expires_at:
        return "expired"
    if now >= session.last_seen_at + IDLE:
        return "idle"
    return None


def beyond_limit(live: Sequence[Session], *, is_administrator: bool) -> list[Session]:
    """Return the oldest sessions that must end so that one more fits: a user may hold two, an administrator three."""
    excess = len(live) + 1 - (3 if is_administrator else 2)
    return sorted(live, key=lambda session: (session.opened_at, session.id))[: max(0, excess)]
