"""Task lists of several services: ids, order and pagination.

Each service gives its tasks the ids `<kind>.<key>`, sorts them by `position`, and answers `list_tasks(caller, query)` with
the first tasks after a position. The gateway merges the lists and prefixes ids with the service's name. A *notice* is a
task that only informs; `dismiss_task(caller, task_id)` removes it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Generic, TypedDict, TypeVar

#: The sort key of tasks without a due date, which come last.
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
    """Return a task's sort key: due date, kind and key."""
    kind, _, key = str(task["id"]).partition(".")
    return (str(task.get("due_on") or NO_DAY), kind, key)


def first_after(tasks: Iterable[Task], *, after: Sequence[str] | None, limit: int) -> Part[Task]:
    """Return the first tasks after a position, as the answer of `list_tasks`."""
    ordered = sorted(tasks, key=position)
    rest = [task for task in ordered if after is None or position(task) > tuple(after)]
    return {"items": rest[:limit], "more": len(rest) > limit, "total": len(ordered)}
