"""Passports for services: for the call that a service makes for a user, and for its own calls."""

from __future__ import annotations

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
    """Return a passport for `audience` for the same user and session, which names `service` as the one that calls.

    Only the service that a passport was issued to can exchange it, with its secret, and only for the services that it
    calls for users. So a copied passport is of no use elsewhere. An exchanged passport cannot be exchanged again.

    :param bearer: the caller of the verified passport; `shown_to` is the service that it was issued to.
    :raises PassportNotExchangeable: for every reason: another service or audience, no user's passport, or a session
        that has ended or lapsed.
    """
    if not is_service(master, service, secret) or service != shown_to or audience not in ONWARD.get(service, ()) or bearer.via is not None:
        raise PassportNotExchangeable
    # A service's own passport is not exchanged: a service that retention calls could otherwise call another as retention.
    if audience not in AUDIENCES or bearer.kind != "user":
        raise PassportNotExchangeable
    session = sessions.find(work, bearer.session_id) if bearer.session_id else None
    if session is None or session.user_id != bearer.id or rules.why_over(session, now=now) is not None:
        raise PassportNotExchangeable
    user = directory.find_user(work, session.user_id)
    # Read the rights again: they may have changed since the first passport was issued.
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

    :raises ServiceSecretWrong: there is no such service or audience, or the secret is wrong.
    """
    if not is_service(master, service, secret) or audience not in AUDIENCES:
        raise ServiceSecretWrong
    caller = Caller(kind="service", id=service, policy_version=policy_version, trace_id=work.caller.trace_id)
    return passports.issue(work, caller, [audience], sign=sign, now=now)
