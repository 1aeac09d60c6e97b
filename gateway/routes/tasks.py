"""What waits for me, asked of every service that knows of something.

A service's `list_tasks` answers its own first tasks after a position (`services.lexicon.tasks`); they are merged here, and
named: a task keeps ids alone. A task's id begins with its service, which is asked to dismiss it (`dismiss_task`).
"""

from __future__ import annotations

from datetime import date
from typing import Any

from gateway.clients import command, query
from gateway.endpoints import ApiBlueprint, collection_schema
from gateway.merging import decode_position, encode_position, total_of, without_position
from gateway.naming import stakeholder_names
from services.chassis.messages import NotFound, Unavailable
from services.chassis.refusals import CursorInvalid
from services.contacts.contract import TaskListQuerySchema, TaskSchema
from services.lexicon.tasks import position

blueprint = ApiBlueprint("tasks", __name__, url_prefix="/tasks", description="What waits for me")

PREFIX = "/api/v1"
SERVICES = ("retention", "contacts", "interactions")
TASKS = collection_schema(TaskSchema)
TASKS["properties"]["warning"] = {"type": "string", "description": "A part of the system is away; its tasks are not here."}
#: How many of those in a conversation are named; of the others it is said how many they are.
NAMED = 3


@blueprint.endpoint("GET", "", query=TaskListQuerySchema, answers=TASKS)
def list_tasks(query: dict[str, Any]) -> Any:
    """List what waits for you, the most urgent first; when a service is away the rest is shown, with a warning."""
    return my_tasks(limit=int(query.get("limit", 50)), cursor=query.get("cursor"))


@blueprint.endpoint("POST", "/<string:task_id>/dismissal", status=204, problems=(404,))
def dismiss_task(task_id: str) -> Any:
    """Dismiss a notice: a task that only tells you something. What is to be done stays until it is done."""
    return dismiss(task_id)


def dismiss(task_id: str) -> None:
    """Ask the service that gave a notice to take it away.

    :raises NotFound: there is none of that id, or it is not the caller's.
    """
    service, _, own_id = task_id.partition(".")
    if service not in SERVICES or len(task_id) > 200:
        raise NotFound
    command(service, "dismiss_task", task_id=own_id)


def my_tasks(*, limit: int = 50, cursor: str | None = None) -> dict[str, Any]:
    """Return a page of what waits for the caller, out of all services."""
    after = _opened(cursor) if cursor else None
    asked = {"limit": limit, "after": after}
    parts: dict[str, dict[str, Any]] = {}
    away: list[str] = []
    for service in SERVICES:
        try:
            parts[service] = query(service, "list_tasks", query=asked)
        except Unavailable:
            away.append(service)
    items = [_placed(service, task) for service, part in parts.items() for task in part["items"]]
    items.sort(key=lambda task: tuple(task["position"]))
    has_more = len(items) > limit or any(part["more"] for part in parts.values())
    page = items[:limit]
    names = stakeholder_names(one for task in page for one in _about(task))
    found: dict[str, Any] = {
        "items": [_shown(task, names) for task in page],
        "next": encode_position(page[-1]["position"]) if page and has_more else None,
        "total": total_of(parts.values()),
    }
    if away:
        found["warning"] = f"Not all tasks are shown: {', '.join(away)} cannot be asked at the moment."
    return found


def _placed(service: str, task: dict[str, Any]) -> dict[str, Any]:
    return {**task, "position": position(task), "id": f"{service}.{task['id']}", "link": _address(task["link"])}


def _about(task: dict[str, Any]) -> list[str]:
    subject = task["subject"]
    return [*(subject.get("individual_ids") or []), *(subject.get("organization_ids") or [])]


def _shown(task: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    about = _about(task)
    known = [names[one] for one in about if one in names]
    others = len(about) - min(len(known), NAMED)
    name = ", ".join(known[:NAMED]) + (f" and {others} more" if others else "") if known else None
    empty = {"text": None, "issue_id": None, "by": None, "at": None}
    return {**empty, **without_position(task), "name": name}


def _address(link: str) -> str:
    # Services name the record; under which address it is served is the gateway's to say.
    return link if link.startswith(PREFIX) else f"{PREFIX}{link}"


def _opened(cursor: str) -> list[str]:
    due_on, kind, key = decode_position(cursor, 3)
    try:
        return [date.fromisoformat(due_on).isoformat(), kind, key]
    except ValueError as error:
        raise CursorInvalid from error
