"""Who may do what with engagement; contact values are not here, so the answers are few."""

from __future__ import annotations

from dataclasses import dataclass

from services.chassis.messages import Caller, Forbidden
from services.contacts.contract.refusals import ContributorsOnly
from services.lexicon.vocabulary import at_least


@dataclass(frozen=True, slots=True)
class Person:
    """What interactions knows of an individual: ids and codes that contacts announced."""

    id: str
    owner_id: str | None = None
    deputy_id: str | None = None
    component: str | None = None
    frozen_request_id: str | None = None
    frozen_by: str | None = None
    #: Components that see them frozen, as possibly the person of a request (T26).
    frozen_for: tuple[str, ...] = ()

    def is_frozen_for(self, component: str | None) -> bool:
        """Whether nobody of this component may have to do with them: frozen for everybody (T21), or for it alone (T26)."""
        return self.frozen_request_id is not None or component in self.frozen_for


def demand_reader(by: Caller) -> None:
    """Engagement is shared with every user that has an access level (R147, T19), and with the privacy officer.

    :raises Forbidden: an account without a level, such as the security officer's, or no user at all.
    """
    if by.kind == "user" and (at_least(by.level, "reader") or "privacy_officer" in by.roles):
        return
    raise Forbidden("Interactions are for users with an access level.")


def demand_contributor(by: Caller) -> str:
    """Return the component that a contributor writes for.

    :raises ContributorsOnly: the caller's level lets them read only.
    """
    if by.kind != "user" or not at_least(by.level, "contributor") or not by.component:
        raise ContributorsOnly
    return by.component


def demand_privacy_officer(by: Caller) -> None:
    """Go on only as the privacy officer.

    :raises Forbidden: it is somebody else.
    """
    if by.kind != "user" or "privacy_officer" not in by.roles:
        raise Forbidden("This is for the privacy officer.")


def may_see_frozen(by: Caller, person: Person) -> bool:
    """Who still sees a frozen person in lists: who has to deal with the request (T21)."""
    return (
        by.id in {person.owner_id, person.deputy_id, person.frozen_by}
        or ("office_administrator" in by.roles and by.component is not None and by.component == person.component)
        or "privacy_officer" in by.roles
    )


def may_answer(by: Caller, person: Person) -> bool:
    """Who answers a coordination request: the owner, the deputy, or their office's administrator (R86, T10)."""
    return by.id in {person.owner_id, person.deputy_id} or (
        "office_administrator" in by.roles and by.component is not None and by.component == person.component
    )
