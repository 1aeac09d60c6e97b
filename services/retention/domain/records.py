"""Define the records that retention stores."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from services.retention.contract.answers import Certificate


@dataclass(frozen=True, slots=True)
class Scope:
    """The requests that concern a user: those on their own records, and those that the fields add."""

    user_id: str
    #: Includes requests that the user recorded.
    recorded: bool
    #: Includes requests on the records of this office.
    office: str | None
    everything: bool


@dataclass(frozen=True, slots=True)
class Request:
    """A request for no more contact, with the completion of its erasure and the deputy of the record's owner."""

    id: str
    individual_id: str
    medium: str
    received_on: date
    recorded_by: str
    recorded_by_component: str | None
    recorded_at: datetime
    owner_id: str | None
    owner_component: str | None
    erasure_id: str | None
    twin_of: str | None
    proposed_by: str | None
    proposed_at: datetime | None
    proposal_reason: str | None
    withdrawn_by: str | None
    withdrawn_at: datetime | None
    released_at: datetime | None
    completed_at: datetime | None
    deputy_id: str | None


@dataclass(frozen=True, slots=True)
class Recording:
    """A recording of a request by a user; several users may record the same request."""

    request_id: str
    recorded_by: str
    recorded_by_component: str | None
    medium: str
    received_on: date
    recorded_at: datetime
    withdrawn_at: datetime | None


@dataclass(frozen=True, slots=True)
class Erasure:
    """An erasure with its current step and, when it is done, its certificate."""

    id: str
    subject_type: str
    subject_id: str
    cause: str
    reason: str | None
    owner_id: str | None
    owner_component: str | None
    requested_by: str
    requested_component: str | None
    requested_at: datetime
    trace_id: str | None
    step: str
    sealed: str | None
    found_nobody: bool
    waiting: bool
    decide_by: date | None
    looked_at: datetime | None
    returns: int
    claim: str | None
    claimed_until: datetime | None
    attempts: int
    next_at: datetime
    completed_at: datetime | None
    certificate: Certificate | None


@dataclass(frozen=True, slots=True)
class Receipt:
    """What one step found and removed in one store."""

    erasure_id: str
    step: str
    store: str
    service: str
    found: int
    removed: int
    remaining: int
    method: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Hit:
    """A text about others that mentions the erased person."""

    id: str
    erasure_id: str
    service: str
    store: str
    record_id: str
    field: str
    kinds: list[str]
    sure: bool
    found_at: datetime
    decision: str | None
    decided_by: str | None
    decided_at: datetime | None
    stays_because: str | None
    carried_out: bool


@dataclass(frozen=True, slots=True)
class Hold:
    """A hold on the erasure of one record (R138)."""

    id: str
    subject_id: str
    until: date | None
    placed_by: str
    placed_at: datetime
    lifted_by: str | None = None
    lifted_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Destruction:
    """A row of the register of destruction."""

    erasure_id: str
    subject_type: str
    subject_id: str
    cause: str
    requested_by: str
    requested_component: str | None
    destroyed_at: datetime
