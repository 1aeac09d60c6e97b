"""Exponential backoff: how long to pause after failures in a row."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

#: Beyond this many doublings every pause is the longest; a larger power does not fit a float.
_DOUBLINGS = 60


def pause_after(failures: int, *, first: float, longest: float) -> float:
    """Return the seconds to pause when so many failures came before this one: doubled each time, up to the longest."""
    return min(first * 2.0 ** min(failures, _DOUBLINGS), longest)


def pauses(*, first: float, longest: float) -> Iterator[float]:
    """Yield the pauses after one failure after another, without end."""
    return (pause_after(failures, first=first, longest=longest) for failures in count())
