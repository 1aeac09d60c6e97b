"""Pairs of records that may be of one person (T34)."""

from __future__ import annotations

from gateway.endpoints import ApiBlueprint
from services.contacts.contract.answers.cases import PairDecidedAnswer, PairOfRecords
from services.contacts.contract.schemas.cases import PairDecisionSchema

blueprint = ApiBlueprint("duplicates", "Two records that may be of one person (T34)", service="contacts")
_PAIR = "/<uuid:individual_id>/<uuid:other_id>"


@blueprint.forward("GET", _PAIR, answers=PairOfRecords)
def read_pair() -> None:
    """Read both records of a task of yours."""


@blueprint.forward("POST", _PAIR, body=PairDecisionSchema, answers=PairDecidedAnswer)
def decide_pair() -> None:
    """Decide whether the records are of one person. The privacy officer proposes it to both owners."""
