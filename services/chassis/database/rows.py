"""Convert database rows to dataclasses, and back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from sqlalchemy import Table

T = TypeVar("T")


def typed(kind: type[T], row: Mapping[Any, Any]) -> T:
    """Return the row as a dataclass with a field for each column."""
    return kind(**row)


def typed_or_none(kind: type[T], row: Mapping[Any, Any] | None) -> T | None:
    """Return the row as a dataclass, or None for no row."""
    return None if row is None else typed(kind, row)


def all_typed(kind: type[T], rows: Iterable[Mapping[Any, Any]]) -> list[T]:
    """Return the rows as dataclasses."""
    return [typed(kind, row) for row in rows]


def columns_of(row: object, table: Table) -> dict[str, Any]:
    """Return the values of a table's columns, which a dataclass has as fields."""
    return {name: getattr(row, name) for name in table.columns.keys()}  # noqa: SIM118 - it iterates over columns, not over names
