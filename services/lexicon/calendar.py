"""Expiry of records after one year (R132, T6), and federal working days (T10)."""

import datetime as dt
from functools import lru_cache
from typing import Final

_SATURDAY: Final = 5


def expires_on(latest_contact: dt.datetime | dt.date) -> dt.date:
    """Return the day at whose end (UTC) a record expires: the same day of the next year, for 29 February 1 March (T6).

    :param latest_contact: the latest of creation, interaction, attendance and verification; an instant counts as its
        day in UTC.
    :raises ValueError: the instant has no time zone.
    """
    if isinstance(latest_contact, dt.datetime):
        if latest_contact.tzinfo is None:
            raise ValueError("an instant needs a time zone")
        day = latest_contact.astimezone(dt.UTC).date()
    else:
        day = latest_contact
    if (day.month, day.day) == (2, 29):
        return dt.date(day.year + 1, 3, 1)
    return day.replace(year=day.year + 1)


@lru_cache(maxsize=64)
def _federal_holidays(year: int) -> frozenset[dt.date]:
    # Imported here, because it takes megabytes and few processes need it.
    import holidays

    # New Year's Day that falls on a Saturday is observed in the year before.
    days = holidays.country_holidays("US", years=(year, year + 1), observed=True)
    return frozenset(day for day in days if day.year == year)


def is_working_day(day: dt.date) -> bool:
    """Return whether federal offices are open on that day."""
    return day.weekday() < _SATURDAY and day not in _federal_holidays(day.year)


def add_working_days(start: dt.date, count: int) -> dt.date:
    """Return the day `count` federal working days after the start, which does not count."""
    day = start
    while count > 0:
        day += dt.timedelta(days=1)
        if is_working_day(day):
            count -= 1
    return day
