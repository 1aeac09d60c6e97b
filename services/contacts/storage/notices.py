"""What people are told of requests for no more contact: possible twins, erasures, and many freezes (T16, T26, T36)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import text

from services.chassis.database import UnitOfWork
from services.chassis.database.rows import plains
from services.chassis.messages import Caller, new_id

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


def tell_holders(work: UnitOfWork, individual_id: str, *, now: datetime) -> int:
    """As the eraser: leave every component that has a relationship with somebody a notice that they are being erased."""
    rows = work.execute(
        text("SELECT component, user_id FROM relationships WHERE stakeholder_id = CAST(:id AS uuid) ORDER BY component"), {"id": individual_id}
    ).all()
    told = [{"id": new_id(), "component": row.component, "user": row.user_id, "now": now} for row in rows]
    if told:
        work.execute(
            text("INSERT INTO notices (id, component, user_id, at) VALUES (:id, :component, :user, :now)"),
            told,
        )
    return len(told)


def find(work: UnitOfWork, notice_id: str, *, by: Caller) -> dict[str, Any] | None:
    """Return one notice of the user's component."""
    rows = work.execute(
        text("SELECT id, at FROM notices WHERE id = CAST(:id AS uuid) AND component = :component AND dismissed_at IS NULL"),
        {"id": notice_id, "component": by.component or ""},
    )
    return next(iter(plains(rows.mappings())), None)


def dismiss(work: UnitOfWork, notice_id: str, *, by: Caller, now: datetime) -> bool:
    """Put a notice of the user's component away; False when there is none."""
    return (
        work.execute(
            text(
                "UPDATE notices n SET dismissed_at = :now, dismissed_by = CAST(:user AS uuid) WHERE n.id = CAST(:id AS uuid)"
                " AND n.component = :component AND n.dismissed_at IS NULL"
            ),
            {"id": notice_id, "user": by.id, "component": by.component or "", "now": now},
        ).rowcount
        == 1
    )


def note_freeze(work: UnitOfWork, *, by: Caller, day: date, count: int, individual_id: str, reason: str) -> None:
    """Keep why somebody who had frozen many went on."""
    work.execute(
        text(
            "INSERT INTO many_freezes (id, user_id, component, day, count, individual_id, reason) VALUES (:id, CAST(:user AS uuid), :component,"
            " :day, :count, CAST(:individual AS uuid), :reason)"
        ),
        {"id": new_id(), "user": by.id, "component": by.component, "day": day, "count": count, "individual": individual_id, "reason": reason},
    )


def unseen_freezes(work: UnitOfWork, *, component: str, after: tuple[str, str, int] | None, limit: int) -> list[dict[str, Any]]:
    """Return who of a component froze many on one day, with each reason, as far as its administrator has not seen it."""
    day, user, count = after or (None, None, None)
    behind = "" if after is None else " AND (day, user_id, count) > (CAST(:day AS date), CAST(:user AS uuid), :count)"
    rows = work.execute(
        text(
            "SELECT user_id, day, count, individual_id, reason FROM many_freezes"  # noqa: S608 - conditions of our own
            f" WHERE component = :component AND seen_at IS NULL{behind} ORDER BY day, user_id, count LIMIT :limit"
        ),
        {"component": component, "limit": limit, **({"day": day, "user": user, "count": count} if after else {})},
    )
    return plains(rows.mappings())


def who_froze_many(work: UnitOfWork, *, component: str) -> list[str]:
    """Return who of a component did, as far as its administrator has not seen it."""
    statement = text("SELECT DISTINCT user_id FROM many_freezes WHERE component = :component AND seen_at IS NULL ORDER BY user_id")
    return [str(row.user_id) for row in work.execute(statement, {"component": component})]


def count_unseen_freezes(work: UnitOfWork, *, component: str) -> int:
    """Return how many of them there are."""
    statement = text("SELECT count(*) FROM many_freezes WHERE component = :component AND seen_at IS NULL")
    return int(work.execute(statement, {"component": component}).scalar_one())


def counts_by_day(work: UnitOfWork, *, after: Mapping[str, Any] | None, limit: int) -> list[dict[str, Any]]:
    """Return, by user and day, how many people they had frozen and how many of their entries were blocked; the latest day first.

    :param after: `day` and `user` of the last one before.
    """
    rows = work.execute(
        text(
            f"SELECT c.user_id, c.day, c.freezes, c.blocked, u.component FROM ({_COUNTS}) c LEFT JOIN users u ON u.id = c.user_id"  # noqa: S608 - our own constant
            " WHERE CAST(:day AS date) IS NULL OR (c.day, c.user_id) < (CAST(:day AS date), CAST(:user AS uuid))"
            " ORDER BY c.day DESC, c.user_id DESC LIMIT :limit"
        ),
        {"day": after["day"] if after else None, "user": after["user"] if after else None, "limit": limit},
    )
    return plains(rows.mappings())


def count_counts(work: UnitOfWork) -> int:
    """Count them."""
    return int(work.execute(text(f"SELECT count(*) FROM ({_COUNTS}) c")).scalar_one())  # noqa: S608 - our own constant


def see_freezes(work: UnitOfWork, *, component: str, user_id: str, now: datetime) -> bool:
    """Say that they were seen; False when there were none."""
    statement = text("UPDATE many_freezes SET seen_at = :now WHERE component = :component AND user_id = CAST(:user AS uuid) AND seen_at IS NULL")
    return work.execute(statement, {"component": component, "user": user_id, "now": now}).rowcount > 0


def forget(work: UnitOfWork, individual_id: str) -> None:
    """As the eraser: take out whose marks, twins and freezes these are, and why somebody froze them."""
    for statement in (
        "UPDATE many_freezes SET reason = '', individual_id = NULL WHERE individual_id = CAST(:id AS uuid)",
        "UPDATE suppressions SET individual_id = NULL, contact_point_id = NULL WHERE individual_id = CAST(:id AS uuid)",
        "UPDATE twins SET source_id = NULL WHERE source_id = CAST(:id AS uuid)",
    ):
        work.execute(text(statement), {"id": individual_id})


def whose(by: Caller) -> dict[str, Any]:
    """Return the parameters of `WAITING` and `TWINS`."""
    return {"component": by.component or "", "user": by.id, "administrator": "office_administrator" in by.roles}
