"""Individuals, and verifications of their details."""

from __future__ import annotations

from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from services.chassis.instants import Instant
from services.chassis.validation import Closed, Id
from services.contacts.contract.schemas.contact_points import ContactPointCreateSchema
from services.contacts.contract.schemas.fields import COMPONENT, SORTS, Codes, Line, Name, State
from services.contacts.contract.schemas.shared import (
    IssueLinkSchema,
    ListQuerySchema,
)
from services.lexicon.vocabulary import CONTACT_POINT_KINDS, SOURCES, USE_PREFERENCES, VERIFICATION_MEDIA

_KEEP_REASON = (
    "Why a salutation, a title or interests are kept though screening found something: each becomes a note for contributors of your component"
    " until the privacy officer releases it, and the field stays empty."
)


class _IndividualFields(Closed):
    salutation = Line(most=60, allow_none=True)
    title = Line(allow_none=True)
    organization_id = Id(allow_none=True)
    organization = Name(allow_none=True)
    state = State(allow_none=True)
    issues = fields.List(fields.Nested(IssueLinkSchema), validate=validate.Length(max=200))
    interests = fields.List(Line(most=100), validate=validate.Length(max=50))
    source = fields.String(allow_none=True, validate=validate.OneOf(list(SOURCES)))
    declined = Codes(one_of=tuple(CONTACT_POINT_KINDS))
    use_preferences = Codes(one_of=tuple(USE_PREFERENCES))
    deputy = Id(allow_none=True)

    @validates_schema
    def _one_organization(self, individual: dict[str, Any], **_: object) -> None:
        if individual.get("organization") and individual.get("organization_id"):
            raise ValidationError({"organization": ["Give the organization's id or its name, not both."]})


class IndividualCreateSchema(_IndividualFields):
    """A new individual; `issue_ids` is short for engaged, `contact_points` go to the caller's component."""

    first_name = Name(load_default=None, allow_none=True, metadata={"description": "Empty or null for somebody of one name."})
    last_name = Name(required=True, metadata={"description": "A name of one word stands here."})
    keep_reason = Line(most=500, allow_none=True, metadata={"description": _KEEP_REASON})
    issue_ids = fields.List(Id(), validate=validate.Length(max=200))
    contact_points = fields.List(fields.Nested(ContactPointCreateSchema), validate=validate.Length(max=100))
    duplicate_ok = fields.Boolean(load_default=False, truthy={True}, falsy={False})


class IndividualChangeSchema(_IndividualFields):
    """What any contributor may change of an individual (T2); only what is given changes."""

    first_name = Name(allow_none=True, metadata={"description": "Empty or null for somebody of one name."})
    last_name = Name()
    keep_reason = Line(most=500, allow_none=True, metadata={"description": _KEEP_REASON})


class HandOverSchema(Closed):
    """Who is to own the record (R45)."""

    owner = Id(required=True)


class VerificationCreateSchema(Closed):
    """That a person's details were verified with them, and what they no longer decline to give (R115, T20)."""

    medium = fields.String(required=True, validate=validate.OneOf(list(VERIFICATION_MEDIA)))
    verified_at = Instant(required=True)
    contact_point_ids = fields.List(Id(), load_default=list, validate=validate.Length(max=100))
    withdraw_declined = Codes(one_of=tuple(CONTACT_POINT_KINDS), load_default=list)


class IndividualListQuerySchema(ListQuerySchema):
    """Individuals by exact directory fields."""

    organization_id = Id(load_default=None, allow_none=True)
    state = State(load_default=None, allow_none=True)
    component = fields.String(load_default=None, allow_none=True, validate=COMPONENT)
    owner = Id(load_default=None, allow_none=True)
    sort = fields.String(load_default="name", validate=validate.OneOf(SORTS))


class HistoryPageSchema(Closed):
    """A page of contacts' part of a timeline: the latest behind the `position` of an item shown before."""

    limit = fields.Integer(load_default=50, validate=validate.Range(1, 200))
    after = fields.Tuple((Instant(), Id()), load_default=None, allow_none=True)
