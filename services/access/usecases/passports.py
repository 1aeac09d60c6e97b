"""Passports of sessions and services."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from services.access.contract import AUDIENCES
from services.access.domain.sessions import Session
from services.access.domain.users import User
from services.chassis.messages import Caller

if TYPE_CHECKING:
    from services.chassis.database import UnitOfWork

#: Signs a passport: (caller, audience, now) → (passport, its jti).
Sign = Callable[[Caller, str, datetime], tuple[str, str]]

ISSUE = "access:passport:issue"


def holder(user: User, session: Session, *, policy_version: str | None, trace_id: str | None) -> Caller:
    """Return the caller of a session's passports."""
    return Caller(
        kind="user",
        id=user.id,
        component=user.component,
        level=user.level,
        roles=user.roles,
        session_id=session.id,
        acknowledgement_id=session.acknowledgement_id,
        policy_version=policy_version,
        trace_id=trace_id,
    )


def issue(work: UnitOfWork, caller: Caller, audiences: Iterable[str], *, sign: Sign, now: datetime) -> dict[str, str]:
    """Return a passport of `caller` for each audience. One entry lists their ids, so that audit can check them."""
    passports, numbers = {}, []
    for audience in audiences:
        passports[audience], jti = sign(caller, audience, now)
        numbers.append(jti)
    # The transaction belongs to the one who asked; the entry belongs to the caller of the passports.
    asked_by, work.caller = work.caller, replace(caller, operation=None)
    work.record(ISSUE, subjects=numbers, fields=sorted(passports))
    work.caller = asked_by
    return passports


def audiences_of(session: Session) -> tuple[str, ...]:
    """Return the services that a session may call: before the acknowledgement access alone (R110)."""
    return AUDIENCES if session.acknowledgement_id else ("access",)
