"""The records that retention keeps, as they are stored."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from services.retention.contract.answers import Certificate


@dataclass(frozen=True, slots=True)
class Scope:
    """Which requests concern a user: those on records of their own, and what is named here beyond them."""

    user_id: str
    #: Those that the user recorded, too.
    recorded: bool
    #: Those on the records of this office, too.
    office: str | None
    everything: bool


@dataclass(frozen=True, slots=True)
class Request:
    """A request for no more contact, with the end of its erasure and the deputy of the record's owner."""

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
    """That a user recorded a request: several may record the same one."""

    request_id: str
    recorded_by: str
    recorded_by_component: str | None
    medium: str
    received_on: date
    recorded_at: datetime
    withdrawn_at: datetime | None


@dataclass(frozen=True, slots=True)
class Erasure:
    """An erasure: the step it is at, and its certificate when it is done."""

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
    """What one store answered to one step."""

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
    """A text about others in which a search found the erased person."""

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
