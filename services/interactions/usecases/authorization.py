"""Authorization of each use case by the field policy. No contact values are here, so few actions are needed."""

from __future__ import annotations

from services.chassis.messages import Caller, Forbidden
from services.contacts.contract.refusals import ContributorsOnly
from services.lexicon.policy import decide


def is_reader(by: Caller) -> bool:
    """Return whether the policy lets the caller search the directory."""
    return bool(decide(by, "search"))


def is_contributor(by: Caller) -> bool:
    """Return whether the policy lets the caller log what happened."""
    return bool(decide(by, "log_interaction"))


def require_reader(by: Caller) -> None:
    """Require a user with an access level (R147, T19), or the privacy officer.

    :raises Forbidden: the account has no level, such as the security officer's, or is no user's.
    """
    if not is_reader(by) and not decide(by, "open_case"):
        raise Forbidden("Interactions are for users with an access level.")


def require_contributor(by: Caller) -> str:
    """Return the component that a contributor writes for.

    :raises ContributorsOnly: the caller may only read.
    """
    if not is_contributor(by) or not by.component:
        raise ContributorsOnly
    return by.component


def require_privacy_officer(by: Caller) -> None:
    """Require the privacy officer.

    :raises Forbidden: the caller is somebody else.
    """
    if not decide(by, "review_text"):
        raise Forbidden("This is for the privacy officer.")
