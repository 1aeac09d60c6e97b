"""What access announces."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from services.chassis.messages import Announcement


@dataclass(frozen=True, slots=True)
class UserChanged(Announcement):
    """A user was created, moved, got other rights, or lost access (`active` says whether access is in effect).

    Messages may overtake each other: for each user the highest `revision` is the latest.
    """

    name: ClassVar[str] = "access:user:changed"

    user_id: str
    component: str | None
    level: str | None
    roles: tuple[str, ...]
    active: bool
    revision: int = 0


@dataclass(frozen=True, slots=True)
class ComponentChanged(Announcement):
    """An office was added, moved in the tree, or closed; the highest `revision` counts."""

    name: ClassVar[str] = "access:component:changed"

    code: str
    parent_code: str | None
    active: bool
    revision: int = 0
