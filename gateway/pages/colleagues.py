"""The users who can be given something to do."""

from __future__ import annotations

from gateway.identity import current_user
from gateway.pages.paging import fetch_all
from gateway.permissions import may_own
from services.access.contract.answers import UserAnswer


def colleagues() -> dict[str, str]:
    """Return id → name of those in the user's component who can be given a record or a promise."""
    component = current_user()["component"]
    users: list[UserAnswer] = fetch_all("access", "list_users", {"component": component}, flat=True) if component else []
    return {user["id"]: user["name"] for user in users if may_own(user)}
