"""What a command or query gives, as its schema leaves it; of a change, what was not given is UNSET."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from services.chassis.validation import UNSET, Unset
from services.lexicon.tasks import LIMIT


@dataclass(frozen=True, slots=True)
class PageQuery:
    """Which page of a list: so many, behind where a cursor ends."""

    limit: int = 50
    cursor: str | None = None


# Issues ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class IssueCreate:
    """A new issue."""

    name: str
    priority: str | None = None
    parent_id: str | None = None
    active: bool = True
    summary: str | None = None
    keep_reason: str | None = None


@dataclass(frozen=True, slots=True)
class IssueChange:
    """A change of an issue."""

    name: str | Unset = UNSET
    priority: str | Unset = UNSET
    parent_id: str | Unset | None = UNSET
    active: bool | Unset = UNSET
    summary: str | Unset | None = UNSET
    keep_reason: str | None = None


@dataclass(frozen=True, slots=True)
class IssueListQuery(PageQuery):
    """Which issues."""

    priority: str | None = None
    parent_id: str | None = None
    active: bool | None = None
    q: str | None = None


@dataclass(frozen=True, slots=True)
class IssueUpdateCreate:
    """A new update of an issue."""

    kind: str
    text: str
    happened_on: date | None = None
    keep_reason: str | None = None


@dataclass(frozen=True, slots=True)
class TalkingPointCreate:
    """A new talking point."""

    text: str
    keep_reason: str | None = None


# Interactions ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FollowUpGiven:
    """A promise: one that there is under its id, a new one without."""

    id: str | None = None
    text: str | None = None
    due_on: date | None = None
    mode: str | None = None
    assignee: str | None = None
    done_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class InteractionCreate:
    """A new interaction."""

    held_at: datetime
    mode: str
    initiated_by: str | None = None
    individual_ids: Sequence[str] = ()
    organization_ids: Sequence[str] = ()
    issue_ids: Sequence[str] = ()
    event_id: str | None = None
    outcome: str | None = None
    follow_ups: Sequence[FollowUpGiven] = ()
    component: str | None = None
    user: str | None = None
    no_contact_request_id: str | None = None
    keep_reason: str | None = None


@dataclass(frozen=True, slots=True)
class InteractionChange:
    """A change of an interaction."""

    held_at: datetime | Unset = UNSET
    mode: str | Unset = UNSET
    initiated_by: str | Unset | None = UNSET
    individual_ids: Sequence[str] | Unset = UNSET
    organization_ids: Sequence[str] | Unset = UNSET
    issue_ids: Sequence[str] | Unset = UNSET
    event_id: str | Unset | None = UNSET
    outcome: str | Unset | None = UNSET
    follow_ups: Sequence[FollowUpGiven] | Unset = UNSET
    user: str | Unset = UNSET
    keep_reason: str | None = None


@dataclass(frozen=True, slots=True)
class InteractionListQuery(PageQuery):
    """Which interactions."""

    individual_id: str | None = None
    organization_id: str | None = None
    issue_id: str | None = None
    event_id: str | None = None
    component: str | None = None
    user: str | None = None
    since: datetime | None = None
    until: datetime | None = None


# Events ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class EventCreate:
    """A new event."""

    name: str
    starts_at: datetime
    ends_at: datetime | None = None
    place: str | None = None
    agenda: str | None = None
    issue_ids: Sequence[str] = ()
    component: str | None = None
    keep_reason: str | None = None


@dataclass(frozen=True, slots=True)
class EventChange:
    """A change of an event."""

    name: str | Unset = UNSET
    starts_at: datetime | Unset = UNSET
    ends_at: datetime | Unset | None = UNSET
    place: str | Unset | None = UNSET
    agenda: str | Unset | None = UNSET
    issue_ids: Sequence[str] | Unset = UNSET
    keep_reason: str | None = None


@dataclass(frozen=True, slots=True)
class EventListQuery(PageQuery):
    """Which events."""

    individual_id: str | None = None
    organization_id: str | None = None
    issue_id: str | None = None
    component: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class AttendeesAdd:
    """Who attended an event."""

    individual_ids: Sequence[str] = ()
    organization_ids: Sequence[str] = ()


# Coordination ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CoordinationRequestCreate:
    """A new request."""

    individual_id: str
    message: str
    issue_id: str | None = None
    component: str | None = None
    due_on: date | None = None
    mode: str | None = None
    keep_reason: str | None = None


@dataclass(frozen=True, slots=True)
class CoordinationRequestChange:
    """The state that a request is put into."""

    status: str
    reason: str | None = None
    keep_reason: str | None = None


@dataclass(frozen=True, slots=True)
class CoordinationRequestListQuery(PageQuery):
    """Which requests."""

    side: str | None = None
    status: str | None = None
    individual_id: str | None = None
    issue_id: str | None = None


# Reading across -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class HistoryQuery:
    """Whose timeline, and behind which position."""

    individual_id: str | None = None
    organization_id: str | None = None
    limit: int = 50
    after: tuple[datetime, str] | None = None


@dataclass(frozen=True, slots=True)
class AgainstPreferencesQuery(PageQuery):
    """Which of what the department began against a preference."""

    individual_id: str | None = None
    component: str | None = None
    preference: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class SpokenToQuery:
    """What a report counts."""

    issue_id: str | None = None
    priority: str | None = None
    fema_region: int | None = None
    state: str | None = None
    component: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class TaskListQuery:
    """Which part of what waits."""

    limit: int = LIMIT
    after: Sequence[str] | None = None
