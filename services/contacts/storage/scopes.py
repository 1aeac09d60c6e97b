"""What a caller may be told of, as `usecases.authorization` has decided it; storage asks no level and no role."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TaskScope:
    """Whose tasks are asked for."""

    user_id: str
    component: str | None
    #: Whether they stand for everybody of their office.
    is_administrator: bool
    #: Whether they may see the values of their component, and are told of everybody's likenesses there.
    sees_values: bool
    sees_likenesses: bool
    is_officer: bool

    def parameters(self) -> dict[str, object]:
        """Return the parameters of the conditions in `notices` and `likenesses`."""
        return {
            "user": self.user_id,
            "component": self.component or "",
            "administrator": self.is_administrator,
            "steward": self.sees_likenesses,
        }
