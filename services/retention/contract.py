"""What others may know of retention: its announcement, its refusals, and the shapes of what goes in and out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from marshmallow import RAISE, Schema, ValidationError, fields, validate

from services.chassis.messages import Announcement, Conflict, Forbidden, Invalid, NotFound, PreconditionMissing, Stale
from services.lexicon.tasks import LIMIT
from services.lexicon.vocabulary import REQUEST_MEDIA

SUBJECT_TYPES = ("individual", "organization")


@dataclass(frozen=True, slots=True)
class ErasureCompleted(Announcement):
    """An individual is gone from every service, and the certificate is written."""

    name: ClassVar[str] = "retention:erasure:completed"

    erasure_id: str
    individual_id: str
    cause: str


class RequestUnknown(NotFound):
    """There is no such request, or it is not yours to know of."""

    code = "request-unknown"


class ErasureUnknown(NotFound):
    """There is no such erasure, or it is not yours to know of."""

    code = "erasure-unknown"


class HitUnknown(NotFound):
    """There is nothing of that id left to decide."""

    code = "hit-unknown"


class HoldUnknown(NotFound):
    """There is no such hold."""

    code = "hold-unknown"


class NotYoursToErase(Forbidden):
    """Only the record's owner, or whoever the duty has passed to, may erase it."""

    code = "not-yours-to-erase"


class RequestsWithheld(Forbidden):
    """Requests for no more contact are for users with an access level and for those who answer for them."""

    code = "requests-withheld"


class PrivacyOfficerOnly(Forbidden):
    """That is for the privacy officer."""

    code = "privacy-officer-only"


class ErasureUnderWay(Conflict):
    """The erasure has begun and cannot be held up any more."""

    code = "erasure-under-way"


class RecordStale(Stale):
    """The record changed since you read it."""

    code = "stale"


class VersionRequired(PreconditionMissing):
    """Say with If-Match which version of the record you mean."""

    code = "precondition-missing"


class CursorNotYours(Invalid):
    """This cursor was not made for you and this query; begin again without it."""

    code = "cursor-invalid"


class _Closed(Schema):
    """Input of a closed schema: an unknown field is refused (R13)."""

    class Meta:
        unknown = RAISE


def _no_nul(text: str) -> None:
    if "\x00" in text:
        message = "Not a NUL character."
        raise ValidationError(message)


class NoContactRequestCreateSchema(_Closed):
    """A request for no more contact, as somebody heard it, by any medium (R164-R168)."""

    individual_id = fields.UUID(required=True)
    medium = fields.String(required=True, validate=validate.OneOf(sorted(REQUEST_MEDIA)))
    received_on = fields.Date(required=True)


class NoContactRequestListQuerySchema(_Closed):
    """Which requests."""

    state = fields.String(load_default=None, allow_none=True, validate=validate.OneOf(["open", "erasing", "done"]))
    limit = fields.Integer(load_default=50, validate=validate.Range(min=1, max=200))
    cursor = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=500))


class TaskPageSchema(_Closed):
    """A page of what waits: the first tasks after a position (see `services.lexicon.tasks`)."""

    limit = fields.Integer(load_default=LIMIT, validate=validate.Range(1, LIMIT))
    after = fields.List(fields.String(), load_default=None, allow_none=True, validate=validate.Length(equal=3))


class ErasureRequestSchema(_Closed):
    """Why a record is to be erased by its owner (R131)."""

    reason = fields.String(required=True, validate=[validate.Length(min=1, max=500), _no_nul])


class DecisionSchema(_Closed):
    """What the privacy officer says of a name that was found in somebody else's record."""

    decision = fields.String(required=True, validate=validate.OneOf(["keep", "look_again"]))


class HoldCreateSchema(_Closed):
    """A hold on one record, for a pending request under the Privacy Act or FOIA (R138)."""

    subject_id = fields.UUID(required=True)
    until = fields.Date(load_default=None, allow_none=True)


class RecordOwnerSchema(Schema):
    """Whose record it is."""

    user = fields.String(allow_none=True)
    component = fields.String(allow_none=True)


class NoContactRequestSchema(Schema):
    """A request for no more contact, to those who may know of it."""

    id = fields.String()
    individual_id = fields.String()
    medium = fields.String()
    received_on = fields.Date()
    recorded_by = fields.String()
    recorded_by_component = fields.String(allow_none=True)
    recorded_at = fields.DateTime()
    state = fields.String()
    due_on = fields.Date()
    duty_of = fields.String()
    owner = fields.Nested(RecordOwnerSchema)
    erasure_id = fields.String(allow_none=True)


class ReceiptSchema(Schema):
    """What one store of one service answered."""

    service = fields.String()
    step = fields.String()
    store = fields.String()
    found = fields.Integer()
    removed = fields.Integer()
    left = fields.Integer()
    method = fields.String()
    at = fields.DateTime()


class HitSchema(Schema):
    """A name found in somebody else's record; for the privacy officer alone."""

    id = fields.String()
    service = fields.String()
    store = fields.String()
    record_id = fields.String()
    field = fields.String(allow_none=True)
    decision = fields.String(allow_none=True)
    decided_by = fields.String(allow_none=True)


class ErasureSubjectSchema(Schema):
    """What is erased."""

    type = fields.String()
    id = fields.String()


class ErasureSchema(Schema):
    """How far an erasure is, its receipts and, when it is done, its certificate."""

    id = fields.String()
    erasure_id = fields.String()
    subject = fields.Nested(ErasureSubjectSchema)
    cause = fields.String()
    state = fields.String(metadata={"description": "`in_progress`, `waiting_for_decision` or `done`"})
    requested_by = fields.String()
    requested_at = fields.DateTime()
    completed_at = fields.DateTime(allow_none=True)
    receipts = fields.List(fields.Nested(ReceiptSchema))
    hits = fields.List(fields.Nested(HitSchema))
    certificate = fields.Dict(allow_none=True)


class HoldSchema(Schema):
    """A hold; the privacy officer alone sees it (T24)."""

    id = fields.String()
    subject_id = fields.String()
    until = fields.Date(allow_none=True)
    placed_by = fields.String()
    placed_at = fields.DateTime()


class DestructionSchema(Schema):
    """One row of the register of destruction."""

    erasure_id = fields.String()
    subject_type = fields.String()
    subject_id = fields.String()
    cause = fields.String()
    requested_by = fields.String()
    destroyed_at = fields.DateTime()
