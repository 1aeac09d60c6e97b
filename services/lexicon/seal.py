"""The seal on an erased person's former values: contacts puts it on, and every service opens it, for the time of the erasure."""

import base64
import os

import orjson
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from services.lexicon.mentions import FormerValues

_NONCE = 12


def seal(values: FormerValues, key: bytes, *, erasure_id: str) -> str:
    """Seal former values under an erasure's one-time key (AES-256-GCM, bound to the erasure); base64."""
    nonce = os.urandom(_NONCE)
    return base64.b64encode(nonce + AESGCM(key).encrypt(nonce, orjson.dumps(values.to_wire()), erasure_id.encode())).decode()


def open_seal(sealed: str, key: str | bytes, *, erasure_id: str) -> FormerValues:
    """Open a seal; the key is 32 bytes, or base64 of them.

    :raises InvalidTag: another key, another erasure, or a changed byte.
    """
    raw = base64.b64decode(sealed)
    secret = base64.b64decode(key) if isinstance(key, str) else key
    return FormerValues.from_wire(orjson.loads(AESGCM(secret).decrypt(raw[:_NONCE], raw[_NONCE:], erasure_id.encode())))
