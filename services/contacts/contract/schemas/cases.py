"""Requests for no more contact: freezing, twins, marks, look-ups and counts."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

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


class AskedSchema(Schema):
    """Who asked not to be contacted, while the record is there."""

    id = fields.String()
    first_name = fields.String()
    last_name = fields.String()


class TwinSchema(Schema):
    """A record that may be of somebody who asked not to be contacted; for the privacy officer alone (T26, T34)."""

    request_id = fields.String()
    individual_id = fields.String()
    first_name = fields.String()
    last_name = fields.String()
    owner = fields.Dict()
    asked = fields.Nested(AskedSchema, allow_none=True)
    because = fields.List(fields.String(), metadata={"description": "kinds of values that agree, or `organization`"})
    frozen_for = fields.List(fields.String(), metadata={"description": "components that see it frozen until it is decided"})
    found_at = fields.String()


class TwinDecidedSchema(Schema):
    """What became of it."""

    decision = fields.String()
    request_id = fields.String(allow_none=True)


class WaitingMarkSchema(Schema):
    """A value that the recorder or an unverified correction added within thirty days (T25)."""

    id = fields.String()
    request_id = fields.String()
    individual_id = fields.String(allow_none=True)
    kind = fields.String()
    value = fields.String(allow_none=True)
    because = fields.String(metadata={"description": "`recorder` or `correction`"})
    component = fields.String()
    added_by = fields.String()
    added_at = fields.String()


class MarkDecidedSchema(Schema):
    """What the privacy officer said of it."""

    id = fields.String()
    request_id = fields.String()
    individual_id = fields.String(allow_none=True)
    kind = fields.String()
    decision = fields.String()


class FrozenIndividualSchema(Schema):
    """A frozen person, to those who may find them."""

    id = fields.String()
    first_name = fields.String()
    last_name = fields.String()
    owner = fields.Dict()
    request_id = fields.String(allow_none=True)
    frozen = fields.Boolean()
    notice = fields.String()


class NoticeSchema(Schema):
    """That somebody a component had a relationship with was erased; without the data (T16)."""

    id = fields.String()
    at = fields.String()
    text = fields.String()


class HitSchema(Schema):
    """A mark that an account's entry hit, for the first time of this account (T35)."""

    mark_id = fields.String()
    request_id = fields.String()
    individual_id = fields.String(allow_none=True)
    kind = fields.String()
    account = fields.String(metadata={"description": "a user's id, or the name of a component's system"})
    component = fields.String(allow_none=True)
    at = fields.String()


class LookupsSchema(Schema):
    """An account of which the privacy officer has something to see (T35)."""

    account = fields.String(metadata={"description": "a user's id, or the name of a component's system"})
    component = fields.String(allow_none=True)
    day = fields.String()
    looked = fields.Integer(metadata={"description": "values that it looked up, where it wants to look up more"})
    hits = fields.Integer(metadata={"description": "entries of it that hit and were not seen"})
    exhausted = fields.Boolean(metadata={"description": "whether it looked up as many as it may, and waits"})
    since = fields.String()


class LookupsSeenSchema(Closed):
    """That the privacy officer has seen an account's hits; with `more`, as many values may be looked up again."""

    more = fields.Boolean(load_default=False)


class LookupsGoOnSchema(Schema):
    """What goes on then."""

    account = fields.String()
    more = fields.Boolean()
    imports = fields.List(fields.String(), metadata={"description": "imports that waited for it"})


class ManyFreezesSchema(Schema):
    """One of many people whom a user had frozen on one day, with the reason (T36)."""

    user_id = fields.String()
    day = fields.String()
    count = fields.Integer()
    individual_id = fields.String(allow_none=True)
    reason = fields.String()


class DayCountSchema(Schema):
    """What a user did on one day, in numbers (T36, T9)."""

    user_id = fields.String()
    component = fields.String(allow_none=True)
    day = fields.String()
    freezes = fields.Integer(metadata={"description": "requests for no more contact that they recorded"})
    blocked = fields.Integer(metadata={"description": "entries of theirs that were blocked"})


class FrozenQuerySchema(ListQuerySchema):
    """Words of the name of somebody frozen."""

    q = Line(most=200, load_default="")
