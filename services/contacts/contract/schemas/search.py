"""Queries for stakeholders, their names, and reports."""

from __future__ import annotations

from marshmallow import fields, validate

from services.chassis.instants import Day
from services.chassis.validation import Closed, Id
from services.contacts.contract.schemas.fields import COMPONENT, FACETS, SORTS, Codes, Line, State
from services.contacts.contract.schemas.shared import ListQuerySchema
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


class NamesQuerySchema(Closed):
    """Whose names."""

    ids = fields.List(Id(), required=True, validate=validate.Length(max=500))
