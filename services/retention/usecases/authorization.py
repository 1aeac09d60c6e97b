"""Ask the field policy what a caller may do, for each use case."""

from __future__ import annotations

from services.chassis.messages import Caller
from services.lexicon.policy import Facts, decide
from services.retention.contract import PrivacyOfficerOnly, RequestsWithheld
from services.retention.domain.records import Request, Scope


def is_privacy_officer(by: Caller) -> bool:
    """Return whether the policy lets the caller open a case."""
    return bool(decide(by, "open_case"))


def require_privacy_officer(by: Caller) -> None:
    """Require the privacy officer.

    :raises PrivacyOfficerOnly: the caller is somebody else.
    """
    if not is_privacy_officer(by):
        raise PrivacyOfficerOnly


def require_register_reader(by: Caller) -> None:
    """Require the privacy officer or a system owner.

    :raises PrivacyOfficerOnly: the caller is somebody else.
    """
    if not decide(by, "read_destructions"):
        raise PrivacyOfficerOnly


def require_request_reader(by: Caller) -> None:
    """Require a user who may list requests (T14, T19, T21).

    :raises RequestsWithheld: the account is not concerned with requests, such as the security officer's.
    """
    if not decide(by, "list_requests"):
        raise RequestsWithheld


def may_follow(by: Caller, facts: Facts) -> bool:
    """Return whether the caller may read a request or an erasure (T21)."""
    return bool(decide(by, "follow_request", facts=facts))


def has_duty(by: Caller, row: Request, *, duty_of: str) -> bool:
    """Return whether the caller has the duty to erase (T10). The owner's deputy may always fulfill it."""
    return bool(decide(by, "answer_request", facts=facts_of(row, duty_of=duty_of)))


def may_erase(by: Caller, row: Request, *, duty_of: str) -> bool:
    """Return whether the caller may erase the person of a request (R165, T10)."""
    return bool(decide(by, "erase", facts=facts_of(row, duty_of=duty_of)))


def facts_of(row: Request, *, duty_of: str = "owner") -> Facts:
    """Return the facts about a request that the policy needs."""
    return Facts(
        owner_id=row.owner_id,
        owner_component=row.owner_component,
        deputy_id=row.deputy_id,
        recorded_by=row.recorded_by,
        duty_of=duty_of,
    )


def scope_to_follow(by: Caller) -> Scope:
    """Return the scope of the requests that the caller may read."""
    of_office = decide(by, "follow_request", facts=Facts(owner_component=by.component))
    return Scope(by.id, recorded=True, office=by.component if of_office else None, everything=bool(decide(by, "follow_request")))


def scope_of_duty(by: Caller) -> Scope:
    """Return the scope of the requests for which the caller may have the duty to erase, today or later."""
    of_office = decide(by, "answer_request", facts=Facts(owner_component=by.component, duty_of="office_administrator"))
    everything = decide(by, "answer_request", facts=Facts(duty_of="system_owner"))
    return Scope(by.id, recorded=False, office=by.component if of_office else None, everything=bool(everything))
