"""The caller's tasks, merged from all services that have some.

Each service answers its first tasks after a position (`services.lexicon.tasks`). They hold ids alone; names are added here.
The id of a task begins with the name of its service.
"""

from __future__ import annotations

from datetime import date
from typing import NotRequired, TypedDict

from gateway.clients import command, query
from gateway.endpoints import ApiBlueprint, Parameters, collection_schema
from gateway.merging import Page, Part, decode_position, encode_position, page_bounds, total_of, without_position
from gateway.naming import stakeholder_names
from services.chassis.messages import NotFound, Unavailable
from services.chassis.refusals import CursorInvalid
from services.contacts.contract import TaskListQuerySchema, TaskSchema
from services.lexicon.tasks import Position, position

blueprint = ApiBlueprint("tasks", __name__, url_prefix="/tasks", description="What waits for me")

PREFIX = "/api/v1"
SERVICES = ("retention", "contacts", "interactions")
TASKS = collection_schema(TaskSchema)
TASKS["properties"]["warning"] = {"type": "string", "description": "A part of the system is away; its tasks are not here."}
#: How many people of a task are named; the others are counted.
NAMED = 3


class TaskSubject(TypedDict):
    """What a task is about."""

    type: NotRequired[str]
    id: NotRequired[str]
    individual_ids: NotRequired[list[str]]
    organization_ids: NotRequired[list[str]]
    interaction_id: NotRequired[str]


class Author(TypedDict):
    """Who asked or promised."""

    user: str | None
    component: str | None


class Task(TypedDict):
    """A task, as a service answers it with its position, and as a client reads it with its name."""

    id: str
    kind: str
    notice: bool
    subject: TaskSubject
    due_on: str | None
    link: str
    text: NotRequired[str | None]
    issue_id: NotRequired[str | None]
    by: NotRequired[Author | None]
    at: NotRequired[str | None]
    position: NotRequired[Position]
    name: NotRequired[str | None]


@blueprint.endpoint("GET", "", query=TaskListQuerySchema, answers=TASKS)
def list_tasks(query: Parameters) -> object:
    """List your tasks, the most urgent first; there is a warning when a service does not answer."""
    limit, cursor = page_bounds(query)
    return my_tasks(limit=limit, cursor=cursor)


@blueprint.endpoint("POST", "/<string:task_id>/dismissal", status=204, problems=(404,))
def dismiss_task(task_id: str) -> None:
    """Dismiss a notice. A task that is not a notice stays until it is done."""
    dismiss(task_id)


def dismiss(task_id: str) -> None:
    """Ask the service of a notice to dismiss it.

    :raises NotFound: there is no such notice, or it is not the caller's.
    """
    service, _, own_id = task_id.partition(".")
    if service not in SERVICES or len(task_id) > 200:
        raise NotFound
    command(service, "dismiss_task", task_id=own_id)


def my_tasks(*, limit: int, cursor: str | None = None) -> Page[Task]:
    """Return a page of the caller's tasks from all services."""
    asked = {"limit": limit, "after": _decode(cursor) if cursor else None}
    parts: dict[str, Part[Task]] = {}
    away: list[str] = []
    for service in SERVICES:
        try:
            parts[service] = query(service, "list_tasks", query=asked)
        except Unavailable:
            away.append(service)
    items = [_with_address(service, task) for service, part in parts.items() for task in part["items"]]
    items.sort(key=lambda task: task["position"])
    has_more = len(items) > limit or any(part["more"] for part in parts.values())
    page = items[:limit]
    names = stakeholder_names(one for task in page for one in _stakeholders_of(task))
    found: Page[Task] = {
        "items": [_with_name(task, names) for task in page],
        "next": encode_position(page[-1]["position"]) if page and has_more else None,
        "total": total_of(parts.values()),
    }
    if away:
        found["warning"] = f"Not all tasks are shown: {', '.join(away)} cannot be asked at the moment."
    return found


def _with_address(service: str, task: Task) -> Task:
    # A service names the record; the address under which it is served is the gateway's.
    link = task["link"] if task["link"].startswith(PREFIX) else f"{PREFIX}{task['link']}"
    return {**task, "position": position(task), "id": f"{service}.{task['id']}", "link": link}


def _stakeholders_of(task: Task) -> list[str]:
    subject = task["subject"]
    return [*(subject.get("individual_ids") or []), *(subject.get("organization_ids") or [])]


def _with_name(task: Task, names: dict[str, str]) -> Task:
    about = _stakeholders_of(task)
    known = [names[one] for one in about if one in names]
    others = len(about) - min(len(known), NAMED)
    name = ", ".join(known[:NAMED]) + (f" and {others} more" if others else "") if known else None
    return {"text": None, "issue_id": None, "by": None, "at": None, **without_position(task), "name": name}


def _decode(cursor: str) -> list[str]:
    due_on, kind, key = decode_position(cursor, 3)
    try:
        return [date.fromisoformat(due_on).isoformat(), kind, key]
    except ValueError as error:
        raise CursorInvalid from error
