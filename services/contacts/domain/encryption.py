"""Encrypt single values, each bound to its place."""

from __future__ import annotations

import os

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE = 12


def encrypt(key: bytes | AESGCM, value: str, *, bound_to: str) -> bytes:
    """Encrypt a value so that it decrypts only in the place that `bound_to` names.

    :param key: the key, or the cipher that was made of it for several values.
    """
    nonce = os.urandom(_NONCE)
    return nonce + (AESGCM(key) if isinstance(key, bytes) else key).encrypt(nonce, value.encode(), bound_to.encode())


def decrypt(key: bytes | AESGCM, ciphertext: bytes, *, bound_to: str) -> str:
    """Decrypt a value.

    :raises InvalidTag: the key or the place is another one, or a byte was changed.
    """
    return (AESGCM(key) if isinstance(key, bytes) else key).decrypt(ciphertext[:_NONCE], ciphertext[_NONCE:], bound_to.encode()).decode()
