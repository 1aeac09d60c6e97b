"""Define what retention accepts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from marshmallow import ValidationError, fields, post_load, validate, validates_schema

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
