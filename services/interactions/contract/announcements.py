"""What interactions tells everybody after it happened; ids and words of closed lists only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from services.chassis.messages import Announcement


@dataclass(frozen=True, slots=True)
class InteractionLogged(Announcement):
    """An interaction was held. Told again, with a higher revision, when it is corrected: the latest counts (R48-R52)."""

    name: ClassVar[str] = "interactions:interaction:logged"

    interaction_id: str
    individual_ids: list[str]
    organization_ids: list[str]
    issue_ids: list[str]
    component: str
    user_id: str
    held_at: str
    mode: str
    revision: int = 1


@dataclass(frozen=True, slots=True)
class InteractionWithdrawn(Announcement):
    """An interaction is no more: it was a mistake, or its last person was erased."""

    name: ClassVar[str] = "interactions:interaction:withdrawn"

    interaction_id: str


@dataclass(frozen=True, slots=True)
class AttendanceRecorded(Announcement):
    """These attended an event, which counts as contact with its component (R56, R62). It names all; the highest revision counts."""

    name: ClassVar[str] = "interactions:attendance:recorded"

    event_id: str
    individual_ids: list[str]
    issue_ids: list[str]
    component: str
    user_id: str
    held_at: str
    organization_ids: list[str] | None = None
    revision: int = 1


@dataclass(frozen=True, slots=True)
class IssueRegistered(Announcement):
    """There is a new issue (R65, R71)."""

    name: ClassVar[str] = "interactions:issue:registered"

    issue_id: str
    priority: str
    parent_id: str | None
    active: bool
    revision: int = 0


@dataclass(frozen=True, slots=True)
class IssueChanged(Announcement):
    """An issue moved in the tree, or became active or inactive (R70); the highest `revision` counts."""

    name: ClassVar[str] = "interactions:issue:changed"

    issue_id: str
    priority: str
    parent_id: str | None
    active: bool
    revision: int = 0


@dataclass(frozen=True, slots=True)
class IssueErased(Announcement):
    """An issue and everything under it was deleted (R133, T7)."""

    name: ClassVar[str] = "interactions:issue:erased"

    issue_id: str
