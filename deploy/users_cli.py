"""What an operator may do to accounts from the command line; every act is in the trail under the operator's name."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from services.access.contract import UserCreateSchema, UserUnknown
from services.access.domain.passwords import password_hash, why_too_weak
from services.access.storage import directory
from services.access.usecases import administration, seeding
from services.chassis.database import Database
from services.chassis.messages import Caller, Invalid


def add(
    database: Database,
    *,
    operator: str,
    now: datetime,
    password: str | None = None,
    complete: bool = False,
    **body: Any,
) -> dict[str, Any]:
    """Enter a user.

    :param body: as `UserCreateSchema` takes it: username, name, component, level, roles, …
    :param complete: also give license, approval, trainings and rules of behavior, for the first accounts of a new
        system, which nobody is there to approve.
    :return: the user.
    :raises Refusal: as `create_user`; `Invalid` for a weak password.
    :raises marshmallow.ValidationError: a field is wrong.
    """
    command = UserCreateSchema().load(body)
    stored = _stored(password, username=command["username"]) if password is not None else None
    by = Caller.operator(operator)
    with database.work(by) as work:
        user = administration.create_user(work, by=by, now=now, told_later=complete, **command)
        if stored is not None:
            administration.set_password(work, by=by, now=now, username=command["username"], password_hash=stored)
        if complete:
            seeding.complete(work, user_id=user["id"], now=now)
            user = {**user, "active": True}
    return user


def disable(database: Database, *, operator: str, now: datetime, username: str) -> dict[str, Any]:
    """Close an account; its sessions end at once. Return the user.

    :raises UserUnknown: no user of that name.
    """
    return _change(database, operator=operator, now=now, username=username, active=False)


def enable(database: Database, *, operator: str, now: datetime, username: str) -> dict[str, Any]:
    """Open a closed account again; what lapsed meanwhile stays lapsed. Return the user.

    :raises UserUnknown: no user of that name.
    """
    return _change(database, operator=operator, now=now, username=username, active=True)


def set_password(database: Database, *, operator: str, now: datetime, username: str, password: str) -> str:
    """Set a password of the built-in directory; every session of the user ends. Return the user's id.

    :raises UserUnknown: no user of that name.
    :raises Invalid: it is too weak.
    """
    stored = _stored(password, username=username)
    by = Caller.operator(operator)
    with database.work(by) as work:
        return administration.set_password(work, by=by, now=now, username=username, password_hash=stored)


def list_all(database: Database, *, operator: str) -> list[dict[str, Any]]:
    """Return every user, by name, with whether access is in effect."""
    users: list[dict[str, Any]] = []
    after: str | None = None
    with database.work(Caller.operator(operator)) as work:
        while True:
            page = directory.list_users(work, ids=None, component=None, words=None, after=after, limit=200)
            users += [
                {
                    "id": user.id,
                    "username": user.username,
                    "name": user.name,
                    "component": user.component,
                    "level": user.level,
                    "roles": sorted(user.roles),
                    "active": user.active and user.told_active,
                }
                for user in page
            ]
            if len(page) < 200:
                break
            after = page[-1].username
        work.record("access:user:list", subjects=[user["id"] for user in users])
    return users


def _change(database: Database, *, operator: str, now: datetime, username: str, active: bool) -> dict[str, Any]:
    by = Caller.operator(operator)
    with database.work(by) as work:
        user = directory.find_user_by_name(work, username)
        if user is None:
            raise UserUnknown
        return administration.change_user(work, by=by, now=now, user_id=user.id, changes={"active": active})


def _stored(password: str, *, username: str) -> str:
    if weak := why_too_weak(password, username=username):
        raise Invalid(errors={"password": [weak]})
    return password_hash(password)
