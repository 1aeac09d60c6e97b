"""Requests for no more contact: record, and freeze at once."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Response, request

from gateway.clients import query
from gateway.merging import Page
from gateway.naming import stakeholder_names
from gateway.pages import picking
from gateway.pages.addresses import values_from_address
from gateway.pages.erasing import may_erase, name_of
from gateway.pages.layout import blueprint, form_values, form_view, page, redirect_to, user_names, validated
from gateway.pages.paging import page_links, page_query
from gateway.pages.times import today
from gateway.routes.removal import open_request
from services.chassis.messages import Refusal
from services.retention.contract import NoContactRequestCreateSchema
from services.retention.contract.answers import RequestAnswer

STATES = {"open": "to be erased", "erasing": "being erased", "done": "erased", "withdrawn": "withdrawn"}


@blueprint.get("/requests/no-contact")
def no_contact_requests() -> Response:
    """List the requests that the user may know of."""
    given = {"state": state} if (state := request.args.get("state", "").strip()) else {}
    found: Page[RequestAnswer] = query("retention", "list_no_contact_requests", query=page_query(given))
    return page(
        "no_contact_list.html",
        found=found,
        part=page_links(found, path="/requests/no-contact", kept=given),
        people=stakeholder_names(item["individual_id"] for item in found["items"]),
        names=user_names(user for item in found["items"] for user in (item["recorded_by"], item["owner"]["user"])),
        states=STATES,
        values=given,
    )


@blueprint.get("/requests/no-contact/new")
def new_no_contact_request() -> Response:
    """Show the form for recording such a request."""
    return _form({**values_from_address("individual_id"), "received_on": today().isoformat()})


def _form(values: Mapping[str, str], refusal: Refusal | None = None) -> Response:
    chosen = values.get("individual_id")
    name = name_of(chosen) if chosen and not picking.is_searching() else ""
    return page("no_contact_new.html", values=values, name=name, picker=picking.single_picker(chosen), refusal=refusal)


@form_view("/requests/no-contact/new", lambda refusal: _form(request.form, refusal))
def recording_no_contact_request() -> Response:
    """Record a request; the record is frozen before the answer (R164-R170, N6)."""
    if picking.is_searching():
        return _form(request.form)
    body = validated(NoContactRequestCreateSchema, form_values("individual_id", "medium", "received_on", "reason"))
    return redirect_to("no_contact_request", request_id=open_request(body)["id"])


@blueprint.get("/requests/no-contact/<uuid:request_id>")
def no_contact_request(request_id: str, refusal: Refusal | None = None) -> Response:
    """Show a request, with the link to erase for the user who has the duty."""
    shown: RequestAnswer = query("retention", "read_no_contact_request", request_id=request_id)
    withdrawal = shown["withdrawal"]
    users = {shown["recorded_by"], shown["owner"]["user"], withdrawal["proposed_by"] if withdrawal else None}
    may = not shown["erasure_id"] and may_erase(shown["individual_id"])
    people = stakeholder_names([shown["individual_id"]])
    return page("no_contact.html", asked=shown, names=user_names(users), people=people, states=STATES, may_erase=may, refusal=refusal)
