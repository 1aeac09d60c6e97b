"""Which moments count."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from services.chassis.messages import Invalid

#: Clocks of clients and servers differ by so much, and not by more.
CLOCK_SKEW = timedelta(minutes=2)
#: DHS was founded in 2003; an earlier moment is a slip of the keyboard.
EARLIEST = datetime(2003, 1, 1, tzinfo=UTC)


def require_past(moment: datetime, *, now: datetime, field: str) -> None:
    """Only what has happened is logged: the one-year clock starts from it (T6).

    :raises Invalid: the moment lies in the future, or before there was a department.
    """
    if moment > now + CLOCK_SKEW:
        raise Invalid(errors={field: ["Not in the future."]})
    if moment < EARLIEST:
        raise Invalid(errors={field: ["Not before 2003."]})


def day_somewhere(moment: datetime) -> date:
    """Return the earliest day that it is at this moment anywhere in the United States (American Samoa's): a user's own is no earlier."""
    return (moment.astimezone(UTC) - timedelta(hours=11)).date()
