"""Define the records that interactions stores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime


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
    """An interaction, with what it is linked to; of its individuals those whom the caller may find."""

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
    """That an individual or an organization attended an event, and for whom the individual worked then."""

    id: str
    event_id: str
    individual_id: str | None
    organization_id: str | None
    employer_id: str | None
    component: str
    recorded_by: str
    recorded_at: datetime
