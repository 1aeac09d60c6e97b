"""Authorization of each use case by the field policy. No contact values are here, so few actions are needed."""

from __future__ import annotations

from services.chassis.messages import Caller, Forbidden
from services.interactions.domain.records import CoordinationRequest
from services.interactions.domain.rights import Person, Scope
from services.lexicon.policy import Facts, decide
from services.lexicon.refusals import ContributorsOnly


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


def may_answer(by: Caller, addressee: Person) -> bool:
    """Return whether the caller may answer a coordination request: as owner, deputy or office administrator (R86, T10)."""
    facts = Facts(owner_id=addressee.owner_id, owner_component=addressee.component, deputy_id=addressee.deputy_id)
    return bool(decide(by, "answer_coordination", facts=facts))


def may_withdraw(by: Caller, row: CoordinationRequest) -> bool:
    """Return whether the caller may withdraw a coordination request: who sent it, or their office's administrator."""
    facts = Facts(requested_by=row.requested_by, subject_component=row.requested_component)
    return bool(decide(by, "withdraw_coordination", facts=facts))


def component_of_kept_texts(by: Caller) -> str | None:
    """Return the component whose kept texts the caller reads; they may quote contact values, so readers get none (T5)."""
    return by.component if decide(by, "contribute") else None


def scope_of(by: Caller) -> Scope:
    """Return what the caller may find, for storage."""
    own_office = Facts(owner_component=by.component, subject_component=by.component)

    def office(action: str) -> str | None:
        return by.component if decide(by, action, facts=own_office) else None

    return Scope(
        by.id if by.kind == "user" else None,
        by.component,
        sees_frozen=bool(decide(by, "see_frozen")),
        frozen_of=office("see_frozen"),
        answers_for=office("answer_coordination"),
        follows_for=office("withdraw_coordination"),
        stands_for=office("stand_for_office"),
        contributes_to=office("contribute"),
    )
