"""The audit trail, for the security officer. Reading it makes an entry too (T14)."""

from __future__ import annotations

from gateway.endpoints import ApiBlueprint
from services.audit.contract.answers import CheckpointAnswer, ConsistencyProof, EntryAnswer, FindingAnswer, InclusionProof, ReviewAnswer
from services.audit.contract.schemas import EntriesQuerySchema, PageQuerySchema, ProofQuerySchema, ReviewSignSchema

blueprint = ApiBlueprint("audit", "The trail, its checkpoints, its weekly reviews", service="audit")


@blueprint.forward("GET", "/entries", query=EntriesQuerySchema, answers=EntryAnswer, collection=True)
def list_entries() -> None:
    """List entries, the newest first. They contain ids and names of fields, never values (T8)."""


@blueprint.forward("GET", "/checkpoints", query=PageQuerySchema, answers=CheckpointAnswer, collection=True)
def list_checkpoints() -> None:
    """List the signed checkpoints, the newest first."""


@blueprint.forward("GET", "/proofs", query=ProofQuerySchema, answers=InclusionProof | ConsistencyProof, problems=(404,))
def prove() -> None:
    """Prove that an entry is in the trail, or that one checkpoint continues another (RFC 6962)."""


@blueprint.forward("GET", "/findings", query=PageQuerySchema, answers=FindingAnswer, collection=True)
def list_findings() -> None:
    """List irregularities to look into: missing entries, and numbers with two contents."""


@blueprint.forward("GET", "/reviews", query=PageQuerySchema, answers=ReviewAnswer, collection=True)
def list_reviews() -> None:
    """List the weeks and their reviews (R127)."""


@blueprint.forward("POST", "/reviews", body=ReviewSignSchema, answers=ReviewAnswer, status=201)
def sign_review() -> None:
    """Sign off a week's review (R127)."""
