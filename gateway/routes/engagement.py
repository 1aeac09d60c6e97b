"""Interactions, events with their attendees, and coordination requests."""

from __future__ import annotations

from gateway.endpoints import ApiBlueprint
from services.interactions.contract.answers import AgainstPreferenceAnswer, AttendeeAnswer, CoordinationRequestAnswer, EventAnswer, InteractionAnswer
from services.interactions.contract.schemas import (
    AgainstPreferencesQuerySchema,
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
    PageQuerySchema,
)

interactions = ApiBlueprint("interactions", "What was said, and promised", service="interactions")
events = ApiBlueprint("events", "Meetings on which DHS collaborated (R58-R63)", service="interactions")
requests = ApiBlueprint("coordination-requests", "Asking the owner of a record instead of calling oneself (R86, R87)", service="interactions")


@interactions.forward("GET", "", query=InteractionListQuerySchema, answers=InteractionAnswer, collection=True)
def list_interactions() -> None:
    """List interactions, the most recent first."""


@interactions.forward("POST", "", body=InteractionCreateSchema, answers=InteractionAnswer, status=201, tagged=True, located=True)
def create_interaction() -> None:
    """Log an interaction with its follow-ups (R48-R54)."""


@interactions.forward("GET", "/against-preferences", query=AgainstPreferencesQuerySchema, answers=AgainstPreferenceAnswer, collection=True)
def list_against_preferences() -> None:
    """List interactions that the department began against a preference, the most recent first. For the privacy officer (T33)."""


@interactions.forward("GET", "/<uuid:interaction_id>", answers=InteractionAnswer, tagged=True)
def read_interaction() -> None:
    """Read one interaction."""


@interactions.forward("PATCH", "/<uuid:interaction_id>", body=InteractionChangeSchema, answers=InteractionAnswer, tagged=True, matched=True)
def change_interaction() -> None:
    """Correct an interaction, or complete its follow-ups (R53)."""


@interactions.forward("DELETE", "/<uuid:interaction_id>", status=204, matched=True)
def withdraw_interaction() -> None:
    """Withdraw an interaction that was logged by mistake."""


@interactions.forward("POST", "/<uuid:interaction_id>/follow-ups/<uuid:follow_up_id>/done", answers=InteractionAnswer)
def complete_follow_up() -> None:
    """Complete a follow-up (R53)."""


@events.forward("GET", "", query=EventListQuerySchema, answers=EventAnswer, collection=True)
def list_events() -> None:
    """List events, the most recent first."""


@events.forward("POST", "", body=EventCreateSchema, answers=EventAnswer, status=201, tagged=True, located=True)
def create_event() -> None:
    """Create an event."""


@events.forward("GET", "/<uuid:event_id>", answers=EventAnswer, tagged=True)
def read_event() -> None:
    """Read one event."""


@events.forward("PATCH", "/<uuid:event_id>", body=EventChangeSchema, answers=EventAnswer, tagged=True, matched=True)
def change_event() -> None:
    """Change the given fields of an event."""


@events.forward("GET", "/<uuid:event_id>/attendees", query=PageQuerySchema, answers=AttendeeAnswer, collection=True)
def list_attendees() -> None:
    """List the attendees of an event (R62)."""


@events.forward("POST", "/<uuid:event_id>/attendees", body=AttendeesAddSchema, answers=AttendeeAnswer, collection=True, status=201)
def add_attendees() -> None:
    """Add attendees of an event; attending counts as contact (R56)."""


@events.forward("DELETE", "/<uuid:event_id>/attendees/<uuid:attendee_id>", status=204)
def remove_attendee() -> None:
    """Remove an attendee who was recorded by mistake."""


@requests.forward("GET", "", query=CoordinationRequestListQuerySchema, answers=CoordinationRequestAnswer, collection=True)
def list_coordination_requests() -> None:
    """List the coordination requests that concern you, the latest first."""


@requests.forward("POST", "", body=CoordinationRequestCreateSchema, answers=CoordinationRequestAnswer, status=201, tagged=True, located=True)
def create_coordination_request() -> None:
    """Ask the owner of a record to speak to the person."""


@requests.forward("GET", "/<uuid:request_id>", answers=CoordinationRequestAnswer, tagged=True)
def read_coordination_request() -> None:
    """Read one coordination request."""


@requests.forward("PATCH", "/<uuid:request_id>", body=CoordinationRequestChangeSchema, answers=CoordinationRequestAnswer, tagged=True, matched=True)
def change_coordination_request() -> None:
    """Change the status of a coordination request: accepted, declined with a reason, withdrawn or done."""
