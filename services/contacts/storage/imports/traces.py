"""Erasing a person from what imports keep. All of it as the eraser."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import text

from services.chassis.database import UnitOfWork
from services.contacts.storage.bulk import array

# Text SQL: names inside JSON columns are replaced by the database.


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
