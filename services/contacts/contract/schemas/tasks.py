"""Pages of tasks."""

from __future__ import annotations

from marshmallow import fields, validate

from services.chassis.validation import Closed
from services.lexicon.tasks import LIMIT


class TaskPageSchema(Closed):
    """A page of what waits: the first tasks after a position (see `services.lexicon.tasks`)."""

    limit = fields.Integer(load_default=LIMIT, validate=validate.Range(1, LIMIT))
    after = fields.List(fields.String(), load_default=None, allow_none=True, validate=validate.Length(equal=3))


class TaskListQuerySchema(Closed):
    """Which part of what waits."""

    limit = fields.Integer(load_default=50, validate=validate.Range(1, LIMIT))
    cursor = fields.String(validate=validate.Length(max=500))
