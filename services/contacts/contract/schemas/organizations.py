"""Organizations and their offices."""

from __future__ import annotations

from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from services.chassis.validation import Closed, Id
from services.contacts.contract.schemas.fields import SORTS, Line, Name, State
from services.contacts.contract.schemas.shared import (
    AddressSchema,
    IssueLinkSchema,
    ListQuerySchema,
)
from services.lexicon.vocabulary import SECTORS, SOURCES


class OfficeSchema(Closed):
    """One office of an organization: where it is and its telephone (R21, R22)."""

    id = Id(load_default=None, allow_none=True)
    label = Line(allow_none=True, load_default=None)
    address = fields.Nested(AddressSchema, allow_none=True, load_default=None)
    phone = Line(most=60, allow_none=True, load_default=None)


class _OrganizationFields(Closed):
    sector = fields.String(allow_none=True, validate=validate.OneOf(list(SECTORS)))
    state = State(allow_none=True)
    offices = fields.List(fields.Nested(OfficeSchema), validate=validate.Length(max=500))
    address = fields.Nested(AddressSchema, allow_none=True)
    office_phone = Line(most=60, allow_none=True)
    issues = fields.List(fields.Nested(IssueLinkSchema), validate=validate.Length(max=200))
    group_ids = fields.List(Id(), validate=validate.Length(max=50))
    source = fields.String(allow_none=True, validate=validate.OneOf(list(SOURCES)))
    source_url = fields.Url(allow_none=True, schemes={"http", "https"}, validate=validate.Length(max=500))

    @validates_schema
    def _one_first_office(self, organization: dict[str, Any], **_: object) -> None:
        if "offices" in organization and ("address" in organization or "office_phone" in organization):
            raise ValidationError({"offices": ["Give the offices, or the address and telephone of the first; not both."]})


class OrganizationCreateSchema(_OrganizationFields):
    """A new organization; `address` and `office_phone` make its first office."""

    name = Name(required=True)
    issue_ids = fields.List(Id(), validate=validate.Length(max=200))
    duplicate_ok = fields.Boolean(load_default=False, truthy={True}, falsy={False})


class OrganizationChangeSchema(_OrganizationFields):
    """What any contributor may change of an organization; only what is given changes."""

    name = Name()


class OrganizationListQuerySchema(ListQuerySchema):
    """Organizations by exact fields."""

    name = Line(load_default=None, allow_none=True)
    state = State(load_default=None, allow_none=True)
    sector = fields.String(load_default=None, allow_none=True, validate=validate.OneOf(list(SECTORS)))
    sort = fields.String(load_default="name", validate=validate.OneOf(SORTS))
