"""Keep the periods in which each use preference of a person applied (T33)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from services.chassis.messages import wire_value

#: [preference, since, until or null], as on the wire.
Span = list[str | None]


def spans_of(before: Sequence[Span], stated: Iterable[str], *, now: datetime) -> list[Span]:
    """Return the periods after a person states exactly these preferences.

    A preference that is no longer stated ends now, and a new one begins now. Ended periods stay as they are.
    """
    at = str(wire_value(now))
    wanted = list(dict.fromkeys(stated))
    spans: list[Span] = [[name, since, until if until is not None or name in wanted else at] for name, since, until in before]
    standing = {name for name, _, until in spans if until is None}
    begun: list[Span] = [[name, at, None] for name in wanted if name not in standing]
    return spans + begun
