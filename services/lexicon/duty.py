"""Who must erase a person who asked for no more contact, and by when (T10)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime

from services.lexicon.calendar import add_working_days

_WORKING_DAYS = 2


@dataclass(frozen=True, slots=True)
class Duty:
    """Who must erase, and by when."""

    #: `owner`, `office_administrator` or `system_owner`.
    of: str
    due_on: date


def owner_erases_by(recorded_at: datetime) -> date:
    """Return the owner's last day to erase: two federal working days after the request."""
    return add_working_days(recorded_at.astimezone(UTC).date(), _WORKING_DAYS)


def duty_to_erase(*, recorded_at: datetime, owner_is_active: bool, office_has_administrator: bool, now: datetime) -> Duty:
    """Return who must erase now.

    The duty passes from the owner to the component's office administrator after two federal working days, or at once if
    the owner is not active. It passes to the system owner two working days later, or at once without an administrator.
    """
    today = now.astimezone(UTC).date()
    first = owner_erases_by(recorded_at)
    second = add_working_days(first, _WORKING_DAYS)
    if owner_is_active and today <= first:
        return Duty("owner", first)
    if office_has_administrator and today <= second:
        return Duty("office_administrator", first if today <= first else second)
    return Duty("system_owner", max(first, min(second, today)))
