"""Notes on individuals."""

from __future__ import annotations

import re

from marshmallow import Schema, fields, validate

from services.chassis.validation import Closed
from services.contacts.contract.schemas.fields import Line

_text = validate.And(validate.Length(min=1, max=20_000), validate.Regexp(re.compile(r"^[^\x00]*$"), error="Not a NUL character."))


class NoteCreateSchema(Closed):
    """A note on an individual (R37-R41); `keep_reason` keeps it in spite of what the screening found (T15)."""

    text = fields.String(required=True, validate=_text)
    provenance = Line(most=500, allow_none=True, load_default=None)
    keep_reason = Line(most=500, allow_none=True, load_default=None)


class NoteChangeSchema(Closed):
    """A note's new text."""

    text = fields.String(validate=_text)
    provenance = Line(most=500, allow_none=True)
    keep_reason = Line(most=500, allow_none=True, load_default=None)


class FindingSchema(Schema):
    """What the screening found, and where."""

    start = fields.Integer()
    end = fields.Integer()


class NoteSchema(Schema):
    """A note."""

    id = fields.String()
    individual_id = fields.String()
    text = fields.String()
    provenance = fields.String(allow_none=True)
    author = fields.String()
    component = fields.String()
    kept = fields.Boolean()
    created_at = fields.String()
    updated_at = fields.String()
