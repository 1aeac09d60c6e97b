"""Waiting for a condition, with a deadline; tests never sleep for a length of time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")
#: Seconds between two questions, at first and at most: what is asked often is a load of its own on what is waited for.
_PAUSE = 0.02
_LONGEST_PAUSE = 0.25


class NeverHappened(AssertionError):
    """What was waited for did not happen in time."""


def eventually(condition: Callable[[], Found], seconds: float = 10.0, *, why: str = "") -> Found:
    """Ask again until the answer is true or not empty, and return it.

    An `AssertionError` counts as "not yet", so that a condition may be a whole set of assertions.

    :param seconds: ten times what it usually takes: the deadline proves liveness, it measures nothing.
    :raises NeverHappened: with `why`, and the last answer or assertion.
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
