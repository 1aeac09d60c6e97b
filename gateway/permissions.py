"""What the field policy lets users do. Pages ask it to show only what a service would grant."""

from __future__ import annotations

from gateway.identity import current_user
from services.access.contract.answers import UserAnswer
from services.chassis.messages import Caller
from services.lexicon.policy import Facts, decide


def may(action: str, field: str | None = None, facts: Facts | None = None) -> bool:
    """Tell whether the signed-in user may do this."""
    return bool(decide(_actor(current_user()), action, field, facts))


def may_own(user: UserAnswer) -> bool:
    """Tell whether a user can be given a record or a promise."""
    return user["active"] and bool(decide(_actor(user), "own"))


def _actor(user: UserAnswer) -> Caller:
    return Caller("user", user["id"], user["component"], user["level"], frozenset(user["roles"]))
