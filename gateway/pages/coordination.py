"""Pages for coordination requests: ask another user to speak to a person, and answer such requests (R86, R87)."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Response, request

from gateway.clients import command, query
from gateway.merging import Page
from gateway.naming import is_id, stakeholder_names
from gateway.pages import picking
from gateway.pages.addresses import values_from_address
from gateway.pages.layout import blueprint, form_values, form_view, issue_names, page, redirect_to, user_names, validated
from gateway.pages.paging import page_links, page_query
from gateway.pages.preferences import with_preferences
from gateway.pages.versions import compare_versions, submitted_etag
from services.chassis.messages import Refusal, entity_tag
from services.interactions.contract.answers import CoordinationRequestAnswer
from services.interactions.contract.schemas import CoordinationRequestChangeSchema, CoordinationRequestCreateSchema

STATES = {
    "requested": "waiting for a reply",
    "accepted": "accepted",
    "declined": "declined",
    "withdrawn": "withdrawn",
    "done": "done",
}
SIDES = {"received": "Sent to me", "sent": "Sent by me"}


@blueprint.get("/requests/coordination")
def coordination_requests() -> Response:
    """List the requests that the user sent or has to answer."""
    given = {name: value for name in ("side", "status") if (value := request.args.get(name, "").strip())}
    found: Page[CoordinationRequestAnswer] = query("interactions", "list_coordination_requests", query=page_query(given))
    return page(
        "coordination_list.html",
        found=found,
        part=page_links(found, path="/requests/coordination", kept=given),
        names=user_names(user for item in found["items"] for user in (item["requested_by"], _owner_of(item))),
        people=stakeholder_names(item["individual_id"] for item in found["items"]),
        issues=issue_names(),
        states=STATES,
        sides=SIDES,
        values=given,
    )


@blueprint.get("/requests/coordination/new")
def new_coordination_request() -> Response:
    """Show the form for a new coordination request."""
    return _coordination_form(values_from_address("individual_id", codes=("component",)))


def _coordination_form(values: Mapping[str, str], refusal: Refusal | None = None) -> Response:
    chosen = values.get("individual_id") or ""
    return page(
        "coordination_new.html",
        # A search step leaves the person open.
        people=stakeholder_names([chosen]) if is_id(chosen) and not picking.is_searching() else {},
        picker=picking.single_picker(chosen),
        preferring=with_preferences([chosen] if is_id(chosen) else []),
        issues=issue_names(),
        values=values,
        refusal=refusal,
    )


@form_view("/requests/coordination/new", lambda refusal: _coordination_form(request.form, refusal))
def asking_to_coordinate() -> Response:
    """Create a coordination request (R86)."""
    if picking.is_searching():
        return _coordination_form(request.form)
    given = form_values("individual_id", "issue_id", "component", "message", "due_on", "mode", "keep_reason")
    asked = command("interactions", "create_coordination_request", body=validated(CoordinationRequestCreateSchema, given))
    return redirect_to("coordination_request", request_id=asked["id"])


@blueprint.get("/requests/coordination/<uuid:request_id>")
def coordination_request(request_id: str, refusal: Refusal | None = None) -> Response:
    """Show a request with the actions that are possible now."""
    shown: CoordinationRequestAnswer = query("interactions", "read_coordination_request", request_id=request_id)
    return page(
        "coordination.html",
        asked=shown,
        version=compare_versions(
            {**shown, "status": STATES.get(shown["status"], shown["status"])},
            entity_tag(shown),
            {"status": "State", "message": "Message", "due_on": "Due", "reason": "Reason"},
            refusal,
            asks_always=True,
        ),
        names=user_names([shown["requested_by"], shown["answered_by"], _owner_of(shown)]),
        people=stakeholder_names([shown["individual_id"]]),
        preferring=with_preferences([shown["individual_id"]]),
        issues=issue_names(),
        states=STATES,
        values=request.form if refusal else {},
        refusal=refusal,
    )


@form_view("/requests/coordination/<uuid:request_id>", coordination_request)
def answering_coordination_request(request_id: str) -> Response:
    """Accept, decline with a reason, mark as done, take an acceptance back, or withdraw (R87)."""
    body = validated(CoordinationRequestChangeSchema, form_values("status", "reason"))
    command("interactions", "change_coordination_request", request_id=request_id, if_match=submitted_etag(), body=body)
    return redirect_to("coordination_request", request_id=request_id)


def _owner_of(asked: CoordinationRequestAnswer) -> str | None:
    return asked["owner"]["user"] if asked["owner"] else None
