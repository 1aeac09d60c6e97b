"""Check the moments that users enter."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from services.chassis.messages import Invalid

#: The accepted difference between the clocks of clients and servers.
CLOCK_SKEW = timedelta(minutes=2)
#: DHS was founded in 2003, so an earlier moment is a typing error.
EARLIEST = datetime(2003, 1, 1, tzinfo=UTC)


def require_past(moment: datetime, *, now: datetime, field: str) -> None:
    """Require a moment in the past, because the one-year clock starts from it (T6).

    :raises Invalid: the moment is in the future, or before DHS existed.
    """
    if moment > now + CLOCK_SKEW:
        raise Invalid(errors={field: ["Not in the future."]})
    if moment < EARLIEST:
        raise Invalid(errors={field: ["Not before 2003."]})


def day_somewhere(moment: datetime) -> date:
    """Return the earliest present date anywhere in the United States, which is that of American Samoa."""
    return (moment.astimezone(UTC) - timedelta(hours=11)).date()
