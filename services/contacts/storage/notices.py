"""Notices to users: possible twins, erasures, and many freezes (T16, T26, T36)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime

from sqlalchemy import ColumnElement, and_, func, insert, select, text, tuple_, update

from services.chassis.database import UnitOfWork
from services.chassis.database.rows import all_typed, typed_or_none
from services.chassis.messages import Caller, new_id
from services.contacts.storage.rows import position
from services.contacts.storage.tables.cases import many_freezes, notices, suppressions, twins
from services.contacts.storage.tables.directory import relationships

# Text SQL: counts of two tables are joined and read by page.

# Text for conditions that other statements take up, and for counts of two tables.
#: Whoever stands for the component: who has the relationship, or the office's administrator.
_MINE = (
    "(n.user_id = CAST(:user AS uuid) OR n.user_id IS NULL OR :administrator OR NOT EXISTS (SELECT FROM users u WHERE u.id = n.user_id AND u.active))"
)

#: Notices `n` that wait for a user.
WAITING = f"notices n WHERE n.component = :component AND n.dismissed_at IS NULL AND {_MINE}"
#: Records `i` that the user's component sees frozen as possible twins, of which this user stands for it (T26): the record's owner
#: where they are of the component, else who has its relationship.
TWINS = (
    "individuals i LEFT JOIN relationships n ON n.stakeholder_id = i.id AND n.component = :component"
    " WHERE i.frozen_at IS NULL AND i.frozen_for <> '{}' AND :component = ANY(i.frozen_for) AND (i.owner_id = CAST(:user AS uuid)"
    f" OR (i.owner_component <> :component AND {_MINE}) OR :administrator)"
)

#: Of a user on one day: requests recorded, and entries blocked.
_COUNTS = """
    SELECT user_id, day, sum(freezes)::bigint AS freezes, sum(blocked)::bigint AS blocked FROM (
        SELECT user_id, day, count AS freezes, 0 AS blocked FROM freeze_counts UNION ALL
        SELECT user_id, day, 0, count FROM blocked_tries) AS counted GROUP BY user_id, day
"""


def tell_holders(work: UnitOfWork, individual_id: str, *, now: datetime) -> None:
    """Insert a notice of an erasure for every component that has a relationship with the person. The role is `eraser`."""
    of = relationships.c
    rows = work.execute(select(of.component, of.user_id).where(of.stakeholder_id == individual_id).order_by(of.component)).all()
    if rows:
        told = [{"id": new_id(), "component": row.component, "user_id": row.user_id, "at": now} for row in rows]
        work.execute(insert(notices), told)


@dataclass(frozen=True, slots=True)
class Notice:
    """A notice of an erasure to a component."""

    id: str
    at: datetime


def find(work: UnitOfWork, notice_id: str, *, component: str | None) -> Notice | None:
    """Return one notice of a component."""
    of = notices.c
    found = select(of.id, of.at).where(of.id == notice_id, of.component == component, of.dismissed_at.is_(None))
    return typed_or_none(Notice, work.execute(found).mappings().one_or_none())


def dismiss(work: UnitOfWork, notice_id: str, *, by: Caller, now: datetime) -> bool:
    """Dismiss a notice of the user's component; return False if there is none."""
    of = notices.c
    gone = update(notices).where(of.id == notice_id, of.component == by.component, of.dismissed_at.is_(None))
    return work.execute(gone.values(dismissed_at=now, dismissed_by=by.id)).rowcount == 1


def note_freeze(work: UnitOfWork, *, by: Caller, day: date, count: int, individual_id: str, reason: str) -> None:
    """Store the reason of somebody who had many people frozen."""
    kept = {"id": new_id(), "user_id": by.id, "component": by.component, "day": day, "count": count, "individual_id": individual_id, "reason": reason}
    work.execute(insert(many_freezes), kept)


@dataclass(frozen=True, slots=True)
class ManyFreezes:
    """One of many people whom a user had frozen on one day, and the reason."""

    user_id: str
    day: date
    count: int
    individual_id: str | None
    reason: str


def _unseen(component: str) -> ColumnElement[bool]:
    return and_(many_freezes.c.component == component, many_freezes.c.seen_at.is_(None))


def unseen_freezes(work: UnitOfWork, *, component: str, after: Sequence[object] | None, limit: int) -> list[ManyFreezes]:
    """Return users of a component with many freezes on one day, with each reason, that its administrator has not seen.

    :param after: day, user and count of the row before.
    """
    of = many_freezes.c
    order = (of.day, of.user_id, of["count"])
    found = select(*(of[each.name] for each in fields(ManyFreezes))).where(_unseen(component)).order_by(*order).limit(limit)
    if after is not None:
        found = found.where(tuple_(*order) > position(order, after))
    return all_typed(ManyFreezes, work.execute(found).mappings())


def who_froze_many(work: UnitOfWork, *, component: str) -> list[str]:
    """Return the users of a component with many freezes that its administrator has not seen."""
    users = many_freezes.c.user_id
    return list(work.execute(select(users).where(_unseen(component)).distinct().order_by(users)).scalars())


def count_unseen_freezes(work: UnitOfWork, *, component: str) -> int:
    """Count the rows of `unseen_freezes`."""
    return int(work.execute(select(func.count()).select_from(many_freezes).where(_unseen(component))).scalar_one())


@dataclass(frozen=True, slots=True)
class DayCount:
    """What a user did on one day: how many people they had frozen, and how many of their entries were blocked."""

    user_id: str
    day: date
    freezes: int
    blocked: int
    component: str | None


def counts_by_day(work: UnitOfWork, *, after: Sequence[str] | None, limit: int) -> list[DayCount]:
    """Return the counts by user and day, latest day first.

    :param after: day and user of the row before.
    """
    day, user = after or (None, None)
    rows = work.execute(
        text(
            f"SELECT c.user_id, c.day, c.freezes, c.blocked, u.component FROM ({_COUNTS}) c LEFT JOIN users u ON u.id = c.user_id"  # noqa: S608 - our own constant
            " WHERE CAST(:day AS date) IS NULL OR (c.day, c.user_id) < (CAST(:day AS date), CAST(:user AS uuid))"
            " ORDER BY c.day DESC, c.user_id DESC LIMIT :limit"
        ),
        {"day": day, "user": user, "limit": limit},
    )
    return all_typed(DayCount, rows.mappings())


def count_counts(work: UnitOfWork) -> int:
    """Count the rows of `counts_by_day`."""
    return int(work.execute(text(f"SELECT count(*) FROM ({_COUNTS}) c")).scalar_one())  # noqa: S608 - our own constant


def see_freezes(work: UnitOfWork, *, component: str, user_id: str, now: datetime) -> bool:
    """Mark a user's freezes as seen; return False if there were none."""
    seen = update(many_freezes).where(_unseen(component), many_freezes.c.user_id == user_id).values(seen_at=now)
    return work.execute(seen).rowcount > 0


def forget(work: UnitOfWork, individual_id: str) -> None:
    """Delete from marks, twins and freezes whose they are, and the reasons. The role is `eraser`."""
    work.execute(update(many_freezes).where(many_freezes.c.individual_id == individual_id).values(reason="", individual_id=None))
    work.execute(update(suppressions).where(suppressions.c.individual_id == individual_id).values(individual_id=None, contact_point_id=None))
    work.execute(update(twins).where(twins.c.source_id == individual_id).values(source_id=None))
