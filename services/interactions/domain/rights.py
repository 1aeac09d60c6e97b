"""What interactions knows of an individual, and who deals with a frozen one or answers for them."""

from __future__ import annotations

from dataclasses import dataclass

from services.chassis.messages import Caller


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
