"""Rows as plain values: ids as text, instants as the wire has them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from services.chassis.messages import wire_value

#: How an instant inside a JSON aggregate is written, as `wire_value` writes it.
INSTANT = "to_char({} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')"


def plain(row: Mapping[Any, Any]) -> dict[str, Any]:
    """Return the row with its ids as text."""
    return {str(name): _plain(value) for name, value in row.items()}


def plains(rows: Iterable[Mapping[Any, Any]]) -> list[dict[str, Any]]:
    """Return the rows with their ids as text."""
    return [plain(row) for row in rows]


def instant(value: datetime | None) -> str | None:
    """Return an instant as it goes over the wire."""
    return None if value is None else str(wire_value(value))


def _plain(value: Any) -> Any:
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value
