"""Encrypting single values, each bound to where it belongs."""

from __future__ import annotations

import os

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE = 12


def encrypt(key: bytes | AESGCM, value: str, *, bound_to: str) -> bytes:
    """Encrypt one value; it decrypts only where it belongs, which `bound_to` says.

    :param key: or, for several values, what was made of it once.
    """
    nonce = os.urandom(_NONCE)
    return nonce + (AESGCM(key) if isinstance(key, bytes) else key).encrypt(nonce, value.encode(), bound_to.encode())


def decrypt(key: bytes | AESGCM, ciphertext: bytes, *, bound_to: str) -> str:
    """Decrypt one value.

    :raises InvalidTag: another key, another place, or a changed byte.
    """
    return (AESGCM(key) if isinstance(key, bytes) else key).decrypt(ciphertext[:_NONCE], ciphertext[_NONCE:], bound_to.encode()).decode()
