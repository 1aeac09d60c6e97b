"""One timeline out of two services' parts, most recent first."""

from __future__ import annotations

import base64
from typing import Any

import orjson
from marshmallow import RAISE, Schema, fields, validate

from gateway.clients import query as ask
from services.chassis.messages import Invalid, Unavailable

WARNING = "Interactions and events are not shown: a part of the system is away."


class TimelineQuerySchema(Schema):
    """Which part of the timeline."""

    class Meta:
        """A parameter that is not listed is refused (R13)."""

        unknown = RAISE

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
    issue_ids = fields.List(fields.String())
    from_ = fields.Dict(data_key="from", metadata={"description": "Whose record it was, before a hand-over."})
    to = fields.Dict(metadata={"description": "Whose it was then."})
    outcome = fields.String(allow_none=True)
    medium = fields.String(metadata={"description": "How a verification was made."})
    withdrawn = fields.List(fields.String(), metadata={"description": "What the person no longer declined to give."})


def timeline(kind: str, subject_id: str, query: dict[str, Any]) -> dict[str, Any]:
    """Return a page of a stakeholder's history.

    Contacts is asked first, for it knows whether the record is the caller's to know of, and its part is short. The
    pages are those of interactions; what contacts tells falls into the page that its instant belongs to.

    :raises NotFound: there is no such record, or it is not the caller's to know of.
    """
    inner, before = _opened(query.get("cursor"))
    own_items = _own_part(kind, subject_id)
    page: dict[str, Any] = {"items": [], "next": None, "total": len(own_items)}
    asked = {kind: subject_id, "limit": query.get("limit", "50")} | ({"cursor": inner} if inner else {})
    try:
        theirs = ask("interactions", "list_history", query=asked)
    except Unavailable:
        page["warning"] = WARNING
        theirs = {"items": [], "next": None, "total": 0}
    after = theirs["items"][-1]["at"] if theirs["next"] and theirs["items"] else ""
    page["items"] = sorted(
        [
            *(item for item in own_items if after <= item["at"] and (not before or item["at"] < before)),
            *theirs["items"],
        ],
        key=lambda item: (item["at"], item["kind"]),
        reverse=True,
    )
    page["next"] = _sealed(theirs["next"], after) if theirs["next"] else None
    page["total"] = _sum(theirs["total"], len(own_items))
    return page


def _own_part(kind: str, subject_id: str) -> list[dict[str, Any]]:
    if kind == "individual_id":
        told = ask("contacts", "record_history", individual_id=subject_id)["items"]
        return [{**{name: value for name, value in item.items() if name != "by"}, "user": item.get("by")} for item in told]
    organization = ask("contacts", "read_organization", organization_id=subject_id)
    owner = organization.get("owner") or {}
    return [
        {
            "kind": "registered",
            "at": organization["created_at"],
            "user": owner.get("user"),
            "component": owner.get("component"),
        }
    ]


def _sum(total: Any, more: int) -> Any:
    return total if isinstance(total, dict) else total + more


def _sealed(cursor: str, after: str) -> str:
    # The inner cursor is authenticated by its service; the instant only says which of contacts' few items were shown.
    return base64.urlsafe_b64encode(orjson.dumps([cursor, after])).decode()


def _opened(cursor: str | None) -> tuple[str | None, str | None]:
    if cursor is None:
        return None, None
    try:
        inner, before = orjson.loads(base64.urlsafe_b64decode(cursor))
        return str(inner), str(before)
    except (ValueError, TypeError) as error:
        raise Invalid(errors={"cursor": ["Use the cursor as it was given."]}) from error
