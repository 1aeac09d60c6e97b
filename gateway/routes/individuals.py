"""Individuals, with their contact points, notes and history."""

from __future__ import annotations

from gateway.clients import command
from gateway.clients import query as ask
from gateway.endpoints import ApiBlueprint, JsonObject, Parameters, created
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

blueprint = ApiBlueprint("individuals", __name__, url_prefix="/individuals", description="People, by what everybody may see (T4)")


@blueprint.endpoint("GET", "", query=IndividualListQuerySchema, answers=AnyIndividual, collection=True)
def list_individuals(query: Parameters) -> object:
    """List individuals by exact directory fields."""
    return ask("contacts", "list_individuals", query=query)


@blueprint.endpoint("POST", "", body=IndividualCreateSchema, answers=AnyIndividual, status=201, problems=(404,))
def create_individual(body: JsonObject) -> object:
    """Register an individual; the contact points belong to your component (R73, R74)."""
    individual = command("contacts", "register_individual", body=body)
    return created("individuals.read_individual", individual_id=individual)


@blueprint.endpoint("GET", "/<uuid:individual_id>", answers=AnyIndividual, tagged=True, problems=(404,))
def read_individual(individual_id: str) -> object:
    """Read an individual's directory layer."""
    return ask("contacts", "read_individual", individual_id=individual_id)


@blueprint.endpoint(
    "PATCH",
    "/<uuid:individual_id>",
    body=IndividualChangeSchema,
    answers=AnyIndividual,
    tagged=True,
    matched=True,
    problems=(404,),
)
def change_individual(individual_id: str, if_match: str, body: JsonObject) -> object:
    """Change the given fields of an individual (R111-R113)."""
    return command("contacts", "change_individual", individual_id=individual_id, if_match=if_match, body=body)


@blueprint.endpoint(
    "DELETE",
    "/<uuid:individual_id>",
    body=ErasureRequestSchema,
    answers=AcceptedErasure,
    status=202,
    matched=True,
    problems=(404,),
)
def erase_individual(individual_id: str, if_match: str, body: JsonObject) -> object:
    """Erase a record of your own, with a reason; the answer has the address of the erasure (R131)."""
    return accepted_erasure(erase("individual", individual_id, if_match, body))


@blueprint.endpoint(
    "GET",
    "/<uuid:individual_id>/contact-points",
    query=RevealQuerySchema,
    answers=RevealAnswer,
    problems=(404, 409),
)
def reveal(individual_id: str, query: Parameters) -> object:
    """Reveal the contact points that you may see, and list whom else to ask; each reveal is logged and counted (T11)."""
    return ask("contacts", "reveal", individual_id=individual_id, **query)


@blueprint.endpoint(
    "POST",
    "/<uuid:individual_id>/contact-points",
    body=ContactPointCreateSchema,
    answers=ContactPointAnswer,
    status=201,
    problems=(404,),
)
def add_contact_point(individual_id: str, body: JsonObject) -> object:
    """Add a contact point that was given to your component (T5)."""
    return command("contacts", "add_contact_point", individual_id=individual_id, body=body)


@blueprint.endpoint(
    "POST",
    "/<uuid:individual_id>/contact-points/corrections",
    body=CorrectionSchema,
    answers=CorrectionAnswer,
    status=201,
    problems=(404,),
)
def correct_contact_point(individual_id: str, body: JsonObject) -> object:
    """Correct a contact point that you may not see (T3); the answer is always the same."""
    return command("contacts", "correct_contact_point", individual_id=individual_id, body=body)


@blueprint.endpoint(
    "POST",
    "/<uuid:individual_id>/verifications",
    body=VerificationCreateSchema,
    answers=VerificationAnswer,
    status=201,
    problems=(404, 409),
)
def verify_individual(individual_id: str, body: JsonObject) -> object:
    """Record a verification, with the kinds that the person no longer declines to give (R115, T20)."""
    return command("contacts", "verify_individual", individual_id=individual_id, body=body)


@blueprint.endpoint("GET", "/<uuid:individual_id>/notes", query=ListQuerySchema, answers=NoteAnswer, collection=True, problems=(404,))
def list_notes(individual_id: str, query: Parameters) -> object:
    """List the notes on an individual, the latest first (R37-R41)."""
    return ask("contacts", "list_notes", individual_id=individual_id, query=query)


@blueprint.endpoint("GET", "/<uuid:individual_id>/notes/<uuid:note_id>", answers=NoteAnswer, tagged=True, problems=(404,))
def read_note(individual_id: str, note_id: str) -> object:
    """Read one note."""
    return ask("contacts", "read_note", individual_id=individual_id, note_id=note_id)


@blueprint.endpoint(
    "POST",
    "/<uuid:individual_id>/notes",
    body=NoteCreateSchema,
    answers=NoteAnswer,
    status=201,
    tagged=True,
    problems=(404,),
)
def add_note(individual_id: str, body: JsonObject) -> object:
    """Add a note; a refusal by the screening names the places in the text (T15)."""
    return command("contacts", "add_note", individual_id=individual_id, body=body)


@blueprint.endpoint(
    "PATCH",
    "/<uuid:individual_id>/notes/<uuid:note_id>",
    body=NoteChangeSchema,
    answers=NoteAnswer,
    matched=True,
    problems=(404,),
)
def change_note(individual_id: str, note_id: str, if_match: str, body: JsonObject) -> object:
    """Change a note."""
    return command("contacts", "change_note", individual_id=individual_id, note_id=note_id, if_match=if_match, body=body)


@blueprint.endpoint("DELETE", "/<uuid:individual_id>/notes/<uuid:note_id>", status=204, matched=True, problems=(404,))
def delete_note(individual_id: str, note_id: str, if_match: str) -> object:
    """Delete a note."""
    return command("contacts", "delete_note", individual_id=individual_id, note_id=note_id, if_match=if_match)


@blueprint.endpoint(
    "GET",
    "/<uuid:individual_id>/history",
    query=TimelineQuerySchema,
    answers=TimelineItem,
    collection=True,
    problems=(404,),
)
def read_history(individual_id: str, query: Parameters) -> object:
    """Read the timeline, most recent first: interactions, attendance, hand-overs and verifications (R55-R57)."""
    return timeline("individual_id", individual_id, query)


@blueprint.endpoint("PUT", "/<uuid:individual_id>/owner", body=HandOverSchema, answers=AnyIndividual, problems=(404,))
def hand_over(individual_id: str, body: JsonObject) -> object:
    """Hand a record over to another owner (R45)."""
    return command("contacts", "hand_over", individual_id=individual_id, owner=body["owner"])
