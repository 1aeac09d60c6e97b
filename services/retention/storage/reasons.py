"""Read and clear the reasons that people gave: the columns that the data dictionary lists as words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import Table, select, update

from services.lexicon.dictionary import APART
from services.retention.storage import dictionary
from services.retention.storage.tables import metadata

if TYPE_CHECKING:
    from services.chassis.database import UnitOfWork

COLUMNS: tuple[tuple[Table, str], ...] = tuple(
    (metadata.tables[table.name], column.name) for table in dictionary.TABLES for column in table.columns if column.erased == APART
)


@dataclass(frozen=True, slots=True)
class Reasons:
    """The reasons in one column, as (id, text)."""

    table: Table
    column: str
    texts: tuple[tuple[str, str], ...]

    @property
    def store(self) -> str:
        """Return the name of the store for receipts."""
        return f"retention.{self.table.name}.{self.column}"


def read(work: UnitOfWork) -> list[Reasons]:
    """Return the stored reasons of all cases. They are few, because completed cases keep none."""
    return [
        Reasons(
            table,
            column,
            tuple((row.id, row.text) for row in work.execute(select(table.c.id, table.c[column].label("text")).where(table.c[column].is_not(None)))),
        )
        for table, column in COLUMNS
    ]


def clear(work: UnitOfWork, reasons: Reasons, row_id: str) -> None:
    """Clear a reason."""
    work.execute(update(reasons.table).where(reasons.table.c.id == row_id).values({reasons.column: None}))
