"""People whom an undo took away while a hold stands on them: a copy under each person's own key. All of it as the eraser."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sqlalchemy import text

from services.chassis.database import UnitOfWork
from services.contacts.storage import dictionary
from services.contacts.storage.bulk import array, array_of_bytes

# Text SQL: table names come from the data dictionary, and rows are copied as JSON.

#: What compares people with others says nothing of a person.
_COMPARES = {"match_queue", "match_digests", "likenesses", "merge_proposals", "directory"}
_COPIED = tuple((table.name, table.linked[0]) for table in dictionary.LINKED if table.name not in _COMPARES)


def rows_of(work: UnitOfWork, individual_ids: Sequence[str]) -> dict[str, dict[str, list[object]]]:
    """Return every row of these people's own, by person and table."""
    found: dict[str, dict[str, list[object]]] = {each: {} for each in individual_ids}
    for store, column in _COPIED:
        statement = text(
            f"SELECT {column}::text AS whose, to_jsonb(t) AS row FROM {store} t"  # noqa: S608 - names of our own list
            f" WHERE {column} = ANY(CAST(:ids AS uuid[]))"
        )
        for row in work.execute(statement, {"ids": array(individual_ids)}):
            found[row.whose].setdefault(store, []).append(row.row)
    return found


def keep(work: UnitOfWork, copies: Mapping[str, bytes], *, import_id: str, now: datetime) -> None:
    """Keep these people's copies, encrypted under their own keys."""
    work.execute(
        text(
            "INSERT INTO set_aside (individual_id, import_id, at, ciphertext)"
            " SELECT i, CAST(:import AS uuid), :now, c FROM unnest(CAST(:ids AS uuid[]), CAST(:copies AS bytea[])) AS t (i, c)"
        ),
        {"ids": array(copies), "copies": array_of_bytes(copies.values()), "import": import_id, "now": now},
    )


def find(work: UnitOfWork, individual_id: str) -> bytes | None:
    """Return one person's copy, or None."""
    kept = work.execute(text("SELECT ciphertext FROM set_aside WHERE individual_id = CAST(:id AS uuid)"), {"id": individual_id}).scalar_one_or_none()
    return bytes(kept) if kept is not None else None


def everybody(work: UnitOfWork) -> list[str]:
    """Return who is set aside."""
    return [str(each) for each in work.execute(text("SELECT individual_id FROM set_aside ORDER BY individual_id")).scalars()]


def drop(work: UnitOfWork, individual_ids: Collection[str]) -> None:
    """Delete these people's copies."""
    work.execute(text("DELETE FROM set_aside WHERE individual_id = ANY(CAST(:ids AS uuid[]))"), {"ids": array(individual_ids)})
