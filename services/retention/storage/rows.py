"""Rows of the database as records."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

from sqlalchemy import Row

T = TypeVar("T")


def typed(kind: type[T], row: Row[Any]) -> T:
    """Return a row as a record whose fields are its columns."""
    return kind(**row._mapping)  # noqa: SLF001 - its public name, underscored against clashes with columns


def typed_or_none(kind: type[T], row: Row[Any] | None) -> T | None:
    """Return a row as a record, or None where there is none."""
    return None if row is None else typed(kind, row)


def all_typed(kind: type[T], rows: Iterable[Row[Any]]) -> list[T]:
    """Return rows as records."""
    return [typed(kind, row) for row in rows]
