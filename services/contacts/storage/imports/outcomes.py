"""What becomes, or became, of each row of an import."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields

import orjson
from sqlalchemy import null, or_, select, text
from sqlalchemy import update as update_of

from services.chassis.database import UnitOfWork
from services.chassis.database.rows import all_typed, typed_or_none
from services.contacts.contract.answers.imports import RefusedCell
from services.contacts.domain.imports.states import RowOutcome
from services.contacts.storage.bulk import array, as_json, records
from services.contacts.storage.imports import refused
from services.contacts.storage.tables.imports import import_rows

# Text SQL: a block's rows are written and counted in one statement.

# Text where many rows go as one array or one list of JSON.

_ROW = {
    "n": "integer",
    "sheet": "text",
    "number": "integer",
    "outcome": "text",
    "reason": "text",
    "refused": "json",
    "individual_id": "uuid",
    "organization_id": "uuid",
    "candidates": "uuid[]",
}
_PUT = text(
    f"INSERT INTO import_rows (import_id, {', '.join(_ROW)}) SELECT CAST(:id AS uuid), t.* FROM {records('rows', _ROW)}"  # noqa: S608 - names of our own list
)
_DROP_SOME = text(
    "WITH gone AS (DELETE FROM import_rows WHERE import_id = CAST(:id AS uuid) AND n BETWEEN :first AND :last RETURNING outcome)"
    " SELECT outcome, count(*) AS many FROM gone GROUP BY 1"
)
_SETTLE = text(
    "UPDATE import_rows r SET outcome = t.outcome, reason = t.reason, individual_id = t.individual_id,"  # noqa: S608 - put together from our own constants
    " organization_id = t.organization_id, candidates = t.candidates, decided = t.decided"
    f" FROM {records('rows', {**_ROW, 'decided': 'text'})} WHERE r.import_id = CAST(:id AS uuid) AND r.n = t.n AND r.outcome = 'undecided'"
)
_FOUND = [import_rows.c[column.name] for column in fields(RowOutcome)]


def leave_rest_out(work: UnitOfWork, import_id: str, *, first: int, reason: str) -> None:
    """Say of the rows from `first` on that they were not taken in, and count anew."""
    given = {"id": import_id, "first": first, "reason": reason}
    work.execute(
        text(
            "UPDATE import_rows SET outcome = 'lapsed', reason = :reason, candidates = '{}', individual_id = NULL, organization_id = NULL"
            " WHERE import_id = CAST(:id AS uuid) AND n >= :first"
        ),
        given,
    )
    work.execute(text("DELETE FROM import_refused WHERE import_id = CAST(:id AS uuid) AND n >= :first"), given)
    work.execute(
        text(
            "UPDATE imports SET counts = coalesce((SELECT json_object_agg(outcome, many) FROM (SELECT outcome, count(*) AS many"
            " FROM import_rows WHERE import_id = CAST(:id AS uuid) GROUP BY 1) AS t), '{}') WHERE id = CAST(:id AS uuid)"
        ),
        given,
    )


def drop(work: UnitOfWork, import_id: str) -> None:
    """Forget what a check said of each row, and kept of some."""
    refused.drop(work, import_id)
    work.execute(
        text(
            "WITH gone AS (DELETE FROM import_rows WHERE import_id = CAST(:id AS uuid)) UPDATE imports SET counts = '{}' WHERE id = CAST(:id AS uuid)"
        ),
        {"id": import_id},
    )


def written(rows: Sequence[RowOutcome]) -> str:
    """Return rows as `put` sends them."""
    return as_json(rows)


def put(work: UnitOfWork, import_id: str, written: str, *, first: int, last: int) -> dict[str, int]:
    """Say what becomes, or became, of the rows from `first` to `last`; return how many of each outcome it said before."""
    before = {row.outcome: row.many for row in work.execute(_DROP_SOME, {"id": import_id, "first": first, "last": last})}
    work.execute(_PUT, {"id": import_id, "rows": written})
    return before


def find_many(work: UnitOfWork, import_id: str, *, outcomes: Sequence[str], after: int, limit: int, to_mend: bool = False) -> list[RowOutcome]:
    """Return what became of rows, of all or of these outcomes, `to_mend` of those too of which a cell was refused, from behind a position on."""
    statement = select(*_FOUND).where(import_rows.c.import_id == import_id, import_rows.c.n > after)
    if outcomes:
        chosen = import_rows.c.outcome.in_(outcomes)
        statement = statement.where(or_(chosen, import_rows.c.refused.is_not(None)) if to_mend else chosen)
    return all_typed(RowOutcome, work.execute(statement.order_by(import_rows.c.n).limit(limit)).mappings())


def find(work: UnitOfWork, import_id: str, n: int) -> RowOutcome | None:
    """Return what became of one row."""
    statement = select(*_FOUND).where(import_rows.c.import_id == import_id, import_rows.c.n == n)
    return typed_or_none(RowOutcome, work.execute(statement).mappings().one_or_none())


def leave_refused(work: UnitOfWork, import_id: str, n: int, left: Sequence[RefusedCell]) -> None:
    """Say what of a row is still not taken in; where that is nothing, its cells wait for nothing."""
    row = (import_rows.c.import_id == import_id) & (import_rows.c.n == n)
    work.execute(update_of(import_rows).where(row).values(refused=left or null()))
    if not left:
        refused.drop(work, import_id, [n])


def settle(work: UnitOfWork, import_id: str, rows: Sequence[RowOutcome]) -> None:
    """Say what became of rows that were to be decided."""
    work.execute(_SETTLE, {"id": import_id, "rows": as_json(rows)})


def lapse(work: UnitOfWork, import_id: str, reason: str, numbers: Iterable[int] | None = None) -> int:
    """Leave rows out that were to be decided, all of them or these, and count them so; return how many there were."""
    chosen = "" if numbers is None else " AND n = ANY(CAST(:numbers AS integer[]))"
    many = work.execute(
        text(
            "UPDATE import_rows SET outcome = 'lapsed', reason = :reason, candidates = '{}', individual_id = NULL"  # noqa: S608 - one of two words of ours
            f" WHERE import_id = CAST(:id AS uuid) AND outcome = 'undecided'{chosen}"
        ),
        {"id": import_id, "reason": reason, **({} if numbers is None else {"numbers": array(map(str, numbers))})},
    ).rowcount
    if many:
        counted = work.execute(text("SELECT counts FROM imports WHERE id = CAST(:id AS uuid) FOR UPDATE"), {"id": import_id}).scalar_one()
        counts = recounted(counted, {"undecided": -many, "lapsed": many})
        work.execute(
            text("UPDATE imports SET counts = CAST(:counts AS json) WHERE id = CAST(:id AS uuid)"),
            {"id": import_id, "counts": orjson.dumps(counts).decode()},
        )
    return many


def recounted(counts: Mapping[str, int], changes: Mapping[str, int]) -> dict[str, int]:
    """Return counts with these changes in them; what comes to nothing is left out."""
    made = {outcome: counts.get(outcome, 0) + changes.get(outcome, 0) for outcome in sorted({*counts, *changes})}
    return {outcome: many for outcome, many in made.items() if many}
