"""Interactions, events with their attendees, and coordination requests."""

from __future__ import annotations

from gateway.clients import command
from gateway.clients import query as ask
from gateway.endpoints import ApiBlueprint, JsonObject, Parameters, created
from services.interactions.contract.answers import AgainstPreferenceAnswer, AttendeeAnswer, CoordinationRequestAnswer, EventAnswer, InteractionAnswer
from services.interactions.contract.schemas import (
    AgainstPreferencesQuerySchema,
    AttendeeListQuerySchema,
    AttendeesAddSchema,
    CoordinationRequestChangeSchema,
    CoordinationRequestCreateSchema,
    CoordinationRequestListQuerySchema,
    EventChangeSchema,
    EventCreateSchema,
    EventListQuerySchema,
    InteractionChangeSchema,
    InteractionCreateSchema,
    InteractionListQuerySchema,
)

interactions = ApiBlueprint("interactions", __name__, url_prefix="/interactions", description="What was said, and promised")
events = ApiBlueprint("events", __name__, url_prefix="/events", description="Meetings on which DHS collaborated (R58-R63)")
requests = ApiBlueprint(
    "coordination-requests",
    __name__,
    url_prefix="/coordination-requests",
    description="Asking the owner of a record instead of calling oneself (R86, R87)",
)


@interactions.endpoint("GET", "", query=InteractionListQuerySchema, answers=InteractionAnswer, collection=True)
def list_interactions(query: Parameters) -> object:
    """List interactions, the most recent first."""
    return ask("interactions", "list_interactions", query=query)


@interactions.endpoint("POST", "", body=InteractionCreateSchema, answers=InteractionAnswer, status=201, tagged=True)
def create_interaction(body: JsonObject) -> object:
    """Log an interaction with its follow-ups (R48-R54)."""
    interaction = command("interactions", "create_interaction", body=body)
    return created("interactions.read_interaction", interaction_id=interaction)


@interactions.endpoint(
    "GET",
    "/against-preferences",
    query=AgainstPreferencesQuerySchema,
    answers=AgainstPreferenceAnswer,
    collection=True,
)
def list_against_preferences(query: Parameters) -> object:
    """List interactions that the department began against a preference, the most recent first. For the privacy officer (T33)."""
    return ask("interactions", "list_against_preferences", query=query)


@interactions.endpoint("GET", "/<uuid:interaction_id>", answers=InteractionAnswer, tagged=True, problems=(404,))
def read_interaction(interaction_id: str) -> object:
    """Read one interaction."""
    return ask("interactions", "read_interaction", interaction_id=interaction_id)


@interactions.endpoint(
    "PATCH",
    "/<uuid:interaction_id>",
    body=InteractionChangeSchema,
    answers=InteractionAnswer,
    tagged=True,
    matched=True,
    problems=(404,),
)
def change_interaction(interaction_id: str, if_match: str, body: JsonObject) -> object:
    """Correct an interaction, or complete its follow-ups (R53)."""
    return command("interactions", "change_interaction", interaction_id=interaction_id, if_match=if_match, body=body)


@interactions.endpoint("DELETE", "/<uuid:interaction_id>", status=204, matched=True, problems=(404,))
def withdraw_interaction(interaction_id: str, if_match: str) -> object:
    """Withdraw an interaction that was logged by mistake."""
    return command("interactions", "withdraw_interaction", interaction_id=interaction_id, if_match=if_match)


@interactions.endpoint(
    "POST",
    "/<uuid:interaction_id>/follow-ups/<uuid:follow_up_id>/done",
    answers=InteractionAnswer,
    problems=(404,),
)
def complete_follow_up(interaction_id: str, follow_up_id: str) -> object:
    """Complete a follow-up (R53)."""
    return command("interactions", "complete_follow_up", interaction_id=interaction_id, follow_up_id=follow_up_id)


@events.endpoint("GET", "", query=EventListQuerySchema, answers=EventAnswer, collection=True)
def list_events(query: Parameters) -> object:
    """List events, the most recent first."""
    return ask("interactions", "list_events", query=query)


@events.endpoint("POST", "", body=EventCreateSchema, answers=EventAnswer, status=201, tagged=True)
def create_event(body: JsonObject) -> object:
    """Create an event."""
    return created("events.read_event", event_id=command("interactions", "create_event", body=body))


@events.endpoint("GET", "/<uuid:event_id>", answers=EventAnswer, tagged=True, problems=(404,))
def read_event(event_id: str) -> object:
    """Read one event."""
    return ask("interactions", "read_event", event_id=event_id)


@events.endpoint("PATCH", "/<uuid:event_id>", body=EventChangeSchema, answers=EventAnswer, tagged=True, matched=True, problems=(404,))
def change_event(event_id: str, if_match: str, body: JsonObject) -> object:
    """Change the given fields of an event."""
    return command("interactions", "change_event", event_id=event_id, if_match=if_match, body=body)


@events.endpoint(
    "GET",
    "/<uuid:event_id>/attendees",
    query=AttendeeListQuerySchema,
    answers=AttendeeAnswer,
    collection=True,
    problems=(404,),
)
def list_attendees(event_id: str, query: Parameters) -> object:
    """List the attendees of an event (R62)."""
    return ask("interactions", "list_attendees", event_id=event_id, query=query)


@events.endpoint(
    "POST",
    "/<uuid:event_id>/attendees",
    body=AttendeesAddSchema,
    answers=AttendeeAnswer,
    collection=True,
    status=201,
    problems=(404,),
)
def add_attendees(event_id: str, body: JsonObject) -> object:
    """Add attendees of an event; attending counts as contact (R56)."""
    return command("interactions", "add_attendees", event_id=event_id, body=body)


@events.endpoint("DELETE", "/<uuid:event_id>/attendees/<uuid:attendee_id>", status=204, problems=(404,))
def remove_attendee(event_id: str, attendee_id: str) -> object:
    """Remove an attendee who was recorded by mistake."""
    return command("interactions", "remove_attendee", event_id=event_id, attendee_id=attendee_id)


@requests.endpoint("GET", "", query=CoordinationRequestListQuerySchema, answers=CoordinationRequestAnswer, collection=True)
def list_coordination_requests(query: Parameters) -> object:
    """List the coordination requests that concern you, the latest first."""
    return ask("interactions", "list_coordination_requests", query=query)


@requests.endpoint("POST", "", body=CoordinationRequestCreateSchema, answers=CoordinationRequestAnswer, status=201, tagged=True)
def create_coordination_request(body: JsonObject) -> object:
    """Ask the owner of a record to speak to the person."""
    asked = command("interactions", "create_coordination_request", body=body)
    return created("coordination-requests.read_coordination_request", request_id=asked)


@requests.endpoint("GET", "/<uuid:request_id>", answers=CoordinationRequestAnswer, tagged=True, problems=(404,))
def read_coordination_request(request_id: str) -> object:
    """Read one coordination request."""
    return ask("interactions", "read_coordination_request", request_id=request_id)


@requests.endpoint(
    "PATCH",
    "/<uuid:request_id>",
    body=CoordinationRequestChangeSchema,
    answers=CoordinationRequestAnswer,
    tagged=True,
    matched=True,
    problems=(404,),
)
def change_coordination_request(request_id: str, if_match: str, body: JsonObject) -> object:
    """Change the status of a coordination request: accepted, declined with a reason, withdrawn or done."""
    return command("interactions", "change_coordination_request", request_id=request_id, if_match=if_match, body=body)
