"""One timeline out of two services' parts, most recent first."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields, validate

from gateway.clients import query as ask
from gateway.merging import decode_instant_position, encode_position, sort_key_of, total_of, without_position
from services.chassis.messages import Unavailable
from services.chassis.validation import Closed

WARNING = "Interactions and events are not shown: a part of the system is away."


class TimelineQuerySchema(Closed):
    """Which part of the timeline."""

    limit = fields.Integer(load_default=50, validate=validate.Range(min=1, max=200))
    cursor = fields.String(validate=validate.Length(max=2000))


class HistoryItemSchema(Schema):
    """One moment: an interaction, an attendance, a hand-over, a verification, the entry of the record."""

    kind = fields.String(required=True)
    id = fields.String(allow_none=True)
    at = fields.String(required=True)
    mode = fields.String(allow_none=True)
    initiated_by = fields.String(allow_none=True, metadata={"description": "Who began an interaction, where that is known (T33)."})
    component = fields.String(allow_none=True)
    user = fields.String(allow_none=True)
    event_id = fields.String(allow_none=True)
    event_name = fields.String(allow_none=True)
    issue_ids = fields.List(fields.String())
    from_ = fields.Dict(data_key="from", metadata={"description": "Whose record it was, before a hand-over."})
    to = fields.Dict(metadata={"description": "Whose it was then."})
    outcome = fields.String(allow_none=True)
    medium = fields.String(metadata={"description": "How a verification was made."})
    withdrawn = fields.List(fields.String(), metadata={"description": "What the person no longer declined to give."})


def timeline(kind: str, subject_id: str, query: dict[str, Any]) -> dict[str, Any]:
    """Return a page of a stakeholder's history, of what contacts and interactions know of it.

    Contacts is asked first, for it knows whether the record is the caller's to know of. Each tells its latest items
    behind a position, with the `position` of each; the page takes the latest of all.

    :raises NotFound: there is no such record, or it is not the caller's to know of.
    """
    limit = int(query.get("limit") or 50)
    asked = {"limit": limit, "after": decode_instant_position(query["cursor"]) if query.get("cursor") else None}
    own = _own_part(kind, subject_id, asked)
    page: dict[str, Any] = {}
    try:
        theirs = ask("interactions", "list_history", query={kind: subject_id, **asked})
    except Unavailable:
        page["warning"] = WARNING
        theirs = {"items": [], "more": False, "total": 0}
    found = sorted([*own["items"], *theirs["items"]], key=sort_key_of, reverse=True)
    shown = found[:limit]
    goes_on = len(found) > len(shown) or own["more"] or theirs["more"]
    page["items"] = [without_position(item) for item in shown]
    page["next"] = encode_position(shown[-1]["position"]) if shown and goes_on else None
    page["total"] = total_of([own, theirs])
    return page


def _own_part(kind: str, subject_id: str, asked: dict[str, Any]) -> dict[str, Any]:
    if kind == "individual_id":
        told = ask("contacts", "record_history", individual_id=subject_id, query=asked)
        items = [{**{name: value for name, value in item.items() if name != "by"}, "user": item.get("by")} for item in told["items"]]
        return {**told, "items": items}
    organization = ask("contacts", "read_organization", organization_id=subject_id)
    owner = organization.get("owner") or {}
    entry = {
        "kind": "registered",
        "at": organization["created_at"],
        "user": owner.get("user"),
        "component": owner.get("component"),
        "position": [organization["created_at"], subject_id],
    }
    is_behind = asked["after"] is None or sort_key_of(entry) < sort_key_of({"position": asked["after"]})
    return {"items": [entry] if is_behind else [], "more": False, "total": 1}
