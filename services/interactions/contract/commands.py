"""What a command or query gives, as its schema leaves it; of a change, what was not given is UNSET."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from services.chassis.validation import UNSET, Unset


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
