"""Many rows in one statement: the driver's own way sends one message for each and waits for each in the event loop."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import text

from services.chassis.database import UnitOfWork


def insert_rows(work: UnitOfWork, table: str, types: Mapping[str, str], rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows into a table: its columns with their types, none of which is an array; what is missing is null."""
    if not rows:
        return
    columns = ", ".join(types)
    arrays = ", ".join(f"CAST(:{name} AS {kind}[])" for name, kind in types.items())
    work.execute(
        text(f"INSERT INTO {table} ({columns}) SELECT {columns} FROM unnest({arrays}) AS t ({columns})"),  # noqa: S608 - names of our own lists
        {name: [row.get(name) for row in rows] for name in types},
    )
