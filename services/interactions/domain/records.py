"""Define the records that interactions stores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from services.interactions.domain.rights import Person


@dataclass(frozen=True, slots=True)
class Issue:
    """An issue, without texts that are kept for one component."""

    id: str
    name: str | None
    priority: str
    parent_id: str | None
    active: bool
    summary: str | None
    revision: int
    component: str
    created_by: str
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class IssueUpdate:
    """An update on an issue: an event or a change of policy."""

    id: str
    issue_id: str
    kind: str
    text: str | None
    happened_on: date | None
    component: str
    created_by: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class TalkingPoint:
    """A talking point on an issue."""

    id: str
    issue_id: str
    text: str | None
    component: str
    created_by: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Interaction:
    """An interaction with its links; of its individuals only those whom the caller may find."""

    id: str
    held_at: datetime
    mode: str
    initiated_by: str | None
    component: str
    user_id: str
    event_id: str | None
    no_contact_request_id: str | None
    outcome: str | None
    revision: int
    created_by: str
    created_at: datetime
    updated_at: datetime
    individual_ids: Sequence[str] = ()
    organization_ids: Sequence[str] = ()
    issue_ids: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class FollowUp:
    """A promise that was made in an interaction."""

    id: str
    interaction_id: str
    position: int
    text: str | None
    due_on: date | None
    mode: str | None
    assignee: str | None
    created_by: str
    done_at: datetime | None
    done_by: str | None


@dataclass(frozen=True, slots=True)
class Event:
    """An event, with the issues that were discussed."""

    id: str
    name: str | None
    starts_at: datetime
    ends_at: datetime | None
    place: str | None
    agenda: str | None
    revision: int
    component: str
    created_by: str
    created_at: datetime
    updated_at: datetime
    issue_ids: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Attendance:
    """The attendance of an individual or an organization, with the individual's employer at that time."""

    id: str
    event_id: str
    individual_id: str | None
    organization_id: str | None
    employer_id: str | None
    component: str
    recorded_by: str
    recorded_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CoordinationRequest:
    """A request to speak to an individual."""

    id: str
    individual_id: str
    issue_id: str | None
    message: str | None
    due_on: date | None
    mode: str | None
    status: str
    reason: str | None = None
    closed_because: str | None = None
    requested_by: str
    requested_component: str
    asked_component: str | None
    asked_user: str | None
    created_at: datetime
    answered_by: str | None = None
    answered_at: datetime | None = None
    done_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressedRequest(CoordinationRequest):
    """A request with its present addressee, and whether its individual is frozen."""

    owner_id: str | None
    deputy_id: str | None
    component: str | None
    frozen_request_id: str | None
    frozen_by: str | None
    frozen_for: Sequence[str] | None

    @property
    def addressee(self) -> Person:
        """The individual, with the addressee in the place of the owner."""
        frozen = self.frozen_request_id, self.frozen_by, self.frozen_for or ()
        return Person(self.individual_id, self.owner_id, self.deputy_id, self.component, *frozen)


@dataclass(frozen=True, slots=True)
class Moment:
    """An interaction or an attendance in a stakeholder's history."""

    kind: str
    id: str
    at: datetime
    mode: str
    initiated_by: str | None
    component: str
    user_id: str
    event_id: str | None
    issue_ids: Sequence[str]
    outcome: str | None
    event_name: str | None


@dataclass(frozen=True, slots=True)
class AgainstPreference:
    """An interaction that the department began with an individual against a preference of theirs."""

    id: str
    held_at: datetime
    mode: str
    component: str
    user_id: str
    individual_id: str
    preference: str
    stated_at: datetime


@dataclass(frozen=True, slots=True)
class KeptText:
    """Text that a component kept against a finding."""

    id: str
    subject_type: str
    subject_id: str
    field: str
    component: str
    text: str
    reason: str
    classes: Sequence[str]
    kept_by: str
    kept_at: datetime


@dataclass(frozen=True, slots=True)
class TextFound:
    """A text in which an erased individual may be mentioned, and the row that it belongs to."""

    id: str
    text: str
    subject_id: str


@dataclass(frozen=True, slots=True)
class Task:
    """A task of a user."""

    kind: str
    key: str
    due_on: date | None
    subject_type: str
    subject_id: str
    interaction_id: str | None
    individual_ids: list[str]
    organization_ids: list[str]
    issue_id: str | None
    by_user: str | None
    by_component: str | None
    text: str | None
    asked_at: datetime | None
    notice: bool
