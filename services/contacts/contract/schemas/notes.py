"""Notes on individuals, and texts that were kept against a finding (T15)."""

from __future__ import annotations

import re

from marshmallow import fields, validate

from services.chassis.instants import Instant
from services.chassis.validation import Closed
from services.contacts.contract.schemas.fields import Line

#: How many one service answers at a time.
MOST = 200
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


class KeptTextPageSchema(Closed):
    """A part of what waits in one service: the first after a position."""

    limit = fields.Integer(load_default=MOST, validate=validate.Range(1, MOST))
    after = fields.List(fields.String(), load_default=None, allow_none=True, validate=validate.Length(equal=2))


class KeptTextListQuerySchema(Closed):
    """A page of what waits to be released, the oldest first."""

    limit = fields.Integer(load_default=50, validate=validate.Range(1, MOST))
    cursor = fields.String(validate=validate.Length(max=2000))


class KeptTextReleaseSchema(Closed):
    """Which version of the text was read: what was changed since is not released."""

    kept_at = Instant(required=True)
