"""Compute when a record expires, and why (T6)."""

from __future__ import annotations

from datetime import date, datetime

from services.lexicon.calendar import expires_on


def expiry(*, created_at: datetime, last_contacted_at: datetime | None, last_mode: str | None, verified_at: datetime | None) -> tuple[date, str]:
    """Return the last day of a record, and the cause from which its clock counts.

    The causes: `created`, `interaction`, `attendance`, `verification`.
    """
    moments = [(created_at, "created")]
    if last_contacted_at:
        moments.append((last_contacted_at, "attendance" if last_mode == "event" else "interaction"))
    if verified_at:
        moments.append((verified_at, "verification"))
    latest, cause = max(moments, key=lambda moment: moment[0])
    return expires_on(latest), cause
