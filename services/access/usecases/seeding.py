"""Complete accounts for a demonstration, for tests and for a new system."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from services.access.contract import UserUnknown
from services.access.domain.users import Term, User
from services.access.storage import directory
from services.access.usecases import sessions
from services.chassis.messages import new_id as make_id

if TYPE_CHECKING:
    from services.chassis.database import UnitOfWork

_YEAR = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Account:
    """An account to create. `password_hash` is argon2id."""

    username: str
    name: str
    component: str
    level: str | None
    password_hash: str
    roles: frozenset[str] = frozenset()


def seed_accounts(work: UnitOfWork, accounts: Iterable[Account], *, now: datetime, new_id: Callable[[], str] = make_id) -> dict[str, str]:
    """Create accounts with license, approval, both trainings and rules of behavior; return user name → id.

    An existing account stays as it is, so that a second start changes nothing.
    """
    ids = {}
    for account in accounts:
        known = directory.find_user_by_name(work, account.username)
        if known is not None:
            ids[account.username] = known.id
            continue
        user = User(
            id=new_id(),
            username=account.username,
            name=account.name,
            component=account.component,
            level=account.level,
            roles=account.roles,
            active=True,
        )
        directory.insert_user(work, user, justification=None, by=work.caller.id, at=now)
        directory.set_password(work, user.id, account.password_hash, at=now)
        _give_grounds(work, user, now=now, new_id=new_id)
        work.record("access:user:seed", subjects=[user.id])
        sessions.tell(work, user, active=True)
        ids[account.username] = user.id
    return ids


def complete(work: UnitOfWork, *, user_id: str, now: datetime, new_id: Callable[[], str] = make_id) -> None:
    """Give a user license, approval, trainings and rules of behavior, as nobody else can for the first users of a system.

    :raises UserUnknown: there is no user of that id.
    """
    user = directory.find_user(work, user_id, lock=True)
    if user is None:
        raise UserUnknown
    _give_grounds(work, user, now=now, new_id=new_id)
    work.record("access:user:complete", subjects=[user.id])
    sessions.tell(work, user, active=user.active)


def _give_grounds(work: UnitOfWork, user: User, *, now: datetime, new_id: Callable[[], str]) -> None:
    by, today = work.caller.id, now.date()
    directory.set_license(work, user.id, Term(today), by=by)
    directory.insert_approval(work, new_id(), user, by=by, at=now)
    directory.insert_training(work, new_id(), user.id, "privacy", Term(today), by=by, at=now)
    directory.insert_training(work, new_id(), user.id, "computer_security", Term(today, today + _YEAR), by=by, at=now)
    directory.insert_rules_of_behavior(work, new_id(), user.id, "1", accepted_on=today, expires_on=today + _YEAR, by=by)


def seed_integration(work: UnitOfWork, account: str, component: str, description: str, *, now: datetime) -> None:
    """Create the account of a component's own system, unless it exists."""
    if directory.insert_integration_account(work, account, component, description, at=now):
        work.record("access:integration:create", subjects=[account])
