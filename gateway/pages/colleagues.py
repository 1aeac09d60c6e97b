"""Who can be given something to do: the active contributors of the user's own component, all of them."""

from __future__ import annotations

from flask import g

from gateway.pages.paging import fetch_all
from services.lexicon.vocabulary import at_least


def colleagues() -> dict[str, str]:
    """Return id → name of those in the user's component who can be given a record or a promise."""
    component = g.session.details["user"]["component"]
    users = fetch_all("access", "list_users", {"component": component}, flat=True) if component else []
    return {user["id"]: user["name"] for user in users if user["active"] and user["level"] in {"contributor", "steward"}}


def may_write() -> bool:
    """Tell whether the user's level lets them write; readers are shown no forms that would refuse them."""
    return at_least(g.session.details["user"].get("level"), "contributor")
