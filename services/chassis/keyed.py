"""Keyed digests of personal data, for places that only compare for equality.

Without the key, values cannot be guessed from a database, a log or a backup. Each purpose has its own key. Every digest
starts with the id of its key, so that a key can be replaced while old digests remain valid.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Iterable

_ID = 6
_END = "-----END PUBLIC KEY-----"


def parts_of(setting: str) -> list[str]:
    """Return the comma-separated keys of a setting; the first is the current one."""
    return [part.strip() for part in setting.split(",") if part.strip()]


def pems_of(setting: str) -> list[str]:
    """Return the concatenated PEM keys of a setting; the first is the current one."""
    return [part + _END for part in setting.split(_END) if "-----BEGIN" in part]


def key_id(secret: bytes) -> str:
    """Return the id of a key, from which the key cannot be inferred."""
    return hashlib.blake2b(secret, digest_size=_ID, person=b"liaison key id").hexdigest()


def keys_for(setting: str, purpose: str) -> tuple[bytes, ...]:
    """Derive a purpose's keys from the keys of a setting, in the same order."""
    return tuple(hmac.digest(part.encode(), f"liaison {purpose}".encode(), "sha256") for part in parts_of(setting))


class Keyed:
    """Makes and compares digests for one purpose, under the current key and the accepted ones."""

    def __init__(self, setting: str, purpose: str) -> None:
        """Derive the purpose's keys from the setting; without a setting, generate one for this process."""
        secrets = [part.encode() for part in parts_of(setting)] or [os.urandom(32)]
        self._keys = {key_id(secret): hmac.digest(secret, f"liaison digest {purpose}".encode(), "sha256") for secret in secrets}

    def of(self, value: bytes | str) -> str:
        """Return the digest of a value under the current key."""
        return self.each(value)[0]

    def each(self, value: bytes | str) -> list[str]:
        """Return the digests of a value under all keys, the current one first."""
        raw = value.encode() if isinstance(value, str) else value
        return [f"{name}.{hmac.digest(key, raw, 'sha256').hex()}" for name, key in self._keys.items()]

    def is_of(self, kept: str, value: bytes | str) -> bool:
        """Return whether a stored digest is one of this value."""
        return any(hmac.compare_digest(kept.encode(), digest.encode()) for digest in self.each(value))


def split_digests(given: str) -> list[str]:
    """Split digests joined by `join_digests`; the one under the current key is first."""
    return given.split("\n")


def join_digests(digests: Iterable[str]) -> str:
    """Join the digests of one value under several keys into one string."""
    return "\n".join(digests)
