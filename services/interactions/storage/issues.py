"""Issues, in SQL."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from types import MappingProxyType
from typing import TypeVar

from sqlalchemy import Select, Table, delete, insert, or_, select, update

from services.chassis.database import Lock, UnitOfWork
from services.chassis.database.rows import all_typed, typed, typed_or_none
from services.interactions.contract.commands import IssueListQuery
from services.interactions.domain.records import Issue, IssueUpdate, TalkingPoint
from services.interactions.storage import pages
from services.interactions.storage.tables import coordination_requests, issue_updates, issues, kept_texts, talking_points

#: What is said on an issue.
Text = TypeVar("Text", IssueUpdate, TalkingPoint)
_TABLES: Mapping[type, Table] = MappingProxyType({Issue: issues, IssueUpdate: issue_updates, TalkingPoint: talking_points})


def add(work: UnitOfWork, row: Issue | IssueUpdate | TalkingPoint) -> None:
    """Insert an issue, an update or a talking point."""
    work.execute(insert(_TABLES[type(row)]), asdict(row))


def one(work: UnitOfWork, issue_id: str, *, lock: bool = False) -> Issue | None:
    """Return an issue.

    :param lock: lock it until the end of the transaction.
    """
    query = select(issues).where(issues.c.id == issue_id)
    return typed_or_none(Issue, work.execute(query.with_for_update() if lock else query).mappings().one_or_none())


def known(work: UnitOfWork, issue_ids: Iterable[str]) -> set[str]:
    """Return which of these issues exist; they cannot be deleted before the transaction ends."""
    query = select(issues.c.id).where(issues.c.id.in_(list(issue_ids))).with_for_update(key_share=True, read=True)
    return set(work.execute(query).scalars())


def hold_place(work: UnitOfWork, place: str) -> None:
    """Lock the names in one place, below a parent or at the top of a priority, until the transaction ends."""
    work.hold(Lock(0, f"issues {place}"))


def siblings(work: UnitOfWork, *, priority: str, parent_id: str | None) -> dict[str, str | None]:
    """Return the names of the issues below a parent, or at the top of a priority, by id."""
    here = issues.c.parent_id == parent_id if parent_id is not None else (issues.c.parent_id.is_(None) & (issues.c.priority == priority))
    return {row.id: row.name for row in work.execute(select(issues.c.id, issues.c.name).where(here))}


def change(work: UnitOfWork, issue: Issue) -> Issue:
    """Store a changed issue, which is locked; return it with its next revision."""
    changed = replace(issue, revision=issue.revision + 1)
    work.execute(update(issues).where(issues.c.id == issue.id).values(asdict(changed)))
    return changed


def set_priority(work: UnitOfWork, issue_id: str, priority: str, *, now: datetime) -> Issue:
    """Set the priority of an issue; return its present row, because another transaction may have changed it."""
    values = {"priority": priority, "updated_at": now, "revision": issues.c.revision + 1}
    statement = update(issues).where(issues.c.id == issue_id).values(values)
    return typed(Issue, work.execute(statement.returning(issues)).mappings().one())


def subtree(root_ids: Iterable[str]) -> Select[tuple[str]]:
    """Select the ids of issues and of all below them."""
    down = select(issues.c.id).where(issues.c.id.in_(list(root_ids))).cte(recursive=True)
    down = down.union(select(issues.c.id).join(down, issues.c.parent_id == down.c.id))
    return select(down.c.id)


def with_all_below(work: UnitOfWork, issue_id: str) -> list[str]:
    """Return the ids of an issue and of all below it; none when it is unknown. As values, the planner sees how few they are."""
    return list(work.execute(subtree([issue_id])).scalars())


def of_priority(work: UnitOfWork, priority: str) -> list[str]:
    """Return the ids of a priority's issues."""
    return list(work.execute(select(issues.c.id).where(issues.c.priority == priority)).scalars())


def below(work: UnitOfWork, issue_id: str) -> list[Issue]:
    """Return everything below an issue, without itself."""
    query = select(issues).where(issues.c.id.in_(subtree([issue_id])), issues.c.id != issue_id)
    return all_typed(Issue, work.execute(query).mappings())


def remove(work: UnitOfWork, issue_ids: Iterable[str]) -> None:
    """Delete issues with their updates, talking points, requests and kept texts."""
    ids = list(issue_ids)
    hanging = select(issue_updates.c.id).where(issue_updates.c.issue_id.in_(ids))
    hanging_too = select(talking_points.c.id).where(talking_points.c.issue_id.in_(ids))
    asked = select(coordination_requests.c.id).where(coordination_requests.c.issue_id.in_(ids))
    about = kept_texts.c.subject_id
    work.execute(delete(kept_texts).where(or_(about.in_(ids), about.in_(hanging), about.in_(hanging_too), about.in_(asked))))
    work.execute(update(issues).where(issues.c.parent_id.in_(ids)).values(parent_id=None))
    work.execute(delete(issues).where(issues.c.id.in_(ids)))


def everything(work: UnitOfWork) -> list[Issue]:
    """Return all issues; there are hundreds, not thousands."""
    return all_typed(Issue, work.execute(select(issues).order_by(issues.c.created_at, issues.c.id)).mappings())


def matching(work: UnitOfWork, wanted: IssueListQuery, *, after: Sequence[object] | None) -> pages.Page[Issue]:
    """Return a page of issues, latest first."""
    asked = {issues.c.priority: wanted.priority, issues.c.parent_id: wanted.parent_id, issues.c.active: wanted.active}
    query = select(issues).where(*pages.equal(asked))
    for word in (wanted.q or "").split():
        query = query.where(issues.c.name.icontains(word, autoescape=True))
    return pages.page(work, Issue, query, keys=[issues.c.created_at, issues.c.id], after=after, limit=wanted.limit)


def one_text(work: UnitOfWork, kind: type[Text], text_id: str) -> Text | None:
    """Return an update or a talking point."""
    table = _TABLES[kind]
    return typed_or_none(kind, work.execute(select(table).where(table.c.id == text_id)).mappings().one_or_none())


def updates(work: UnitOfWork, issue_id: str, *, after: Sequence[object] | None, limit: int) -> pages.Page[IssueUpdate]:
    """Return a page of an issue's updates, latest first."""
    query = select(issue_updates).where(issue_updates.c.issue_id == issue_id)
    return pages.page(work, IssueUpdate, query, keys=[issue_updates.c.created_at, issue_updates.c.id], after=after, limit=limit)


def points(work: UnitOfWork, issue_id: str, *, after: Sequence[object] | None, limit: int) -> pages.Page[TalkingPoint]:
    """Return a page of an issue's talking points, in the order in which they were written."""
    query = select(talking_points).where(talking_points.c.issue_id == issue_id)
    keys = [talking_points.c.created_at, talking_points.c.id]
    return pages.page(work, TalkingPoint, query, keys=keys, after=after, limit=limit, descending=False)
