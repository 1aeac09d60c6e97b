"""The shapes of what contacts answers, as use cases make them; `schemas` documents the same for the gateway."""

from __future__ import annotations

from typing import TypedDict


class NoteAnswer(TypedDict):
    """A note."""

    id: str
    individual_id: str
    text: str
    provenance: str | None
    author: str
    component: str
    kept: bool
    created_at: str | None
    updated_at: str | None


class PageOfNotes(TypedDict):
    """Notes on an individual, with the cursor of the next page."""

    items: list[NoteAnswer]
    next: str | None
    total: int


class KeptTextAnswer(TypedDict):
    """A kept note that waits for the privacy officer."""

    id: str
    subject_type: str
    subject_id: str
    field: str
    text: str
    provenance: str | None
    reason: str | None
    component: str
    kept_by: str
    kept_at: str
    position: list[str]


class PartOfKeptTexts(TypedDict):
    """The first kept notes after a position."""

    items: list[KeptTextAnswer]
    more: bool
    total: int
