"""Time zones: valid names, display names, and conversion of ambiguous or skipped local times (T29)."""

from __future__ import annotations

import functools
import zoneinfo
from datetime import UTC, datetime, timedelta

#: The zone of users who have not chosen one: the Department's.
DEFAULT = "America/New_York"
NAMES = {
    "America/New_York": "Eastern Time",
    "America/Chicago": "Central Time",
    "America/Denver": "Mountain Time",
    "America/Phoenix": "Mountain Time without daylight saving, Arizona",
    "America/Los_Angeles": "Pacific Time",
    "America/Anchorage": "Alaska Time",
    "Pacific/Honolulu": "Hawaii Time",
    "America/Puerto_Rico": "Atlantic Time, Puerto Rico and the Virgin Islands",
    "Pacific/Guam": "Chamorro Time, Guam and the Northern Mariana Islands",
    "Pacific/Pago_Pago": "Samoa Time",
    "UTC": "UTC",
}


@functools.cache
def zones() -> frozenset[str]:
    """Return the names of all zones in the IANA database."""
    return frozenset(zoneinfo.available_timezones() - {"Factory", "localtime", "posixrules"})


def is_zone(name: str | None) -> bool:
    """Return whether there is a zone of this name."""
    return name is not None and name in zones()


@functools.lru_cache(maxsize=64)
def zone(name: str) -> zoneinfo.ZoneInfo:
    """Return the zone of this name."""
    return zoneinfo.ZoneInfo(name)


def label(name: str) -> str:
    """Return the display name of a zone: `Eastern Time`, `Europe/Berlin`."""
    return NAMES.get(name, name.replace("_", " "))


def written(moment: datetime, name: str) -> str:
    """Format an instant in a zone: `November 28, 2026, 2:05 p.m. EST`."""
    try:
        local = moment.astimezone(zone(name))
    except OverflowError:
        local = moment.astimezone(UTC)
    return f"{local:%B} {local.day}, {local.year}, {clock(local)} {abbreviation(local)}"


def clock(local: datetime) -> str:
    """Format a time of day: `2:05 p.m.`"""
    return f"{local.hour % 12 or 12}:{local.minute:02} {'a.m.' if local.hour < 12 else 'p.m.'}"


def abbreviation(local: datetime) -> str:
    """Return the zone's abbreviation at that time, or its offset: `EST`, `UTC+04`."""
    name = local.tzname() or ""
    return f"UTC{name}" if name[:1] in {"+", "-"} else name


def instants(local: datetime, name: str) -> list[datetime]:
    """Return the instants of a local time: one, none if clocks skip it, or two if clocks repeat it."""
    found: list[datetime] = []
    for fold in (0, 1):
        moment = local.replace(tzinfo=zone(name), fold=fold)
        if moment.astimezone(UTC).astimezone(zone(name)).replace(tzinfo=None) == local and moment.utcoffset() not in [
            other.utcoffset() for other in found
        ]:
            found.append(moment)
    return found


def jump(local: datetime, name: str) -> tuple[datetime, datetime]:
    """Return the local times before and after the jump of clocks that skips this local time."""
    before = local.replace(tzinfo=zone(name), fold=0).utcoffset() or timedelta()
    after = local.replace(tzinfo=zone(name), fold=1).utcoffset() or timedelta()
    # In a gap, fold=0 has the offset before it and fold=1 the offset after it.
    low, high = (local - timedelta(hours=3)).replace(tzinfo=UTC), (local + timedelta(hours=3)).replace(tzinfo=UTC)
    low, high = low - before, high - before
    while high - low > timedelta(seconds=1):
        middle = low + (high - low) / 2
        if middle.astimezone(zone(name)).utcoffset() == before:
            low = middle
        else:
            high = middle
    turn = high.replace(microsecond=0)
    return (turn + before).replace(tzinfo=None), (turn + after).replace(tzinfo=None)
