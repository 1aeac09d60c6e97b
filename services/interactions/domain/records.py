"""The records that interactions keeps, as they are stored."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True, slots=True)
class Issue:
    """An issue; a text that a component keeps to itself is not in it."""

    id: str
    name: str | None
    priority: str
    parent_id: str | None
    active: bool
    summary: str | None
    revision: int
    component: str
    created_by: str
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class IssueUpdate:
    """Something that happened on an issue, or a change of policy."""

    id: str
    issue_id: str
    kind: str
    text: str | None
    happened_on: date | None
    component: str
    created_by: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class TalkingPoint:
    """Something to say on an issue."""

    id: str
    issue_id: str
    text: str | None
    component: str
    created_by: str
    created_at: datetime
