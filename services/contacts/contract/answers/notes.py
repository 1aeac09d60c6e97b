"""Answers about notes, and about texts that were kept against a finding (T15)."""

from __future__ import annotations

from typing import Annotated, TypedDict

from msgspec import Meta

from services.chassis.answers import IdText, InstantText


class NoteAnswer(TypedDict):
    """A note."""

    id: IdText
    individual_id: IdText
    text: str
    provenance: str | None
    author: IdText
    component: str
    kept: bool
    created_at: InstantText | None
    updated_at: InstantText | None


class KeptText(TypedDict):
    """A text that contributors of its component alone see until it is released (T15); interactions answers the same."""

    id: str
    subject_type: str
    subject_id: IdText
    field: str
    text: str
    provenance: Annotated[str | None, Meta(description="Of a note: where it comes from.")]
    reason: str | None
    component: str
    kept_by: IdText
    kept_at: InstantText


class KeptTextAnswer(KeptText):
    """The same with its position, which the gateway takes away."""

    position: list[str]


class ReleasedAnswer(TypedDict):
    """A text that everybody may read from now on."""

    id: str
    released: bool
