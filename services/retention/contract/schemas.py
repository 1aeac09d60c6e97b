"""The shapes of what retention is sent and what it answers."""

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
    """Why a request is taken back, or what the privacy officer decides about that."""

    reason: str | None
    decision: str | None


class WithdrawalSchema(Loads[Withdrawal]):
    """Why a request is taken back, and what the privacy officer says to a proposal (T36)."""

    reason = fields.String(load_default=None, allow_none=True, validate=[validate.Length(max=500), no_nul])
    decision = fields.String(load_default=None, allow_none=True, validate=validate.OneOf(["confirm", "decline"]))


@dataclass(frozen=True, slots=True)
class TwinDecision:
    """What the privacy officer says of another record."""

    decision: str


class TwinDecisionSchema(Loads[TwinDecision]):
    """What the privacy officer says of a record that may be of the same person (T26)."""

    decision = fields.String(required=True, validate=validate.OneOf(["same", "another"]))


@dataclass(frozen=True, slots=True)
class RequestQuery:
    """Which page of which requests."""

    state: str | None
    limit: int
    cursor: str | None


class NoContactRequestListQuerySchema(Loads[RequestQuery]):
    """Which requests."""

    state = fields.String(load_default=None, allow_none=True, validate=validate.OneOf(["open", "erasing", "done", "withdrawn"]))
    limit = fields.Integer(load_default=50, validate=validate.Range(min=1, max=200))
    cursor = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=500))


@dataclass(frozen=True, slots=True)
class TaskPage:
    """How many tasks, after which position."""

    limit: int
    after: list[str] | None


class TaskPageSchema(Loads[TaskPage]):
    """A page of what waits: the first tasks after a position (see `services.lexicon.tasks`)."""

    limit = fields.Integer(load_default=LIMIT, validate=validate.Range(1, LIMIT))
    after = fields.List(fields.String(), load_default=None, allow_none=True, validate=validate.Length(equal=3))


@dataclass(frozen=True, slots=True)
class ErasureReason:
    """Why a record is to be erased."""

    reason: str


class ErasureRequestSchema(Loads[ErasureReason]):
    """Why a record is to be erased by its owner (R131)."""

    reason = fields.String(required=True, validate=[validate.Length(min=1, max=500), no_nul])


DECISIONS = ("redact", "another_person")


class HitDecisionSchema(Closed):
    """What the privacy officer says of one hit: it is taken out, or another person is meant."""

    hit_id = Id(required=True)
    decision = fields.String(required=True, validate=validate.OneOf(DECISIONS))


@dataclass(frozen=True, slots=True)
class Decisions:
    """What the privacy officer decides: of single hits, or of all that are left."""

    of_hits: Mapping[str, str]
    of_all_left: str | None = None


class DecisionsSchema(Closed):
    """What the privacy officer decides: one hit, several, or all that are left alike (T27)."""

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
    """Which page of which hits."""

    undecided: bool
    limit: int
    cursor: str | None


class HitListQuerySchema(Loads[HitQuery]):
    """Which hits of an erasure."""

    undecided = fields.Boolean(load_default=False, metadata={"description": "Only those that are not decided."})
    limit = fields.Integer(load_default=50, validate=validate.Range(min=1, max=200))
    cursor = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=500))


@dataclass(frozen=True, slots=True)
class SampleQuery:
    """Which page of the weekly sample, from which day on."""

    since: date | None
    limit: int
    cursor: str | None


class SampleQuerySchema(Loads[SampleQuery]):
    """Which of the texts that the rule left as another person's."""

    since = Day(load_default=None, allow_none=True)
    limit = fields.Integer(load_default=50, validate=validate.Range(min=1, max=200))
    cursor = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=500))


@dataclass(frozen=True, slots=True)
class RegisterQuery:
    """Which page of the register of destruction."""

    limit: int
    cursor: str | None


class DestructionListQuerySchema(Loads[RegisterQuery]):
    """Which part of the register of destruction."""

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
    """Whose record it is."""

    user = fields.String(allow_none=True)
    component = fields.String(allow_none=True)


class ProposalSchema(Schema):
    """That somebody proposed to take a request back, and why (T36)."""

    proposed_by = fields.String()
    proposed_at = fields.DateTime()
    reason = fields.String()


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
    may_erase = fields.Boolean(metadata={"description": "Whether you may answer it with the erasure now (T10)."})
    withdrawal = fields.Nested(ProposalSchema, allow_none=True)
    withdrawn_at = fields.DateTime(allow_none=True)
    you_may_withdraw = fields.String(
        allow_none=True, metadata={"description": "`now` by yourself, `propose` with a reason, `confirm` what was proposed, or null"}
    )


class ReceiptSchema(Schema):
    """What one store of one service answered; to everybody but the privacy officer a line for each step of a service, without numbers."""

    service = fields.String()
    step = fields.String()
    store = fields.String()
    found = fields.Integer(allow_none=True)
    removed = fields.Integer(allow_none=True)
    left = fields.Integer()
    method = fields.String()
    at = fields.DateTime()


class HitSchema(Schema):
    """A text about somebody or something else in which the erased person was found; for the privacy officer alone."""

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
    """A hit with what stands there, as long as the erasure waits; for the privacy officer alone."""

    excerpts = fields.List(fields.Nested(ExcerptSchema))


class SampledHitSchema(HitSchema):
    """A hit that nobody decided and that stays as another person's, for the weekly sample."""

    erasure_id = fields.String()


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
    decide_by = fields.Date(allow_none=True, metadata={"description": "The last day on which hits wait for a decision, if there are any left"})
    undecided = fields.Integer(allow_none=True, metadata={"description": "How many hits are not decided; for the privacy officer alone"})
    receipts = fields.List(fields.Nested(ReceiptSchema))
    hits = fields.List(fields.Nested(HitSchema), metadata={"description": "The first 200, to the privacy officer; `/erasures/{id}/hits` has all"})
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
