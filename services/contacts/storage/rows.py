"""Positions among rows, and instants in their wire form."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Tuple, literal, tuple_

from services.chassis.messages import wire_value

#: How an instant inside a JSON aggregate is written, as `wire_value` writes it.
INSTANT = "to_char({} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')"


def position(columns: Sequence[Column[Any]], values: Sequence[Any]) -> Tuple:
    """Return the position of these values among rows ordered by these columns. Instants may be in their wire form."""
    return tuple_(*(literal(value, column.type) for column, value in zip(columns, values, strict=True)))


def instant(value: datetime | None) -> str | None:
    """Return an instant in its wire form."""
    return None if value is None else str(wire_value(value))
