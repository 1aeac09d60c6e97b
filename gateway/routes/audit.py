"""The audit trail, for the security officer. Reading it makes an entry too (T14)."""

from __future__ import annotations

from gateway.clients import command
from gateway.clients import query as ask
from gateway.endpoints import ApiBlueprint, JsonObject, Parameters
from services.audit.contract import (
    CheckpointsQuerySchema,
    EntriesQuerySchema,
    FindingsQuerySchema,
    ProofQuerySchema,
    ReviewSignSchema,
    ReviewsQuerySchema,
)
from services.audit.contract.answers import CheckpointAnswer, ConsistencyProof, EntryAnswer, FindingAnswer, InclusionProof, ReviewAnswer

blueprint = ApiBlueprint("audit", __name__, url_prefix="/audit", description="The trail, its checkpoints, its weekly reviews")


@blueprint.endpoint("GET", "/entries", query=EntriesQuerySchema, answers=EntryAnswer, collection=True)
def list_entries(query: Parameters) -> object:
    """List entries, the newest first. They contain ids and names of fields, never values (T8)."""
    return ask("audit", "list_entries", query=query)


@blueprint.endpoint("GET", "/checkpoints", query=CheckpointsQuerySchema, answers=CheckpointAnswer, collection=True)
def list_checkpoints(query: Parameters) -> object:
    """List the signed checkpoints, the newest first."""
    return ask("audit", "list_checkpoints", query=query)


@blueprint.endpoint("GET", "/proofs", query=ProofQuerySchema, answers=InclusionProof | ConsistencyProof, problems=(404,))
def prove(query: Parameters) -> object:
    """Prove that an entry is in the trail, or that one checkpoint continues another (RFC 6962)."""
    return ask("audit", "prove", query=query)


@blueprint.endpoint("GET", "/findings", query=FindingsQuerySchema, answers=FindingAnswer, collection=True)
def list_findings(query: Parameters) -> object:
    """List irregularities to look into: missing entries, and numbers with two contents."""
    return ask("audit", "list_findings", query=query)


@blueprint.endpoint("GET", "/reviews", query=ReviewsQuerySchema, answers=ReviewAnswer, collection=True)
def list_reviews(query: Parameters) -> object:
    """List the weeks and their reviews (R127)."""
    return ask("audit", "list_reviews", query=query)


@blueprint.endpoint("POST", "/reviews", body=ReviewSignSchema, answers=ReviewAnswer, status=201)
def sign_review(body: JsonObject) -> object:
    """Sign off a week's review (R127)."""
    return command("audit", "sign_review", body=body)
