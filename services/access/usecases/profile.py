"""A user's own settings: the time zone in which pages show and take times (T29)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from services.access.contract import UserUnknown
from services.access.contract.answers import ProfileAnswer
from services.access.domain.users import User
from services.access.storage import directory
from services.access.usecases.sessions import describe_user
from services.chassis.messages import Caller, entity_tags, require_match

if TYPE_CHECKING:
    from services.chassis.database import UnitOfWork


def read_profile(work: UnitOfWork, *, by: Caller) -> ProfileAnswer:
    """Return the caller's own profile."""
    user = _own(work, by)
    work.record("access:profile:read", subjects=[user.id])
    return _describe(user)


def change_profile(work: UnitOfWork, *, by: Caller, time_zone: str | None, if_match: str) -> ProfileAnswer:
    """Set the caller's time zone; None means that of the browser.

    :raises PreconditionMissing, Stale: the profile changed since the caller read it.
    """
    user = _own(work, by, lock=True)
    require_match(if_match, entity_tags(_describe(user)))
    changed = replace(user, time_zone=time_zone)
    directory.update_user(work, changed)
    work.record("access:profile:change", subjects=[user.id], fields=["time_zone"])
    return _describe(changed)


def _describe(user: User) -> ProfileAnswer:
    return {"user": describe_user(user), "time_zone": user.time_zone}


def _own(work: UnitOfWork, by: Caller, *, lock: bool = False) -> User:
    user = directory.find_user(work, by.id, lock=lock)
    if user is None:
        raise UserUnknown
    return user
