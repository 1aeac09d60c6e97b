"""What people gave as reasons: the columns of retention that hold words, as the data dictionary says."""

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
    """What stands in one column: (id, text)."""

    table: Table
    column: str
    texts: tuple[tuple[str, str], ...]

    @property
    def store(self) -> str:
        """The store that receipts name."""
        return f"retention.{self.table.name}.{self.column}"


def read(work: UnitOfWork) -> list[Reasons]:
    """Return every reason that is kept, of whatever case; there are few, since a case that ends keeps none."""
    return [
        Reasons(
            table,
            column,
            tuple((row.id, row.text) for row in work.execute(select(table.c.id, table.c[column].label("text")).where(table.c[column].is_not(None)))),
        )
        for table, column in COLUMNS
    ]


def clear(work: UnitOfWork, reasons: Reasons, row_id: str) -> None:
    """Forget one reason."""
    work.execute(update(reasons.table).where(reasons.table.c.id == row_id).values({reasons.column: None}))
