"""Schemas that others nest, and the part of a list."""

from __future__ import annotations

from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from services.chassis.instants import Day
from services.chassis.validation import Closed, Id
from services.contacts.contract.schemas.fields import Line, State
from services.lexicon.vocabulary import ISSUE_LINK_KINDS


class AddressSchema(Closed):
    """A postal address."""

    street = Line(most=300, allow_none=True, load_default=None)
    city = Line(allow_none=True, load_default=None)
    state = State(allow_none=True, load_default=None)
    postal_code = Line(most=20, allow_none=True, load_default=None)
    country = Line(most=100, allow_none=True, load_default=None)


class IssueLinkSchema(Closed):
    """How a stakeholder stands to an issue (T22)."""

    issue_id = Id(required=True)
    kind = fields.String(load_default="engaged", validate=validate.OneOf(list(ISSUE_LINK_KINDS)))
    since = Day(load_default=None, allow_none=True)
    ended_on = Day(load_default=None, allow_none=True)

    @validates_schema
    def _in_order(self, link: dict[str, Any], **_: object) -> None:
        since, ended = link.get("since"), link.get("ended_on")
        if since and ended and ended < since:
            raise ValidationError({"ended_on": ["Not before it began."]})


class ListQuerySchema(Closed):
    """Which part of a list."""

    limit = fields.Integer(load_default=50, validate=validate.Range(min=1, max=200))
    cursor = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=2000))
