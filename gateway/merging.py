"""Lists that several services answer together: each its own first items behind a position, and the gateway merges them.

A part of such a list is `items`, each of which says its `position`, whether there are `more`, and `total`: a number, or
`{"at_least": n}` where a service stopped counting.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from marshmallow import ValidationError

from services.chassis.instants import Instant
from services.chassis.refusals import CursorInvalid


def encode_position(position: Iterable[str]) -> str:
    """Return a cursor. It says where a list of what the caller may see goes on, and no more: whoever changes it skips items of their own."""
    return base64.urlsafe_b64encode(orjson.dumps(list(position))).decode()


def decode_position(cursor: str, parts: int) -> list[str]:
    """Return the position that a cursor says, of so many texts.

    :raises CursorInvalid: it is none of ours.
    """
    try:
        position = orjson.loads(base64.urlsafe_b64decode(cursor))
    except ValueError as error:
        raise CursorInvalid from error
    if not isinstance(position, list) or len(position) != parts or not all(isinstance(part, str) and "\x00" not in part for part in position):
        raise CursorInvalid
    return position


def decode_instant_position(cursor: str) -> list[str]:
    """Return a position that is an instant and an id.

    :raises CursorInvalid: it is none of ours.
    """
    at, own_id = decode_position(cursor, 2)
    try:
        return [Instant().deserialize(at).isoformat(), str(UUID(own_id))]
    except (ValueError, ValidationError) as error:
        raise CursorInvalid from error


def sort_key_of(item: dict[str, Any]) -> tuple[datetime, str]:
    """Return an item's position, that is an instant and an id, as it is compared."""
    at, own_id = item["position"]
    return datetime.fromisoformat(at), own_id


def without_position(item: dict[str, Any]) -> dict[str, Any]:
    """Return an item as a client reads it."""
    return {name: value for name, value in item.items() if name != "position"}


def total_of(parts: Iterable[dict[str, Any]]) -> int | dict[str, int]:
    """Return how many there are in all parts; at least so many where a service stopped counting."""
    totals = [part["total"] for part in parts]
    counted = sum(total["at_least"] if isinstance(total, dict) else total for total in totals)
    return {"at_least": counted} if any(isinstance(total, dict) for total in totals) else counted
