"""Requests for no more contact: freezing, decisions on twins and marks, and look-ups."""

from __future__ import annotations

from marshmallow import fields, validate

from services.chassis.instants import Day
from services.chassis.validation import Closed, Id
from services.contacts.contract.schemas.fields import Line
from services.contacts.contract.schemas.shared import ListQuerySchema
from services.lexicon.vocabulary import REQUEST_MEDIA


class FreezeSchema(Closed):
    """A no-contact request as it was heard (R164-R168)."""

    request_id = Id(required=True)
    individual_id = Id(required=True)
    medium = fields.String(required=True, validate=validate.OneOf(list(REQUEST_MEDIA)))
    received_on = Day(required=True)
    reason = Line(most=500, allow_none=True, load_default=None)


class TwinDecisionCommandSchema(Closed):
    """What the privacy officer said of a record that may be of somebody who asked not to be contacted (T26)."""

    request_id = Id(required=True)
    decision = fields.String(required=True, validate=validate.OneOf(["same", "another"]))
    medium = fields.String(required=True, validate=validate.OneOf(list(REQUEST_MEDIA)))
    received_on = Day(required=True)


class MarkDecisionSchema(Closed):
    """Whether a value that was added lately blocks from now on (T25)."""

    decision = fields.String(required=True, validate=validate.OneOf(["keep", "drop"]))


class LookupsSeenSchema(Closed):
    """That the privacy officer has seen an account's hits; with `more`, as many values may be looked up again."""

    more = fields.Boolean(load_default=False)


class FrozenQuerySchema(ListQuerySchema):
    """Words of the name of somebody frozen."""

    q = Line(most=200, load_default="")


class PairDecisionSchema(Closed):
    """What two records are; the privacy officer alone proposes to both owners that they are one person's (T34)."""

    decision = fields.String(required=True, validate=validate.OneOf(["same", "different", "propose"]))
