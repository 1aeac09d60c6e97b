"""Define what use cases of retention answer. `schemas` documents the same for the gateway."""

from __future__ import annotations

from typing import NotRequired, TypedDict


class Owner(TypedDict):
    """The owner of a record."""

    user: str | None
    component: str | None


class Subject(TypedDict):
    """The record that a task or an erasure is about."""

    type: str
    id: str
    individual_id: NotRequired[str]
    individual_ids: NotRequired[list[str]]


class ProposalAnswer(TypedDict):
    """A proposal to withdraw a request (T36)."""

    proposed_by: str | None
    proposed_at: str
    reason: str | None


class RequestAnswer(TypedDict):
    """A request for no more contact."""

    id: str
    individual_id: str
    medium: str
    received_on: str
    recorded_by: str
    recorded_by_component: str | None
    recorded_at: str
    state: str
    due_on: str
    duty_of: str
    owner: Owner
    erasure_id: str | None
    may_erase: bool
    withdrawal: ProposalAnswer | None
    withdrawn_at: str | None
    you_may_withdraw: str | None


class PageOfRequests(TypedDict):
    """A page of requests."""

    items: list[RequestAnswer]
    next: str | None
    total: int | dict[str, int]


class TaskAnswer(TypedDict):
    """A task of the caller."""

    id: str
    kind: str
    notice: bool
    subject: Subject
    due_on: str | None
    link: str


class AcceptedErasure(TypedDict):
    """An erasure that was accepted."""

    erasure_id: str
    state: str


class ReceiptAnswer(TypedDict):
    """What an erasure found and removed in one store; counts are for the privacy officer."""

    service: str
    step: str
    store: str
    found: int | None
    removed: int | None
    left: int
    method: str
    at: str


class HitAnswer(TypedDict):
    """A text that mentions the erased person."""

    id: str
    service: str
    store: str
    record_id: str
    field: str | None
    kinds: list[str]
    decision: str | None
    decided_by: str | None
    decided_at: str | None
    stays_because: str | None
    excerpts: NotRequired[list[dict[str, str]]]
    erasure_id: NotRequired[str]


class PageOfHits(TypedDict):
    """A page of hits."""

    items: list[HitAnswer]
    next: str | None
    total: int | dict[str, int]


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
    requested_at: str
    completed_at: str
    reached: list[Reached]
    decided: list[Decided]
    not_reached: list[str]
    sha256: NotRequired[str]


class ErasureAnswer(TypedDict):
    """The progress of an erasure."""

    id: str
    erasure_id: str
    subject: Subject
    cause: str
    state: str
    requested_by: str
    requested_at: str
    completed_at: str | None
    decide_by: str | None
    undecided: int | None
    receipts: list[ReceiptAnswer]
    hits: list[HitAnswer]
    certificate: Certificate | None


class HoldAnswer(TypedDict):
    """A hold on an erasure."""

    id: str
    subject_id: str
    until: str | None
    placed_by: str
    placed_at: str


class Holds(TypedDict):
    """All active holds."""

    items: list[HoldAnswer]
    next: None
    total: int


class DestructionAnswer(TypedDict):
    """A row of the register of destruction."""

    erasure_id: str
    subject_type: str
    subject_id: str
    cause: str
    requested_by: str
    destroyed_at: str


class PageOfDestructions(TypedDict):
    """A page of the register of destruction."""

    items: list[DestructionAnswer]
    next: str | None
    total: int


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
