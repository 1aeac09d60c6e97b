"""Encrypt an erased person's former values for transport to the services, for the time of the erasure."""

import base64
import os

import msgspec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from services.lexicon.mentions import FormerValues

_NONCE = 12


def seal(values: FormerValues, key: bytes, *, erasure_id: str) -> str:
    """Encrypt former values under an erasure's one-time key (AES-256-GCM, bound to the erasure's id); return base64."""
    nonce = os.urandom(_NONCE)
    return base64.b64encode(nonce + AESGCM(key).encrypt(nonce, msgspec.json.encode(values), erasure_id.encode())).decode()


def open_seal(sealed: str, key: str | bytes, *, erasure_id: str) -> FormerValues:
    """Decrypt former values.

    :param key: 32 bytes, or their base64.
    :raises InvalidTag: the key or erasure id is wrong, or the data was altered.
    """
    raw = base64.b64decode(sealed)
    secret = base64.b64decode(key) if isinstance(key, str) else key
    return msgspec.json.decode(AESGCM(secret).decrypt(raw[:_NONCE], raw[_NONCE:], erasure_id.encode()), type=FormerValues)
