"""When a record expires and why (T6), and on whom the duty to erase lies (T10)."""

from __future__ import annotations

from datetime import UTC, date, datetime

from services.lexicon.calendar import add_working_days, expires_on

_WORKING_DAYS = 2


def expiry(*, created_at: datetime, last_contacted_at: datetime | None, last_mode: str | None, verified_at: datetime | None) -> tuple[date, str]:
    """Return the day at whose end a record expires, and what its clock counts from.

    The causes: `created`, `interaction`, `attendance`, `verification`.
    """
    moments = [(created_at, "created")]
    if last_contacted_at:
        moments.append((last_contacted_at, "attendance" if last_mode == "event" else "interaction"))
    if verified_at:
        moments.append((verified_at, "verification"))
    latest, cause = max(moments, key=lambda moment: moment[0])
    return expires_on(latest), cause


def erase_due(frozen_at: datetime) -> date:
    """Return the day by which a frozen record's owner erases it: two federal working days later (T10)."""
    return add_working_days(frozen_at.astimezone(UTC).date(), _WORKING_DAYS)


def duty_of(*, frozen_at: datetime | None, owner_is_active: bool, office_has_administrator: bool, now: datetime) -> str:
    """Return on whom the duty to erase lies: `owner`, `office_administrator` or `system_owner` (T10).

    It passes at once from an owner who is not active, and two working days after the request from any.
    """
    overdue = frozen_at is not None and now.astimezone(UTC).date() > erase_due(frozen_at)
    if owner_is_active and not overdue:
        return "owner"
    if not office_has_administrator:
        return "system_owner"
    if frozen_at is not None and now.astimezone(UTC).date() > add_working_days(erase_due(frozen_at), _WORKING_DAYS):
        return "system_owner"
    return "office_administrator"
