"""Statements for the ISSO: entries by their filters, checkpoints, findings, reviews."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import ColumnElement, Select, Table, func, insert, select, text
from sqlalchemy.dialects.postgresql import JSONB

from services.audit.contract.schemas import CoverageQuery, EntriesQuery
from services.audit.domain.records import Review, Signal, StoredCheckpoint, StoredFinding
from services.audit.domain.verification import Row
from services.audit.domain.weeks import WEEK
from services.audit.storage.tables import checkpoints, findings, reviews, trail
from services.chassis.database import UnitOfWork
from services.chassis.database.rows import all_typed, typed_or_none

# Text SQL: ranges are compared with the trail in one statement, and a week is counted in one.

#: Beyond this many, a total is only "at least".
COUNTED = 10_000
# As text, for it is one set operation over arrays.
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


def list_entries(work: UnitOfWork, query: EntriesQuery, *, below: int | None, limit: int) -> list[Row]:
    """Return at most `limit` entries below a position, the newest first."""
    statement = _matching(query).with_only_columns(trail.c.position, trail.c.leaf, trail.c.body)
    if below is not None:
        statement = statement.where(trail.c.position < below)
    return all_typed(Row, work.execute(statement.order_by(trail.c.position.desc()).limit(limit)).mappings())


def count_entries(work: UnitOfWork, query: EntriesQuery) -> int:
    """Count the entries, up to one more than is counted exactly."""
    part = _matching(query).with_only_columns(trail.c.position).limit(COUNTED + 1).subquery()
    return int(work.execute(select(func.count()).select_from(part)).scalar_one())


def list_checkpoints(work: UnitOfWork, *, below: int | None, limit: int) -> list[StoredCheckpoint]:
    """Return at most `limit` checkpoints below a size, the newest first."""
    statement = select(checkpoints).order_by(checkpoints.c.size.desc()).limit(limit)
    if below is not None:
        statement = statement.where(checkpoints.c.size < below)
    return all_typed(StoredCheckpoint, work.execute(statement).mappings())


def count_rows(work: UnitOfWork, table: Table) -> int:
    """Count the rows of a table, up to one more than is counted exactly."""
    part = select(table).limit(COUNTED + 1).subquery()
    return int(work.execute(select(func.count()).select_from(part)).scalar_one())


def uncovered(work: UnitOfWork, query: CoverageQuery) -> list[int]:
    """Return the places of the ranges that the first `size` lines do not cover; all places, if no checkpoint has that size."""
    rows = work.execute(
        _UNCOVERED,
        {
            "size": query.size,
            "streams": [each.stream for each in query.ranges],
            "firsts": [each.first for each in query.ranges],
            "lasts": [each.last for each in query.ranges],
            "voids": [each.void for each in query.ranges],
        },
    )
    return [int(row.place) - 1 for row in rows]


def checkpoint_covering(work: UnitOfWork, size: int) -> StoredCheckpoint | None:
    """Return the smallest checkpoint of at least `size` lines."""
    statement = select(checkpoints).where(checkpoints.c.size >= size).order_by(checkpoints.c.size).limit(1)
    return typed_or_none(StoredCheckpoint, work.execute(statement).mappings().one_or_none())


def line_at(work: UnitOfWork, position: int) -> Row | None:
    """Return one line."""
    statement = select(trail.c.position, trail.c.leaf, trail.c.body).where(trail.c.position == position)
    return typed_or_none(Row, work.execute(statement).mappings().one_or_none())


def first_day(work: UnitOfWork) -> date | None:
    """Return the day of the first entry."""
    at = work.execute(select(trail.c.at).where(trail.c.kind == "entry").order_by(trail.c.position).limit(1)).scalar_one_or_none()
    return datetime.fromisoformat(at).date() if at else None


def list_findings(work: UnitOfWork, *, below: str | None, limit: int) -> list[StoredFinding]:
    """Return at most `limit` findings below an id, the newest first: ids are in the order of their making."""
    statement = select(*(findings.c[column.name] for column in fields(StoredFinding))).order_by(findings.c.id.desc()).limit(limit)
    return all_typed(StoredFinding, work.execute(statement if below is None else statement.where(findings.c.id < below)).mappings())


def count_findings(work: UnitOfWork, week: date) -> int:
    """Count the findings of a week."""
    start = _midnight(week)
    statement = select(func.count()).select_from(findings).where(findings.c.found_at >= start, findings.c.found_at < start + WEEK)
    return int(work.execute(statement).scalar_one())


def signed_reviews(work: UnitOfWork) -> dict[date, Review]:
    """Return the reviews that were signed off, by week."""
    rows = work.execute(select(reviews.c.week, reviews.c.reviewer, reviews.c.signed_at, reviews.c.size)).mappings()
    return {review.week: review for review in all_typed(Review, rows)}


def sign_review(work: UnitOfWork, *, review_id: str, week: date, reviewer: str, signed_at: datetime, size: int, root: bytes) -> None:
    """Insert the sign-off of a week."""
    work.execute(insert(reviews).values(id=review_id, week=week, reviewer=reviewer, signed_at=signed_at, size=size, root=root))


def signals(work: UnitOfWork, week: date) -> list[Signal]:
    """Return the week's users with the number of records they looked at, and how much at odd hours or refused (R191)."""
    start = _midnight(week)
    # As text, for it is one aggregation with filters over a lateral set.
    rows = work.execute(
        text(
            "SELECT actor, component, count(DISTINCT position) AS entries, count(DISTINCT subject) AS subjects,"
            " count(DISTINCT position) FILTER (WHERE outcome <> 'allowed') AS refused,"
            # From ten in the evening to six in the morning on the East coast's winter clock.
            " count(DISTINCT position) FILTER (WHERE substr(at, 12, 2) BETWEEN '03' AND '10') AS odd_hours"
            " FROM trail LEFT JOIN LATERAL jsonb_array_elements_text(subjects) AS subject ON true"
            " WHERE kind = 'entry' AND at >= :start AND at < :end AND body::jsonb ->> 'actor_kind' = 'user'"
            " GROUP BY actor, component ORDER BY subjects DESC, entries DESC LIMIT 20"
        ),
        {"start": _wire(start), "end": _wire(start + timedelta(days=7))},
    )
    return all_typed(Signal, rows.mappings())


def _matching(query: EntriesQuery) -> Select[tuple[object, ...]]:
    statement = select(trail).where(trail.c.kind == "entry")
    for name, column in _COLUMNS.items():
        if (value := getattr(query, name)) is not None:
            statement = statement.where(column == value)
    if query.subject is not None:
        statement = statement.where(trail.c.subjects.cast(JSONB).contains([query.subject]))
    if query.since is not None:
        statement = statement.where(trail.c.at >= _wire(query.since))
    if query.until is not None:
        statement = statement.where(trail.c.at < _wire(query.until))
    return statement


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _wire(instant: datetime) -> str:
    # The form of `wire_value`, in which instants sort as texts.
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
