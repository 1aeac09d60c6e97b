"""Exponential backoff."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

#: Limits the exponent, because larger powers overflow a float.
_DOUBLINGS = 60


def pause_after(failures: int, *, first: float, longest: float) -> float:
    """Return the pause in seconds after earlier `failures`: `first`, doubled for each of them, at most `longest`."""
    return min(first * 2.0 ** min(failures, _DOUBLINGS), longest)


def pauses(*, first: float, longest: float) -> Iterator[float]:
    """Yield the pauses for consecutive failures, without end."""
    return (pause_after(failures, first=first, longest=longest) for failures in count())
