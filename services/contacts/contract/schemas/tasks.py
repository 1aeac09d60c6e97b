"""Tasks, and what they are about."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from services.chassis.instants import Day
from services.chassis.validation import Closed
from services.lexicon.tasks import LIMIT


class TaskSubjectSchema(Schema):
    """What a task is about: ids; `type` says of what."""

    type = fields.String(required=True)
    id = fields.String(required=True)
    individual_id = fields.String()
    individual_ids = fields.List(fields.String())
    organization_ids = fields.List(fields.String())
    interaction_id = fields.String()


class TaskSchema(Schema):
    """What waits for the caller; a `notice` only tells, and can be dismissed."""

    id = fields.String(required=True)
    kind = fields.String(required=True)
    notice = fields.Boolean(required=True)
    subject = fields.Nested(TaskSubjectSchema, required=True)
    name = fields.String(required=True, allow_none=True, metadata={"description": "Whom it is about, where you may know."})
    text = fields.String(allow_none=True, metadata={"description": "What was asked or promised."})
    issue_id = fields.String(allow_none=True)
    by = fields.Dict(allow_none=True, metadata={"description": "Who asked or promised: `user`, `component`."})
    at = fields.String(allow_none=True)
    due_on = Day(required=True, allow_none=True)
    link = fields.String(required=True)


class TaskPageSchema(Closed):
    """A page of what waits: the first tasks after a position (see `services.lexicon.tasks`)."""

    limit = fields.Integer(load_default=LIMIT, validate=validate.Range(1, LIMIT))
    after = fields.List(fields.String(), load_default=None, allow_none=True, validate=validate.Length(equal=3))


class TaskListQuerySchema(Closed):
    """Which part of what waits."""

    limit = fields.Integer(load_default=50, validate=validate.Range(1, LIMIT))
    cursor = fields.String(validate=validate.Length(max=500))
