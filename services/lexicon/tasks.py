"""What waits for a user, from several services: how a task is named, in which order they come, and where a page begins.

Every service names its own tasks `<kind>.<key>`, sorts them by `position`, and answers `list_tasks(caller, query)` with
the first after a position. The gateway merges them and puts the service's name before the id. A *notice* is a task that
only tells: `dismiss_task(caller, task_id)` of its service takes it away.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Generic, TypedDict, TypeVar

#: Where a task without a due date stands: behind all others.
NO_DAY: Final = "9999-12-31"
LIMIT: Final = 200

Position = tuple[str, str, str]
Task = TypeVar("Task", bound=Mapping[str, object])


class Part(TypedDict, Generic[Task]):
    """The first tasks after a position, whether there are more, and how many there are in all."""

    items: list[Task]
    more: bool
    total: int


def position(task: Mapping[str, object]) -> Position:
    """Return where a task stands: by due date, then kind, then key."""
    kind, _, key = str(task["id"]).partition(".")
    return (str(task.get("due_on") or NO_DAY), kind, key)


def first_after(tasks: Iterable[Task], *, after: Sequence[str] | None, limit: int) -> Part[Task]:
    """Return the first tasks after a position as `list_tasks` answers them."""
    ordered = sorted(tasks, key=position)
    rest = [task for task in ordered if after is None or position(task) > tuple(after)]
    return {"items": rest[:limit], "more": len(rest) > limit, "total": len(ordered)}
