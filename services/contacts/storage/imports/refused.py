"""Cells of rows that were refused or wait to be decided: encrypted, and kept until a date."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import select, text, update

from services.chassis.database import UnitOfWork
from services.chassis.database.rows import all_typed
from services.contacts.domain.imports.states import Import
from services.contacts.storage.bulk import array, as_json, records
from services.contacts.storage.tables.imports import import_refused, imports

# Text SQL: a block's rows are written in one statement, and sets go as arrays.

# Text where many rows go as one array or one list of JSON.

_PUT_REFUSED = text(
    "INSERT INTO import_refused (import_id, n, ciphertext) SELECT CAST(:id AS uuid), n, ciphertext"  # noqa: S608 - put together from our own constants
    f" FROM {records('rows', {'n': 'integer', 'ciphertext': 'bytea'})}"
)

#: Imports whose refused rows are dropped in one go.
_AT_ONCE = 20


def put(work: UnitOfWork, import_id: str, rows: Sequence[tuple[int, bytes]], *, first: int, last: int) -> None:
    """Keep cells of these of the rows from `first` to `last`, and of no others among them."""
    keep(work, import_id, [], first=first, last=last)
    if rows:
        work.execute(_PUT_REFUSED, {"id": import_id, "rows": as_json([{"n": n, "ciphertext": ciphertext} for n, ciphertext in rows])})


def keep(work: UnitOfWork, import_id: str, numbers: Iterable[int], *, first: int, last: int) -> set[int]:
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


def find(work: UnitOfWork, import_id: str, numbers: Iterable[int]) -> dict[int, bytes]:
    """Return the kept cells of these rows."""
    found = work.execute(
        text("SELECT n, ciphertext FROM import_refused WHERE import_id = CAST(:id AS uuid) AND n = ANY(CAST(:numbers AS integer[]))"),
        {"id": import_id, "numbers": array(map(str, numbers))},
    )
    return {row.n: bytes(row.ciphertext) for row in found}


def add(work: UnitOfWork, import_id: str, rows: Sequence[tuple[int, bytes]]) -> None:
    """Keep cells of these rows too."""
    if rows:
        work.execute(_PUT_REFUSED, {"id": import_id, "rows": as_json([{"n": n, "ciphertext": ciphertext} for n, ciphertext in rows])})


def exists(work: UnitOfWork, import_id: str) -> bool:
    """Say whether cells of any row are kept."""
    return bool(work.execute(select(import_refused.c.n).where(import_refused.c.import_id == import_id).limit(1)).first())


def find_after(work: UnitOfWork, import_id: str, *, after: int, limit: int) -> list[tuple[int, bytes]]:
    """Return kept cells from behind a row on."""
    statement = select(import_refused.c.n, import_refused.c.ciphertext).where(import_refused.c.import_id == import_id, import_refused.c.n > after)
    return [(row.n, row.ciphertext) for row in work.execute(statement.order_by(import_refused.c.n).limit(limit))]


def drop(work: UnitOfWork, import_id: str, numbers: Iterable[int] | None = None) -> int:
    """Delete kept cells: of these rows, or of all; return how many rows that was."""
    chosen = "" if numbers is None else " AND n = ANY(CAST(:numbers AS integer[]))"
    return work.execute(
        text(f"DELETE FROM import_refused WHERE import_id = CAST(:id AS uuid){chosen}"),  # noqa: S608 - one of two words of ours
        {"id": import_id, **({} if numbers is None else {"numbers": array(map(str, numbers))})},
    ).rowcount


def forget_columns(work: UnitOfWork, import_id: str) -> None:
    """Forget in which columns kept cells stood, and until when."""
    work.execute(update(imports).where(imports.c.id == import_id).values(refused_layout=None, refused_until=None))


def imports_with_cells(work: UnitOfWork) -> list[Import]:
    """Return the imports of which refused rows are kept, and hold them."""
    statement = select(imports).where(imports.c.refused_layout.is_not(None)).order_by(imports.c.id).with_for_update()
    return all_typed(Import, work.execute(statement).mappings())


def imports_due(work: UnitOfWork, *, now: datetime) -> list[str]:
    """Return imports whose refused rows were kept until now, and hold them."""
    due = select(imports.c.id).where(imports.c.refused_layout.is_not(None), imports.c.refused_until <= now)
    return list(work.execute(due.order_by(imports.c.refused_until).limit(_AT_ONCE).with_for_update(skip_locked=True)).scalars())
