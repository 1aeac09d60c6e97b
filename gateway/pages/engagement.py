"""Pages for interactions with their promises, and for events with their attendees."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from flask import Response, request

from gateway.addresses import may_be_in_address
from gateway.clients import command, query
from gateway.endpoints import JsonValue
from gateway.merging import Page
from gateway.naming import is_id, stakeholder_names
from gateway.pages.addresses import values_from_address
from gateway.pages.colleagues import colleagues
from gateway.pages.layout import (
    blueprint,
    form_list,
    form_values,
    handle_form,
    issue_names,
    page,
    redirect_to,
    user_names,
    validated,
)
from gateway.pages.paging import page_links, page_query
from gateway.pages.preferences import with_preferences
from gateway.pages.times import instant_from_form, now_typed
from gateway.pages.versions import compare_versions, submitted_etag
from gateway.permissions import may
from services.chassis.messages import NotFound, Refusal, entity_tag
from services.contacts.contract.answers.search import LineAnswer
from services.contacts.contract.schemas.search import StakeholderQuerySchema
from services.interactions.contract.answers import AttendeeAnswer, EventAnswer, InteractionAnswer
from services.interactions.contract.schemas import AttendeesAddSchema, EventCreateSchema, InteractionChangeSchema, InteractionCreateSchema

SHOWN = 50
#: How many recent events the form of an interaction offers, and how many people the search for attendees.
RECENT, TICKED = 50, 50


@blueprint.get("/interactions/new")
def new_interaction() -> Response:
    """Show the form, with the current time and the person whose page led here."""
    return _interaction_form(
        {
            "held_at": now_typed(),
            "individual_ids": values_from_address("individual_id").get("individual_id", ""),
            "mode": "phone",
            **values_from_address("no_contact_request_id", "event_id"),
        }
    )


@blueprint.post("/interactions/new")
def logging_interaction() -> Response:
    """Log an interaction (R48-R54)."""
    promised = form_values("promise", "promise_due_on", "promise_mode", "promise_assignee")

    def log_it() -> Response:
        body: dict[str, JsonValue] = {
            **form_values("mode", "initiated_by", "outcome", "event_id", "keep_reason", "no_contact_request_id"),
            "held_at": instant_from_form("held_at"),
            "individual_ids": _ids("individual_ids"),
            "organization_ids": _ids("organization_ids"),
            "issue_ids": form_list("issue_ids"),
        }
        if promised:
            fields = {"text": "promise", "due_on": "promise_due_on", "mode": "promise_mode", "assignee": "promise_assignee"}
            body["follow_ups"] = [{field: promised[name] for field, name in fields.items() if name in promised}]
        logged = command("interactions", "create_interaction", body=validated(InteractionCreateSchema, body))
        return redirect_to("interaction", interaction_id=logged["id"])

    def again(refusal: Refusal) -> Response:
        moved = {"follow_ups.0.text": "promise", "follow_ups.0.due_on": "promise_due_on", "follow_ups": "promise_due_on"}
        refusal.errors = {moved.get(name, _whole(name)): said for name, said in (refusal.errors or {}).items()} or None
        return _interaction_form(request.form, refusal)

    return handle_form(log_it, again)


@blueprint.get("/interactions/<uuid:interaction_id>")
def interaction(interaction_id: UUID) -> Response:
    """Show one interaction."""
    return _interaction_page(str(interaction_id))


@blueprint.post("/interactions/<uuid:interaction_id>/follow-ups/<uuid:follow_up_id>/done")
def completing_follow_up(interaction_id: UUID, follow_up_id: UUID) -> Response:
    """Mark a promise as complete (R53)."""

    def complete() -> Response:
        command("interactions", "complete_follow_up", interaction_id=str(interaction_id), follow_up_id=str(follow_up_id))
        return redirect_to("interaction", interaction_id=interaction_id)

    return handle_form(complete, lambda refusal: _interaction_page(str(interaction_id), refusal))


@blueprint.post("/interactions/<uuid:interaction_id>/follow-ups/<uuid:follow_up_id>")
def changing_follow_up(interaction_id: UUID, follow_up_id: UUID) -> Response:
    """Change the assignee, due date or mode of a promise (R53)."""

    def change() -> Response:
        shown: InteractionAnswer = query("interactions", "read_interaction", interaction_id=str(interaction_id))
        given = {
            "assignee": request.form.get("assignee") or None,
            "due_on": request.form.get("due_on") or None,
            "mode": request.form.get("mode") or None,
        }
        body = {"follow_ups": [{**one, **given} if one["id"] == str(follow_up_id) else one for one in shown["follow_ups"]]}
        command(
            "interactions",
            "change_interaction",
            interaction_id=str(interaction_id),
            if_match=submitted_etag(),
            body=validated(InteractionChangeSchema, body),
        )
        return redirect_to("interaction", interaction_id=interaction_id)

    return handle_form(change, lambda refusal: _interaction_page(str(interaction_id), refusal))


def _interaction_page(interaction_id: str, refusal: Refusal | None = None) -> Response:
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
            here=refusal is not None,
            asks_always=True,
        ),
        refusal=refusal,
    )


def _event_name(event_id: str | None) -> str | None:
    return (query("interactions", "read_event", event_id=event_id)["name"] or "(withheld)") if event_id else None


@blueprint.get("/events")
def events() -> Response:
    """List events, and show the form for a new one."""
    return _events_page()


@blueprint.post("/events")
def entering_event() -> Response:
    """Create an event (R58-R63)."""

    def enter() -> Response:
        body: dict[str, JsonValue] = {**form_values("name", "place", "agenda", "keep_reason"), "starts_at": instant_from_form("starts_at")}
        if ends_at := instant_from_form("ends_at"):
            body["ends_at"] = ends_at
        body["issue_ids"] = form_list("issue_ids")
        entered = command("interactions", "create_event", body=validated(EventCreateSchema, body))
        return redirect_to("event", event_id=entered["id"])

    return handle_form(enter, _events_page)


@blueprint.get("/events/<uuid:event_id>")
def event(event_id: UUID) -> Response:
    """Show an event with its attendees."""
    return _event_page(str(event_id))


@blueprint.post("/events/<uuid:event_id>/find")
def finding_attendees(event_id: UUID) -> Response:
    """Search for attendees by an address, or without one when the text contains a phone number or e-mail address (T31)."""
    wanted = request.form.get("find", "").strip()
    if may_be_in_address([("find", wanted)]):
        return redirect_to("event", event_id=event_id, find=wanted, _anchor="who")
    return _event_page(str(event_id), wanted=wanted)


@blueprint.post("/events/<uuid:event_id>/attendees")
def recording_attendance(event_id: UUID) -> Response:
    """Add attendees (R62)."""

    def add() -> Response:
        body = {"individual_ids": _ids("individual_ids"), "organization_ids": _ids("organization_ids")}
        command("interactions", "add_attendees", event_id=str(event_id), body=validated(AttendeesAddSchema, body))
        return redirect_to("event", event_id=event_id)

    def again(refusal: Refusal) -> Response:
        refusal.errors = {_whole(name): said for name, said in (refusal.errors or {}).items()} or None
        return _event_page(str(event_id), refusal)

    return handle_form(add, again)


def _interaction_form(values: Mapping[str, str], refusal: Refusal | None = None) -> Response:
    chosen = (values.get("individual_ids") or "").split()
    at = values.get("event_id") or ""
    return page(
        "interaction_new.html",
        issues=issue_names(),
        events=_recent_events(at),
        people=stakeholder_names(chosen) if all(map(is_id, chosen)) else {},
        preferring=with_preferences(filter(is_id, chosen)),
        colleagues=colleagues() if may("contribute") else {},
        values=values,
        refusal=refusal,
    )


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


def _events_page(refusal: Refusal | None = None) -> Response:
    found: Page[EventAnswer] = query("interactions", "list_events", query=page_query({}, limit=SHOWN))
    return page(
        "events.html",
        found=found,
        part=page_links(found, path="/events"),
        issues=issue_names(),
        values=request.form if refusal else {"starts_at": now_typed()},
        refusal=refusal,
    )


def _event_page(event_id: str, refusal: Refusal | None = None, *, wanted: str = "") -> Response:
    shown: EventAnswer = query("interactions", "read_event", event_id=event_id)
    attendees: Page[AttendeeAnswer] = query("interactions", "list_attendees", event_id=event_id, query=page_query({}, limit=SHOWN))
    wanted = wanted or request.args.get("find", "").strip()
    found, is_more = _found(wanted) if wanted else ({}, False)
    return page(
        "event.html",
        event=shown,
        form="ids" if refusal else "",
        attendees=attendees,
        part=page_links(attendees, path=f"/events/{event_id}"),
        people=stakeholder_names(item["individual_id"] or item["organization_id"] for item in attendees["items"]),
        issues=issue_names(),
        wanted=wanted,
        found=found,
        is_more=is_more,
        values=request.form if refusal else {},
        refusal=refusal,
    )


def _found(words: str) -> tuple[dict[str, str], bool]:
    """Return id → name of the individuals that a search finds, and whether there are more."""
    asked = validated(StakeholderQuerySchema, {"q": words, "type": "individual", "limit": str(TICKED)})
    found: Page[LineAnswer] = query("contacts", "search_stakeholders", query=asked)
    names = {item["id"]: ", ".join(filter(None, (item["name"], item["organization_name"], item["state"]))) for item in found["items"]}
    return names, found["next"] is not None


def _ids(name: str) -> list[str]:
    return [part for value in form_list(name) for part in value.replace(",", " ").split()]


def _whole(name: str) -> str:
    """Return the form's field of a list element, such as `individual_ids` for `individual_ids.0`."""
    head, _, tail = name.partition(".")
    return head if tail.isdigit() else name
