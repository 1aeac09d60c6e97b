"""A user's tasks: likely duplicates, possible twins, corrections, notices of erasures (T3, T23, T26, T34)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from services.chassis.answers import AtLeast, Part
from services.chassis.database import UnitOfWork
from services.chassis.messages import Caller, NotFound
from services.chassis.validation import as_id
from services.contacts.contract.answers.cases import TaskAnswer
from services.contacts.storage import contact_layer, notices
from services.contacts.storage import tasks as stored
from services.contacts.usecases import hits
from services.contacts.usecases.authorization import stands_for_office, task_scope
from services.lexicon.calendar import add_working_days
from services.lexicon.policy import Facts, decide
from services.lexicon.refusals import TaskStands
from services.lexicon.tasks import first_after

#: What goes away when it is done, and not by dismissing it.
_STAND = frozenset(
    {
        "correction",
        "duplicate",
        "decide-import-rows",
        "lookups_to_see",
        "merge_proposed",
        "possible_no_contact",
        "same_value",
        "twin_to_decide",
        "value_to_decide",
    }
)


def list_tasks(work: UnitOfWork, *, by: Caller, after: Sequence[str] | None, limit: int, imports: Iterable[TaskAnswer] = ()) -> Part[TaskAnswer]:
    """Return the caller's first tasks after a position: `items`, whether there are `more`, `total`.

    The privacy officer's tasks are read in the role `caseworker`. Tasks of erasures are retention's, which has the requests.

    :param after: due date, kind and key of the task before.
    :param imports: the caller's tasks of imports.
    """
    scope = task_scope(by)
    few = [*(hits.officer_tasks(work) if scope.is_officer else _few(work, by=by)), *imports]
    many, count = stored.first_after(work, scope=scope, after=after, limit=limit)
    page = first_after([*few, *map(_described, many)], after=after, limit=limit)
    # In an order of their own: that of the rows tells of others that were written between them.
    shown = {task["subject"]["id"] for task in page["items"] if task["subject"]["type"] != "import"}
    work.record("contacts:task:list", subjects=sorted(shown))
    total: int | AtLeast = len(few) + count if count <= stored.COUNTED else {"at_least": stored.COUNTED}
    return {"items": page["items"], "more": page["more"], "total": total}


def dismiss_task(work: UnitOfWork, *, by: Caller, now: datetime, task_id: str) -> None:
    """Dismiss a notice: of an erasure, for the whole component; of many freezes, for the office's administrator.

    :raises TaskStands: it is something to do.
    :raises NotFound: there is no such kind, or it is not theirs.
    """
    kind, _, key = task_id.partition(".")
    if kind in _STAND:
        raise TaskStands
    subject = as_id(key)
    if kind == "erased_notice":
        done = notices.dismiss(work, subject, by=by, now=now)
    elif kind == "many_freezes" and by.component is not None and stands_for_office(by):
        done = notices.see_freezes(work, component=by.component, user_id=subject, now=now)
    else:
        raise NotFound
    if not done:
        raise NotFound
    work.record("contacts:task:dismiss", subjects=[subject], rule=kind)


def _few(work: UnitOfWork, *, by: Caller) -> list[TaskAnswer]:
    """Return the caller's tasks of the kinds that are always few: corrections of their people, and notices of many freezes."""
    if by.component is None:
        return []
    tasks: dict[str, TaskAnswer] = {}
    for found in contact_layer.unseen_corrections(work, user_id=by.id, component=by.component):
        # Who may not see values of their component any more is told of no other value, either.
        if not decide(by, "reveal", found.kind, Facts(point_component=by.component)):
            continue
        due = add_working_days(found.reported_at.date(), 5)
        individual_id = found.individual_id
        link = f"/api/v1/individuals/{individual_id}/contact-points"
        # Of several corrections of one person the most urgent stands for all.
        tasks.setdefault(
            individual_id, _task("correction", individual_id, ("individual", individual_id), [individual_id], link, due_on=due.isoformat())
        )
    freezers = notices.who_froze_many(work, component=by.component) if stands_for_office(by) else []
    return [*tasks.values(), *(_task("many_freezes", user, ("user", user), [], "/api/v1/many-freezes") for user in freezers)]


def _described(task: stored.Task) -> TaskAnswer:
    kind, key, first, second = task.kind, task.key, task.key[:36], task.key[37:]
    about = {"erased_notice": "notice", "value_to_decide": "no_contact_request"}.get(kind, "individual")
    link = {
        "erased_notice": f"/api/v1/notices/{key}",
        "possible_no_contact": f"/api/v1/individuals/{key}",
        "twin_to_decide": f"/api/v1/no-contact-requests/{first}/twins",
        "value_to_decide": "/api/v1/suppressions",
    }.get(kind, f"/api/v1/duplicates/{first}/{second}")
    return _task(kind, key, (about, task.subject_id), task.individual_ids, link)


def _task(kind: str, key: str, subject: tuple[str, str], individual_ids: Sequence[str], link: str, *, due_on: str | None = None) -> TaskAnswer:
    return {
        "id": f"{kind}.{key}",
        "kind": kind,
        "notice": kind not in _STAND,
        "subject": {"type": subject[0], "id": subject[1], "individual_ids": individual_ids},
        "due_on": due_on,
        "link": link,
    }
