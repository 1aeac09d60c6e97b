"""Rate limits, which each process keeps in memory."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable

import eventlet

from gateway.errors import TooManySignIns


class FixedWindowRateLimiter:
    """Allows `limit` events per source in a window of `seconds`."""

    def __init__(self, limit: int, seconds: float, *, max_sources: int = 10_000, clock: Callable[[], float] = time.monotonic) -> None:
        self.limit = limit
        self.seconds = seconds
        self._max_sources = max_sources
        self._clock = clock
        self._counts: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def allow(self, source: str) -> bool:
        """Count an event, and tell whether it is within the limit."""
        begun, count = self._window(source)
        self._counts[source] = (begun, count + 1)
        self._counts.move_to_end(source)
        while len(self._counts) > self._max_sources:
            self._counts.popitem(last=False)
        return count < self.limit

    def is_exhausted(self, source: str) -> bool:
        """Tell whether the limit is reached, without counting."""
        return self._window(source)[1] >= self.limit

    def forget(self, source: str) -> None:
        """Reset the count of a source."""
        self._counts.pop(source, None)

    def _window(self, source: str) -> tuple[float, int]:
        now = self._clock()
        begun, count = self._counts.get(source, (now, 0))
        return (now, 0) if now - begun >= self.seconds else (begun, count)


class SignInQueue:
    """Delays sign-ins of a network after too many failed there, so that a stranger's failures lock nobody out.

    The delay is short enough for a browser, and long enough that guessing names or passwords does not pay.
    """

    #: Seconds that a sign-in waits at least, between two sign-ins, and at most.
    MIN_WAIT, INTERVAL, MAX_WAIT = 2.0, 0.1, 8.0

    def __init__(
        self,
        failed: FixedWindowRateLimiter,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = eventlet.sleep,
    ) -> None:
        self.failed = failed
        self._clock = clock
        self._sleep = sleep
        self._last: dict[str, float] = {}

    def wait(self, source: str) -> None:
        """Wait, where too many sign-ins of the source failed.

        :raises TooManySignIns: the wait would be too long.
        """
        if not self.failed.is_exhausted(source):
            return
        now = self._clock()
        self._last = {name: turn for name, turn in self._last.items() if turn > now}
        turn = max(now + self.MIN_WAIT, self._last.get(source, 0.0) + self.INTERVAL)
        if turn - now > self.MAX_WAIT:
            raise TooManySignIns
        self._last[source] = turn
        self._sleep(turn - now)
