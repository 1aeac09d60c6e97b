"""Administration of users and offices: accounts, approvals, licenses, trainings and rules of behavior (R176-R188, N14)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from typing import TYPE_CHECKING

from services.access.contract import (
    ComponentChanged,
    ComponentUnknown,
    UsernameTaken,
    UserUnknown,
)
from services.access.contract.answers import ComponentAnswer, UserAnswer
from services.access.contract.schemas import AcceptRulesOfBehavior, ChangeUser, CreateUser, DesignateLicense, PutComponent, RecordTraining
from services.access.domain.components import Component
from services.access.domain.users import Term, User
from services.access.storage import directory
from services.access.usecases import authorization, sessions
from services.access.usecases.directory import describe_component
from services.access.usecases.preconditions import require_compatible_roles, require_open_component
from services.access.usecases.sessions import describe_user
from services.chassis.messages import Caller, Invalid, entity_tags, require_match
from services.chassis.messages import new_id as make_id
from services.chassis.validation import given_or, names_given
from services.lexicon.refusals import TextNeedsReview
from services.lexicon.screening import screen, screen_organization_name, screen_person_name

if TYPE_CHECKING:
    from services.chassis.database import UnitOfWork


def create_user(
    work: UnitOfWork,
    *,
    by: Caller,
    now: datetime,
    command: CreateUser,
    told_later: bool = False,
    new_id: Callable[[], str] = make_id,
) -> UserAnswer:
    """Create a user. Access takes effect with license, approval, both trainings and rules of behavior.

    :param told_later: leave the announcement to a later step of the same transaction.
    :raises NotYourUsers: the caller does not administer that office, or may not give those roles.
    :raises ComponentUnknown: there is no such office.
    :raises RolesIncompatible: one account may not have this level and these roles.
    :raises UsernameTaken: the user name or the external id is in use.
    """
    user = User(
        id=new_id(),
        username=command.username,
        name=command.name,
        component=command.component,
        level=command.level,
        roles=frozenset(command.roles),
        active=True,
        contractor=command.contractor,
        external_id=command.external_id,
    )
    authorization.require_user_manager(by, user)
    TextNeedsReview.unless_clean([("name", user.name, screen_person_name), ("justification", command.justification, screen)])
    require_open_component(work, user.component)
    require_compatible_roles(user)
    if not directory.insert_user(work, user, justification=command.justification, by=by.id, at=now):
        raise UsernameTaken
    work.record("access:user:create", subjects=[user.id], fields=["username", "name", "component", "level", "roles"])
    if not told_later:
        sessions.tell(work, user, active=False)
    return describe_user(user)


def change_user(
    work: UnitOfWork,
    *,
    by: Caller,
    now: datetime,
    user_id: str,
    command: ChangeUser,
    if_match: str | None = None,
) -> UserAnswer:
    """Change a user. A change of rights ends the user's sessions at once; after a move the new office has to approve.

    :raises NotYourUsers, NotYourselfToApprove: the caller may not.
    :raises Stale: the user changed since the caller read them.
    """
    user = _locked(work, user_id)
    if if_match is not None:
        require_match(if_match, entity_tags(describe_user(user)))
    after = replace(
        user,
        name=given_or(command.name, user.name),
        component=given_or(command.component, user.component),
        level=given_or(command.level, user.level),
        roles=frozenset(given_or(command.roles, user.roles)),
        active=given_or(command.active, user.active),
    )
    TextNeedsReview.unless_clean([("name", given_or(command.name, None), screen_person_name)])
    authorization.require_user_changer(by, user, after)
    if after.component != user.component:
        require_open_component(work, after.component)
    require_compatible_roles(after)
    directory.update_user(work, after)
    directory.set_roles(work, user.id, after.roles)
    if after.component != user.component or after.roles - user.roles:
        # The approval was for the former office and roles, so the new ones need an approval of their own (T19, R180).
        directory.withdraw_all_approvals(work, user.id, by=by.id, at=now)
    if _rights(after) != _rights(user):
        sessions.end_all(work, user.id, because="rights-changed", now=now)
    work.record("access:user:change", subjects=[user.id], fields=list(names_given(command)))
    return _told(work, after, now=now)


def approve_user(work: UnitOfWork, *, by: Caller, now: datetime, user_id: str, new_id: Callable[[], str] = make_id) -> UserAnswer:
    """Approve a user for their present office (R179, R180).

    :raises NotYourUsers, NotYourselfToApprove: the caller may not.
    """
    user = _locked(work, user_id)
    authorization.require_approver(by, user)
    directory.insert_approval(work, new_id(), user, by=by.id, at=now)
    work.record("access:user:approve", subjects=[user.id])
    return _told(work, user, now=now)


def withdraw_approval(work: UnitOfWork, *, by: Caller, now: datetime, user_id: str) -> UserAnswer:
    """Withdraw the approval of a user's present office, which suspends their access at once (N14).

    :raises NotYourUsers, NotYourselfToApprove: the caller may not.
    """
    user = _locked(work, user_id)
    authorization.require_approver(by, user)
    directory.withdraw_approval(work, user, by=by.id, at=now)
    work.record("access:user:disapprove", subjects=[user.id])
    return _told(work, user, now=now)


def designate_license(work: UnitOfWork, *, by: Caller, now: datetime, user_id: str, command: DesignateLicense) -> UserAnswer:
    """Designate a license for a user from today on (R178).

    :raises NotYourUsers: the caller does not administer this user.
    """
    user = _administered(work, by, user_id)
    directory.set_license(work, user.id, _term(now.date(), command.expires_on), by=by.id)
    work.record("access:user:license", subjects=[user.id])
    return _told(work, user, now=now)


def record_training(
    work: UnitOfWork,
    *,
    by: Caller,
    now: datetime,
    user_id: str,
    command: RecordTraining,
    new_id: Callable[[], str] = make_id,
) -> UserAnswer:
    """Record a training (R184, R185). Training on computer security lapses after a year at the latest.

    :raises Invalid: its day lies ahead, or it ends before it begins.
    :raises NotYourUsers: the caller does not administer this user.
    """
    user = _administered(work, by, user_id)
    if command.completed_on > now.date():
        raise Invalid(errors={"completed_on": ["A training that lies ahead was not attended yet."]})
    until = command.expires_on
    if command.kind == "computer_security":
        year = _a_year_after(command.completed_on)
        until = min(year, until) if until else year
    directory.insert_training(work, new_id(), user.id, command.kind, _term(command.completed_on, until), by=by.id, at=now)
    work.record("access:user:train", subjects=[user.id], fields=[command.kind])
    return _told(work, user, now=now)


def accept_rules_of_behavior(
    work: UnitOfWork,
    *,
    by: Caller,
    now: datetime,
    user_id: str,
    command: AcceptRulesOfBehavior,
    new_id: Callable[[], str] = make_id,
) -> UserAnswer:
    """Record until when a user accepted the rules of behavior (R186).

    :raises Invalid: that day has passed.
    :raises NotYourUsers: the caller does not administer this user.
    """
    user = _administered(work, by, user_id)
    term = _term(now.date(), command.expires_on)
    directory.insert_rules_of_behavior(work, new_id(), user.id, command.version, accepted_on=term.since, expires_on=command.expires_on, by=by.id)
    work.record("access:user:rules-of-behavior", subjects=[user.id])
    return _told(work, user, now=now)


def put_component(work: UnitOfWork, *, by: Caller, code: str, command: PutComponent) -> ComponentAnswer:
    """Create an office, or change one. Offices are two levels deep (R139-R141).

    :raises NotYourUsers: the caller is no system administrator or owner.
    :raises ComponentUnknown: there is no such parent, the parent has one itself, or this office has offices below.
    """
    authorization.require_component_manager(by)
    component = Component(code, command.name, command.parent_id, command.active)
    TextNeedsReview.unless_clean([("name", component.name, screen_organization_name)])
    if component.parent_code is not None:
        above = directory.find_component(work, component.parent_code)
        if above is None or above.parent_code is not None or above.code == code or directory.has_offices_below(work, code):
            raise ComponentUnknown(errors={"parent_id": ["Offices are two levels deep: office and sub-office."]})
    revision = directory.put_component(work, component)
    work.announce(ComponentChanged(code=code, parent_code=component.parent_code, active=component.active, revision=revision))
    work.record("access:component:change", subjects=[code], fields=["name", "parent_id", "active"])
    return describe_component(component)


def set_password(work: UnitOfWork, *, by: Caller, now: datetime, username: str, password_hash: str) -> str:
    """Store a new password, end every session of the user, and return the user's id.

    :raises UserUnknown: there is no user of that name.
    :raises NotYourUsers: the caller is no operator.
    """
    authorization.require_password_setter(by)
    user = directory.find_user_by_name(work, username, lock=True)
    if user is None:
        raise UserUnknown
    directory.set_password(work, user.id, password_hash, at=now)
    sessions.end_all(work, user.id, because="rights-changed", now=now)
    work.record("access:user:password", subjects=[user.id])
    return user.id


def _told(work: UnitOfWork, user: User, *, now: datetime) -> UserAnswer:
    active = not sessions.lapses_of(work, user, now=now)
    if not active:
        sessions.end_all(work, user.id, because="access-suspended", now=now)
    sessions.tell(work, user, active=active)
    return describe_user(replace(user, told_active=active))


def _rights(user: User) -> tuple[object, ...]:
    return (user.component, user.level, user.roles, user.active)


def _locked(work: UnitOfWork, user_id: str) -> User:
    user = directory.find_user(work, user_id, lock=True)
    if user is None:
        raise UserUnknown
    return user


def _administered(work: UnitOfWork, by: Caller, user_id: str) -> User:
    user = _locked(work, user_id)
    authorization.require_user_manager(by, user)
    return user


def _term(since: date, until: date | None) -> Term:
    if until is not None and until < since:
        raise Invalid(errors={"expires_on": ["It would have ended before it began."]})
    return Term(since, until)


def _a_year_after(day: date) -> date:
    return day.replace(year=day.year + 1) if (day.month, day.day) != (2, 29) else date(day.year + 1, 3, 1)
