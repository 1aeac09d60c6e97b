"""Passports for services: one exchanged for a user's onward call, and a service's own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from services.access.contract import AUDIENCES, ONWARD, PassportNotExchangeable, ServiceSecretWrong
from services.access.domain import sessions as rules
from services.access.domain.secrets import is_service
from services.access.storage import directory, sessions
from services.access.usecases import passports
from services.access.usecases.passports import Sign
from services.access.usecases.sessions import lapses_of
from services.chassis.messages import Caller

if TYPE_CHECKING:
    from services.chassis.database import UnitOfWork

#: Checks a passport that was made out to one audience: (passport, audience) → who it speaks of; raises if it is none.
Verify = Callable[[str, str], Caller]


def exchange(
    work: UnitOfWork,
    *,
    bearer: Caller,
    shown_to: str,
    service: str,
    secret: str,
    master: str,
    audience: str,
    now: datetime,
    sign: Sign,
    policy_version: str,
) -> dict[str, str]:
    """Return a passport for `audience` that speaks of the same user and session as the one shown, by way of `service`.

    Only the service that a passport was made out to exchanges it, and proves with its secret that it is that service; what
    it gets names it, and opens only what that service needs of others. So a passport that somebody copied is of no use,
    and a captured service has its own way only. A passport that came by way of a service goes no further.

    :param bearer: whom the shown passport speaks of (already verified), and `shown_to` the service it was made out to.
    :raises PassportNotExchangeable: for every reason alike: not that service or not its way, no user's passport, or the
        session has ended or lapsed.
    """
    if not is_service(master, service, secret) or service != shown_to or audience not in ONWARD.get(service, ()) or bearer.via is not None:
        raise PassportNotExchangeable
    # A service's own passport is not exchanged: whoever was called by retention could else call a third as retention.
    if audience not in AUDIENCES or bearer.kind != "user":
        raise PassportNotExchangeable
    session = sessions.find(work, bearer.session_id) if bearer.session_id else None
    if session is None or session.user_id != bearer.id or rules.why_over(session, now=now) is not None:
        raise PassportNotExchangeable
    user = directory.find_user(work, session.user_id)
    # Rights are read again: whatever changed since the first passport was made out is in the second.
    if user is None or lapses_of(work, user, now=now) or audience not in passports.audiences_of(session):
        raise PassportNotExchangeable
    caller = replace(passports.holder(user, session, policy_version=policy_version, trace_id=work.caller.trace_id), via=service)
    return passports.issue(work, caller, [audience], sign=sign, now=now)


def service_passport(
    work: UnitOfWork,
    *,
    service: str,
    secret: str,
    audience: str,
    master: str,
    now: datetime,
    sign: Sign,
    policy_version: str,
) -> dict[str, str]:
    """Return a service's own passport for `audience`.

    :raises ServiceSecretWrong: no such service or audience, or not its secret; one answer for all.
    """
    if not is_service(master, service, secret) or audience not in AUDIENCES:
        raise ServiceSecretWrong
    caller = Caller(kind="service", id=service, policy_version=policy_version, trace_id=work.caller.trace_id)
    return passports.issue(work, caller, [audience], sign=sign, now=now)
