"""Text kept against a finding, for the privacy officer (T15); the answers of contacts and interactions have the same shape."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from services.chassis.instants import Instant
from services.chassis.validation import Closed

#: How many one service answers at a time.
MOST = 200


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


class KeptTextSchema(Schema):
    """One text that contributors of its component alone see until it is released (T15)."""

    id = fields.String(required=True)
    subject_type = fields.String(required=True)
    subject_id = fields.String(required=True)
    field = fields.String(required=True)
    text = fields.String(required=True)
    provenance = fields.String(allow_none=True, metadata={"description": "Of a note: where it comes from."})
    reason = fields.String(required=True, allow_none=True)
    component = fields.String(required=True)
    kept_by = fields.String(required=True)
    kept_at = fields.String(required=True)


class KeptTextReleasedSchema(Schema):
    """A text that everybody may read from now on."""

    id = fields.String(required=True)
    released = fields.Boolean(required=True)
