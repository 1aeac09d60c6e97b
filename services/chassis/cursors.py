"""Cursors: where a page of a list ended. Opaque, authenticated, and bound to one service, list, query and user.

They are encrypted, not only signed. A position may be a name, even that of a frozen person, and a cursor stands in
addresses, which go into histories and logs.
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
#: What of a query does not change which items its list has.
_PAGING = frozenset({"cursor", "limit", "facets"})


class Cursors:
    """Makes the cursors of one service under the key in use, and reads those made under any accepted key."""

    def __init__(self, setting: str, service: str) -> None:
        """Derive the service's own keys from the setting's; the first is in use."""
        self._ciphers = [AESGCM(key) for key in keys_for(setting, f"{service} cursors")]

    def seal(self, position: object, *, of: str, user_id: str, query: Mapping[str, Any]) -> str:
        """Return the cursor of a position, any JSON value, in the list of this name."""
        nonce = os.urandom(_NONCE)
        sealed = self._ciphers[0].encrypt(nonce, orjson.dumps(position, default=wire_value), _bound(of, user_id, query))
        return base64.urlsafe_b64encode(nonce + sealed).decode().rstrip("=")

    def open(self, cursor: str | None, *, of: str, user_id: str, query: Mapping[str, Any]) -> Any:
        """Return the position of a cursor; None without a cursor.

        :raises CursorInvalid: it was changed, or made for another user, list or query.
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


def _bound(of: str, user_id: str, query: Mapping[str, Any]) -> bytes:
    asked = {name: value for name, value in query.items() if name not in _PAGING}
    return orjson.dumps([of, user_id, asked], option=orjson.OPT_SORT_KEYS, default=wire_value)
