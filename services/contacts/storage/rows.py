"""Rows as plain values: ids as text, instants as the wire has them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import Column, Tuple, literal, tuple_

from services.chassis.messages import wire_value

T = TypeVar("T")

#: How an instant inside a JSON aggregate is written, as `wire_value` writes it.
INSTANT = "to_char({} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')"


def plain(row: Mapping[Any, Any]) -> dict[str, Any]:
    """Return the row with its ids as text."""
    return {str(name): _plain(value) for name, value in row.items()}


def plains(rows: Iterable[Mapping[Any, Any]]) -> list[dict[str, Any]]:
    """Return the rows with their ids as text."""
    return [plain(row) for row in rows]


def typed(kind: type[T], row: Mapping[Any, Any]) -> T:
    """Return the row as a dataclass whose fields are its columns."""
    return kind(**plain(row))


def typed_or_none(kind: type[T], row: Mapping[Any, Any] | None) -> T | None:
    """Return the row as a dataclass, or None where there is none."""
    return None if row is None else typed(kind, row)


def all_typed(kind: type[T], rows: Iterable[Mapping[Any, Any]]) -> list[T]:
    """Return the rows as dataclasses."""
    return [typed(kind, row) for row in rows]


def position(columns: Sequence[Column[Any]], values: Sequence[Any]) -> Tuple:
    """Return the position of these values among rows that are ordered by these columns; instants may come as they were written."""
    return tuple_(*(literal(value, column.type) for column, value in zip(columns, values, strict=True)))


def instant(value: datetime | None) -> str | None:
    """Return an instant as it goes over the wire."""
    return None if value is None else str(wire_value(value))


def _plain(value: Any) -> Any:
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value
