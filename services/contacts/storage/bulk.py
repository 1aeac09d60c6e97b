"""Insert many rows in one statement. The driver's own way sends one message for each row and waits for each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import text

from services.chassis.database import UnitOfWork

# Text SQL: the row source is a JSON parameter with a column list, which Core cannot name.


def insert_rows(work: UnitOfWork, table: str, types: Mapping[str, str], rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows into a table: its columns with their types. A column that a row leaves out is null."""
    if not rows:
        return
    work.execute(text(insert_from(table, types, "rows")), {"rows": as_json([{name: row.get(name) for name in types} for row in rows])})


def insert_from(table: str, types: Mapping[str, str], parameter: str) -> str:
    """Return the SQL that inserts the rows of a parameter that `as_json` made: columns with their types."""
    columns = ", ".join(types)
    return f"INSERT INTO {table} ({columns}) SELECT {columns} FROM {records(parameter, types)}"  # noqa: S608 - names of our own lists


def records(parameter: str, types: Mapping[str, str]) -> str:
    """Return the SQL of a row source `t` over a parameter that `as_json` made."""
    return f"json_to_recordset(CAST(:{parameter} AS json)) AS t ({', '.join(f'{name} {kind}' for name, kind in types.items())})"


def as_json(rows: Sequence[object]) -> str:
    """Write rows, each a mapping or a dataclass, as one JSON text; bytes as PostgreSQL writes them."""
    return orjson.dumps(rows, default=_bytes).decode()


def texts(parameter: str) -> str:
    """Return the SQL of a text array over a parameter that is a JSON list, which is faster than the driver's list."""
    return f"ARRAY(SELECT json_array_elements_text(CAST(:{parameter} AS json)))"


def as_list(values: Iterable[str | None]) -> str:
    """Write texts as a JSON list."""
    return orjson.dumps(list(values)).decode()


def array(values: Iterable[str]) -> str:
    """Write ids, codes or other plain words as an array, faster than the driver writes a list. Nothing is escaped."""
    return f"{{{','.join(values)}}}"


def array_of_bytes(values: Iterable[bytes]) -> str:
    """Write digests as an array."""
    return array(f'"\\\\x{value.hex()}"' for value in values)


def _bytes(value: Any) -> Any:
    if isinstance(value, bytes):
        return f"\\x{value.hex()}"
    raise TypeError
