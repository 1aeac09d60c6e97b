"""Cursors: opaque, authenticated, and bound to one user and one query."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

from services.chassis.keyed import keys_for

_MAC = 16


def write_cursor(key: str, *, user_id: str, query: str, position: list[str]) -> str:
    """Return a cursor for the page after `position`."""
    body = json.dumps(position, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(_mac(_keys(key)[0], user_id, query, body) + body).decode().rstrip("=")


def read_cursor(key: str, cursor: str, *, user_id: str, query: str) -> list[Any] | None:
    """Return the position, or None for a cursor that was not made for this user and query."""
    try:
        raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    except ValueError:
        return None
    mac, body = raw[:_MAC], raw[_MAC:]
    if not any(hmac.compare_digest(mac, _mac(each, user_id, query, body)) for each in _keys(key)):
        return None
    position: list[Any] = json.loads(body)
    return position


def _keys(setting: str) -> tuple[bytes, ...]:
    return keys_for(setting, "retention cursors")


def _mac(key: bytes, user_id: str, query: str, body: bytes) -> bytes:
    text = b"\x00".join((b"liaison retention cursor", user_id.encode(), query.encode(), body))
    return hmac.new(key, text, hashlib.sha256).digest()[:_MAC]
