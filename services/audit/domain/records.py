"""Rows of audit's tables as values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from services.audit.domain.numbers import Numbers


@dataclass(frozen=True, slots=True)
class Finding:
    """Something about the trail that a person must look into; `key` tells it from others of its kind."""

    kind: str
    key: str
    position: int | None = None
    stream: str | None = None
    n: int | None = None
    service: str | None = None


@dataclass(frozen=True, slots=True)
class StoredFinding:
    """A finding as it was stored."""

    id: str
    kind: str
    position: int | None
    stream: str | None
    n: int | None
    service: str | None
    found_at: datetime


@dataclass(frozen=True, slots=True)
class StoredCheckpoint:
    """A signed checkpoint."""

    size: int
    root: bytes
    note: str
    signed_at: datetime


@dataclass(frozen=True, slots=True)
class Review:
    """The sign-off of a week."""

    week: date
    reviewer: str
    signed_at: datetime
    size: int


@dataclass(frozen=True, slots=True)
class Signal:
    """What one user looked at in a week (R191)."""

    actor: str
    component: str | None
    entries: int
    subjects: int
    refused: int
    odd_hours: int


@dataclass(slots=True)
class StreamState:
    """What is kept of a stream beside its lines."""

    numbers: Numbers
    #: When a mark first left something open, or another process said that its process is gone.
    marked_at: datetime | None = None
    #: The last time, by its process's count, that it said it lives.
    beat: int = 0
