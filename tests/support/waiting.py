"""Wait for a condition with a deadline. Tests never sleep for a fixed time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")
#: The first and the longest pause between calls, in seconds. Frequent calls would slow down the system.
_PAUSE = 0.02
_LONGEST_PAUSE = 0.25


class NeverHappened(AssertionError):
    """The condition was not met in time."""


def eventually(condition: Callable[[], Found], seconds: float = 10.0, *, why: str = "") -> Found:
    """Call a function until its result is true or not empty, and return the result.

    An `AssertionError` counts as "not yet", so that a condition may be a whole set of assertions.

    :param seconds: ten times the usual time, because the deadline proves liveness and measures nothing.
    :raises NeverHappened: with `why` and the last result or assertion.
    """
    deadline = time.monotonic() + seconds
    pause = _PAUSE
    last: object
    while True:
        try:
            answer = condition()
        except AssertionError as not_yet:
            last = not_yet
        else:
            if answer:
                return answer
            last = answer
        left = deadline - time.monotonic()
        if left <= 0:
            raise NeverHappened(f"{why or 'It'} did not happen within {seconds:g} s; the last answer was {last!r}")
        time.sleep(min(pause, left))
        pause = min(pause * 1.25, _LONGEST_PAUSE)
