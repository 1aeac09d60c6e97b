"""Input fields for instants (RFC 3339, with an offset) and days, within plausible limits (T29)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from marshmallow import ValidationError, fields

#: Real dates lie between these years, and adding a day or an offset can't overflow.
FIRST_YEAR: Final = 1900
LAST_YEAR: Final = 2200

_INSTANT: Final = re.compile(r"(\d{4}-\d{2}-\d{2})[Tt](\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?(?:([Zz])|([+-])(\d{2}):(\d{2}))", re.ASCII)
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
#: The offsets from UTC that exist.
_WEST, _EAST = timedelta(hours=-12), timedelta(hours=14)

_NO_INSTANT: Final = "An instant with its offset, such as 2026-11-28T14:05:00-05:00."
_NO_DAY: Final = "A day, such as 2026-11-28."
_OUTSIDE: Final = f"Between {FIRST_YEAR} and {LAST_YEAR}."


class Instant(fields.AwareDateTime):
    """An RFC 3339 instant; the time of day and the offset are required."""

    def __init__(self, **options: Any) -> None:
        """Set the format and the default time zone."""
        super().__init__(format="iso", default_timezone=UTC, **options)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> datetime:
        found = _INSTANT.fullmatch(value) if isinstance(value, str) else None
        if found is None:
            # In a query, an unencoded "+" is read as a space.
            blank = isinstance(value, str) and re.search(r":\d{2} \d{2}:\d{2}$", value)
            raise ValidationError("Encode the + of the offset as %2B." if blank else _NO_INSTANT)
        day, time, fraction, _, sign, hours, minutes = found.groups()
        offset = timedelta(hours=int(hours or 0), minutes=int(minutes or 0)) * (-1 if sign == "-" else 1)
        if int(minutes or 0) > 59 or not _WEST <= offset <= _EAST:
            raise ValidationError("No place on earth has this offset from UTC.")
        try:
            local = datetime.fromisoformat(f"{day}T{time}.{(fraction or '')[:6]:0<6}")
        except ValueError:
            raise ValidationError("There is no such day or time.") from None
        if not FIRST_YEAR <= local.year <= LAST_YEAR:
            raise ValidationError(_OUTSIDE)
        return (local - offset).replace(tzinfo=UTC)


class Day(fields.Date):
    """A calendar day, written as in RFC 3339."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> date:
        if not isinstance(value, str) or not _DAY.fullmatch(value):
            raise ValidationError(_NO_DAY)
        try:
            day = date.fromisoformat(value)
        except ValueError:
            raise ValidationError("There is no such day.") from None
        if not FIRST_YEAR <= day.year <= LAST_YEAR:
            raise ValidationError(_OUTSIDE)
        return day
