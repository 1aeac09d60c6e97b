"""Failed sign-ins: how many are too many.

The counts are in one process's memory, under digests with a key that ends with the process. An unknown user name is
written nowhere, and a known one is counted in the same way, so the limit does not tell who has an account.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections import OrderedDict
from datetime import datetime, timedelta

WINDOW = timedelta(minutes=5)
#: Failures of one user name from one source, and of one user name from anywhere. Of a source alone there is no limit:
#: whoever shares an address would be shut out by others. The gateway makes such a source wait.
PAIR_LIMIT, NAME_LIMIT = 5, 50
_KEPT = 20_000


class Throttle:
    """Counts failures in a sliding window, bounded in memory."""

    def __init__(self, *, key: bytes | None = None) -> None:
        self._key = key or secrets.token_bytes(32)
        self._failures: OrderedDict[bytes, list[datetime]] = OrderedDict()

    def is_closed(self, username: str, source: str, *, now: datetime) -> bool:
        """Return whether another attempt with this name from this source has to wait."""
        return any(len(self._recent(digest, now)) >= most for digest, most in self._limits(username, source))

    def failed(self, username: str, source: str, *, now: datetime) -> None:
        """Count one failure."""
        for digest, _ in self._limits(username, source):
            recent = self._recent(digest, now)
            recent.append(now)
            self._failures[digest] = recent
            self._failures.move_to_end(digest)
        while len(self._failures) > _KEPT:
            self._failures.popitem(last=False)

    def succeeded(self, username: str, source: str) -> None:
        """Delete the failures of this name from this source; others keep counting."""
        pair, _ = self._limits(username, source)
        self._failures.pop(pair[0], None)

    def _limits(self, username: str, source: str) -> list[tuple[bytes, int]]:
        return [
            (self._digest("pair", username, source), PAIR_LIMIT),
            (self._digest("name", username), NAME_LIMIT),
        ]

    def _recent(self, digest: bytes, now: datetime) -> list[datetime]:
        return [moment for moment in self._failures.get(digest, ()) if now - moment < WINDOW]

    def _digest(self, *parts: str) -> bytes:
        text = "\x1f".join(part.casefold() for part in parts)
        return hmac.new(self._key, text.encode("utf-8", "surrogatepass"), hashlib.sha256).digest()[:16]
