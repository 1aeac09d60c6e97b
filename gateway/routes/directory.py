"""Offices, users, and the caller's own settings."""

from __future__ import annotations

from flask import g

from gateway.clients import command
from gateway.clients import query as ask
from gateway.context import app_context
from gateway.endpoints import ApiBlueprint, JsonObject, Parameters
from services.access.contract import ProfileChangeSchema, UserListSchema
from services.access.contract.answers import ComponentAnswer, ProfileAnswer, UserAnswer

components = ApiBlueprint("components", __name__, url_prefix="/components", description="The offices of R139")
profile = ApiBlueprint("profile", __name__, url_prefix="/profile", description="Your own settings")
users = ApiBlueprint("users", __name__, url_prefix="/users", description="The people who work with the system")


@components.endpoint("GET", "", answers=ComponentAnswer, collection=True)
def list_components() -> object:
    """List the offices, as a tree by `parent_id`."""
    return ask("access", "list_components")


@users.endpoint("GET", "", query=UserListSchema, answers=UserAnswer, collection=True)
def list_users(query: Parameters) -> object:
    """List users by id, component or name."""
    return ask("access", "list_users", **query)


@users.endpoint("GET", "/<uuid:user_id>", answers=UserAnswer, tagged=True, problems=(404,))
def read_user(user_id: str) -> object:
    """Read one user."""
    return ask("access", "read_user", user_id=user_id)


@profile.endpoint("GET", "", answers=ProfileAnswer, tagged=True)
def read_profile() -> object:
    """Read your own settings."""
    return ask("access", "read_profile")


@profile.endpoint("PATCH", "", body=ProfileChangeSchema, answers=ProfileAnswer, tagged=True, matched=True)
def change_profile(if_match: str, body: JsonObject) -> object:
    """Change your own settings: the time zone in which pages show times (T29)."""
    return save_profile(body, if_match)


def save_profile(body: JsonObject, if_match: str) -> object:
    """Change the caller's settings, and drop the cached session that has the old ones."""
    changed = command("access", "change_profile", body=body, if_match=if_match)
    app_context().sessions.forget(g.token)
    return changed
