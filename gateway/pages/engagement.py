"""Pages for interactions with their promises, and for events with their attendees."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Response, request

from gateway.clients import command, query
from gateway.endpoints import JsonValue
from gateway.merging import Page
from gateway.naming import is_id, stakeholder_names
from gateway.pages import picking
from gateway.pages.addresses import values_from_address
from gateway.pages.colleagues import colleagues
from gateway.pages.layout import blueprint, form_list, form_values, form_view, issue_names, page, redirect_to, user_names, validated
from gateway.pages.paging import page_links, page_query
from gateway.pages.preferences import with_preferences
from gateway.pages.times import instant_from_form, now_typed
from gateway.pages.versions import compare_versions, submitted_etag
from gateway.permissions import may
from services.chassis.messages import NotFound, Refusal, entity_tag
from services.interactions.contract.answers import AttendeeAnswer, EventAnswer, InteractionAnswer
from services.interactions.contract.schemas import AttendeesAddSchema, EventCreateSchema, InteractionChangeSchema, InteractionCreateSchema

#: How many recent events the form of an interaction offers.
RECENT = 50


@blueprint.get("/interactions/new")
def new_interaction() -> Response:
    """Show the form, with the current time and the person whose page led here."""
    return _interaction_form(
        {
            "held_at": now_typed(),
            **values_from_address("individual_id"),
            "mode": "phone",
            **values_from_address("no_contact_request_id", "event_id"),
        }
    )


def _interaction_form(values: Mapping[str, str], refusal: Refusal | None = None) -> Response:
    chosen = {"individual": [values["individual_id"]]} if values.get("individual_id") else picking.ids_from_form()
    at = values.get("event_id") or ""
    return page(
        "interaction_new.html",
        issues=issue_names(),
        events=_recent_events(at),
        picker=picking.picker(chosen),
        preferring=with_preferences(filter(is_id, chosen["individual"])),
        colleagues=colleagues() if may("contribute") else {},
        values=values,
        refusal=refusal,
    )


def _interaction_again(refusal: Refusal) -> Response:
    moved = {"follow_ups.0.text": "promise", "follow_ups.0.due_on": "promise_due_on", "follow_ups": "promise_due_on"}
    refusal.errors = {moved.get(name, _whole(name)): said for name, said in (refusal.errors or {}).items()} or None
    return _interaction_form(request.form, refusal)


@form_view("/interactions/new", _interaction_again)
def logging_interaction() -> Response:
    """Log an interaction (R48-R54)."""
    if picking.is_searching():
        return _interaction_form(request.form)
    body: dict[str, JsonValue] = {
        **form_values("mode", "initiated_by", "outcome", "event_id", "keep_reason", "no_contact_request_id"),
        "held_at": instant_from_form("held_at"),
        "individual_ids": form_list("individual_ids"),
        "organization_ids": form_list("organization_ids"),
        "issue_ids": form_list("issue_ids"),
    }
    if promised := form_values("promise", "promise_due_on", "promise_mode", "promise_assignee"):
        body["follow_ups"] = [{"text" if name == "promise" else name.removeprefix("promise_"): value for name, value in promised.items()}]
    logged = command("interactions", "create_interaction", body=validated(InteractionCreateSchema, body))
    return redirect_to("interaction", interaction_id=logged["id"])


@blueprint.get("/interactions/<uuid:interaction_id>")
def interaction(interaction_id: str, refusal: Refusal | None = None, **_path: str) -> Response:
    """Show one interaction."""
    shown: InteractionAnswer = query("interactions", "read_interaction", interaction_id=interaction_id)
    users: set[str | None] = {shown["user"]}
    for promise in shown["follow_ups"]:
        users |= {promise["assignee"], promise["created_by"], promise["done_by"]}
    names = user_names(users)
    promises = [
        ", ".join(filter(None, (one["text"] or "(withheld)", names.get(one["assignee"] or ""), one["due_on"], "done" if one["done_at"] else "")))
        for one in shown["follow_ups"]
    ]
    return page(
        "interaction.html",
        interaction=shown,
        names=names,
        people=stakeholder_names([*shown["individual_ids"], *shown["organization_ids"]]),
        issues=issue_names(),
        event=_event_name(shown["event_id"]),
        colleagues=colleagues() if may("contribute") else {},
        writes=may("contribute"),
        version=compare_versions(
            {"outcome": shown["outcome"], "promises": "; ".join(promises)},
            entity_tag(shown),
            {"outcome": "Outcome", "promises": "Promises"},
            refusal,
            asks_always=True,
        ),
        refusal=refusal,
    )


@form_view("/interactions/<uuid:interaction_id>/follow-ups/<uuid:follow_up_id>/done", interaction)
def completing_follow_up(interaction_id: str, follow_up_id: str) -> Response:
    """Mark a promise as complete (R53)."""
    command("interactions", "complete_follow_up", interaction_id=interaction_id, follow_up_id=follow_up_id)
    return redirect_to("interaction", interaction_id=interaction_id)


@form_view("/interactions/<uuid:interaction_id>/follow-ups/<uuid:follow_up_id>", interaction)
def changing_follow_up(interaction_id: str, follow_up_id: str) -> Response:
    """Change the assignee, due date or mode of a promise (R53)."""
    shown: InteractionAnswer = query("interactions", "read_interaction", interaction_id=interaction_id)
    given = {name: request.form.get(name) or None for name in ("assignee", "due_on", "mode")}
    body = {"follow_ups": [{**one, **given} if one["id"] == follow_up_id else one for one in shown["follow_ups"]]}
    command(
        "interactions",
        "change_interaction",
        interaction_id=interaction_id,
        if_match=submitted_etag(),
        body=validated(InteractionChangeSchema, body),
    )
    return redirect_to("interaction", interaction_id=interaction_id)


def _event_name(event_id: str | None) -> str | None:
    return (query("interactions", "read_event", event_id=event_id)["name"] or "(withheld)") if event_id else None


@blueprint.get("/events")
def events(refusal: Refusal | None = None) -> Response:
    """List events, and show the form for a new one."""
    found: Page[EventAnswer] = query("interactions", "list_events", query=page_query())
    return page(
        "events.html",
        found=found,
        part=page_links(found, path="/events"),
        issues=issue_names(),
        values=request.form if refusal else {"starts_at": now_typed()},
        refusal=refusal,
    )


@form_view("/events", events)
def entering_event() -> Response:
    """Create an event (R58-R63)."""
    body: dict[str, JsonValue] = {
        **form_values("name", "place", "agenda", "keep_reason"),
        "starts_at": instant_from_form("starts_at"),
        "issue_ids": form_list("issue_ids"),
    }
    if ends_at := instant_from_form("ends_at"):
        body["ends_at"] = ends_at
    entered = command("interactions", "create_event", body=validated(EventCreateSchema, body))
    return redirect_to("event", event_id=entered["id"])


@blueprint.get("/events/<uuid:event_id>")
def event(event_id: str, refusal: Refusal | None = None) -> Response:
    """Show an event with its attendees."""
    shown: EventAnswer = query("interactions", "read_event", event_id=event_id)
    attendees: Page[AttendeeAnswer] = query("interactions", "list_attendees", event_id=event_id, query=page_query())
    return page(
        "event.html",
        event=shown,
        attendees=attendees,
        part=page_links(attendees, path=f"/events/{event_id}"),
        people=stakeholder_names(item["individual_id"] or item["organization_id"] for item in attendees["items"]),
        issues=issue_names(),
        picker=picking.picker(picking.ids_from_form()),
        refusal=refusal,
    )


def _event_again(event_id: str, refusal: Refusal) -> Response:
    refusal.errors = {_whole(name): said for name, said in (refusal.errors or {}).items()} or None
    return event(event_id, refusal)


@form_view("/events/<uuid:event_id>/attendees", _event_again)
def recording_attendance(event_id: str) -> Response:
    """Add attendees (R62)."""
    if picking.is_searching():
        return event(event_id)
    body = {"individual_ids": form_list("individual_ids"), "organization_ids": form_list("organization_ids")}
    command("interactions", "add_attendees", event_id=event_id, body=validated(AttendeesAddSchema, body))
    return redirect_to("event", event_id=event_id)


def _recent_events(chosen: str) -> dict[str, str]:
    """Return the latest events to choose from, and the chosen one."""
    found: Page[EventAnswer] = query("interactions", "list_events", query={"limit": str(RECENT)})
    events = {item["id"]: item["name"] or "(withheld)" for item in found["items"]}
    if is_id(chosen) and chosen not in events:
        try:
            events[chosen] = query("interactions", "read_event", event_id=chosen)["name"] or "(withheld)"
        except NotFound:
            return events
    return events


def _whole(name: str) -> str:
    """Return the form's field of a list element, such as `individual_ids` for `individual_ids.0`."""
    head, _, tail = name.partition(".")
    return head if tail.isdigit() else name
