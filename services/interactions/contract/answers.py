"""The shapes of what interactions answers, as use cases make them; `schemas` documents the same for the gateway."""

from __future__ import annotations

from typing import Generic, NotRequired, TypedDict, TypeVar

Item = TypeVar("Item")


class Page(TypedDict, Generic[Item]):
    """A page of a list, with the cursor of the next page."""

    items: list[Item]
    next: str | None
    total: int | dict[str, int]


class Part(TypedDict, Generic[Item]):
    """The first items behind a position, for the gateway to merge with those of other services."""

    items: list[Item]
    more: bool
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


# Coordination ---------------------------------------------------------------------------------------------------


class Addressee(TypedDict):
    """Who has to answer a request, or sent it."""

    user: str
    component: str | None


class CoordinationRequestAnswer(TypedDict):
    """A coordination request, with the states that the caller may put it into."""

    id: str
    individual_id: str
    issue_id: str | None
    message: str | None
    due_on: str | None
    mode: str | None
    status: str
    reason: str | None
    requested_by: str
    requested_component: str
    asked_component: str | None
    owner: Addressee | None
    closed_because: str | None
    moves: list[str]
    created_at: str
    answered_at: str | None
    answered_by: str | None
    done_at: str | None


# Reading across -------------------------------------------------------------------------------------------------


class HistoryItemAnswer(TypedDict):
    """An interaction or an attendance in a stakeholder's history."""

    kind: str
    id: str
    at: str
    mode: str
    initiated_by: str | None
    component: str
    user: str
    event_id: str | None
    issue_ids: list[str]
    outcome: str | None
    event_name: str | None
    position: list[str]


class AgainstPreferenceAnswer(TypedDict):
    """An interaction that the department began against a preference."""

    interaction_id: str
    individual_id: str
    preference: str
    stated_at: str
    held_at: str
    mode: str
    component: str
    user: str


class Counts(TypedDict):
    """How many are known and how many were spoken to: individuals, and organizations beside them."""

    spoken_to: int
    known: int
    organizations_spoken_to: int
    organizations_known: int


class SpokenState(Counts):
    """The counts of a state."""

    state: str
    name: str


class SpokenRegion(Counts):
    """The counts of a FEMA region."""

    fema_region: int
    states: list[SpokenState]


class SpokenTo(TypedDict):
    """The report on who was spoken to."""

    regions: list[SpokenRegion]
    without_state: Counts
    total: Counts


class Gap(TypedDict):
    """A state in which nobody was spoken to."""

    fema_region: int
    state: str
    name: str
    known: int
    gap: str


class CoverageGaps(TypedDict):
    """The report on gaps."""

    items: list[Gap]
    total: int


class TaskSubject(TypedDict):
    """What a task is about."""

    type: str
    id: str
    individual_ids: list[str]
    organization_ids: list[str]
    interaction_id: NotRequired[str | None]
    individual_id: NotRequired[str]


class TaskAnswer(TypedDict):
    """Something that waits for the caller."""

    id: str
    kind: str
    notice: bool
    subject: TaskSubject
    text: str | None
    issue_id: str | None
    by: Addressee | None
    at: str | None
    due_on: str | None
    link: str


class ReleasedText(TypedDict):
    """A text that everybody may read from now on."""

    id: str
    released: bool


# Erasure --------------------------------------------------------------------------------------------------------


class Receipt(TypedDict):
    """What an erasure did in one store."""

    store: str
    found: int
    removed: int
    left: int
    method: str


class Place(TypedDict):
    """Where a text stands."""

    store: str
    id: str
    field: str


class Hit(Place):
    """A text in which the erased individual may be mentioned."""

    kinds: list[str]
    sure: bool


class ShownPlace(Place):
    """A text with what is mentioned in it."""

    excerpts: list[dict[str, str]]


class Erased(TypedDict):
    """What was removed."""

    receipts: list[Receipt]


class Sought(TypedDict):
    """What was found and removed in texts, and what was left."""

    receipts: list[Receipt]
    hits: list[Hit]
    carried_out: list[list[str]]


class ShownMentions(TypedDict):
    """The places in which something is mentioned still."""

    items: list[ShownPlace]
