"""Authorization of each use case by the field policy."""

from __future__ import annotations

from services.access.contract import NotYourselfToApprove, NotYourUsers
from services.access.domain.users import User
from services.chassis.messages import Caller, Refusal
from services.lexicon.policy import Decision, Facts, Withheld, decide


def require_user_manager(by: Caller, user: User) -> None:
    """Require somebody who may give this user rights, or what their access stands on (T19, R178-R186).

    :raises NotYourUsers, NotYourselfToApprove: the caller may not.
    """
    _require(decide(by, "manage_users", facts=_facts_of(user)), _refusal_of(by, user))


def require_user_changer(by: Caller, before: User, after: User) -> None:
    """Require somebody who may change a user. Who moves a user may do so at both offices (T19).

    :raises NotYourUsers, NotYourselfToApprove: the caller may not.
    """
    if (before.component, before.level, before.roles) != (after.component, after.level, after.roles):
        require_user_manager(by, before)
        require_user_manager(by, after)
    else:
        _require(decide(by, "change_user", facts=_facts_of(before)), NotYourUsers)


def require_approver(by: Caller, user: User) -> None:
    """Require somebody who may approve this user, or withdraw the approval (R179, R180).

    :raises NotYourUsers, NotYourselfToApprove: the caller may not.
    """
    _require(decide(by, "approve_user", facts=_facts_of(user)), _refusal_of(by, user))


def require_component_manager(by: Caller) -> None:
    """Require a system administrator or owner (T19).

    :raises NotYourUsers: the caller is somebody else.
    """
    if not decide(by, "manage_components"):
        raise NotYourUsers("System administrators and owners keep the list of offices.", extra={"rule": "T19"})


def require_password_setter(by: Caller) -> None:
    """Require an operator.

    :raises NotYourUsers: the caller is somebody else.
    """
    if not decide(by, "set_password"):
        raise NotYourUsers


def is_administrator(user: User) -> bool:
    """Return whether a user administers an office or the system."""
    return bool(decide(_caller(user), "administer"))


def may_own(user: User) -> bool:
    """Return whether a user may own records."""
    return bool(decide(_caller(user), "own"))


def _caller(user: User) -> Caller:
    return Caller(kind="user", id=user.id, component=user.component, level=user.level, roles=user.roles)


def _facts_of(user: User) -> Facts:
    return Facts(subject_user_id=user.id, subject_component=user.component, subject_roles=user.roles)


def _refusal_of(by: Caller, user: User) -> type[Refusal]:
    return NotYourselfToApprove if by.id == user.id else NotYourUsers


def _require(decision: Decision, refusal: type[Refusal]) -> None:
    if isinstance(decision, Withheld):
        raise refusal(decision.sentence, extra={"rule": decision.rule})
