"""Define what retention answers; OpenAPI documents it."""

from __future__ import annotations

from typing import Annotated, Literal, NotRequired, TypedDict

from msgspec import Meta

from services.chassis.answers import DayText, IdText, InstantText


class RecordOwner(TypedDict):
    """The owner of a record."""

    user: str | None
    component: str | None


class Subject(TypedDict):
    """The record that a task or an erasure is about."""

    type: str
    id: str
    individual_id: NotRequired[str]
    individual_ids: NotRequired[list[str]]


class WithdrawalProposal(TypedDict):
    """A proposal to withdraw a request (T36)."""

    proposed_by: str | None
    proposed_at: InstantText
    reason: str | None


class RequestAnswer(TypedDict):
    """A request for no more contact."""

    id: IdText
    individual_id: IdText
    medium: str
    received_on: DayText
    recorded_by: str
    recorded_by_component: str | None
    recorded_at: InstantText
    state: Annotated[str, Meta(description="`open`, `erasing`, `done` or `withdrawn`")]
    due_on: DayText
    duty_of: str
    owner: RecordOwner
    erasure_id: IdText | None
    may_erase: Annotated[bool, Meta(description="Whether you may answer it with the erasure now (T10).")]
    withdrawal: WithdrawalProposal | None
    withdrawn_at: InstantText | None
    you_may_withdraw: Annotated[str | None, Meta(description="`now` by yourself, `propose` with a reason, `confirm` what was proposed, or null")]


class TaskAnswer(TypedDict):
    """A task of the caller."""

    id: str
    kind: str
    notice: bool
    subject: Subject
    due_on: str | None
    link: str


#: The state of an erasure.
State = Literal["in_progress", "waiting_for_decision", "done"]


class AcceptedErasure(TypedDict):
    """An erasure that was accepted."""

    erasure_id: IdText
    state: State


class ErasureReceipt(TypedDict):
    """What an erasure found and removed in one store. Users other than the privacy officer get one line for each step, without counts."""

    service: str
    step: str
    store: str
    found: int | None
    removed: int | None
    left: int
    method: str
    at: InstantText


class ErasureHit(TypedDict):
    """A text about somebody or something else that mentions the erased person; for the privacy officer only."""

    id: IdText
    service: str
    store: str
    record_id: str
    field: str | None
    kinds: Annotated[list[str], Meta(description="`name`, `phone`, `email`")]
    decision: Annotated[str | None, Meta(description="`redact`, `another_person`, or `gone` when the text was edited or deleted")]
    decided_by: Annotated[str | None, Meta(description="A user, or `rule` after the deadline")]
    decided_at: InstantText | None
    stays_because: Annotated[str | None, Meta(description="Why the rule left it: `other-cause`, `living-namesake`, `too-many-texts` or `not-sure`")]
    excerpts: NotRequired[
        Annotated[list[dict[str, str]], Meta(description="`before`, `found`, `after` and `kind` of each mention, while the erasure waits")]
    ]
    erasure_id: NotRequired[IdText]


class Reached(TypedDict):
    """What an erasure did in one store; users other than the privacy officer see the service only."""

    service: str
    store: NotRequired[str]
    found: NotRequired[int]
    removed: NotRequired[int]
    left: NotRequired[int]


class Decided(TypedDict):
    """The decision on one hit."""

    service: str
    store: str
    record_id: str
    field: str
    decision: str | None
    decided_by: str | None
    stays_because: str | None


class Certificate(TypedDict):
    """What was erased, and what no erasure reaches."""

    erasure_id: str
    subject: Subject
    cause: str
    requested_by: str
    requested_at: InstantText
    completed_at: InstantText
    reached: list[Reached]
    decided: list[Decided]
    not_reached: list[str]
    sha256: NotRequired[str]


class ErasureAnswer(TypedDict):
    """The progress of an erasure, its receipts and, when it is done, its certificate."""

    id: IdText
    erasure_id: IdText
    subject: Subject
    cause: str
    state: State
    requested_by: str
    requested_at: InstantText
    completed_at: InstantText | None
    decide_by: Annotated[DayText | None, Meta(description="The last day on which hits wait for a decision, if there are any left")]
    undecided: Annotated[int | None, Meta(description="How many hits are not decided; for the privacy officer alone")]
    receipts: list[ErasureReceipt]
    hits: Annotated[list[ErasureHit], Meta(description="The first 200, to the privacy officer; `/erasures/{id}/hits` has all")]
    certificate: Certificate | None


class HoldAnswer(TypedDict):
    """A hold; for the privacy officer only (T24)."""

    id: IdText
    subject_id: IdText
    until: DayText | None
    placed_by: str
    placed_at: InstantText


class DestructionAnswer(TypedDict):
    """A row of the register of destruction."""

    erasure_id: IdText
    subject_type: str
    subject_id: IdText
    cause: str
    requested_by: str
    destroyed_at: InstantText


class StoreReceipt(TypedDict):
    """What one store answers to a step."""

    store: str
    found: int
    removed: int
    left: int
    method: str


class FoundHit(TypedDict):
    """A text about others that mentions the person."""

    store: str
    id: str
    field: NotRequired[str | None]
    kinds: list[str]
    sure: bool


class StepAnswer(TypedDict):
    """What a service answers to a step: `sealed` if it erased, hits if it searched."""

    receipts: list[StoreReceipt]
    sealed: NotRequired[str | None]
    hits: NotRequired[list[FoundHit]]
    carried_out: NotRequired[list[list[str]]]


class TwinDecisionAnswer(TypedDict):
    """The decision on another record, and the request for which it is erased."""

    decision: str
    request_id: str | None
