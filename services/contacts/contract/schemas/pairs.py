"""Two records that may be of one person."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from services.chassis.validation import Closed
from services.contacts.contract.schemas.individuals import IndividualSchema


class PairDecisionSchema(Closed):
    """What two records are; the privacy officer alone proposes to both owners that they are one person's (T34)."""

    decision = fields.String(required=True, validate=validate.OneOf(["same", "different", "propose"]))


class PairDecidedSchema(Schema):
    """What was said."""

    decision = fields.String()


class PairAnswerSchema(Schema):
    """What the owner of one of two records says."""

    individual_id = fields.String()
    answer = fields.String(allow_none=True, metadata={"description": "`same` or `different`; null until they say"})
    by = fields.String(allow_none=True)


class ProposalSchema(Schema):
    """What both owners were asked, for the privacy officer."""

    proposed_at = fields.String()
    answers = fields.List(fields.Nested(PairAnswerSchema))


class PairSchema(Schema):
    """Two records that may be of one person, for those who may say so (T34)."""

    individuals = fields.List(fields.Nested(IndividualSchema))
    because = fields.List(fields.String(), metadata={"description": "`same_value` that you may know of, `proposed`"})
    decisions = fields.List(fields.String(), metadata={"description": "what you may say: `same`, `different`, `propose`"})
    proposal = fields.Nested(ProposalSchema, allow_none=True)
