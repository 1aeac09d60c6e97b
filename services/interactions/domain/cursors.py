"""Cursors: where a page ended, readable by us alone and good for one user and one query."""

from __future__ import annotations

import base64
import binascii
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.contacts.contract.refusals import CursorInvalid

_TAG = 16
#: What of a query is not part of what it asks for.
_PAGING = frozenset({"cursor", "limit"})


@dataclass(frozen=True, slots=True)
class Cursors:
    """Seals positions of a keyset with a key, the user and the query."""

    #: The one in use first; the others are accepted.
    keys: tuple[bytes, ...]

    def seal(self, position: list[str], *, user: str, query: Mapping[str, Any]) -> str:
        """Return the cursor of a position."""
        body = json.dumps(position, separators=(",", ":")).encode()
        return base64.urlsafe_b64encode(_tag(self.keys[0], body, user, query) + body).decode().rstrip("=")

    def open(self, cursor: str, *, user: str, query: Mapping[str, Any]) -> list[str]:
        """Return the position of a cursor.

        :raises CursorInvalid: it was changed, or made for another user or query.
        """
        try:
            sealed = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        except (binascii.Error, ValueError):
            raise CursorInvalid from None
        tag, body = sealed[:_TAG], sealed[_TAG:]
        if not any(hmac.compare_digest(tag, _tag(key, body, user, query)) for key in self.keys):
            raise CursorInvalid
        position: list[str] = json.loads(body)
        return position


def _tag(key: bytes, body: bytes, user: str, query: Mapping[str, Any]) -> bytes:
    asked = {name: value for name, value in query.items() if name not in _PAGING}
    bound = json.dumps([user, asked], sort_keys=True, default=str).encode()
    return hmac.digest(key, len(bound).to_bytes(8, "big") + bound + body, "sha256")[:_TAG]
