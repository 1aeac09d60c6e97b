"""Convert database rows to plain values and dataclasses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import Table

T = TypeVar("T")


def plain(row: Mapping[Any, Any]) -> dict[str, Any]:
    """Return the row with UUIDs as strings."""
    return {str(name): _plain(value) for name, value in row.items()}


def plains(rows: Iterable[Mapping[Any, Any]]) -> list[dict[str, Any]]:
    """Return the rows with UUIDs as strings."""
    return [plain(row) for row in rows]


def typed(kind: type[T], row: Mapping[Any, Any]) -> T:
    """Return the row as a dataclass with a field for each column."""
    return kind(**plain(row))


def typed_or_none(kind: type[T], row: Mapping[Any, Any] | None) -> T | None:
    """Return the row as a dataclass, or None for no row."""
    return None if row is None else typed(kind, row)


def all_typed(kind: type[T], rows: Iterable[Mapping[Any, Any]]) -> list[T]:
    """Return the rows as dataclasses."""
    return [typed(kind, row) for row in rows]


def columns_of(row: object, table: Table) -> dict[str, Any]:
    """Return the values of a table's columns, which a dataclass has as fields."""
    return {name: getattr(row, name) for name in table.columns.keys()}  # noqa: SIM118 - it iterates over columns, not over names


def _plain(value: Any) -> Any:
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value
