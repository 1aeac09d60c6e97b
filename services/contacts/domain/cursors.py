"""Cursors: where a list goes on; opaque, authenticated, and bound to the user and the query."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from services.chassis.messages import wire_value
from services.contacts.contract.refusals import CursorInvalid

_NONCE = 12
_NOT_OF_THE_QUERY = frozenset({"cursor", "limit", "facets"})


class Cursors:
    """Seals cursors under a secret, and opens those of others too."""

    def __init__(self, *secrets: bytes) -> None:
        """Derive the keys of this service's cursors; the first is in use."""
        self._ciphers = [AESGCM(hashlib.blake2b(secret, digest_size=32, person=b"contacts cursor").digest()) for secret in secrets]

    def seal(self, position: Mapping[str, Any], *, user_id: str, query: Mapping[str, Any]) -> str:
        """Return the cursor that goes on behind this position."""
        nonce = os.urandom(_NONCE)
        sealed = self._ciphers[0].encrypt(nonce, orjson.dumps(position, default=wire_value), _bound(user_id, query))
        return base64.urlsafe_b64encode(nonce + sealed).decode().rstrip("=")

    def open(self, cursor: str, *, user_id: str, query: Mapping[str, Any]) -> dict[str, Any]:
        """Return the position.

        :raises CursorInvalid: it is another user's, another query's, or nobody's.
        """
        try:
            raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
            position = orjson.loads(self._opened(raw, _bound(user_id, query)))
        except (ValueError, InvalidTag) as error:
            raise CursorInvalid from error
        if not isinstance(position, dict):
            raise CursorInvalid
        return position

    def _opened(self, raw: bytes, bound: bytes) -> bytes:
        for cipher in self._ciphers:
            with suppress(InvalidTag):
                return cipher.decrypt(raw[:_NONCE], raw[_NONCE:], bound)
        raise InvalidTag


def _bound(user_id: str, query: Mapping[str, Any]) -> bytes:
    asked = {name: value for name, value in query.items() if name not in _NOT_OF_THE_QUERY}
    return orjson.dumps([user_id, asked], option=orjson.OPT_SORT_KEYS, default=wire_value)
