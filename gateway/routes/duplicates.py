"""Pairs of records that may be of one person (T34)."""

from __future__ import annotations

from gateway.clients import command
from gateway.clients import query as ask
from gateway.endpoints import ApiBlueprint, JsonObject
from services.contacts.contract.answers.cases import PairDecidedAnswer, PairOfRecords
from services.contacts.contract.schemas.cases import PairDecisionSchema

blueprint = ApiBlueprint("duplicates", __name__, url_prefix="/duplicates", description="Two records that may be of one person (T34)")
_PAIR = "/<uuid:individual_id>/<uuid:other_id>"


@blueprint.endpoint("GET", _PAIR, answers=PairOfRecords, problems=(403, 404))
def read_pair(individual_id: str, other_id: str) -> object:
    """Read both records of a task of yours."""
    return ask("contacts", "read_pair", individual_id=individual_id, other_id=other_id)


@blueprint.endpoint("POST", _PAIR, body=PairDecisionSchema, answers=PairDecidedAnswer, status=200, problems=(403, 404, 409))
def decide_pair(individual_id: str, other_id: str, body: JsonObject) -> object:
    """Decide whether the records are of one person. The privacy officer proposes it to both owners."""
    return command("contacts", "decide_pair", individual_id=individual_id, other_id=other_id, body=body)
