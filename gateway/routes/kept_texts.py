"""Text that was kept against a finding, of notes and of interactions, as it waits for the privacy officer (T15)."""

from __future__ import annotations

from typing import Any

from gateway.clients import command
from gateway.clients import query as ask
from gateway.endpoints import ApiBlueprint
from gateway.merging import decode_instant_position, encode_position, sort_key_of, total_of, without_position
from services.contacts.contract import KeptTextListQuerySchema, KeptTextReleasedSchema, KeptTextReleaseSchema, KeptTextSchema
from services.contacts.contract.kept import KeptTextUnknown

blueprint = ApiBlueprint(
    "kept-texts", __name__, url_prefix="/kept-texts", description="Text that was kept against a finding, until it is released (T15)"
)

#: A text's id begins with the service that keeps it.
SERVICES = ("contacts", "interactions")


@blueprint.endpoint("GET", "", query=KeptTextListQuerySchema, answers=KeptTextSchema, collection=True)
def list_kept_texts(query: dict[str, Any]) -> Any:
    """List what waits to be released, the oldest first: the privacy officer."""
    return kept_texts(limit=int(query.get("limit", 50)), cursor=query.get("cursor"))


@blueprint.endpoint("POST", "/<string:kept_id>/release", body=KeptTextReleaseSchema, answers=KeptTextReleasedSchema, problems=(404, 409))
def release_kept_text(kept_id: str, body: dict[str, Any]) -> Any:
    """Let everybody read a text as it was read: the privacy officer."""
    return release(kept_id, body)


def release(kept_id: str, body: dict[str, Any]) -> dict[str, Any]:
    """Ask the service that keeps a text to release it.

    :raises KeptTextUnknown: no text has that id.
    """
    service, _, own_id = kept_id.partition(".")
    if service not in SERVICES or len(kept_id) > 100:
        raise KeptTextUnknown
    released: dict[str, Any] = command(service, "release_kept_text", kept_id=own_id, body=body)
    return {**released, "id": kept_id}


def kept_texts(*, limit: int = 50, cursor: str | None = None) -> dict[str, Any]:
    """Return a page of what waits, out of both services. Neither is left out silently: while one is away there is no list."""
    asked = {"limit": limit, "after": decode_instant_position(cursor) if cursor else None}
    found = {service: ask(service, "list_kept_texts", query=asked) for service in SERVICES}
    items = [{**item, "id": f"{service}.{item['id']}"} for service, part in found.items() for item in part["items"]]
    items.sort(key=sort_key_of)
    has_more = len(items) > limit or any(part["more"] for part in found.values())
    page = items[:limit]
    return {
        "items": [without_position(item) for item in page],
        "next": encode_position(page[-1]["position"]) if page and has_more else None,
        "total": total_of(found.values()),
    }
