"""The shapes of what interactions answers; OpenAPI documents them."""

from __future__ import annotations

from typing import Annotated, Generic, Literal, NotRequired, TypedDict, TypeVar

from msgspec import Meta

from services.chassis.answers import AtLeast, DayText, IdText, InstantText

Item = TypeVar("Item")


class Part(TypedDict, Generic[Item]):
    """The first items behind a position, for the gateway to merge with those of other services."""

    items: list[Item]
    more: bool
    total: int | AtLeast


# Issues ---------------------------------------------------------------------------------------------------------


class IssueAnswer(TypedDict):
    """An issue (R65-R71)."""

    id: IdText
    name: str | None
    priority: str
    parent_id: IdText | None
    active: bool
    summary: str | None
    component: str
    created_by: IdText
    created_at: InstantText
    updated_at: InstantText


class IssueNode(TypedDict):
    """An issue in the tree, with those below it."""

    id: IdText
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

    id: IdText
    issue_id: IdText
    kind: str
    text: str | None
    happened_on: DayText | None
    component: str
    created_by: IdText
    created_at: InstantText


class TalkingPointAnswer(TypedDict):
    """A talking point of an issue."""

    id: IdText
    issue_id: IdText
    text: str | None
    component: str
    created_by: IdText
    created_at: InstantText


# Interactions ---------------------------------------------------------------------------------------------------


class FollowUpAnswer(TypedDict):
    """A promise as it stands."""

    id: IdText
    text: str | None
    due_on: DayText | None
    mode: str | None
    assignee: Annotated[IdText | None, Meta(description="Whose it is; without one it is `created_by`'s.")]
    created_by: IdText
    done_at: InstantText | None
    done_by: IdText | None


class InteractionAnswer(TypedDict):
    """An interaction (R48-R57)."""

    id: IdText
    held_at: InstantText
    mode: str
    initiated_by: str | None
    component: str
    user: IdText
    individual_ids: list[IdText]
    organization_ids: list[IdText]
    issue_ids: list[IdText]
    event_id: IdText | None
    outcome: str | None
    follow_ups: list[FollowUpAnswer]
    no_contact_request_id: IdText | None
    created_by: IdText
    created_at: InstantText
    updated_at: InstantText


# Events ---------------------------------------------------------------------------------------------------------


class EventAnswer(TypedDict):
    """An event (R58-R63); who attended is at `/events/{id}/attendees`."""

    id: IdText
    name: str | None
    place: str | None
    agenda: str | None
    starts_at: InstantText
    ends_at: InstantText | None
    issue_ids: list[IdText]
    component: str
    created_by: IdText
    created_at: InstantText
    updated_at: InstantText


class AttendeeAnswer(TypedDict):
    """An attendee of an event."""

    id: IdText
    individual_id: IdText | None
    organization_id: IdText | None
    component: str
    recorded_by: IdText
    recorded_at: InstantText


# Coordination ---------------------------------------------------------------------------------------------------


class Addressee(TypedDict):
    """Who has to answer a request, or sent it."""

    user: IdText
    component: str | None


class CoordinationRequestAnswer(TypedDict):
    """A coordination request (R86, R87); `owner` is whoever has to answer it now.

    `moves` are the states that the caller may put it into now. `closed_because` says why it ended by itself:
    `no_contact` (the person asked not to be contacted) or `record_is_yours` (whoever asked became the owner).
    """

    id: IdText
    individual_id: IdText
    issue_id: IdText | None
    message: str | None
    due_on: DayText | None
    mode: str | None
    status: str
    reason: str | None
    requested_by: IdText
    requested_component: str
    asked_component: str | None
    owner: Addressee | None
    closed_because: str | None
    moves: list[str]
    created_at: InstantText
    answered_at: InstantText | None
    answered_by: IdText | None
    done_at: InstantText | None


# Reading across -------------------------------------------------------------------------------------------------


class HistoryItemAnswer(TypedDict):
    """An interaction or an attendance in a stakeholder's history."""

    kind: str
    id: IdText
    at: InstantText
    mode: str
    initiated_by: str | None
    component: str
    user: IdText
    event_id: IdText | None
    issue_ids: list[IdText]
    outcome: str | None
    event_name: str | None
    position: list[str]


class AgainstPreferenceAnswer(TypedDict):
    """An interaction that the department began with somebody who had said that they did not want it (T33)."""

    interaction_id: IdText
    individual_id: IdText
    preference: Annotated[str, Meta(description="What they had said.")]
    stated_at: Annotated[InstantText, Meta(description="When that was recorded.")]
    held_at: InstantText
    mode: str
    component: str
    user: IdText


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
    """The counts of a FEMA region, drilled to its states (T12)."""

    fema_region: int
    states: list[SpokenState]


class SpokenTo(TypedDict):
    """The report `spoken-to`; `without_state` are those of no known state."""

    regions: list[SpokenRegion]
    without_state: Counts
    total: Counts


class Gap(TypedDict):
    """A state with a gap: `not_spoken_to` (people are known there) or `nobody_known`."""

    fema_region: int
    state: str
    name: str
    known: int
    gap: Literal["not_spoken_to", "nobody_known"]


class CoverageGaps(TypedDict):
    """The report `coverage-gaps`."""

    items: list[Gap]
    total: int


class TaskSubject(TypedDict):
    """What a task is about."""

    type: str
    id: IdText
    individual_ids: list[IdText]
    organization_ids: list[IdText]
    interaction_id: NotRequired[str | None]
    individual_id: NotRequired[str]


class TaskAnswer(TypedDict):
    """Something that waits for the caller."""

    id: str
    kind: str
    notice: bool
    subject: TaskSubject
    text: str | None
    issue_id: IdText | None
    by: Addressee | None
    at: InstantText | None
    due_on: DayText | None
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
