"""What the ISSO reads: entries by their filters, checkpoints, findings, reviews."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Row, Select, func, insert, select, text
from sqlalchemy.dialects.postgresql import JSONB

from services.audit.domain.weeks import WEEK
from services.audit.storage.tables import checkpoints, findings, reviews, trail
from services.chassis.database import UnitOfWork

#: Beyond this many, a total is only "at least".
COUNTED = 10_000
# Where a commit failed, whatever came of its number will do: a void, or the entry that was durable after all.
_UNCOVERED = text(
    "SELECT r.place FROM unnest(CAST(:streams AS uuid[]), CAST(:firsts AS bigint[]), CAST(:lasts AS bigint[]), CAST(:voids AS boolean[]))"
    " WITH ORDINALITY AS r (stream, first, last, void, place)"
    " WHERE NOT EXISTS (SELECT FROM checkpoints WHERE size = :size) OR r.last - r.first + 1 <> (SELECT count(DISTINCT t.n) FROM trail t"
    " WHERE t.stream = r.stream AND t.n BETWEEN r.first AND r.last AND t.position < :size"
    " AND (t.kind = 'entry' OR (r.void AND t.kind IN ('void', 'unknown'))))"
    " ORDER BY r.place"
)
_COLUMNS: Mapping[str, ColumnElement[str]] = {
    "user": trail.c.actor,
    "component": trail.c.component,
    "action": trail.c.action,
    "outcome": trail.c.outcome,
    "trace_id": trail.c.trace_id,
}


def list_entries(work: UnitOfWork, query: Mapping[str, Any], *, below: int | None, limit: int) -> list[dict[str, Any]]:
    """Return at most `limit` entries below a position, the newest first."""
    statement = _matching(query).with_only_columns(trail.c.position, trail.c.body)
    if below is not None:
        statement = statement.where(trail.c.position < below)
    rows = work.execute(statement.order_by(trail.c.position.desc()).limit(limit))
    return [{"position": row.position, **orjson.loads(row.body)} for row in rows]


def count_entries(work: UnitOfWork, query: Mapping[str, Any]) -> int:
    """Count the entries, no further than one beyond what is counted exactly."""
    part = _matching(query).with_only_columns(trail.c.position).limit(COUNTED + 1).subquery()
    return int(work.execute(select(func.count()).select_from(part)).scalar_one())


def list_checkpoints(work: UnitOfWork, *, below: int | None, limit: int) -> list[Row[Any]]:
    """Return at most `limit` checkpoints below a size, the newest first."""
    statement = select(checkpoints).order_by(checkpoints.c.size.desc()).limit(limit)
    if below is not None:
        statement = statement.where(checkpoints.c.size < below)
    return list(work.execute(statement))


def count_checkpoints(work: UnitOfWork) -> int:
    """Count the checkpoints, no further than one beyond what is counted exactly."""
    part = select(checkpoints.c.size).limit(COUNTED + 1).subquery()
    return int(work.execute(select(func.count()).select_from(part)).scalar_one())


def uncovered(work: UnitOfWork, *, size: int, ranges: Sequence[Mapping[str, Any]]) -> list[int]:
    """Return the places of the ranges that the first `size` lines do not wholly have; all, if that many were never signed."""
    rows = work.execute(
        _UNCOVERED,
        {
            "size": size,
            "streams": [str(each["stream"]) for each in ranges],
            "firsts": [each["first"] for each in ranges],
            "lasts": [each["last"] for each in ranges],
            "voids": [each["void"] for each in ranges],
        },
    )
    return [int(row.place) - 1 for row in rows]


def checkpoint_covering(work: UnitOfWork, size: int) -> Row[Any] | None:
    """Return the smallest checkpoint of at least `size` lines."""
    statement = select(checkpoints).where(checkpoints.c.size >= size).order_by(checkpoints.c.size).limit(1)
    row: Row[Any] | None = work.execute(statement).one_or_none()
    return row


def line_at(work: UnitOfWork, position: int) -> Row[Any] | None:
    """Return one line: leaf, body."""
    row: Row[Any] | None = work.execute(select(trail.c.leaf, trail.c.body).where(trail.c.position == position)).one_or_none()
    return row


def first_day(work: UnitOfWork) -> date | None:
    """Return the day of the first entry."""
    at = work.execute(select(trail.c.at).where(trail.c.kind == "entry").order_by(trail.c.position).limit(1)).scalar_one_or_none()
    return datetime.fromisoformat(at).date() if at else None


def list_findings(work: UnitOfWork, *, below: str | None, limit: int) -> list[Row[Any]]:
    """Return at most `limit` findings below an id, the newest first: ids are in the order of their making."""
    statement = select(findings).order_by(findings.c.id.desc()).limit(limit)
    return list(work.execute(statement if below is None else statement.where(findings.c.id < below)))


def count_all_findings(work: UnitOfWork) -> int:
    """Count the findings, no further than one beyond what is counted exactly."""
    part = select(findings.c.id).limit(COUNTED + 1).subquery()
    return int(work.execute(select(func.count()).select_from(part)).scalar_one())


def count_findings(work: UnitOfWork, week: date) -> int:
    """Count the findings of a week."""
    start = _midnight(week)
    statement = select(func.count()).select_from(findings).where(findings.c.found_at >= start, findings.c.found_at < start + WEEK)
    return int(work.execute(statement).scalar_one())


def signed_reviews(work: UnitOfWork) -> dict[date, Row[Any]]:
    """Return the reviews that were signed off, by week."""
    return {row.week: row for row in work.execute(select(reviews))}


def sign_review(work: UnitOfWork, *, review_id: str, week: date, reviewer: str, signed_at: datetime, size: int, root: bytes) -> None:
    """Keep the sign-off of a week."""
    work.execute(insert(reviews).values(id=review_id, week=week, reviewer=reviewer, signed_at=signed_at, size=size, root=root))


def signals(work: UnitOfWork, week: date, *, most: int = 20) -> list[dict[str, Any]]:
    """Return the week's users by how many records they looked at, and how much of it at odd hours or refused (R191)."""
    start = _midnight(week)
    rows = work.execute(
        text(
            "SELECT actor, component, count(DISTINCT position) AS entries, count(DISTINCT subject) AS subjects,"
            " count(DISTINCT position) FILTER (WHERE outcome <> 'allowed') AS refused,"
            # From ten in the evening to six in the morning on the East coast's winter clock.
            " count(DISTINCT position) FILTER (WHERE substr(at, 12, 2) BETWEEN '03' AND '10') AS odd_hours"
            " FROM trail LEFT JOIN LATERAL jsonb_array_elements_text(subjects) AS subject ON true"
            " WHERE kind = 'entry' AND at >= :start AND at < :end AND body::jsonb ->> 'actor_kind' = 'user'"
            " GROUP BY actor, component ORDER BY subjects DESC, entries DESC LIMIT :most"
        ),
        {"start": _wire(start), "end": _wire(start + timedelta(days=7)), "most": most},
    )
    return [dict(row._mapping) for row in rows]  # noqa: SLF001 - SQLAlchemy's public name for it


def _matching(query: Mapping[str, Any]) -> Select[Any]:
    statement = select(trail).where(trail.c.kind == "entry")
    for name, column in _COLUMNS.items():
        if name in query:
            statement = statement.where(column == query[name])
    if "subject" in query:
        statement = statement.where(trail.c.subjects.cast(JSONB).contains([query["subject"]]))
    if "since" in query:
        statement = statement.where(trail.c.at >= _wire(query["since"]))
    if "until" in query:
        statement = statement.where(trail.c.at < _wire(query["until"]))
    return statement


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _wire(instant: datetime) -> str:
    # The form of `wire_value`, in which instants sort as texts.
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
