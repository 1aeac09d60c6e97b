"""Pages of the audit trail, for the security officer."""

from __future__ import annotations

from urllib.parse import urlencode

from flask import Response, request

from gateway.clients import query
from gateway.merging import Page
from gateway.pages.layout import blueprint, page, user_names, validated
from gateway.pages.paging import page_links, page_query
from gateway.trail import recorded
from services.audit.contract.schemas import EntriesQuerySchema
from services.chassis.messages import Forbidden, Invalid
from services.contacts.contract.answers.cases import DayCountAnswer


@blueprint.get("/audit/counts")
def day_counts() -> Response:
    """Show how many requests for no more contact each user recorded on each day, and how many entries were blocked (T36)."""
    found: Page[DayCountAnswer] = query("contacts", "list_counts", query=page_query())
    names = user_names({item["user_id"] for item in found["items"]})
    return page("audit_counts.html", found=found, part=page_links(found, path="/audit/counts"), names=names)


@blueprint.get("/audit")
def trail() -> Response:
    """List entries by filters; reading the trail is itself an entry (T14)."""
    given = {name: value for name, value in request.args.items() if value.strip()}
    try:
        found = query("audit", "list_entries", query=validated(EntriesQuerySchema, {**given, "limit": "100"}))
        checkpoints = query("audit", "list_checkpoints", query={"limit": "1"})
    except (Invalid, Forbidden) as refusal:
        return page("audit.html", refusal=recorded(refusal), values=given)
    following = urlencode({**given, "cursor": found["next"]}) if found["next"] else None
    return page("audit.html", values=given, found=found, checkpoints=checkpoints, following=following)
