"""The shapes of what audit is given and answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from services.chassis.instants import Day, Instant
from services.chassis.validation import Closed

OUTCOMES = ("allowed", "refused", "failed")
#: Numbers that one question about coverage may be about.
COVERED_AT_ONCE = 10_000


def _plain(text: str) -> None:
    if any(ord(character) < 32 for character in text):
        message = "No control characters."
        raise ValidationError(message)


_word: list[Callable[[str], object]] = [validate.Length(min=1, max=200), _plain]


class EntriesQuerySchema(Closed):
    """Which entries to list, the newest first."""

    subject = fields.String(validate=_word)
    user = fields.String(validate=_word)
    component = fields.String(validate=_word)
    action = fields.String(validate=_word)
    outcome = fields.String(validate=validate.OneOf(OUTCOMES))
    trace_id = fields.String(validate=_word)
    since = Instant()
    until = Instant()
    limit = fields.Integer(load_default=50, validate=validate.Range(min=1, max=200))
    cursor = fields.String(validate=validate.Length(max=500))


class CheckpointsQuerySchema(Closed):
    """Which checkpoints to list, the newest first."""

    limit = fields.Integer(load_default=50, validate=validate.Range(min=1, max=200))
    cursor = fields.String(validate=validate.Length(max=500))


class FindingsQuerySchema(CheckpointsQuerySchema):
    """Which findings to list, the newest first."""


class ReviewsQuerySchema(CheckpointsQuerySchema):
    """Which weeks to list, the newest first."""


class ProofQuerySchema(Closed):
    """What to prove: that entry `position` is in the trail, or that the trail of `second` entries continues that of `first`."""

    position = fields.Integer(strict=False, validate=validate.Range(min=0))
    size = fields.Integer(strict=False, validate=validate.Range(min=1))
    first = fields.Integer(strict=False, validate=validate.Range(min=1))
    second = fields.Integer(strict=False, validate=validate.Range(min=1))

    @validates_schema
    def _one_of_two(self, query: dict[str, Any], **_: object) -> None:
        if not ((query.keys() <= {"position", "size"} and "position" in query) or query.keys() == {"first", "second"}):
            message = "Give position (and size), or first and second."
            raise ValidationError(message)


class NumberRangeSchema(Closed):
    """Numbers of one stream without a gap: of entries, or of commits that failed."""

    stream = fields.UUID(required=True)
    first = fields.Integer(required=True, strict=True, validate=validate.Range(min=1))
    last = fields.Integer(required=True, strict=True)
    void = fields.Boolean(required=True)

    @validates_schema
    def _in_order(self, numbers: dict[str, Any], **_: object) -> None:
        if numbers["last"] < numbers["first"]:
            raise ValidationError({"last": ["Not before the first."]})


class CoverageQuerySchema(Closed):
    """Which numbers a service wants to know covered by the checkpoint of `size` lines; at most 10,000 of them."""

    size = fields.Integer(required=True, strict=True, validate=validate.Range(min=0))
    ranges = fields.List(fields.Nested(NumberRangeSchema), required=True, validate=validate.Length(max=1000))

    @validates_schema
    def _few(self, query: dict[str, Any], **_: object) -> None:
        if sum(numbers["last"] - numbers["first"] + 1 for numbers in query["ranges"]) > COVERED_AT_ONCE:
            raise ValidationError({"ranges": ["Fewer numbers at a time."]})


class ReviewSignSchema(Closed):
    """The sign-off of one week's review, named by its Monday."""

    week = Day(required=True)

    @validates_schema
    def _a_monday(self, review: dict[str, Any], **_: object) -> None:
        if review["week"].isoweekday() != 1:
            raise ValidationError({"week": ["Name the week by its Monday."]})


class EntrySchema(Schema):
    """One entry, as the ISSO sees it: ids and names of fields, never a value."""

    position = fields.Integer()
    at = fields.String()
    service = fields.String()
    actor = fields.String()
    actor_kind = fields.String()
    component = fields.String(allow_none=True)
    session = fields.String(allow_none=True)
    acknowledgement = fields.String(allow_none=True)
    jti = fields.String(allow_none=True)
    action = fields.String()
    subjects = fields.List(fields.String())
    fields_named = fields.List(fields.String(), data_key="fields", attribute="fields")
    outcome = fields.String()
    rule = fields.String(allow_none=True)
    trace_id = fields.String(allow_none=True)
    operation = fields.String(allow_none=True)
    stream = fields.String()
    n = fields.Integer()
    prev = fields.String(metadata={"description": "The leaf hash (RFC 6962), in hexadecimal, of the line before it in its stream."})
    signature = fields.String(metadata={"description": "Ed25519, by the key that the stream's certificate names."})


class CheckpointSchema(Schema):
    """One signed checkpoint (C2SP tlog-checkpoint)."""

    size = fields.Integer()
    root = fields.String()
    note = fields.String()
    signed_at = fields.String()


class ProofSchema(Schema):
    """A proof of RFC 6962; hashes are in base64."""

    kind = fields.String(validate=validate.OneOf(("inclusion", "consistency")))
    position = fields.Integer()
    leaf = fields.String()
    body = fields.String()
    first = fields.Integer()
    size = fields.Integer()
    path = fields.List(fields.String())
    note = fields.String()


class FindingSchema(Schema):
    """Something about the trail that a person must look into."""

    id = fields.String()
    kind = fields.String()
    position = fields.Integer(allow_none=True)
    stream = fields.String(allow_none=True)
    n = fields.Integer(allow_none=True)
    service = fields.String(allow_none=True)
    found_at = fields.String()


class ReviewSchema(Schema):
    """One week, its figures, and whether the ISSO signed it off."""

    week = fields.Date()
    state = fields.String(validate=validate.OneOf(("open", "due", "overdue", "signed")))
    reviewer = fields.String(allow_none=True)
    signed_at = fields.String(allow_none=True)
    size = fields.Integer(allow_none=True)
    findings = fields.Integer()
    signals = fields.List(fields.Dict())
