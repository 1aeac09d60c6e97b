"""The caller's tasks, merged from all services that have some.

Each service answers its first tasks after a position (`services.lexicon.tasks`). They hold ids alone; names are added here.
The id of a task begins with the name of its service.
"""

from __future__ import annotations

from datetime import date
from operator import itemgetter
from typing import Annotated, NotRequired, TypedDict

from msgspec import Meta

from gateway.clients import command, query
from gateway.endpoints import ApiBlueprint, Parameters
from gateway.merging import Page, decode_position, encode_position, page_bounds, total_of
from gateway.naming import stakeholder_names
from services.chassis.answers import DayText, IdText, InstantText, Part
from services.chassis.messages import NotFound, Unavailable
from services.chassis.refusals import CursorInvalid
from services.contacts.contract.schemas.tasks import TaskListQuerySchema
from services.lexicon.tasks import position

blueprint = ApiBlueprint("tasks", "What waits for me")

PREFIX = "/api/v1"
SERVICES = ("retention", "contacts", "interactions")
#: How many people of a task are named; the others are counted.
NAMED = 3


class TaskSubject(TypedDict):
    """What a task is about: ids; `type` says of what."""

    type: str
    id: str
    individual_id: NotRequired[str]
    individual_ids: NotRequired[list[str]]
    organization_ids: NotRequired[list[str]]
    interaction_id: NotRequired[str | None]


class Author(TypedDict):
    """Who asked or promised."""

    user: str | None
    component: str | None


class ServiceTask(TypedDict):
    """A task as its service answers it."""

    id: str
    kind: str
    notice: bool
    subject: TaskSubject
    due_on: DayText | None
    link: str
    text: NotRequired[Annotated[str | None, Meta(description="What was asked or promised.")]]
    issue_id: NotRequired[IdText | None]
    by: NotRequired[Annotated[Author | None, Meta(description="Who asked or promised.")]]
    at: NotRequired[InstantText | None]


class Task(ServiceTask):
    """What waits for the caller; a `notice` only tells, and can be dismissed."""

    name: Annotated[str | None, Meta(description="Whom it is about, where you may know.")]


@blueprint.endpoint("GET", "", query=TaskListQuerySchema, answers=Page[Task])
def list_tasks(query: Parameters) -> object:
    """List your tasks, the most urgent first; there is a warning when a service does not answer."""
    limit, cursor = page_bounds(query)
    return my_tasks(limit=limit, cursor=cursor)


@blueprint.endpoint("POST", "/<string:task_id>/dismissal", status=204)
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
    parts: dict[str, Part[ServiceTask]] = {}
    away: list[str] = []
    for service in SERVICES:
        try:
            parts[service] = query(service, "list_tasks", query=asked)
        except Unavailable:
            away.append(service)
    items = [(position(task), _with_address(service, task)) for service, part in parts.items() for task in part["items"]]
    items.sort(key=itemgetter(0))
    has_more = len(items) > limit or any(part["more"] for part in parts.values())
    page = items[:limit]
    names = stakeholder_names(one for _, task in page for one in _stakeholders_of(task))
    found: Page[Task] = {
        "items": [_with_name(task, names) for _, task in page],
        "next": encode_position(page[-1][0]) if page and has_more else None,
        "total": total_of(parts.values()),
    }
    if away:
        found["warning"] = f"Not all tasks are shown: {', '.join(away)} cannot be asked at the moment."
    return found


def _with_address(service: str, task: ServiceTask) -> ServiceTask:
    # A service names the record; the address under which it is served is the gateway's.
    link = task["link"] if task["link"].startswith(PREFIX) else f"{PREFIX}{task['link']}"
    return {**task, "id": f"{service}.{task['id']}", "link": link}


def _stakeholders_of(task: ServiceTask) -> list[str]:
    subject = task["subject"]
    return [*(subject.get("individual_ids") or []), *(subject.get("organization_ids") or [])]


def _with_name(task: ServiceTask, names: dict[str, str]) -> Task:
    about = _stakeholders_of(task)
    known = [names[one] for one in about if one in names]
    others = len(about) - min(len(known), NAMED)
    name = ", ".join(known[:NAMED]) + (f" and {others} more" if others else "") if known else None
    return {"text": None, "issue_id": None, "by": None, "at": None, **task, "name": name}


def _decode(cursor: str) -> list[str]:
    due_on, kind, key = decode_position(cursor, 3)
    try:
        return [date.fromisoformat(due_on).isoformat(), kind, key]
    except ValueError as error:
        raise CursorInvalid from error
