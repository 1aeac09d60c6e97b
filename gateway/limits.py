"""How often somebody may: fixed windows in memory, one process's view, bounded in size."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable

import eventlet

from gateway.errors import TooManySignIns


class FixedWindowRateLimiter:
    """At most `limit` of something per source and `seconds`."""

    def __init__(self, limit: int, seconds: float, *, remembered: int = 10_000, clock: Callable[[], float] = time.monotonic) -> None:
        self.limit = limit
        self.seconds = seconds
        self._remembered = remembered
        self._clock = clock
        self._counts: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def admits(self, source: str) -> bool:
        """Count one, and tell whether it is still within the limit."""
        begun, count = self._present(source)
        self._counts[source] = (begun, count + 1)
        self._counts.move_to_end(source)
        while len(self._counts) > self._remembered:
            self._counts.popitem(last=False)
        return count < self.limit

    def is_exhausted(self, source: str) -> bool:
        """Tell whether the limit is reached, without counting."""
        return self._present(source)[1] >= self.limit

    def forget(self, source: str) -> None:
        """Begin anew for one source."""
        self._counts.pop(source, None)

    def _present(self, source: str) -> tuple[float, int]:
        now = self._clock()
        begun, count = self._counts.get(source, (now, 0))
        return (now, 0) if now - begun >= self.seconds else (begun, count)


class SignInQueue:
    """Sign-ins of a network, in line once too many failed: each waits its turn, and nobody is shut out by what others typed.

    The line is short enough that a browser waits for it, and slow enough that guessing names or passwords is no use.
    """

    #: Seconds that each waits at least, that lie between two, and that nobody waits beyond.
    LEAST, APART, MOST = 2.0, 0.1, 8.0

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
        """Wait for one's turn, if the source's failures ask for it.

        :raises TooManySignIns: the line is full.
        """
        if not self.failed.is_exhausted(source):
            return
        now = self._clock()
        self._last = {name: turn for name, turn in self._last.items() if turn > now}
        turn = max(now + self.LEAST, self._last.get(source, 0.0) + self.APART)
        if turn - now > self.MOST:
            raise TooManySignIns
        self._last[source] = turn
        self._sleep(turn - now)
