"""Answers about requests for no more contact: frozen records, twins, marks, look-ups, counts, and what waits for a user."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, NotRequired, TypedDict

from msgspec import Meta

from services.chassis.answers import DayText, IdText, InstantText
from services.contacts.contract.answers.individuals import FrozenIndividualAnswer, KnownIndividual
from services.contacts.contract.answers.shared import Owner

Account = Annotated[str, Meta(description="A user's id, or the name of a component's system.")]


class HitAnswer(TypedDict):
    """A mark that an account's entry hit for the first time (T35)."""

    mark_id: IdText
    request_id: IdText
    individual_id: IdText | None
    kind: str
    account: Account
    component: str | None
    at: InstantText | None


class LookupsAnswer(TypedDict):
    """An account of which the privacy officer has something to see (T35)."""

    account: Account
    component: str | None
    day: DayText
    looked: Annotated[int, Meta(description="Values that it looked up, where it wants to look up more.")]
    hits: Annotated[int, Meta(description="Entries of it that hit and were not seen.")]
    exhausted: Annotated[bool, Meta(description="Whether it looked up as many as it may, and waits.")]
    since: InstantText | None


class LookupsSeenAnswer(TypedDict):
    """What goes on once an account's hits were seen."""

    account: Account
    more: bool
    imports: Annotated[list[IdText], Meta(description="Imports that waited for it.")]


class MarkAnswer(TypedDict):
    """A value that makes no mark by itself: the recorder or an unverified correction added it within thirty days (T25)."""

    id: IdText
    request_id: IdText
    individual_id: IdText | None
    kind: str
    value: str | None
    because: Annotated[str, Meta(description="`recorder` or `correction`.")]
    component: str
    added_by: IdText
    added_at: InstantText | None


class MarkDecidedAnswer(TypedDict):
    """The privacy officer's decision on such a value."""

    id: IdText
    request_id: IdText
    individual_id: IdText | None
    kind: str
    decision: str


class AskedAnswer(TypedDict):
    """Who asked not to be contacted, while the record is there."""

    id: IdText | None
    first_name: str | None
    last_name: str | None


class TwinAnswer(TypedDict):
    """A record that may be of somebody who asked not to be contacted; for the privacy officer alone (T26, T34)."""

    request_id: IdText
    individual_id: IdText
    first_name: str
    last_name: str
    owner: Owner
    asked: AskedAnswer | None
    because: Annotated[Sequence[str], Meta(description="Kinds of values that agree, or `organization`.")]
    frozen_for: Annotated[Sequence[str], Meta(description="Components that see it frozen until it is decided.")]
    found_at: InstantText | None


class TwinDecidedAnswer(TypedDict):
    """What became of such a record, and its owner."""

    decision: str
    request_id: IdText | None
    owner: Owner


class FreezeAnswer(FrozenIndividualAnswer):
    """A frozen record, with the request for which it is frozen."""

    request_id: str | None
    due_on: str


class UnfrozenAnswer(TypedDict):
    """The individual whose request was withdrawn."""

    individual_id: str


class FoundFrozen(TypedDict):
    """A frozen person, to those who may find them."""

    id: IdText
    first_name: str
    last_name: str
    owner: Owner
    request_id: IdText | None
    frozen: bool
    notice: str


class NoticeAnswer(TypedDict):
    """That somebody a component had a relationship with was erased; without the data (T16)."""

    id: IdText
    at: InstantText | None
    text: str


class ManyFreezesAnswer(TypedDict):
    """One of many people whom a user had frozen on one day, with the reason (T36)."""

    user_id: IdText
    day: DayText
    count: int
    individual_id: IdText | None
    reason: str


class DayCountAnswer(TypedDict):
    """What a user did on one day, in numbers (T36, T9)."""

    user_id: IdText
    component: str | None
    day: DayText
    freezes: Annotated[int, Meta(description="Requests for no more contact that they recorded.")]
    blocked: Annotated[int, Meta(description="Entries of theirs that were blocked.")]


class MayEraseAnswer(TypedDict):
    """Whether the caller may erase a record now, and whose it is (R165, T10)."""

    allowed: bool
    rule: str
    reason: str | None
    owner: Owner
    deputy: NotRequired[str | None]
    duty_of: str
    frozen: NotRequired[bool]
    request_id: NotRequired[str | None]
    etags: list[str]


class PairAnswer(TypedDict):
    """What the owner of one of two records says."""

    individual_id: IdText
    answer: Annotated[str | None, Meta(description="`same` or `different`; null until they say.")]
    by: IdText | None


class PairProposal(TypedDict):
    """What both owners were asked, for the privacy officer."""

    proposed_at: InstantText | None
    answers: list[PairAnswer]


class PairOfRecords(TypedDict):
    """Two records that may be of one person, for those who may say so (T34)."""

    individuals: list[KnownIndividual]
    because: Annotated[list[str], Meta(description="`same_value` that you may know of, `proposed`.")]
    decisions: Annotated[list[str], Meta(description="What you may say: `same`, `different`, `propose`.")]
    proposal: PairProposal | None


class PairDecidedAnswer(TypedDict):
    """The decision on two records."""

    decision: str


class TaskSubject(TypedDict):
    """What a task is about."""

    type: str
    id: str
    individual_ids: NotRequired[Sequence[str]]


class TaskAnswer(TypedDict):
    """What waits for a user."""

    id: str
    kind: str
    notice: bool
    subject: TaskSubject
    due_on: str | None
    link: str
