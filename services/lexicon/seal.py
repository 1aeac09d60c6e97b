"""Opening the seal that contacts puts on an erased person's former values, for the time of the erasure."""

import base64
import json
from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE = 12


def open_seal(sealed: str, key: str | bytes, *, erasure_id: str) -> dict[str, list[str]]:
    """Return `names`, `phones`, `emails` and `addresses`, as contacts sealed them.

    The seal is base64 of a nonce and AES-256-GCM over JSON, bound to the erasure's id; the key is 32 bytes, or base64 of them.

    :raises InvalidTag: another key, another erasure, or a changed byte.
    """
    raw = base64.b64decode(sealed)
    secret = base64.b64decode(key) if isinstance(key, str) else key
    values = json.loads(AESGCM(secret).decrypt(raw[:_NONCE], raw[_NONCE:], erasure_id.encode()))
    return {
        "names": [*_texts(values, "names"), *_whole_name(values)],
        "phones": _texts(values, "phones"),
        "emails": _texts(values, "emails"),
        "addresses": _texts(values, "addresses"),
    }


def _texts(values: Mapping[str, Any], name: str) -> list[str]:
    return [str(value) for value in values.get(name) or ()]


def _whole_name(values: Mapping[str, Any]) -> list[str]:
    # "Last, First" is read without guessing where a name of several words parts.
    first, last = str(values.get("first_name") or ""), str(values.get("last_name") or "")
    return [f"{last}, {first}" if first else last] if last else []
