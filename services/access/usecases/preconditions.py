"""Preconditions of storing an account."""

from __future__ import annotations

from typing import TYPE_CHECKING

from services.access.contract import ComponentUnknown, RolesIncompatible
from services.access.domain.users import User
from services.access.storage import directory
from services.lexicon.policy import Withheld, go_together

if TYPE_CHECKING:
    from services.chassis.database import UnitOfWork


def require_open_component(work: UnitOfWork, code: str) -> None:
    """Require an office that takes part.

    :raises ComponentUnknown: there is none of that code, or it is closed.
    """
    if not directory.component_is_open(work, code):
        raise ComponentUnknown(errors={"component": ["There is no such office."]})


def require_compatible_roles(user: User) -> None:
    """Require a level and roles that one account may have.

    :raises RolesIncompatible: they do not go together.
    """
    decision = go_together(user.component, user.level, user.roles)
    if isinstance(decision, Withheld):
        raise RolesIncompatible(decision.sentence, errors={"roles": [decision.sentence]}, extra={"rule": decision.rule})
