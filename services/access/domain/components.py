"""Components: the offices of R139."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Component:
    """An office. `parent_code` names the office above it."""

    code: str
    name: str
    parent_code: str | None
    active: bool
