"""Manage accounts from the command line, with every act recorded under the operator's name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Accounts:
    """The accounts of a system, for one operator; methods that name a user raise `UserUnknown` if there is none of that name."""

    database: Database
    by: Caller
    now: datetime

    def add(self, *, password: str, complete: bool = False, **body: Any) -> UserAnswer:
        """Create a user.

        :param body: the fields of `UserCreateSchema`: username, name, component, level, roles, …
        :param complete: also add license, approval, trainings and rules of behavior, for the first accounts of a new system.
        :return: the user.
        :raises Refusal: as `create_user`; `Invalid` for a weak password.
        :raises marshmallow.ValidationError: a field is wrong.
        """
        command = UserCreateSchema().load(body)
        stored = _stored(password, username=command.username)
        with self.database.work(self.by) as work:
            user = administration.create_user(work, by=self.by, now=self.now, command=command, told_later=complete)
            administration.set_password(work, by=self.by, now=self.now, username=command.username, password_hash=stored)
            if complete:
                seeding.complete(work, user_id=user["id"], now=self.now)
                user["active"] = True
        return user

    def approve(self, username: str) -> None:
        """Approve a user for their current office."""
        with self._user(username) as (work, user_id):
            administration.approve_user(work, by=self.by, now=self.now, user_id=user_id)

    def license(self, username: str, *, until: date | None) -> None:
        """Assign a license until a day or without end.

        :raises Invalid: the day is in the past.
        """
        with self._user(username) as (work, user_id):
            administration.designate_license(work, by=self.by, now=self.now, user_id=user_id, command=DesignateLicense(until))

    def train(self, username: str, *, courses: Iterable[str], on: date | None) -> None:
        """Record trainings and accepted rules of a user on a day, by default today.

        :raises Invalid: the day is in the future, or so far back that the training has lapsed.
        """
        day = on or self.now.date()
        with self._user(username) as (work, user_id):
            for course in courses:
                if course != _RULES:
                    administration.record_training(work, by=self.by, now=self.now, user_id=user_id, command=RecordTraining(course, completed_on=day))
                    continue
                if day > self.now.date():
                    raise Invalid(errors={"on": ["What lies ahead was not accepted yet."]})
                accepted = AcceptRulesOfBehavior(_RULES_VERSION, expires_on=day + _YEAR)
                administration.accept_rules_of_behavior(work, by=self.by, now=self.now, user_id=user_id, command=accepted)

    def missing(self, username: str) -> dict[str, str]:
        """Return what the user's access lacks, as a sentence for each code; empty if access is in effect."""
        with self.database.work(self.by) as work:
            user = directory.find_user_by_name(work, username)
            if user is None:
                raise UserUnknown
            work.record("access:user:read", subjects=[user.id])
            return {lapse.code: lapse.sentence for lapse in sessions.lapses_of(work, user, now=self.now)}

    def change(self, username: str, *, active: bool) -> UserAnswer:
        """Close an account and end its sessions, or reopen it with lapses in the meantime; return the user."""
        with self._user(username) as (work, user_id):
            return administration.change_user(work, by=self.by, now=self.now, user_id=user_id, command=ChangeUser(active=active))

    def set_password(self, username: str, password: str) -> None:
        """Set a user's password and end their sessions.

        :raises Invalid: the password is too weak.
        """
        stored = _stored(password, username=username)
        with self.database.work(self.by) as work:
            administration.set_password(work, by=self.by, now=self.now, username=username, password_hash=stored)

    def list_all(self) -> list[UserAnswer]:
        """Return all users by name, with whether their access is in effect."""
        users: list[UserAnswer] = []
        after: str | None = None
        with self.database.work(self.by) as work:
            while page := directory.list_users(work, ids=None, component=None, words=None, after=after, limit=200):
                users += map(sessions.describe_user, page)
                after = page[-1].username
            work.record("access:user:list", subjects=[user["id"] for user in users])
        return users

    @contextmanager
    def _user(self, username: str) -> Iterator[tuple[UnitOfWork, str]]:
        with self.database.work(self.by) as work:
            user = directory.find_user_by_name(work, username)
            if user is None:
                raise UserUnknown
            yield work, user.id


def _stored(password: str, *, username: str) -> str:
    if weak := why_too_weak(password, username=username):
        raise Invalid(errors={"password": [weak]})
    return password_hash(password)
