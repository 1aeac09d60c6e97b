"""Texts that were kept although the screening found something, until the privacy officer releases them (T15)."""

from __future__ import annotations

from gateway.clients import command
from gateway.clients import query as ask
from gateway.endpoints import ApiBlueprint, JsonObject, Parameters
from gateway.merging import Page, decode_instant_position, encode_position, page_bounds, sort_key_of, total_of, without_position
from services.chassis.answers import Part
from services.contacts.contract.answers.notes import KeptText, KeptTextAnswer, ReleasedAnswer
from services.contacts.contract.schemas.notes import KeptTextListQuerySchema, KeptTextReleaseSchema
from services.lexicon.refusals import KeptTextUnknown

blueprint = ApiBlueprint("kept-texts", "Text that was kept against a finding, until it is released (T15)")

#: The id of a text begins with the name of its service.
SERVICES = ("contacts", "interactions")


@blueprint.endpoint("GET", "", query=KeptTextListQuerySchema, answers=KeptText, collection=True)
def list_kept_texts(query: Parameters) -> object:
    """List the texts that wait to be released, the oldest first. For the privacy officer."""
    limit, cursor = page_bounds(query)
    return kept_texts(limit=limit, cursor=cursor)


@blueprint.endpoint("POST", "/<string:kept_id>/release", body=KeptTextReleaseSchema, answers=ReleasedAnswer)
def release_kept_text(kept_id: str, body: JsonObject) -> object:
    """Release a text in the version that was read. For the privacy officer."""
    return release(kept_id, body)


def release(kept_id: str, body: JsonObject) -> object:
    """Ask the service of a text to release it.

    :raises KeptTextUnknown: no text has that id.
    """
    service, _, own_id = kept_id.partition(".")
    if service not in SERVICES or len(kept_id) > 100:
        raise KeptTextUnknown
    released = command(service, "release_kept_text", kept_id=own_id, body=body)
    return {**released, "id": kept_id}


def kept_texts(*, limit: int, cursor: str | None = None) -> Page[KeptTextAnswer]:
    """Return a page of the texts of both services.

    :raises Unavailable: one of them does not answer; a list without its texts would mislead.
    """
    asked = {"limit": limit, "after": decode_instant_position(cursor) if cursor else None}
    found: dict[str, Part[KeptTextAnswer]] = {service: ask(service, "list_kept_texts", query=asked) for service in SERVICES}
    items: list[KeptTextAnswer] = [{**item, "id": f"{service}.{item['id']}"} for service, part in found.items() for item in part["items"]]
    items.sort(key=sort_key_of)
    has_more = len(items) > limit or any(part["more"] for part in found.values())
    page = items[:limit]
    return {
        "items": [without_position(item) for item in page],
        "next": encode_position(page[-1]["position"]) if page and has_more else None,
        "total": total_of(found.values()),
    }
