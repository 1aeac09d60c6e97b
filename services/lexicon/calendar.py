"""The one-year clock (R132, T6) and federal working days (T10)."""

import calendar
import datetime as dt
from functools import lru_cache
from typing import Final

_MONDAY, _THURSDAY, _SATURDAY, _SUNDAY = 0, 3, 5, 6

#: Legal public holidays (5 U.S.C. 6103(a)): those of a date, as month and day; and those of a weekday, as month, weekday
#: and which of the month's, counted from its end where it is below nothing.
_DATES: Final = ((1, 1), (6, 19), (7, 4), (11, 11), (12, 25))
_WEEKDAYS: Final = ((1, _MONDAY, 3), (2, _MONDAY, 3), (5, _MONDAY, -1), (9, _MONDAY, 1), (10, _MONDAY, 2), (11, _THURSDAY, 4))
#: One that falls on a Saturday is observed on the day before (6103(b)), one on a Sunday on the day after (E.O. 11582).
_OBSERVED: Final = {_SATURDAY: dt.timedelta(days=-1), _SUNDAY: dt.timedelta(days=1)}


def expires_on(latest_contact: dt.datetime | dt.date) -> dt.date:
    """Give the day at whose end (UTC) a record expires: the same day of the next year (T6).

    The argument is the latest of creation, interaction, attendance and verification; an instant
    counts by its day in UTC. 29 February gives 1 March.

    Raises ValueError for an instant without a time zone.
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


def has_expired(expiry: dt.date, now: dt.datetime) -> bool:
    """Say whether the end of that day, in UTC, has passed (T6).

    Raises ValueError for an instant without a time zone.
    """
    if now.tzinfo is None:
        raise ValueError("an instant needs a time zone")
    return now.astimezone(dt.UTC).date() > expiry


@lru_cache(maxsize=64)
def _federal_holidays(year: int) -> frozenset[dt.date]:
    # The New Year's Day that may be observed in this year is the next one's.
    dates = [*(dt.date(year, *date) for date in _DATES), dt.date(year + 1, 1, 1)]
    observed = {day + _OBSERVED.get(day.weekday(), dt.timedelta()) for day in dates}
    return frozenset(observed | {_weekday_of(year, *rule) for rule in _WEEKDAYS})


def _weekday_of(year: int, month: int, weekday: int, which: int) -> dt.date:
    days = [day for day in calendar.Calendar().itermonthdates(year, month) if day.month == month and day.weekday() == weekday]
    return days[which - 1 if which > 0 else which]


def is_working_day(day: dt.date) -> bool:
    """Say whether federal offices are open on that day."""
    return day.weekday() < _SATURDAY and day not in _federal_holidays(day.year)


def add_working_days(start: dt.date, count: int) -> dt.date:
    """Give the day that is so many federal working days after the start, which does not count."""
    day = start
    while count > 0:
        day += dt.timedelta(days=1)
        if is_working_day(day):
            count -= 1
    return day
