"""Offices, users, and the caller's own settings."""

from __future__ import annotations

from flask import g

from gateway.clients import command
from gateway.clients import query as ask
from gateway.context import app_context
from gateway.endpoints import ApiBlueprint, JsonObject, Parameters
from services.access.contract import ProfileChangeSchema, UserListSchema
from services.access.contract.answers import ComponentAnswer, ProfileAnswer, UserAnswer

components = ApiBlueprint("components", "The offices of R139", service="access")
users = ApiBlueprint("users", "The people who work with the system", service="access")
profile = ApiBlueprint("profile", "Your own settings", service="access")


@components.forward("GET", "", answers=ComponentAnswer, collection=True)
def list_components() -> None:
    """List the offices, as a tree by `parent_id`."""


@users.endpoint("GET", "", query=UserListSchema, answers=UserAnswer, collection=True)
def list_users(query: Parameters) -> object:
    """List users by id, component or name."""
    return ask("access", "list_users", **query)


@users.forward("GET", "/<uuid:user_id>", answers=UserAnswer, tagged=True)
def read_user() -> None:
    """Read one user."""


@profile.forward("GET", "", answers=ProfileAnswer, tagged=True)
def read_profile() -> None:
    """Read your own settings."""


@profile.endpoint("PATCH", "", body=ProfileChangeSchema, answers=ProfileAnswer, tagged=True, matched=True)
def change_profile(if_match: str, body: JsonObject) -> object:
    """Change your own settings: the time zone in which pages show times (T29)."""
    return save_profile(body, if_match)


def save_profile(body: JsonObject, if_match: str) -> object:
    """Change the caller's settings, and drop the cached session that has the old ones."""
    changed = command("access", "change_profile", body=body, if_match=if_match)
    app_context().sessions.forget(g.token)
    return changed
