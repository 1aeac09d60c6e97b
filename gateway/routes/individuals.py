"""Individuals, with their contact points, notes and history."""

from __future__ import annotations

from gateway.clients import command
from gateway.clients import query as ask
from gateway.endpoints import ApiBlueprint, JsonObject, Parameters
from gateway.routes.removal import accepted_erasure, erase
from gateway.routes.timeline import TimelineItem, TimelineQuerySchema, timeline
from services.contacts.contract.answers.contact_points import ContactPointAnswer, CorrectionAnswer, RevealAnswer
from services.contacts.contract.answers.individuals import AnyIndividual, VerificationAnswer
from services.contacts.contract.answers.notes import NoteAnswer
from services.contacts.contract.schemas.contact_points import ContactPointCreateSchema, CorrectionSchema, RevealQuerySchema
from services.contacts.contract.schemas.individuals import (
    HandOverSchema,
    IndividualChangeSchema,
    IndividualCreateSchema,
    IndividualListQuerySchema,
    VerificationCreateSchema,
)
from services.contacts.contract.schemas.notes import NoteChangeSchema, NoteCreateSchema
from services.contacts.contract.schemas.shared import ListQuerySchema
from services.retention.contract import ErasureRequestSchema
from services.retention.contract.answers import AcceptedErasure

blueprint = ApiBlueprint("individuals", "People, by what everybody may see (T4)", service="contacts")


@blueprint.forward("GET", "", query=IndividualListQuerySchema, answers=AnyIndividual, collection=True)
def list_individuals() -> None:
    """List individuals by exact directory fields."""


@blueprint.forward(
    "POST", "", to="register_individual", body=IndividualCreateSchema, answers=AnyIndividual, status=201, problems=(404,), located=True
)
def create_individual() -> None:
    """Register an individual; the contact points belong to your component (R73, R74)."""


@blueprint.forward("GET", "/<uuid:individual_id>", answers=AnyIndividual, tagged=True)
def read_individual() -> None:
    """Read an individual's directory layer."""


@blueprint.forward("PATCH", "/<uuid:individual_id>", body=IndividualChangeSchema, answers=AnyIndividual, tagged=True, matched=True)
def change_individual() -> None:
    """Change the given fields of an individual (R111-R113)."""


@blueprint.endpoint("DELETE", "/<uuid:individual_id>", body=ErasureRequestSchema, answers=AcceptedErasure, status=202, matched=True)
def erase_individual(individual_id: str, if_match: str, body: JsonObject) -> object:
    """Erase a record of your own, with a reason; the answer has the address of the erasure (R131)."""
    return accepted_erasure(erase("individual", individual_id, if_match, body))


@blueprint.endpoint("GET", "/<uuid:individual_id>/contact-points", query=RevealQuerySchema, answers=RevealAnswer, problems=(409,))
def reveal(individual_id: str, query: Parameters) -> object:
    """Reveal the contact points that you may see, and list whom else to ask; each reveal is logged and counted (T11)."""
    return ask("contacts", "reveal", individual_id=individual_id, **query)


@blueprint.forward("POST", "/<uuid:individual_id>/contact-points", body=ContactPointCreateSchema, answers=ContactPointAnswer, status=201)
def add_contact_point() -> None:
    """Add a contact point that was given to your component (T5)."""


@blueprint.forward("POST", "/<uuid:individual_id>/contact-points/corrections", body=CorrectionSchema, answers=CorrectionAnswer, status=201)
def correct_contact_point() -> None:
    """Correct a contact point that you may not see (T3); the answer is always the same."""


@blueprint.forward("POST", "/<uuid:individual_id>/verifications", body=VerificationCreateSchema, answers=VerificationAnswer, status=201)
def verify_individual() -> None:
    """Record a verification, with the kinds that the person no longer declines to give (R115, T20)."""


@blueprint.forward("GET", "/<uuid:individual_id>/notes", query=ListQuerySchema, answers=NoteAnswer, collection=True)
def list_notes() -> None:
    """List the notes on an individual, the latest first (R37-R41)."""


@blueprint.forward("GET", "/<uuid:individual_id>/notes/<uuid:note_id>", answers=NoteAnswer, tagged=True)
def read_note() -> None:
    """Read one note."""


@blueprint.forward("POST", "/<uuid:individual_id>/notes", body=NoteCreateSchema, answers=NoteAnswer, status=201, tagged=True)
def add_note() -> None:
    """Add a note; a refusal by the screening names the places in the text (T15)."""


@blueprint.forward("PATCH", "/<uuid:individual_id>/notes/<uuid:note_id>", body=NoteChangeSchema, answers=NoteAnswer, matched=True)
def change_note() -> None:
    """Change a note."""


@blueprint.forward("DELETE", "/<uuid:individual_id>/notes/<uuid:note_id>", status=204, matched=True)
def delete_note() -> None:
    """Delete a note."""


@blueprint.endpoint("GET", "/<uuid:individual_id>/history", query=TimelineQuerySchema, answers=TimelineItem, collection=True)
def read_history(individual_id: str, query: Parameters) -> object:
    """Read the timeline, most recent first: interactions, attendance, hand-overs and verifications (R55-R57)."""
    return timeline("individual_id", individual_id, query)


@blueprint.endpoint("PUT", "/<uuid:individual_id>/owner", body=HandOverSchema, answers=AnyIndividual)
def hand_over(individual_id: str, body: JsonObject) -> object:
    """Hand a record over to another owner (R45)."""
    return command("contacts", "hand_over", individual_id=individual_id, owner=body["owner"])
