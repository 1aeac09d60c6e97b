"""Pagination cursors: opaque, encrypted, and bound to one service, list, query and user.

They are encrypted and not only signed, because a position may be a person's name, and URLs end up in browser histories
and logs.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from services.chassis.keyed import keys_for
from services.chassis.messages import wire_value
from services.chassis.refusals import CursorInvalid

_NONCE = 12
#: Parameters that do not change which items a list has.
_PAGING = frozenset({"cursor", "limit", "facets"})


class Cursors:
    """Encrypts the cursors of one service under the current key, and decrypts those under any accepted key."""

    def __init__(self, setting: str, service: str) -> None:
        """Derive the service's keys from the setting; the first is the current one."""
        self._ciphers = [AESGCM(key) for key in keys_for(setting, f"{service} cursors")]

    def seal(self, position: object, *, of: str, user_id: str, query: Mapping[str, object]) -> str:
        """Return a cursor for a position, which may be any JSON value, in the list named `of`."""
        nonce = os.urandom(_NONCE)
        sealed = self._ciphers[0].encrypt(nonce, orjson.dumps(position, default=wire_value), _bound(of, user_id, query))
        return base64.urlsafe_b64encode(nonce + sealed).decode().rstrip("=")

    def open(self, cursor: str | None, *, of: str, user_id: str, query: Mapping[str, object]) -> Any:
        """Return a cursor's position, or None without a cursor.

        :raises CursorInvalid: it was altered, or made for another user, list or query.
        """
        if not cursor:
            return None
        bound = _bound(of, user_id, query)
        with suppress(ValueError):
            raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
            for cipher in self._ciphers:
                with suppress(InvalidTag):
                    return orjson.loads(cipher.decrypt(raw[:_NONCE], raw[_NONCE:], bound))
        raise CursorInvalid(errors={"cursor": ["Begin again without it."]})


def _bound(of: str, user_id: str, query: Mapping[str, object]) -> bytes:
    asked = {name: value for name, value in query.items() if name not in _PAGING}
    return orjson.dumps([of, user_id, asked], option=orjson.OPT_SORT_KEYS, default=wire_value)
