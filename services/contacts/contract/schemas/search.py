"""Search over stakeholders, names and reports."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from services.chassis.instants import Day
from services.chassis.validation import Closed, Id
from services.contacts.contract.schemas.fields import COMPONENT, FACETS, SORTS, Codes, Line, State
from services.contacts.contract.schemas.shared import ListQuerySchema, OwnerSchema, RelationshipSchema
from services.lexicon.vocabulary import PRIORITIES, SECTORS


class AudienceSchema(Closed):
    """Which stakeholders are meant; everything in it is directory layer (T17)."""

    q = Line(load_default=None, allow_none=True)
    type = fields.String(load_default=None, allow_none=True, validate=validate.OneOf(("individual", "organization")))
    issue = Id(load_default=None, allow_none=True)
    priority = fields.String(load_default=None, allow_none=True, validate=validate.OneOf(list(PRIORITIES)))
    state = State(load_default=None, allow_none=True)
    fema_region = fields.Integer(load_default=None, allow_none=True, validate=validate.Range(min=1, max=10))
    component = fields.String(load_default=None, allow_none=True, validate=COMPONENT)
    owner = Id(load_default=None, allow_none=True)
    group = Id(load_default=None, allow_none=True)
    event = Id(load_default=None, allow_none=True)
    interest = Line(most=100, load_default=None, allow_none=True)
    sector = fields.String(load_default=None, allow_none=True, validate=validate.OneOf(list(SECTORS)))
    organization_id = Id(load_default=None, allow_none=True)
    contacted_before = Day(load_default=None, allow_none=True)
    contacted_after = Day(load_default=None, allow_none=True)
    engaged_on = Id(load_default=None, allow_none=True)


class StakeholderQuerySchema(AudienceSchema, ListQuerySchema):
    """Search over individuals and organizations."""

    sort = fields.String(load_default="name", validate=validate.OneOf(SORTS))
    facets = Codes(one_of=FACETS, load_default=list)


class RegionReportQuerySchema(AudienceSchema):
    """Stakeholders by FEMA region, drilled to states (R101, T12)."""


class StakeholderSchema(Schema):
    """One line of a search: what the directory knows of a stakeholder."""

    id = fields.String()
    type = fields.String()
    name = fields.String()
    first_name = fields.String(allow_none=True)
    last_name = fields.String(allow_none=True)
    title = fields.String(allow_none=True)
    organization_id = fields.String(allow_none=True)
    organization_name = fields.String(allow_none=True)
    sector = fields.String(allow_none=True)
    state = fields.String(allow_none=True)
    fema_region = fields.Integer(allow_none=True)
    owner = fields.Nested(OwnerSchema)
    relationships = fields.List(fields.Nested(RelationshipSchema))
    last_contacted_at = fields.String(allow_none=True)


class NamesQuerySchema(Closed):
    """Whose names."""

    ids = fields.List(Id(), required=True, validate=validate.Length(max=500))
