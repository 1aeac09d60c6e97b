"""Cursors over the trail: a position, authenticated, and bound to the user and the query."""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import orjson

from services.audit.contract import CursorInvalid
from services.chassis.keyed import keys_for
from services.chassis.messages import wire_value

_TAG = 16
#: A place in the trail, a day, or an id.
_POSITION = 16


def seal_cursor(position: int, *, key: str, user_id: str, query: Mapping[str, Any]) -> str:
    """Return the cursor that goes on below `position`."""
    content = position.to_bytes(_POSITION, "big")
    return base64.urlsafe_b64encode(content + _tag(content, _keys(key)[0], user_id, query)).decode().rstrip("=")


def open_cursor(cursor: str, *, key: str, user_id: str, query: Mapping[str, Any]) -> int:
    """Return the position.

    :raises CursorInvalid: it is another user's, another query's, or nobody's.
    """
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise CursorInvalid from error
    content, tag = raw[:_POSITION], raw[_POSITION:]
    if len(content) != _POSITION or not any(hmac.compare_digest(tag, _tag(content, each, user_id, query)) for each in _keys(key)):
        raise CursorInvalid
    return int.from_bytes(content, "big")


def _keys(setting: str) -> tuple[bytes, ...]:
    return keys_for(setting, "audit cursors")


def _tag(content: bytes, key: bytes, user_id: str, query: Mapping[str, Any]) -> bytes:
    asked = {name: value for name, value in query.items() if name not in {"cursor", "limit"}}
    bound = orjson.dumps(["audit cursor", user_id, asked], option=orjson.OPT_SORT_KEYS, default=wire_value)
    return hmac.digest(key, content + bound, sha256)[:_TAG]
