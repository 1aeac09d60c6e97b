"""The shapes of what audit answers; OpenAPI documents them."""

from __future__ import annotations

from typing import Annotated, Literal, NotRequired, TypedDict

from msgspec import Meta

from services.chassis.answers import DayText, InstantText


class EntryAnswer(TypedDict):
    """One entry of the trail: ids and names of fields, never a value (T8)."""

    position: int
    at: InstantText
    service: str
    actor: str
    actor_kind: str
    component: NotRequired[str | None]
    session: NotRequired[str | None]
    acknowledgement: NotRequired[str | None]
    jti: NotRequired[str | None]
    action: str
    subjects: NotRequired[list[str]]
    fields: NotRequired[list[str]]
    outcome: str
    rule: NotRequired[str | None]
    trace_id: NotRequired[str | None]
    operation: NotRequired[str | None]
    stream: str
    n: int
    prev: Annotated[str, Meta(description="The leaf hash (RFC 6962), in hexadecimal, of the line before it in its stream.")]
    signature: Annotated[str, Meta(description="Ed25519, by the key that the stream's certificate names.")]


class CheckpointAnswer(TypedDict):
    """A signed checkpoint (C2SP tlog-checkpoint)."""

    size: int
    root: str
    note: str
    signed_at: InstantText


class InclusionProof(TypedDict):
    """The proof that a line is in the trail of `size` lines (RFC 6962); hashes are in base64."""

    kind: Literal["inclusion"]
    position: int
    leaf: str
    body: str
    size: int
    path: list[str]
    note: str


class ConsistencyProof(TypedDict):
    """The proof that the trail of `size` lines continues the one of `first` lines."""

    kind: Literal["consistency"]
    first: int
    size: int
    path: list[str]
    note: str


class FindingAnswer(TypedDict):
    """Something about the trail that a person must look into."""

    id: str
    kind: str
    position: int | None
    stream: str | None
    n: int | None
    service: str | None
    found_at: InstantText


class SignalAnswer(TypedDict):
    """What one user looked at in a week (R191)."""

    actor: str
    component: str | None
    entries: int
    subjects: int
    refused: int
    odd_hours: int


class ReviewAnswer(TypedDict):
    """A week, its figures, and its sign-off."""

    week: DayText
    state: Literal["open", "due", "overdue", "signed"]
    reviewer: str | None
    signed_at: InstantText | None
    size: int | None
    findings: int
    signals: list[SignalAnswer]


class UncoveredAnswer(TypedDict):
    """The places of the ranges that are not covered."""

    lacking: list[int]
