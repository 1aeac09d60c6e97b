"""The offices and the people who work in them."""

from __future__ import annotations

from typing import Any

from gateway.clients import query as ask
from gateway.endpoints import Area
from services.access.contract import ComponentSchema, UserListSchema, UserSchema

components = Area("components", __name__, url_prefix="/components", description="The offices of R139")
users = Area("users", __name__, url_prefix="/users", description="The people who work with the system")


@components.endpoint("GET", "", answers=ComponentSchema, collection=True)
def list_components() -> Any:
    """List the offices, as a tree by `parent_id`."""
    return collection(ask("access", "list_components"))


@users.endpoint("GET", "", query=UserListSchema, answers=UserSchema, collection=True)
def list_users(query: dict[str, Any]) -> Any:
    """List users by id, component or name."""
    return collection(ask("access", "list_users", **query))


@users.endpoint("GET", "/<uuid:user_id>", answers=UserSchema, tagged=True, problems=(404,))
def read_user(user_id: str) -> Any:
    """Read one user."""
    return ask("access", "read_user", user_id=user_id)


def collection(answer: Any) -> dict[str, Any]:
    """Return a collection, whether the service gave one or a plain list."""
    if isinstance(answer, dict):
        return answer
    return {"items": answer, "next": None, "total": len(answer)}
