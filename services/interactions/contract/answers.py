"""The shapes of what interactions answers, as use cases make them; `schemas` documents the same for the gateway."""

from __future__ import annotations

from typing import Generic, TypedDict, TypeVar

Item = TypeVar("Item")


class Page(TypedDict, Generic[Item]):
    """A page of a list, with the cursor of the next page."""

    items: list[Item]
    next: str | None
    total: int | dict[str, int]


# Issues ---------------------------------------------------------------------------------------------------------


class IssueAnswer(TypedDict):
    """An issue."""

    id: str
    name: str | None
    priority: str
    parent_id: str | None
    active: bool
    summary: str | None
    component: str
    created_by: str
    created_at: str
    updated_at: str


class IssueNode(TypedDict):
    """An issue in the tree, with those below it."""

    id: str
    name: str | None
    active: bool
    issues: list[IssueNode]


class PriorityNode(TypedDict):
    """A priority with its issues."""

    priority: str
    name: str
    issues: list[IssueNode]


class IssueTree(TypedDict):
    """The five priorities."""

    items: list[PriorityNode]


class ErasedIssues(TypedDict):
    """The ids of the issues that were deleted."""

    erased: list[str]


class IssueUpdateAnswer(TypedDict):
    """An update of an issue."""

    id: str
    issue_id: str
    kind: str
    text: str | None
    happened_on: str | None
    component: str
    created_by: str
    created_at: str


class TalkingPointAnswer(TypedDict):
    """A talking point of an issue."""

    id: str
    issue_id: str
    text: str | None
    component: str
    created_by: str
    created_at: str


# Interactions ---------------------------------------------------------------------------------------------------


class FollowUpAnswer(TypedDict):
    """A promise."""

    id: str
    text: str | None
    due_on: str | None
    mode: str | None
    assignee: str | None
    created_by: str
    done_at: str | None
    done_by: str | None


class InteractionAnswer(TypedDict):
    """An interaction."""

    id: str
    held_at: str
    mode: str
    initiated_by: str | None
    component: str
    user: str
    individual_ids: list[str]
    organization_ids: list[str]
    issue_ids: list[str]
    event_id: str | None
    outcome: str | None
    follow_ups: list[FollowUpAnswer]
    no_contact_request_id: str | None
    created_by: str
    created_at: str
    updated_at: str


# Events ---------------------------------------------------------------------------------------------------------


class EventAnswer(TypedDict):
    """An event."""

    id: str
    name: str | None
    place: str | None
    agenda: str | None
    starts_at: str
    ends_at: str | None
    issue_ids: list[str]
    component: str
    created_by: str
    created_at: str
    updated_at: str


class AttendeeAnswer(TypedDict):
    """An attendee of an event."""

    id: str
    individual_id: str | None
    organization_id: str | None
    component: str
    recorded_by: str
    recorded_at: str
