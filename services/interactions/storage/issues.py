"""Issues, in SQL."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Row, Select, delete, func, insert, or_, select, update

from services.chassis.database import UnitOfWork
from services.interactions.storage.tables import coordination_requests, issue_updates, issues, kept_texts, talking_points


def add(work: UnitOfWork, **values: Any) -> None:
    """Insert an issue."""
    work.execute(insert(issues).values(**values))


def one(work: UnitOfWork, issue_id: str, *, lock: bool = False) -> Row[Any] | None:
    """Return an issue."""
    query = select(issues).where(issues.c.id == issue_id)
    return work.execute(query.with_for_update() if lock else query).one_or_none()


def known(work: UnitOfWork, issue_ids: Iterable[str]) -> set[str]:
    """Return which of these issues exist; they are kept from being deleted until the transaction ends."""
    query = select(issues.c.id).where(issues.c.id.in_(list(issue_ids))).with_for_update(key_share=True, read=True)
    return set(work.execute(query).scalars())


def hold_place(work: UnitOfWork, place: str) -> None:
    """Let nobody else name an issue in this place, below a parent or at the top of a priority, until the transaction ends."""
    work.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"issues {place}", 0))))


def siblings(work: UnitOfWork, *, priority: str, parent_id: str | None) -> list[Row[Any]]:
    """Return id and name of the issues below a parent, or at the top of a priority."""
    here = issues.c.parent_id == parent_id if parent_id is not None else (issues.c.parent_id.is_(None) & (issues.c.priority == priority))
    return list(work.execute(select(issues.c.id, issues.c.name).where(here)))


def change(work: UnitOfWork, issue_id: str, values: dict[str, Any]) -> Row[Any]:
    """Update an issue; return it as it is now, one revision on."""
    statement = update(issues).where(issues.c.id == issue_id).values(**values, revision=issues.c.revision + 1)
    return work.execute(statement.returning(issues)).one()


def subtree(root_ids: Iterable[str]) -> Select[tuple[str]]:
    """Select the ids of issues and of all below them."""
    down = select(issues.c.id).where(issues.c.id.in_(list(root_ids))).cte(recursive=True)
    down = down.union(select(issues.c.id).join(down, issues.c.parent_id == down.c.id))
    return select(down.c.id)


def with_all_below(work: UnitOfWork, issue_id: str) -> list[str]:
    """Return the ids of an issue and of all below it, none when it is unknown: as values, so that the planner sees how few they are."""
    return list(work.execute(subtree([issue_id])).scalars())


def of_priority(work: UnitOfWork, priority: str) -> list[str]:
    """Return the ids of a priority's issues."""
    return list(work.execute(select(issues.c.id).where(issues.c.priority == priority)).scalars())


def below(work: UnitOfWork, issue_id: str) -> list[Row[Any]]:
    """Return everything below an issue, without itself."""
    query = select(issues).where(issues.c.id.in_(subtree([issue_id])), issues.c.id != issue_id)
    return list(work.execute(query))


def remove(work: UnitOfWork, issue_ids: Iterable[str]) -> None:
    """Delete issues with everything that hangs on them, kept texts included."""
    ids = list(issue_ids)
    hanging = select(issue_updates.c.id).where(issue_updates.c.issue_id.in_(ids))
    hanging_too = select(talking_points.c.id).where(talking_points.c.issue_id.in_(ids))
    asked = select(coordination_requests.c.id).where(coordination_requests.c.issue_id.in_(ids))
    about = kept_texts.c.subject_id
    work.execute(delete(kept_texts).where(or_(about.in_(ids), about.in_(hanging), about.in_(hanging_too), about.in_(asked))))
    work.execute(update(issues).where(issues.c.parent_id.in_(ids)).values(parent_id=None))
    work.execute(delete(issues).where(issues.c.id.in_(ids)))


def everything(work: UnitOfWork) -> list[Row[Any]]:
    """Return all issues; there are hundreds, not thousands."""
    return list(work.execute(select(issues).order_by(issues.c.created_at, issues.c.id)))


def matching(*, priority: str | None = None, parent_id: str | None = None, active: bool | None = None, q: str | None = None) -> Select[Any]:
    """Select issues."""
    query = select(issues)
    if priority is not None:
        query = query.where(issues.c.priority == priority)
    if parent_id is not None:
        query = query.where(issues.c.parent_id == parent_id)
    if active is not None:
        query = query.where(issues.c.active.is_(active))
    for word in (q or "").split():
        query = query.where(issues.c.name.icontains(word, autoescape=True))
    return query


def add_update(work: UnitOfWork, **values: Any) -> None:
    """Insert an update of an issue."""
    work.execute(insert(issue_updates).values(**values))


def updates(issue_id: str) -> Select[Any]:
    """Select an issue's updates."""
    return select(issue_updates).where(issue_updates.c.issue_id == issue_id)


def add_talking_point(work: UnitOfWork, **values: Any) -> None:
    """Insert a talking point."""
    work.execute(insert(talking_points).values(**values))


def points(issue_id: str) -> Select[Any]:
    """Select an issue's talking points."""
    return select(talking_points).where(talking_points.c.issue_id == issue_id)
