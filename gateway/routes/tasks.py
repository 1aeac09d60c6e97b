"""What waits for me, asked of every service that knows of something."""

from __future__ import annotations

from typing import Any

from gateway.clients import query
from gateway.endpoints import Area, collected
from services.chassis.messages import Unavailable
from services.contacts.contract import TaskSchema

area = Area("tasks", __name__, url_prefix="/tasks", description="What waits for me")

PREFIX = "/api/v1"
SERVICES = ("retention", "contacts", "interactions")
TASKS = collected(TaskSchema)
TASKS["properties"]["warning"] = {"type": "string", "description": "A part of the system is away; its tasks are not here."}


@area.endpoint("GET", "", answers=TASKS)
def list_tasks() -> Any:
    """List what waits for you, the most urgent first; when a service is away the rest is shown, with a warning."""
    return tasks()


def tasks() -> dict[str, Any]:
    """Return everything that waits for the caller."""
    items: list[dict[str, Any]] = []
    away: list[str] = []
    for service in SERVICES:
        try:
            answer = query(service, "list_tasks")
        except Unavailable:
            away.append(service)
            continue
        items.extend({**task, "link": _address(task["link"])} for task in answer["items"])
    items.sort(key=lambda task: (task.get("due_on") or "9999", task["kind"]))
    found: dict[str, Any] = {"items": items, "next": None, "total": len(items)}
    if away:
        found["warning"] = f"Not all tasks are shown: {', '.join(away)} cannot be asked at the moment."
    return found


def _address(link: str) -> str:
    # Services name the record; under which address it is served is the gateway's to say.
    return link if link.startswith(PREFIX) else f"{PREFIX}{link}"
