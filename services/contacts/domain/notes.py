"""Define a note on an individual, as it is stored."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Note:
    """A row of `notes`. A kept note is for its component only, until it is released (T15)."""

    id: str
    individual_id: str
    text: str
    provenance: str | None
    component: str
    author_id: str
    created_at: datetime
    updated_at: datetime
    kept: bool
    keep_reason: str | None
    released_at: datetime | None = None
