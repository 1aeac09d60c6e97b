"""Describe an individual to interactions, and decide who sees a frozen one or answers for them."""

from __future__ import annotations

from dataclasses import dataclass

from services.chassis.messages import Caller


@dataclass(frozen=True, slots=True)
class Person:
    """The projection of an individual: ids and codes that contacts announced."""

    id: str
    owner_id: str | None = None
    deputy_id: str | None = None
    component: str | None = None
    frozen_request_id: str | None = None
    frozen_by: str | None = None
    #: Components that see the person as frozen, because they may be the person of a request (T26).
    frozen_for: tuple[str, ...] = ()

    def is_frozen_for(self, component: str | None) -> bool:
        """Return whether the person is frozen for this component: for everybody (T21), or for it only (T26)."""
        return self.frozen_request_id is not None or component in self.frozen_for


def may_see_frozen(by: Caller, person: Person) -> bool:
    """Return whether the caller still sees a frozen person in lists, because they handle the request (T21)."""
    return (
        by.id in {person.owner_id, person.deputy_id, person.frozen_by}
        or ("office_administrator" in by.roles and by.component is not None and by.component == person.component)
        or "privacy_officer" in by.roles
    )


def may_answer(by: Caller, person: Person) -> bool:
    """Return whether the caller may answer a coordination request: as owner, deputy or office administrator (R86, T10)."""
    return by.id in {person.owner_id, person.deputy_id} or (
        "office_administrator" in by.roles and by.component is not None and by.component == person.component
    )
