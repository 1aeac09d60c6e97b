"""Manage accounts from the command line, with every act recorded under the operator's name."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any

from services.access.contract import TRAININGS, UserCreateSchema, UserUnknown
from services.access.contract.answers import UserAnswer
from services.access.contract.schemas import AcceptRulesOfBehavior, ChangeUser, DesignateLicense, RecordTraining
from services.access.domain.passwords import password_hash, why_too_weak
from services.access.storage import directory
from services.access.usecases import administration, seeding, sessions
from services.chassis.database import Database, UnitOfWork
from services.chassis.messages import Caller, Invalid

_RULES = "rules_of_behavior"
#: The trainings that a user must attend, and the rules to accept (R184-R186).
COURSES = (*TRAININGS, _RULES)
_RULES_VERSION = "1"
_YEAR = timedelta(days=365)


def add(
    database: Database,
    *,
    operator: str,
    now: datetime,
    password: str | None = None,
    complete: bool = False,
    **body: Any,
) -> UserAnswer:
    """Create a user.

    :param body: the fields of `UserCreateSchema`: username, name, component, level, roles, …
    :param complete: also add license, approval, trainings and rules of behavior, for the first accounts of a new system.
    :return: the user.
    :raises Refusal: as `create_user`; `Invalid` for a weak password.
    :raises marshmallow.ValidationError: a field is wrong.
    """
    command = UserCreateSchema().load(body)
    stored = _stored(password, username=command.username) if password is not None else None
    by = Caller.operator(operator)
    with database.work(by) as work:
        user = administration.create_user(work, by=by, now=now, command=command, told_later=complete)
        if stored is not None:
            administration.set_password(work, by=by, now=now, username=command.username, password_hash=stored)
        if complete:
            seeding.complete(work, user_id=user["id"], now=now)
            user["active"] = True
    return user


def approve(database: Database, *, operator: str, now: datetime, username: str) -> UserAnswer:
    """Approve a user for their current office; return the user.

    :raises UserUnknown: there is no user of that name.
    """
    by = Caller.operator(operator)
    with database.work(by) as work:
        return administration.approve_user(work, by=by, now=now, user_id=_id_of(work, username))


def license_(database: Database, *, operator: str, now: datetime, username: str, until: date | None = None) -> UserAnswer:
    """Assign a license until a day or without end; return the user.

    :raises UserUnknown: there is no user of that name.
    :raises Invalid: the day is in the past.
    """
    by = Caller.operator(operator)
    with database.work(by) as work:
        return administration.designate_license(work, by=by, now=now, user_id=_id_of(work, username), command=DesignateLicense(until))


def train(database: Database, *, operator: str, now: datetime, username: str, courses: Iterable[str] = COURSES, on: date | None = None) -> None:
    """Record trainings and accepted rules of a user on a day, by default today.

    :raises UserUnknown: there is no user of that name.
    :raises Invalid: the day is in the future, or so far back that the training has lapsed.
    """
    by = Caller.operator(operator)
    day = on or now.date()
    with database.work(by) as work:
        user_id = _id_of(work, username)
        for course in courses:
            if course == _RULES:
                if day > now.date():
                    raise Invalid(errors={"on": ["What lies ahead was not accepted yet."]})
                accepted = AcceptRulesOfBehavior(_RULES_VERSION, expires_on=day + _YEAR)
                administration.accept_rules_of_behavior(work, by=by, now=now, user_id=user_id, command=accepted)
            else:
                administration.record_training(work, by=by, now=now, user_id=user_id, command=RecordTraining(course, completed_on=day))


def missing(database: Database, *, operator: str, now: datetime, username: str) -> dict[str, str]:
    """Return what the user's access lacks, as a sentence for each code; empty if access is in effect.

    :raises UserUnknown: there is no user of that name.
    """
    with database.work(Caller.operator(operator)) as work:
        user = directory.find_user_by_name(work, username)
        if user is None:
            raise UserUnknown
        work.record("access:user:read", subjects=[user.id])
        return {lapse.code: lapse.sentence for lapse in sessions.lapses_of(work, user, now=now)}


def disable(database: Database, *, operator: str, now: datetime, username: str) -> UserAnswer:
    """Close an account and end its sessions; return the user.

    :raises UserUnknown: there is no user of that name.
    """
    return _change(database, operator=operator, now=now, username=username, active=False)


def enable(database: Database, *, operator: str, now: datetime, username: str) -> UserAnswer:
    """Reopen a closed account, with lapses in the meantime; return the user.

    :raises UserUnknown: there is no user of that name.
    """
    return _change(database, operator=operator, now=now, username=username, active=True)


def set_password(database: Database, *, operator: str, now: datetime, username: str, password: str) -> str:
    """Set a user's password and end their sessions; return the user's id.

    :raises UserUnknown: there is no user of that name.
    :raises Invalid: the password is too weak.
    """
    stored = _stored(password, username=username)
    by = Caller.operator(operator)
    with database.work(by) as work:
        return administration.set_password(work, by=by, now=now, username=username, password_hash=stored)


def list_all(database: Database, *, operator: str) -> list[UserAnswer]:
    """Return all users by name, with whether their access is in effect."""
    users: list[UserAnswer] = []
    after: str | None = None
    with database.work(Caller.operator(operator)) as work:
        while True:
            page = directory.list_users(work, ids=None, component=None, words=None, after=after, limit=200)
            users += map(sessions.describe_user, page)
            if len(page) < 200:
                break
            after = page[-1].username
        work.record("access:user:list", subjects=[user["id"] for user in users])
    return users


def _change(database: Database, *, operator: str, now: datetime, username: str, active: bool) -> UserAnswer:
    by = Caller.operator(operator)
    with database.work(by) as work:
        return administration.change_user(work, by=by, now=now, user_id=_id_of(work, username), command=ChangeUser(active=active))


def _id_of(work: UnitOfWork, username: str) -> str:
    user = directory.find_user_by_name(work, username)
    if user is None:
        raise UserUnknown
    return user.id


def _stored(password: str, *, username: str) -> str:
    if weak := why_too_weak(password, username=username):
        raise Invalid(errors={"password": [weak]})
    return password_hash(password)
