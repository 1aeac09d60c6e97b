"""Time zones: which there are, what Americans call them, and when a local time is none or two instants (T29)."""

from __future__ import annotations

import functools
import zoneinfo
from datetime import UTC, datetime, timedelta

#: Where the Department is; whoever has not said where they are is taken to be there.
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
    """Return every zone of the IANA database by its name."""
    return frozenset(zoneinfo.available_timezones() - {"Factory", "localtime", "posixrules"})


def is_zone(name: str | None) -> bool:
    """Tell whether there is a zone of this name."""
    return name is not None and name in zones()


@functools.lru_cache(maxsize=64)
def zone(name: str) -> zoneinfo.ZoneInfo:
    """Return the zone of this name."""
    return zoneinfo.ZoneInfo(name)


def label(name: str) -> str:
    """Return what people call a zone: `Eastern Time`, `Europe/Berlin`."""
    return NAMES.get(name, name.replace("_", " "))


def written(moment: datetime, name: str) -> str:
    """Return an instant as people in the zone write it: `November 28, 2026, 2:05 p.m. EST`."""
    try:
        local = moment.astimezone(zone(name))
    except OverflowError:
        local = moment.astimezone(UTC)
    return f"{local:%B} {local.day}, {local.year}, {clock(local)} {abbreviation(local)}"


def clock(local: datetime) -> str:
    """Return a time of day: `2:05 p.m.`"""
    return f"{local.hour % 12 or 12}:{local.minute:02} {'a.m.' if local.hour < 12 else 'p.m.'}"


def abbreviation(local: datetime) -> str:
    """Return the zone's letters at that time, or its offset where it has none: `EST`, `UTC+04`."""
    name = local.tzname() or ""
    return f"UTC{name}" if name[:1] in {"+", "-"} else name


def instants(local: datetime, name: str) -> list[datetime]:
    """Return which instants a local time is: one, none when clocks jump over it, two when they go back over it."""
    found: list[datetime] = []
    for fold in (0, 1):
        moment = local.replace(tzinfo=zone(name), fold=fold)
        if moment.astimezone(UTC).astimezone(zone(name)).replace(tzinfo=None) == local and moment.utcoffset() not in [
            other.utcoffset() for other in found
        ]:
            found.append(moment)
    return found


def jump(local: datetime, name: str) -> tuple[datetime, datetime]:
    """Return between which local times clocks jump, for a local time that there is not."""
    before = local.replace(tzinfo=zone(name), fold=0).utcoffset() or timedelta()
    after = local.replace(tzinfo=zone(name), fold=1).utcoffset() or timedelta()
    # In a gap the first reading has the offset of before it, the second that of after it.
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
