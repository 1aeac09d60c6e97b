"""Define what retention accepts and answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from marshmallow import Schema, ValidationError, fields, post_load, validate, validates_schema

from services.chassis.instants import Day
from services.chassis.validation import Closed, Id, Loads, no_nul
from services.lexicon.tasks import LIMIT
from services.lexicon.vocabulary import REQUEST_MEDIA

SUBJECT_TYPES = ("individual", "organization")


@dataclass(frozen=True, slots=True)
class NewRequest:
    """A request for no more contact, as somebody heard it."""

    individual_id: str
    medium: str
    received_on: date
    reason: str | None


class NoContactRequestCreateSchema(Loads[NewRequest]):
    """A request for no more contact, as somebody heard it, by any medium (R164-R168)."""

    individual_id = Id(required=True)
    medium = fields.String(required=True, validate=validate.OneOf(sorted(REQUEST_MEDIA)))
    received_on = Day(required=True)
    reason = fields.String(
        load_default=None,
        allow_none=True,
        validate=[validate.Length(max=500), no_nul],
        metadata={"description": "asked from the tenth request on that you record on one day (T36)"},
    )


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """The reason for withdrawing a request, or the decision on a proposal."""

    reason: str | None
    decision: str | None


class WithdrawalSchema(Loads[Withdrawal]):
    """The reason for withdrawing a request, or the decision of the privacy officer on a proposal (T36)."""

    reason = fields.String(load_default=None, allow_none=True, validate=[validate.Length(max=500), no_nul])
    decision = fields.String(load_default=None, allow_none=True, validate=validate.OneOf(["confirm", "decline"]))


@dataclass(frozen=True, slots=True)
class TwinDecision:
    """The decision on another record of possibly the same person."""

    decision: str


class TwinDecisionSchema(Loads[TwinDecision]):
    """The decision of the privacy officer on a record of possibly the same person (T26)."""

    decision = fields.String(required=True, validate=validate.OneOf(["same", "another"]))


@dataclass(frozen=True, slots=True)
class RequestQuery:
    """The state of the requests to list, and the page."""

    state: str | None
    limit: int
    cursor: str | None


class NoContactRequestListQuerySchema(Loads[RequestQuery]):
    """The state of the requests to list, and the page."""

    state = fields.String(load_default=None, allow_none=True, validate=validate.OneOf(["open", "erasing", "done", "withdrawn"]))
    limit = fields.Integer(load_default=50, validate=validate.Range(min=1, max=200))
    cursor = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=500))


@dataclass(frozen=True, slots=True)
class TaskPage:
    """The page of tasks: their number, and the position before the first."""

    limit: int
    after: list[str] | None


class TaskPageSchema(Loads[TaskPage]):
    """The page of tasks: their number, and the position before the first (see `services.lexicon.tasks`)."""

    limit = fields.Integer(load_default=LIMIT, validate=validate.Range(1, LIMIT))
    after = fields.List(fields.String(), load_default=None, allow_none=True, validate=validate.Length(equal=3))


@dataclass(frozen=True, slots=True)
class ErasureReason:
    """The reason for erasing a record."""

    reason: str


class ErasureRequestSchema(Loads[ErasureReason]):
    """The owner's reason for erasing a record (R131)."""

    reason = fields.String(required=True, validate=[validate.Length(min=1, max=500), no_nul])


DECISIONS = ("redact", "another_person")


class HitDecisionSchema(Closed):
    """The decision on one hit: redact the text, or keep it because it means another person."""

    hit_id = Id(required=True)
    decision = fields.String(required=True, validate=validate.OneOf(DECISIONS))


@dataclass(frozen=True, slots=True)
class Decisions:
    """The decisions on single hits, or one decision on all undecided hits."""

    of_hits: Mapping[str, str]
    of_all_left: str | None = None


class DecisionsSchema(Closed):
    """The decision of the privacy officer on one hit, on several, or on all undecided hits (T27)."""

    hit_id = Id(metadata={"description": "With `decision`: one hit."})
    all = fields.Boolean(validate=validate.Equal(True), metadata={"description": "With `decision`: every hit that is not decided."})
    decision = fields.String(validate=validate.OneOf(DECISIONS))
    decisions = fields.List(fields.Nested(HitDecisionSchema), validate=validate.Length(min=1, max=500))

    @validates_schema
    def _require_one_way(self, given: dict[str, Any], **_: Any) -> None:
        ways = [name for name in ("hit_id", "all", "decisions") if name in given]
        if len(ways) != 1:
            message = "Give hit_id and decision, or all and decision, or decisions."
            raise ValidationError(message)
        if (ways == ["decisions"]) == ("decision" in given):
            message = "Needed with hit_id or all, and not with decisions."
            raise ValidationError(message, "decision")
        ids = [each["hit_id"] for each in given.get("decisions", ())]
        if len(ids) != len(set(ids)):
            message = "Decide each hit once."
            raise ValidationError(message, "decisions")

    @post_load
    def _decide(self, given: dict[str, Any], **_: Any) -> Decisions:
        if "all" in given:
            return Decisions({}, given["decision"])
        decisions = given.get("decisions") or [given]
        return Decisions({each["hit_id"]: each["decision"] for each in decisions})


@dataclass(frozen=True, slots=True)
class HitQuery:
    """Whether to list undecided hits only, and the page."""

    undecided: bool
    limit: int
    cursor: str | None


class HitListQuerySchema(Loads[HitQuery]):
    """Whether to list undecided hits only, and the page."""

    undecided = fields.Boolean(load_default=False, metadata={"description": "Only those that are not decided."})
    limit = fields.Integer(load_default=50, validate=validate.Range(min=1, max=200))
    cursor = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=500))


@dataclass(frozen=True, slots=True)
class SampleQuery:
    """The first day of the sample, and the page."""

    since: date | None
    limit: int
    cursor: str | None


class SampleQuerySchema(Loads[SampleQuery]):
    """The first day of the weekly sample, and the page."""

    since = Day(load_default=None, allow_none=True)
    limit = fields.Integer(load_default=50, validate=validate.Range(min=1, max=200))
    cursor = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=500))


@dataclass(frozen=True, slots=True)
class RegisterQuery:
    """The page of the register of destruction."""

    limit: int
    cursor: str | None


class DestructionListQuerySchema(Loads[RegisterQuery]):
    """The page of the register of destruction."""

    limit = fields.Integer(load_default=50, validate=validate.Range(min=1, max=200))
    cursor = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=500))


@dataclass(frozen=True, slots=True)
class NewHold:
    """A hold on one record."""

    subject_id: str
    until: date | None


class HoldCreateSchema(Loads[NewHold]):
    """A hold on one record, for a pending request under the Privacy Act or FOIA (R138)."""

    subject_id = Id(required=True)
    until = Day(load_default=None, allow_none=True)


class RecordOwnerSchema(Schema):
    """The owner of a record."""

    user = fields.String(allow_none=True)
    component = fields.String(allow_none=True)


class ProposalSchema(Schema):
    """A proposal to withdraw a request, with its reason (T36)."""

    proposed_by = fields.String()
    proposed_at = fields.DateTime()
    reason = fields.String()


class NoContactRequestSchema(Schema):
    """A request for no more contact, for those who may read it."""

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
    may_erase = fields.Boolean(metadata={"description": "Whether you may answer it with the erasure now (T10)."})
    withdrawal = fields.Nested(ProposalSchema, allow_none=True)
    withdrawn_at = fields.DateTime(allow_none=True)
    you_may_withdraw = fields.String(
        allow_none=True, metadata={"description": "`now` by yourself, `propose` with a reason, `confirm` what was proposed, or null"}
    )


class ReceiptSchema(Schema):
    """What an erasure found and removed in one store. Users other than the privacy officer get one line for each step, without counts."""

    service = fields.String()
    step = fields.String()
    store = fields.String()
    found = fields.Integer(allow_none=True)
    removed = fields.Integer(allow_none=True)
    left = fields.Integer()
    method = fields.String()
    at = fields.DateTime()


class HitSchema(Schema):
    """A text about somebody or something else that mentions the erased person; for the privacy officer only."""

    id = fields.String()
    service = fields.String()
    store = fields.String()
    record_id = fields.String()
    field = fields.String(allow_none=True)
    kinds = fields.List(fields.String(), metadata={"description": "`name`, `phone`, `email`"})
    decision = fields.String(allow_none=True, metadata={"description": "`redact`, `another_person`, or `gone` when the text was edited or deleted"})
    decided_by = fields.String(allow_none=True, metadata={"description": "A user, or `rule` after the deadline"})
    decided_at = fields.DateTime(allow_none=True)
    stays_because = fields.String(
        allow_none=True,
        metadata={"description": "Why the rule left it: `other-cause`, `living-namesake`, `too-many-texts` or `not-sure`"},
    )


class ExcerptSchema(Schema):
    """A mention with the text around it."""

    before = fields.String()
    found = fields.String()
    after = fields.String()
    kind = fields.String()


class ShownHitSchema(HitSchema):
    """A hit with excerpts of its text, while the erasure waits; for the privacy officer only."""

    excerpts = fields.List(fields.Nested(ExcerptSchema))


class SampledHitSchema(HitSchema):
    """A hit that the rule decided as another person's, for the weekly sample."""

    erasure_id = fields.String()


class ErasureSubjectSchema(Schema):
    """The record that is erased."""

    type = fields.String()
    id = fields.String()


class ErasureSchema(Schema):
    """The progress of an erasure, its receipts and, when it is done, its certificate."""

    id = fields.String()
    erasure_id = fields.String()
    subject = fields.Nested(ErasureSubjectSchema)
    cause = fields.String()
    state = fields.String(metadata={"description": "`in_progress`, `waiting_for_decision` or `done`"})
    requested_by = fields.String()
    requested_at = fields.DateTime()
    completed_at = fields.DateTime(allow_none=True)
    decide_by = fields.Date(allow_none=True, metadata={"description": "The last day on which hits wait for a decision, if there are any left"})
    undecided = fields.Integer(allow_none=True, metadata={"description": "How many hits are not decided; for the privacy officer alone"})
    receipts = fields.List(fields.Nested(ReceiptSchema))
    hits = fields.List(fields.Nested(HitSchema), metadata={"description": "The first 200, to the privacy officer; `/erasures/{id}/hits` has all"})
    certificate = fields.Dict(allow_none=True)


class HoldSchema(Schema):
    """A hold; for the privacy officer only (T24)."""

    id = fields.String()
    subject_id = fields.String()
    until = fields.Date(allow_none=True)
    placed_by = fields.String()
    placed_at = fields.DateTime()


class DestructionSchema(Schema):
    """A row of the register of destruction."""

    erasure_id = fields.String()
    subject_type = fields.String()
    subject_id = fields.String()
    cause = fields.String()
    requested_by = fields.String()
    destroyed_at = fields.DateTime()
