"""Find the tasks of a user: one statement over all kinds, so that the count is complete."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Date,
    DateTime,
    Select,
    Text,
    Uuid,
    and_,
    case,
    cast,
    exists,
    func,
    literal,
    null,
    or_,
    select,
    union_all,
)
from sqlalchemy.dialects.postgresql import array

from services.chassis.database import UnitOfWork
from services.interactions.domain.coordination import OPEN_STATES
from services.interactions.domain.records import Task
from services.interactions.domain.rights import Scope
from services.interactions.storage import pages
from services.interactions.storage.coordination import addressee, addressee_component, addressee_deputy, not_hidden
from services.interactions.storage.interactions import linked_ids, visible, visible_individuals
from services.interactions.storage.tables import coordination_requests as requests
from services.interactions.storage.tables import follow_ups, interaction_organizations, interactions, notices, people, users
from services.lexicon.tasks import NO_DAY

_ID = Uuid(as_uuid=False)


def waiting(work: UnitOfWork, scope: Scope, *, overdue_since: date, after: Sequence[str] | None, limit: int) -> pages.Page[Task]:
    """Return the caller's tasks, most urgent first.

    :param overdue_since: unanswered requests of that day or before have passed to the office (T10).
    :param after: due date, kind and key of the task before.
    """
    parts = [_to_answer(scope, overdue_since), _sent(scope), _promises(scope), _notices(scope)]
    tasks = union_all(*parts).subquery("tasks")
    keys: list[ColumnElement[Any]] = [
        func.coalesce(tasks.c.due_on, cast(literal(NO_DAY), Date)),
        tasks.c.kind.collate("C"),
        cast(tasks.c.key, Text).collate("C"),
    ]
    return pages.page(work, Task, select(tasks), keys=keys, after=after, limit=limit, descending=False)


def _row(kind: Any, **columns: Any) -> tuple[Any, ...]:
    """Return the columns of one kind of task; missing ones are null."""
    given = {
        "key": null(),
        "due_on": cast(null(), Date),
        "subject_type": null(),
        "subject_id": cast(null(), _ID),
        "interaction_id": cast(null(), _ID),
        "individual_ids": cast(array([], type_=_ID), ARRAY(_ID)),
        "organization_ids": cast(array([], type_=_ID), ARRAY(_ID)),
        "issue_id": cast(null(), _ID),
        "by_user": cast(null(), _ID),
        "by_component": cast(null(), Text),
        "text": cast(null(), Text),
        "asked_at": cast(null(), DateTime(timezone=True)),
        "notice": literal(value=False),
        **columns,
    }
    return (cast(kind, Text).label("kind"), *(column.label(name) for name, column in given.items()))


def _request(kind: Any) -> Select[Any]:
    columns = _row(
        kind,
        key=requests.c.id,
        due_on=requests.c.due_on,
        subject_type=literal("coordination_request"),
        subject_id=requests.c.id,
        individual_ids=array([requests.c.individual_id]),
        issue_id=requests.c.issue_id,
        by_user=requests.c.requested_by,
        by_component=requests.c.requested_component,
        text=requests.c.message,
        asked_at=requests.c.created_at,
    )
    return select(*columns).outerjoin_from(requests, people, people.c.id == requests.c.individual_id)


def _to_answer(scope: Scope, overdue_since: date) -> Select[Any]:
    theirs = [addressee == scope.user_id, addressee_deputy == scope.user_id]
    if scope.answers_for is not None:
        # The owner's, until they are gone, or two federal working days have passed without an answer (T10).
        late = and_(requests.c.status == "requested", func.timezone("UTC", requests.c.created_at) < cast(literal(overdue_since), Date) + 1)
        theirs.append(and_(addressee_component == scope.answers_for, or_(addressee.is_(None), _gone(addressee), late)))
    kind = case((requests.c.status == "requested", "answer-coordination-request"), else_="carry-out-coordination-request")
    return _request(kind).where(requests.c.status.in_(OPEN_STATES), func.coalesce(or_(*theirs), False), not_hidden(scope))


def _sent(scope: Scope) -> Select[Any]:
    query = _request(literal("await-coordination-request"))
    return query.where(requests.c.requested_by == scope.user_id, requests.c.status.in_(OPEN_STATES), not_hidden(scope))


def _promises(scope: Scope) -> Select[Any]:
    # A promise without an assignee is whoever's who logged it (R53).
    holder = func.coalesce(follow_ups.c.assignee, follow_ups.c.created_by)
    theirs = holder == scope.user_id
    if scope.stands_for is not None:
        theirs = or_(theirs, and_(interactions.c.component == scope.stands_for, _gone(holder)))
    columns = _row(
        literal("keep-promise"),
        key=follow_ups.c.id,
        due_on=follow_ups.c.due_on,
        subject_type=literal("follow_up"),
        subject_id=follow_ups.c.id,
        interaction_id=follow_ups.c.interaction_id,
        individual_ids=visible_individuals(scope),
        organization_ids=linked_ids(interaction_organizations, "organization_id"),
        by_user=follow_ups.c.created_by,
        by_component=interactions.c.component,
        text=follow_ups.c.text,
        asked_at=interactions.c.held_at,
    )
    query = select(*columns).join_from(follow_ups, interactions, interactions.c.id == follow_ups.c.interaction_id)
    return query.where(follow_ups.c.done_at.is_(None), theirs, visible(scope))


def _notices(scope: Scope) -> Select[Any]:
    shown = case((not_hidden(scope), requests.c.individual_id))
    columns = _row(
        notices.c.kind,
        key=notices.c.id,
        subject_type=literal("coordination_request"),
        subject_id=notices.c.request_id,
        individual_ids=func.array_remove(array([shown]), null()),
        issue_id=notices.c.issue_id,
        by_user=requests.c.requested_by,
        by_component=requests.c.requested_component,
        text=case((not_hidden(scope), requests.c.message)),
        asked_at=notices.c.asked_at,
        notice=literal(value=True),
    )
    query = select(*columns).select_from(notices).outerjoin(requests, requests.c.id == notices.c.request_id)
    return query.outerjoin(people, people.c.id == requests.c.individual_id).where(notices.c.user_id == scope.user_id)


def _gone(user_id: Any) -> ColumnElement[bool]:
    """Return a condition: the user is known to be inactive; duties pass on a known fact only."""
    return exists().where(users.c.id == user_id, ~users.c.active)
