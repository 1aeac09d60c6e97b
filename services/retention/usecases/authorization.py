"""Authorization of each use case by the field policy."""

from __future__ import annotations

from services.chassis.messages import Caller
from services.lexicon.policy import decide
from services.retention.contract import PrivacyOfficerOnly


def is_privacy_officer(by: Caller) -> bool:
    """Return whether the policy lets the caller open a case."""
    return bool(decide(by, "open_case"))


def require_privacy_officer(by: Caller) -> None:
    """Require the privacy officer.

    :raises PrivacyOfficerOnly: the caller is somebody else.
    """
    if not is_privacy_officer(by):
        raise PrivacyOfficerOnly
