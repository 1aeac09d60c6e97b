"""What becomes, or became, of each row of an import."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import text

from services.chassis.database import UnitOfWork
from services.chassis.database.rows import plain, plains
from services.contacts.storage.bulk import array, as_json, records
from services.contacts.storage.imports import refused

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
_OF_A_ROW = "n, sheet, number, outcome, reason, refused, individual_id, organization_id, candidates, decided"


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


def written(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return rows as `put_rows` sends them: `n`, `sheet`, `number`, `outcome`, `reason`, ids, and what of it is `refused`."""
    return as_json(rows)


def put(work: UnitOfWork, import_id: str, written: str, *, first: int, last: int) -> dict[str, int]:
    """Say what becomes, or became, of the rows from `first` to `last`; return how many of each outcome it said before."""
    before = {row.outcome: row.many for row in work.execute(_DROP_SOME, {"id": import_id, "first": first, "last": last})}
    work.execute(_PUT, {"id": import_id, "rows": written})
    return before


def find_many(work: UnitOfWork, import_id: str, *, outcomes: Sequence[str], after: int, limit: int, to_mend: bool = False) -> list[dict[str, Any]]:
    """Return what became of rows, of all or of these outcomes, `to_mend` of those too of which a cell was refused, from behind a position on."""
    also = " OR refused IS NOT NULL" if to_mend else ""
    chosen = f"AND (outcome = ANY(CAST(:outcomes AS text[])){also})" if outcomes else ""
    found = work.execute(
        text(
            f"SELECT {_OF_A_ROW} FROM import_rows"  # noqa: S608 - names of our own list
            f" WHERE import_id = CAST(:id AS uuid) AND n > :after {chosen} ORDER BY n LIMIT :limit"
        ),
        {"id": import_id, "after": after, "limit": limit, **({"outcomes": array(outcomes)} if outcomes else {})},
    )
    return plains(found.mappings())


def find(work: UnitOfWork, import_id: str, n: int) -> dict[str, Any] | None:
    """Return what became of one row."""
    found = work.execute(
        text(f"SELECT {_OF_A_ROW} FROM import_rows WHERE import_id = CAST(:id AS uuid) AND n = :n"),  # noqa: S608 - names of our own list
        {"id": import_id, "n": n},
    )
    one = found.mappings().one_or_none()
    return plain(one) if one else None


def leave_refused(work: UnitOfWork, import_id: str, n: int, left: Sequence[Mapping[str, str]]) -> None:
    """Say what of a row is still not taken in; where that is nothing, its cells wait for nothing."""
    work.execute(
        text("UPDATE import_rows SET refused = CAST(:left AS json) WHERE import_id = CAST(:id AS uuid) AND n = :n"),
        {"id": import_id, "n": n, "left": orjson.dumps(list(left)).decode() if left else None},
    )
    if not left:
        refused.drop(work, import_id, [n])


def settle(work: UnitOfWork, import_id: str, rows: Sequence[Mapping[str, Any]]) -> int:
    """Say what became of rows that were to be decided: as `rows_written`, and `decided`; return how many there were."""
    return work.execute(_SETTLE, {"id": import_id, "rows": as_json(rows)}).rowcount


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
