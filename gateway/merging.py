"""Lists that several services answer together: each answers its first items after a position, and the gateway merges them.

Each item of a part has its `position`. The gateway removes it before a client reads the item.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NotRequired, TypedDict, TypeVar, cast
from uuid import UUID

import orjson
from marshmallow import ValidationError

from gateway.endpoints import Parameters
from services.chassis import answers
from services.chassis.answers import AtLeast, Part
from services.chassis.instants import Instant
from services.chassis.refusals import CursorInvalid

Item = TypeVar("Item")
Fields = TypeVar("Fields", bound=Mapping[str, object])


class Page(answers.Page[Item]):
    """A page of the merged list; it has a warning while a service does not answer."""

    warning: NotRequired[str]


class Positioned(TypedDict):
    """An item whose position is an instant and an id."""

    position: list[str]


def encode_position(position: Iterable[str]) -> str:
    """Return a position as a cursor.

    It is not signed: it names no more than where the caller's own list continues.
    """
    return base64.urlsafe_b64encode(orjson.dumps(list(position))).decode()


def decode_position(cursor: str, parts: int) -> list[str]:
    """Return the position of a cursor, as this number of texts.

    :raises CursorInvalid: the gateway did not make it.
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

    :raises CursorInvalid: the gateway did not make it.
    """
    at, own_id = decode_position(cursor, 2)
    try:
        return [Instant().deserialize(at).isoformat(), str(UUID(own_id))]
    except (ValueError, ValidationError) as error:
        raise CursorInvalid from error


def sort_key_of(item: Positioned) -> tuple[datetime, str]:
    """Return the key that orders items by instant, then id."""
    at, own_id = item["position"]
    return datetime.fromisoformat(at), own_id


def page_bounds(query: Parameters) -> tuple[int, str | None]:
    """Return how many items a query asks for, 50 by default, and its cursor."""
    limit, cursor = query.get("limit"), query.get("cursor")
    return int(limit) if isinstance(limit, str) and limit else 50, cursor if isinstance(cursor, str) and cursor else None


def without_position(item: Fields) -> Fields:
    """Return an item as a client reads it."""
    return cast(Fields, {name: value for name, value in item.items() if name != "position"})


def total_of(parts: Iterable[Part[Item]]) -> int | AtLeast:
    """Return the number of items in all parts, or the least number where a service stopped counting."""
    totals = [part["total"] for part in parts]
    counted = sum(total["at_least"] if isinstance(total, dict) else total for total in totals)
    return {"at_least": counted} if any(isinstance(total, dict) for total in totals) else counted
