"""How often somebody may: fixed windows in memory, one process's view, bounded in size."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable


class Window:
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
