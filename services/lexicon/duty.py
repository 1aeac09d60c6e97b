"""On whom the duty to erase somebody who asked for no more contact lies, and by when (T10)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime

from services.lexicon.calendar import add_working_days

_WORKING_DAYS = 2


@dataclass(frozen=True, slots=True)
class Duty:
    """On whom it lies, and by when they erase."""

    #: `owner`, `office_administrator` or `system_owner`.
    of: str
    due_on: date


def owner_erases_by(recorded_at: datetime) -> date:
    """Return the last day on which the duty is the owner's: two federal working days after the request."""
    return add_working_days(recorded_at.astimezone(UTC).date(), _WORKING_DAYS)


def duty_to_erase(*, recorded_at: datetime, owner_is_active: bool, office_has_administrator: bool, now: datetime) -> Duty:
    """Return on whom the duty lies now.

    It passes to the component's office administrator at once when the owner is not active, else when two federal
    working days have passed; two more working days later, or at once where there is no administrator, to the system
    owner.
    """
    today = now.astimezone(UTC).date()
    first = owner_erases_by(recorded_at)
    second = add_working_days(first, _WORKING_DAYS)
    if owner_is_active and today <= first:
        return Duty("owner", first)
    if office_has_administrator and today <= second:
        return Duty("office_administrator", first if today <= first else second)
    return Duty("system_owner", max(first, min(second, today)))
