"""The weekly review: which weeks wait for the ISSO's sign-off, and which are overdue."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Literal

State = Literal["open", "due", "overdue", "signed"]
WEEK = timedelta(days=7)


def monday_of(day: date) -> date:
    """Return the Monday of a day's week."""
    return day - timedelta(days=day.weekday())


def state_of(week: date, *, today: date, signed: bool) -> State:
    """Return a week's state: *open* until it is over, *due* in the week after it, then *overdue*, unless signed."""
    if signed:
        return "signed"
    if today < week + WEEK:
        return "open"
    return "due" if today < week + 2 * WEEK else "overdue"


def weeks_between(first: date, last: date) -> Iterator[date]:
    """Yield the Mondays of all weeks from that of `first` to that of `last`, newest first."""
    week = monday_of(last)
    while week >= monday_of(first):
        yield week
        week -= WEEK
