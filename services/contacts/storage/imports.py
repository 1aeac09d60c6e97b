"""Imports: their state, the staged file, what became of each row, and what to undo.

Whatever a file says is encrypted under the import's own key, which is destroyed when the import ends (N17).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import text

from services.chassis.database import UnitOfWork
from services.chassis.database.rows import plain, plains
from services.contacts.domain.imports.tables import BLOCK as BLOCK  # noqa: PLC0414 - storage is asked block by block
from services.contacts.storage.bulk import array, as_json, as_list, records

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
_PUT_ROWS = text(
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
_JSON = frozenset({"refused_columns", "issues", "acting", "counts", "deciding"})


def insert(work: UnitOfWork, values: Mapping[str, Any]) -> None:
    """Begin an import: `id`, `owner_id`, `component`, `filename`, `state`, `size`, `now`."""
    work.execute(
        text(
            "INSERT INTO imports (id, owner_id, component, filename, state, size, created_at, changed_at)"
            " VALUES (:id, :owner_id, :component, :filename, :state, :size, :now, :now)"
        ),
        dict(values),
    )


def find(work: UnitOfWork, import_id: str, *, lock: bool = False) -> dict[str, Any] | None:
    """Return an import's row; with `lock`, held until the end of the transaction."""
    statement = f"SELECT * FROM imports WHERE id = CAST(:id AS uuid){' FOR UPDATE' if lock else ''}"  # noqa: S608 - one of two words of ours
    row = work.execute(text(statement), {"id": import_id}).mappings().one_or_none()
    return plain(row) if row else None


def of_owner(work: UnitOfWork, owner_id: str, *, before: tuple[datetime, str] | None, limit: int) -> list[dict[str, Any]]:
    """Return a user's imports, the latest first, from behind a position on."""
    rows = work.execute(
        text(
            "SELECT * FROM imports WHERE owner_id = CAST(:owner AS uuid)"
            " AND (CAST(:at AS timestamptz) IS NULL OR (created_at, id) < (CAST(:at AS timestamptz), CAST(:id AS uuid)))"
            " ORDER BY created_at DESC, id DESC LIMIT :limit"
        ),
        {"owner": owner_id, "at": before[0] if before else None, "id": before[1] if before else None, "limit": limit},
    )
    return plains(rows.mappings())


def count_of_owner(work: UnitOfWork, owner_id: str) -> int:
    """Count a user's imports."""
    return int(work.execute(text("SELECT count(*) FROM imports WHERE owner_id = CAST(:owner AS uuid)"), {"owner": owner_id}).scalar_one())


def update(work: UnitOfWork, import_id: str, changes: Mapping[str, Any], *, now: datetime) -> None:
    """Set columns of an import; their names are this service's own."""
    sets = [f"{name} = {f'CAST(:{name} AS json)' if name in _JSON else f':{name}'}" for name in changes]
    values = {name: orjson.dumps(value).decode() if name in _JSON and value is not None else value for name, value in changes.items()}
    work.execute(
        text(f"UPDATE imports SET {', '.join([*sets, 'changed_at = :now'])} WHERE id = CAST(:id AS uuid)"),  # noqa: S608 - names of our own
        {**values, "id": import_id, "now": now},
    )


def claim(work: UnitOfWork, *, now: datetime, until: datetime, undoing: bool = False) -> dict[str, Any] | None:
    """Take the import that waits longest and that nobody works on; the lease tells others for how long.

    :param undoing: one that is taken back, and no other: neither kind of work holds up the other.
    """
    condition = "state = 'undoing'" if undoing else "(state IN ('checking', 'committing') OR deciding IS NOT NULL)"
    row = (
        work.execute(
            text(
                "UPDATE imports SET lease_until = :until WHERE id = (SELECT id FROM imports"  # noqa: S608 - one of two conditions of ours
                f" WHERE {condition} AND (lease_until IS NULL OR lease_until < :now)"
                " ORDER BY changed_at LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING *"
            ),
            {"now": now, "until": until},
        )
        .mappings()
        .one_or_none()
    )
    return plain(row) if row else None


def hold_on(work: UnitOfWork, import_id: str, *, until: datetime) -> None:
    """Hold an import longer, if it is still held."""
    work.execute(
        text("UPDATE imports SET lease_until = :until WHERE id = CAST(:id AS uuid) AND lease_until IS NOT NULL"),
        {"id": import_id, "until": until},
    )


def left_behind(work: UnitOfWork, *, before: datetime, limit: int = 20) -> list[dict[str, Any]]:
    """Return imports that nobody committed or gave up since then."""
    rows = work.execute(
        text(
            "SELECT * FROM imports WHERE (state IN ('uploading', 'uploaded', 'mapped', 'checked') OR (state = 'stopped' AND stopped = 'checking'))"
            " AND changed_at < :before"
            " ORDER BY changed_at LIMIT :limit FOR UPDATE SKIP LOCKED"
        ),
        {"before": before, "limit": limit},
    )
    return plains(rows.mappings())


def interrupted(work: UnitOfWork, *, before: datetime, limit: int = 20) -> list[dict[str, Any]]:
    """Return uploads of which nothing came since then."""
    return _waiting(work, "state = 'uploading'", before=before, limit=limit)


def left_stopped(work: UnitOfWork, *, before: datetime, limit: int = 20) -> list[dict[str, Any]]:
    """Return commits that were stopped before then; one that waits for the privacy officer is given a week more (T35)."""
    left = "state = 'stopped' AND stopped = 'committing' AND (problem_code IS NULL OR changed_at < :before - interval '7 days')"
    return _waiting(work, left, before=before, limit=limit)


def go_on(work: UnitOfWork, owner_id: str, *, why: Collection[str], now: datetime) -> list[str]:
    """Let a user's imports go on that were stopped for one of these reasons; return them."""
    rows = work.execute(
        text(
            "UPDATE imports SET state = stopped, stopped = NULL, problem_code = NULL, problem_detail = NULL, lease_until = NULL, changed_at = :now"
            " WHERE CAST(owner_id AS text) = :owner AND state = 'stopped' AND problem_code = ANY(:why) RETURNING id"
        ),
        {"owner": owner_id, "why": list(why), "now": now},
    )
    return [str(row.id) for row in rows]


def _waiting(work: UnitOfWork, condition: str, *, before: datetime, limit: int) -> list[dict[str, Any]]:
    rows = work.execute(
        text(
            f"SELECT * FROM imports WHERE {condition} AND changed_at < :before ORDER BY changed_at LIMIT :limit FOR UPDATE SKIP LOCKED"  # noqa: S608 - conditions of our own
        ),
        {"before": before, "limit": limit},
    )
    return plains(rows.mappings())


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


def add_piece(work: UnitOfWork, import_id: str, n: int, ciphertext: bytes) -> None:
    """Keep one piece of the file; the same piece again changes nothing."""
    work.execute(
        text("INSERT INTO import_pieces (import_id, n, ciphertext) VALUES (:id, :n, :ciphertext) ON CONFLICT DO NOTHING"),
        {"id": import_id, "n": n, "ciphertext": ciphertext},
    )


def pieces(work: UnitOfWork, import_id: str) -> list[tuple[int, bytes]]:
    """Return the pieces of the file in their order."""
    rows = work.execute(text("SELECT n, ciphertext FROM import_pieces WHERE import_id = CAST(:id AS uuid) ORDER BY n"), {"id": import_id})
    return [(row.n, bytes(row.ciphertext)) for row in rows]


def drop_pieces(work: UnitOfWork, import_id: str) -> None:
    """Delete the pieces of the file."""
    work.execute(text("DELETE FROM import_pieces WHERE import_id = CAST(:id AS uuid)"), {"id": import_id})


def add_blocks(work: UnitOfWork, import_id: str, blocks: Sequence[bytes]) -> None:
    """Keep the staged rows, in blocks."""
    work.execute(
        text("INSERT INTO import_blocks (import_id, n, ciphertext) VALUES (:id, :n, :ciphertext)"),
        [{"id": import_id, "n": n, "ciphertext": ciphertext} for n, ciphertext in enumerate(blocks)],
    )


def block(work: UnitOfWork, import_id: str, n: int) -> tuple[bytes, bytes | None] | None:
    """Return one block of staged rows, and what a check has kept of it."""
    row = work.execute(
        text("SELECT ciphertext, prepared FROM import_blocks WHERE import_id = CAST(:id AS uuid) AND n = :n"), {"id": import_id, "n": n}
    ).one_or_none()
    return (bytes(row.ciphertext), row.prepared and bytes(row.prepared)) if row else None


def keep_prepared(work: UnitOfWork, import_id: str, n: int, ciphertext: bytes) -> None:
    """Keep a block as a check has prepared it, for the commit."""
    work.execute(
        text("UPDATE import_blocks SET prepared = :ciphertext WHERE import_id = CAST(:id AS uuid) AND n = :n"),
        {"id": import_id, "n": n, "ciphertext": ciphertext},
    )


def with_staged(work: UnitOfWork) -> list[dict[str, Any]]:
    """As the eraser: return the imports of which rows are staged, and hold them."""
    statement = "SELECT * FROM imports i WHERE EXISTS (SELECT FROM import_blocks b WHERE b.import_id = i.id) ORDER BY id FOR UPDATE"
    return plains(work.execute(text(statement)).mappings())


def block_numbers(work: UnitOfWork, import_id: str) -> list[int]:
    """Return the numbers of the blocks that are staged."""
    statement = text("SELECT n FROM import_blocks WHERE import_id = CAST(:id AS uuid) ORDER BY n")
    return list(work.execute(statement, {"id": import_id}).scalars())


def replace_block(work: UnitOfWork, import_id: str, n: int, ciphertext: bytes) -> None:
    """As the eraser: put other rows in the place of a block's; what a check has kept of it is dropped."""
    work.execute(
        text("UPDATE import_blocks SET ciphertext = :ciphertext, prepared = NULL WHERE import_id = CAST(:id AS uuid) AND n = :n"),
        {"id": import_id, "n": n, "ciphertext": ciphertext},
    )


def drop_staged(work: UnitOfWork, import_id: str) -> None:
    """Delete what is staged of a file."""
    drop_pieces(work, import_id)
    work.execute(text("DELETE FROM import_blocks WHERE import_id = CAST(:id AS uuid)"), {"id": import_id})


def drop_rows(work: UnitOfWork, import_id: str) -> None:
    """Forget what a check said of each row, and kept of some."""
    drop_refused(work, import_id)
    work.execute(
        text(
            "WITH gone AS (DELETE FROM import_rows WHERE import_id = CAST(:id AS uuid)) UPDATE imports SET counts = '{}' WHERE id = CAST(:id AS uuid)"
        ),
        {"id": import_id},
    )


def rows_written(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return rows as `put_rows` sends them: `n`, `sheet`, `number`, `outcome`, `reason`, ids, and what of it is `refused`."""
    return as_json(rows)


def put_rows(work: UnitOfWork, import_id: str, written: str, *, first: int, last: int) -> dict[str, int]:
    """Say what becomes, or became, of the rows from `first` to `last`; return how many of each outcome it said before."""
    before = {row.outcome: row.many for row in work.execute(_DROP_SOME, {"id": import_id, "first": first, "last": last})}
    work.execute(_PUT_ROWS, {"id": import_id, "rows": written})
    return before


def rows(work: UnitOfWork, import_id: str, *, outcomes: Sequence[str], after: int, limit: int, to_mend: bool = False) -> list[dict[str, Any]]:
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


_OF_A_ROW = "n, sheet, number, outcome, reason, refused, individual_id, organization_id, candidates, decided"


def row(work: UnitOfWork, import_id: str, n: int) -> dict[str, Any] | None:
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
        drop_refused(work, import_id, [n])


def settle_rows(work: UnitOfWork, import_id: str, rows: Sequence[Mapping[str, Any]]) -> int:
    """Say what became of rows that were to be decided: as `rows_written`, and `decided`; return how many there were."""
    return work.execute(_SETTLE, {"id": import_id, "rows": as_json(rows)}).rowcount


def lapse_rows(work: UnitOfWork, import_id: str, reason: str, numbers: Iterable[int] | None = None) -> int:
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


def waiting_for_decisions(work: UnitOfWork, owner_id: str, component: str) -> list[dict[str, Any]]:
    """Return the imports of a user with rows that wait to be decided: id, and until when their cells are kept."""
    rows = work.execute(
        text(
            "SELECT id, refused_until FROM imports WHERE owner_id = CAST(:owner AS uuid) AND component = :component AND state = 'committed'"
            " AND refused_until IS NOT NULL AND (counts ->> 'undecided') IS NOT NULL ORDER BY refused_until"
        ),
        {"owner": owner_id, "component": component},
    )
    return plains(rows.mappings())


def put_refused(work: UnitOfWork, import_id: str, rows: Sequence[tuple[int, bytes]], *, first: int, last: int) -> None:
    """Keep cells of these of the rows from `first` to `last`, and of no others among them."""
    keep_refused(work, import_id, [], first=first, last=last)
    if rows:
        work.execute(_PUT_REFUSED, {"id": import_id, "rows": as_json([{"n": n, "ciphertext": ciphertext} for n, ciphertext in rows])})


_PUT_REFUSED = text(
    "INSERT INTO import_refused (import_id, n, ciphertext) SELECT CAST(:id AS uuid), n, ciphertext"  # noqa: S608 - put together from our own constants
    f" FROM {records('rows', {'n': 'integer', 'ciphertext': 'bytea'})}"
)


def keep_refused(work: UnitOfWork, import_id: str, numbers: Iterable[int], *, first: int, last: int) -> set[int]:
    """Of the rows from `first` to `last` whose cells are kept, keep these, and drop the others; return which are kept."""
    given = {"id": import_id, "numbers": array(map(str, numbers)), "first": first, "last": last}
    work.execute(
        text(
            "DELETE FROM import_refused WHERE import_id = CAST(:id AS uuid) AND n BETWEEN :first AND :last AND n <> ALL(CAST(:numbers AS integer[]))"
        ),
        given,
    )
    kept = work.execute(text("SELECT n FROM import_refused WHERE import_id = CAST(:id AS uuid) AND n BETWEEN :first AND :last"), given)
    return set(kept.scalars())


def refused_rows(work: UnitOfWork, import_id: str, numbers: Iterable[int]) -> dict[int, bytes]:
    """Return the kept cells of these rows."""
    found = work.execute(
        text("SELECT n, ciphertext FROM import_refused WHERE import_id = CAST(:id AS uuid) AND n = ANY(CAST(:numbers AS integer[]))"),
        {"id": import_id, "numbers": array(map(str, numbers))},
    )
    return {row.n: bytes(row.ciphertext) for row in found}


def add_refused(work: UnitOfWork, import_id: str, rows: Sequence[tuple[int, bytes]]) -> None:
    """Keep cells of these rows too."""
    if rows:
        work.execute(_PUT_REFUSED, {"id": import_id, "rows": as_json([{"n": n, "ciphertext": ciphertext} for n, ciphertext in rows])})


def has_refused(work: UnitOfWork, import_id: str) -> bool:
    """Say whether cells of any row are kept."""
    return bool(work.execute(text("SELECT EXISTS (SELECT FROM import_refused WHERE import_id = CAST(:id AS uuid))"), {"id": import_id}).scalar_one())


def refused_from(work: UnitOfWork, import_id: str, *, after: int, limit: int) -> list[tuple[int, bytes]]:
    """Return kept cells from behind a row on."""
    found = work.execute(
        text("SELECT n, ciphertext FROM import_refused WHERE import_id = CAST(:id AS uuid) AND n > :after ORDER BY n LIMIT :limit"),
        {"id": import_id, "after": after, "limit": limit},
    )
    return [(row.n, bytes(row.ciphertext)) for row in found]


def drop_refused(work: UnitOfWork, import_id: str, numbers: Iterable[int] | None = None) -> int:
    """Delete kept cells: of these rows, or of all; return how many rows that was."""
    chosen = "" if numbers is None else " AND n = ANY(CAST(:numbers AS integer[]))"
    return work.execute(
        text(f"DELETE FROM import_refused WHERE import_id = CAST(:id AS uuid){chosen}"),  # noqa: S608 - one of two words of ours
        {"id": import_id, **({} if numbers is None else {"numbers": array(map(str, numbers))})},
    ).rowcount


def forget_refused_columns(work: UnitOfWork, import_id: str) -> None:
    """Forget in which columns kept cells stood, and until when."""
    work.execute(text("UPDATE imports SET refused_layout = NULL, refused_until = NULL WHERE id = CAST(:id AS uuid)"), {"id": import_id})


def with_refused(work: UnitOfWork) -> list[dict[str, Any]]:
    """Return the imports of which refused rows are kept, and hold them."""
    rows = work.execute(text("SELECT id, refused_layout FROM imports WHERE refused_layout IS NOT NULL ORDER BY id FOR UPDATE"))
    return plains(rows.mappings())


def refused_due(work: UnitOfWork, *, now: datetime, limit: int = 20) -> list[str]:
    """Return imports whose refused rows were kept until now, and hold them."""
    rows = work.execute(
        text(
            "SELECT id FROM imports WHERE refused_layout IS NOT NULL AND refused_until <= :now ORDER BY refused_until"
            " LIMIT :limit FOR UPDATE SKIP LOCKED"
        ),
        {"now": now, "limit": limit},
    )
    return [str(row.id) for row in rows]


def add_effects(work: UnitOfWork, import_id: str, effects: Sequence[tuple[str, str, Any]]) -> None:
    """Keep what was done, for undoing: (kind, subject id, detail), in the order in which it was done."""
    if not effects:
        return
    work.execute(
        text(
            "INSERT INTO import_effects (import_id, kind, subject_id, detail)"
            " SELECT CAST(:id AS uuid), t.kind, t.subject, CAST(t.detail AS json)"
            " FROM ROWS FROM (unnest(CAST(:kinds AS text[])), unnest(CAST(:subjects AS uuid[])),"
            " json_array_elements_text(CAST(:details AS json))) WITH ORDINALITY AS t (kind, subject, detail, at) ORDER BY t.at"
        ),
        {
            "id": import_id,
            "kinds": array(kind for kind, _, _ in effects),
            "subjects": array(subject for _, subject, _ in effects),
            "details": as_list(None if detail is None else orjson.dumps(detail).decode() for _, _, detail in effects),
        },
    )


def count_effects(work: UnitOfWork, import_id: str) -> int:
    """Count what is left to undo."""
    return int(work.execute(text("SELECT count(*) FROM import_effects WHERE import_id = CAST(:id AS uuid)"), {"id": import_id}).scalar_one())


def drop_effects(work: UnitOfWork, import_id: str, numbers: Iterable[int]) -> None:
    """Forget effects that were undone."""
    work.execute(
        text("DELETE FROM import_effects WHERE import_id = CAST(:id AS uuid) AND n = ANY(CAST(:ns AS bigint[]))"),
        {"id": import_id, "ns": list(numbers)},
    )


def filenames(work: UnitOfWork) -> set[str]:
    """As the eraser: return every name of a file that is kept."""
    return set(work.execute(text("SELECT DISTINCT filename FROM imports")).scalars())


def rename_files(work: UnitOfWork, names: Mapping[str, str]) -> int:
    """As the eraser: keep files under other names; return how many there were."""
    given = {"names": list(names), "others": list(names.values())}
    statement = "UPDATE imports SET filename = t.other FROM unnest(CAST(:names AS text[]), CAST(:others AS text[])) AS t (name, other)"
    return work.execute(text(f"{statement} WHERE filename = t.name"), given).rowcount


def sheets(work: UnitOfWork) -> set[str]:
    """As the eraser: return every name of a sheet that is kept."""
    return set(work.execute(text("SELECT DISTINCT sheet FROM import_rows WHERE sheet IS NOT NULL")).scalars())


def clear_sheets(work: UnitOfWork, names: Sequence[str]) -> int:
    """As the eraser: forget these names of sheets; return in how many rows they stood."""
    return work.execute(text("UPDATE import_rows SET sheet = NULL WHERE sheet = ANY(CAST(:names AS text[]))"), {"names": list(names)}).rowcount


def refused_names(work: UnitOfWork) -> set[str]:
    """As the eraser: return every name of a column of which rows say that it is not taken in."""
    statement = "SELECT DISTINCT cell->>'column' FROM import_rows, json_array_elements(refused) AS cell WHERE refused IS NOT NULL"
    return set(work.execute(text(statement)).scalars())


def clear_refused_names(work: UnitOfWork, names: Sequence[str]) -> int:
    """As the eraser: call these columns no name any more; return in how many rows they stood."""
    statement = text(
        "UPDATE import_rows SET refused = (SELECT json_agg(json_build_object('column',"
        " CASE WHEN cell->>'column' = ANY(CAST(:names AS text[])) THEN 'A column' ELSE cell->>'column' END, 'reason', cell->>'reason'))"
        " FROM json_array_elements(refused) AS cell) WHERE refused IS NOT NULL AND EXISTS"
        " (SELECT FROM json_array_elements(refused) AS cell WHERE cell->>'column' = ANY(CAST(:names AS text[])))"
    )
    return work.execute(statement, {"names": list(names)}).rowcount


def refused_columns(work: UnitOfWork) -> set[str]:
    """As the eraser: return every name of a column that was refused with its whole file."""
    return set(work.execute(text("SELECT DISTINCT each->>'column' FROM imports, json_array_elements(refused_columns) AS each")).scalars())


def clear_refused_columns(work: UnitOfWork, names: Sequence[str]) -> int:
    """As the eraser: call these columns no name any more; return in how many files they stood."""
    statement = text(
        "UPDATE imports SET refused_columns = (SELECT json_agg(CASE WHEN each->>'column' = ANY(CAST(:names AS text[]))"
        " THEN CAST(CAST(each AS jsonb) || jsonb_build_object('column', 'A column') AS json) ELSE each END)"
        " FROM json_array_elements(refused_columns) AS each) WHERE EXISTS"
        " (SELECT FROM json_array_elements(refused_columns) AS each WHERE each->>'column' = ANY(CAST(:names AS text[])))"
    )
    return work.execute(statement, {"names": list(names)}).rowcount


def forget_individual(work: UnitOfWork, individual_id: str) -> dict[str, int]:
    """As the eraser: delete what imports keep about an individual; return how many rows in each store (N3)."""
    return forget_individuals(work, [individual_id])


def forget_individuals(work: UnitOfWork, individual_ids: Sequence[str]) -> dict[str, int]:
    """As the eraser: delete what imports keep about these individuals; return how many rows in each store (N3)."""
    given = {"ids": array(individual_ids)}
    work.execute(
        text(
            "UPDATE import_rows SET candidates = ARRAY(SELECT c FROM unnest(candidates) AS c WHERE c <> ALL(CAST(:ids AS uuid[])))"
            " WHERE candidates <> '{}' AND candidates && CAST(:ids AS uuid[])"
        ),
        given,
    )
    return {
        "import_effects": work.execute(text("DELETE FROM import_effects WHERE subject_id = ANY(CAST(:ids AS uuid[]))"), given).rowcount,
        "import_rows": work.execute(
            text("UPDATE import_rows SET individual_id = NULL WHERE individual_id = ANY(CAST(:ids AS uuid[]))"), given
        ).rowcount,
    }
