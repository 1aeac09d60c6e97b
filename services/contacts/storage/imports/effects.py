"""What an import did, in the order in which it was done, for undoing it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import orjson
from sqlalchemy import func, select, text

from services.chassis.database import UnitOfWork
from services.contacts.domain.imports.states import NewEffect
from services.contacts.storage.bulk import array, as_list
from services.contacts.storage.tables.imports import import_effects

# Text SQL: a block's rows go in one statement.

# Text where many rows go as one array or one list of JSON.


def add(work: UnitOfWork, import_id: str, effects: Sequence[NewEffect]) -> None:
    """Keep what was done, for undoing, in the order in which it was done."""
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


def count(work: UnitOfWork, import_id: str) -> int:
    """Count what is left to undo."""
    return int(work.execute(select(func.count()).select_from(import_effects).where(import_effects.c.import_id == import_id)).scalar_one())


def drop(work: UnitOfWork, import_id: str, numbers: Iterable[int]) -> None:
    """Forget effects that were undone."""
    work.execute(
        text("DELETE FROM import_effects WHERE import_id = CAST(:id AS uuid) AND n = ANY(CAST(:ns AS bigint[]))"),
        {"id": import_id, "ns": list(numbers)},
    )
