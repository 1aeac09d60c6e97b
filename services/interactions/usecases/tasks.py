"""The tasks of a user: requests to answer and to carry out, notices, and promises to keep (R53, R87)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from services.chassis.database import UnitOfWork
from services.chassis.validation import as_id
from services.interactions.contract.answers import Part, TaskAnswer, TaskSubject
from services.interactions.contract.commands import TaskListQuery
from services.interactions.domain.records import Task
from services.interactions.storage import coordination, tasks, texts
from services.interactions.usecases.authorization import is_reader, scope_of
from services.interactions.usecases.writing import found, kept_texts, wire
from services.lexicon.calendar import add_working_days
from services.lexicon.refusals import TaskStands

#: What goes away when it is done, and not by dismissing it.
_STAND = frozenset({"answer-coordination-request", "carry-out-coordination-request", "await-coordination-request", "keep-promise"})
#: After how many federal working days an unanswered request is the office administrator's, too (T10).
_WORKING_DAYS = 2


def list_tasks(work: UnitOfWork, *, now: datetime, query: TaskListQuery) -> Part[TaskAnswer]:
    """Return the caller's first tasks after a position: `items`, whether there are `more`, `total`."""
    part: Part[TaskAnswer] = {"items": [], "more": False, "total": 0}
    if is_reader(work.caller):
        page = tasks.waiting(work, scope_of(work.caller), overdue_since=_overdue_since(now), after=query.after, limit=query.limit)
        kept = kept_texts(work, [row.subject_id for row in page.rows])
        part = {"items": [_task(row, kept) for row in page.rows], "more": page.has_more, "total": page.total}
    people = (one for task in part["items"] for one in task["subject"]["individual_ids"])
    subjects = dict.fromkeys([*(task["subject"]["id"] for task in part["items"]), *people])
    work.record("interactions:task:list", subjects=list(subjects), fields=["kind", "due_on", "text"])
    return part


def dismiss_task(work: UnitOfWork, task_id: str) -> None:
    """Dismiss a notice.

    :raises TaskStands: it is something to do, and goes when it is done.
    :raises NotFound: it is not the caller's.
    """
    kind, _, key = task_id.partition(".")
    notice_id = as_id(key)
    if kind in _STAND:
        raise TaskStands
    request_id = found(coordination.dismiss(work, notice_id, user_id=work.caller.id))
    work.record("interactions:task:dismiss", subjects=[notice_id, request_id])


def _overdue_since(now: datetime) -> date:
    """Return the latest day after which two federal working days have passed."""
    today = now.astimezone(UTC).date()
    day = today
    while add_working_days(day, _WORKING_DAYS) >= today:
        day -= timedelta(days=1)
    return day


def _task(row: Task, kept: texts.Kept) -> TaskAnswer:
    is_promise = row.subject_type == "follow_up"
    subject: TaskSubject = {
        "type": row.subject_type,
        "id": row.subject_id,
        "individual_ids": row.individual_ids,
        "organization_ids": row.organization_ids,
    }
    if is_promise:
        subject["interaction_id"] = row.interaction_id
    elif row.individual_ids:
        subject["individual_id"] = row.individual_ids[0]
    gone = row.notice and not row.individual_ids
    return {
        "id": f"{row.kind}.{row.key}",
        "kind": row.kind,
        "notice": row.notice,
        "subject": subject,
        "text": row.text if row.text is not None else kept.get((row.subject_id, "text" if is_promise else "message")),
        "issue_id": row.issue_id,
        "by": {"user": row.by_user, "component": row.by_component} if row.by_user else None,
        "at": wire(row.asked_at),
        "due_on": wire(row.due_on),
        # A request whose person is gone, or not the caller's to find any more, is not there to be read.
        "link": f"/interactions/{row.interaction_id}" if is_promise else f"/coordination-requests{'' if gone else f'/{row.subject_id}'}",
    }
