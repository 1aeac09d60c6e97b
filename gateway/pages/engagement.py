"""Logging interactions, events with attendees, requests to coordinate."""

from __future__ import annotations

from typing import Any

from flask import Response, g, request

from gateway.clients import command, query
from gateway.pages.frame import (
    attempt,
    blueprint,
    checked,
    issue_names,
    names_of,
    page,
    several,
    to,
    typed,
)
from gateway.pages.times import moment, now_typed
from services.chassis.messages import NotFound, Refusal, entity_tag
from services.contacts.contract import StakeholderQuerySchema
from services.interactions.contract import (
    AttendeesAddSchema,
    CoordinationRequestChangeSchema,
    CoordinationRequestCreateSchema,
    EventCreateSchema,
    InteractionCreateSchema,
)


@blueprint.get("/interactions/new")
def new_interaction() -> Response:
    """Show the form, prefilled with now and with whom one came from."""
    return _interaction_form(
        {
            "held_at": now_typed(),
            "individual_ids": request.args.get("individual_id", ""),
            "mode": "phone",
            "no_contact_request_id": request.args.get("no_contact_request_id", ""),
        }
    )


@blueprint.post("/interactions/new")
def logging_interaction() -> Response:
    """Log an interaction (R48-R54)."""
    promised = typed("promise", "promise_due_on")

    def log_it() -> Response:
        body: dict[str, Any] = typed("mode", "outcome", "event_id", "keep_reason", "no_contact_request_id")
        body["held_at"] = moment("held_at")
        body["individual_ids"] = _ids("individual_ids")
        body["organization_ids"] = _ids("organization_ids")
        body["issue_ids"] = several("issue_ids")
        if promised:
            follow_up = {"text": promised.get("promise", "")}
            if "promise_due_on" in promised:
                follow_up["due_on"] = promised["promise_due_on"]
            body["follow_ups"] = [follow_up]
        logged = command("interactions", "create_interaction", body=checked(InteractionCreateSchema, body))
        return to("interaction", interaction_id=logged["id"])

    def again(refusal: Refusal) -> Response:
        moved = {"follow_ups.0.text": "promise", "follow_ups.0.due_on": "promise_due_on"}
        refusal.errors = {moved.get(name, _whole(name)): said for name, said in (refusal.errors or {}).items()} or None
        return _interaction_form(request.form, refusal)

    return attempt(log_it, again)


@blueprint.get("/interactions/<uuid:interaction_id>")
def interaction(interaction_id: Any) -> Response:
    """Show one interaction."""
    shown = query("interactions", "read_interaction", interaction_id=str(interaction_id))
    users = {shown["user"]} | {promise["assignee"] for promise in shown["follow_ups"]}
    return page(
        "interaction.html",
        interaction=shown,
        names=names_of(users),
        people=_people(shown["individual_ids"]),
        issues=issue_names(),
        tag=entity_tag(shown),
    )


@blueprint.get("/events")
def events() -> Response:
    """List events, and show the form for a new one."""
    return _events_page()


@blueprint.post("/events")
def entering_event() -> Response:
    """Enter an event (R58-R63)."""

    def enter() -> Response:
        body: dict[str, Any] = typed("name", "place", "agenda", "keep_reason")
        body["starts_at"] = moment("starts_at")
        if ends_at := moment("ends_at"):
            body["ends_at"] = ends_at
        body["issue_ids"] = several("issue_ids")
        entered = command("interactions", "create_event", body=checked(EventCreateSchema, body))
        return to("event", event_id=entered["id"])

    return attempt(enter, _events_page)


@blueprint.get("/events/<uuid:event_id>")
def event(event_id: Any) -> Response:
    """Show an event with who attended."""
    return _event_page(str(event_id))


@blueprint.post("/events/<uuid:event_id>/attendees")
def recording_attendance(event_id: Any) -> Response:
    """Record who attended (R62)."""

    def add() -> Response:
        body = {"individual_ids": _ids("individual_ids"), "organization_ids": _ids("organization_ids")}
        command("interactions", "add_attendees", event_id=str(event_id), body=checked(AttendeesAddSchema, body))
        return to("event", event_id=event_id)

    def again(refusal: Refusal) -> Response:
        refusal.errors = {_whole(name): said for name, said in (refusal.errors or {}).items()} or None
        return _event_page(str(event_id), refusal)

    return attempt(add, again)


@blueprint.get("/requests/coordination")
def coordination_requests() -> Response:
    """List the requests that one sent or has to answer."""
    found = query("interactions", "list_coordination_requests", query={"limit": "200"})
    users = {item["requested_by"] for item in found["items"]}
    users |= {(item.get("owner") or {}).get("user") for item in found["items"]}
    return page("coordination_list.html", found=found, names=names_of(users), issues=issue_names())


@blueprint.get("/requests/coordination/new")
def new_coordination_request() -> Response:
    """Show the form for asking the owner of a record to speak to that person."""
    return _coordination_form(request.args)


@blueprint.post("/requests/coordination/new")
def asking_to_coordinate() -> Response:
    """Ask the owner (R86)."""

    def ask() -> Response:
        body = checked(CoordinationRequestCreateSchema, typed("individual_id", "issue_id", "message", "due_on", "keep_reason"))
        asked = command("interactions", "create_coordination_request", body=body)
        return to("coordination_request", request_id=asked["id"])

    return attempt(ask, lambda refusal: _coordination_form(request.form, refusal))


@blueprint.get("/requests/coordination/<uuid:request_id>")
def coordination_request(request_id: Any) -> Response:
    """Show a request, and the answers that it can take."""
    return _coordination_page(str(request_id))


@blueprint.post("/requests/coordination/<uuid:request_id>")
def answering_coordination_request(request_id: Any) -> Response:
    """Accept, decline with a reason, or mark as done (R87)."""

    def answer() -> Response:
        body = checked(CoordinationRequestChangeSchema, typed("status", "reason"))
        command(
            "interactions",
            "change_coordination_request",
            request_id=str(request_id),
            if_match=request.form.get("if_match", ""),
            body=body,
        )
        return to("coordination_request", request_id=request_id)

    return attempt(answer, lambda refusal: _coordination_page(str(request_id), refusal))


def _interaction_form(values: Any, refusal: Refusal | None = None) -> Response:
    chosen = (values.get("individual_ids") or "").split()
    return page(
        "interaction_new.html",
        issues=issue_names(),
        events=_recent_events(),
        people=_people(chosen),
        values=values,
        refusal=refusal,
    )


def _recent_events() -> dict[str, str]:
    found = query("interactions", "list_events", query={"limit": "50"})
    return {item["id"]: item["name"] or "(withheld)" for item in found["items"]}


def _events_page(refusal: Refusal | None = None) -> Response:
    found = query("interactions", "list_events", query={"limit": "100"})
    return page(
        "events.html",
        found=found,
        issues=issue_names(),
        values=request.form if refusal else {"starts_at": now_typed()},
        refusal=refusal,
    )


def _event_page(event_id: str, refusal: Refusal | None = None) -> Response:
    shown = query("interactions", "read_event", event_id=event_id)
    attendees = query("interactions", "list_attendees", event_id=event_id, query={"limit": "200"})
    wanted = request.args.get("find", "").strip()
    return page(
        "event.html",
        event=shown,
        form="ids" if refusal else "",
        attendees=attendees,
        people=_people([item["individual_id"] for item in attendees["items"] if item["individual_id"]]),
        issues=issue_names(),
        wanted=wanted,
        found=_found(wanted) if wanted else {},
        values=request.form if refusal else {},
        refusal=refusal,
    )


def _found(words: str) -> dict[str, str]:
    """Return id → name of individuals that fit, to be ticked."""
    asked = checked(StakeholderQuerySchema, {"q": words, "type": "individual", "limit": "20"})
    items = query("contacts", "search_stakeholders", query=asked)["items"]
    return {item["id"]: ", ".join(filter(None, (item["name"], item["organization_name"], item["state"]))) for item in items}


def _coordination_form(values: Any, refusal: Refusal | None = None) -> Response:
    chosen = values.get("individual_id") or ""
    return page(
        "coordination_new.html",
        people=_people([chosen] if chosen else []),
        issues=issue_names(),
        values=values,
        refusal=refusal,
    )


def _coordination_page(request_id: str, refusal: Refusal | None = None) -> Response:
    shown = query("interactions", "read_coordination_request", request_id=request_id)
    owner = (shown.get("owner") or {}).get("user")
    return page(
        "coordination.html",
        asked=shown,
        tag=entity_tag(shown),
        names=names_of({shown["requested_by"], owner}),
        people=_people([shown["individual_id"]]),
        issues=issue_names(),
        mine=g.admission.session["user"]["id"] == owner,
        values=request.form if refusal else {},
        refusal=refusal,
    )


def _people(ids: list[str]) -> dict[str, str]:
    """Return id → name of the few people on a page; whoever is gone or not to be known of stays an id."""
    names = {}
    for individual_id in ids[:20]:
        try:
            person = query("contacts", "read_individual", individual_id=individual_id)
        except NotFound:
            continue
        except Refusal as refusal:
            if refusal.branch == "invalid":
                continue
            raise
        names[individual_id] = f"{person['first_name']} {person['last_name']}".strip()
    return names


def _ids(name: str) -> list[str]:
    return [part for value in several(name) for part in value.replace(",", " ").split()]


def _whole(name: str) -> str:
    """Return the form's field of a list's element: `individual_ids.0` was typed into `individual_ids`."""
    head, _, tail = name.partition(".")
    return head if tail.isdigit() else name
