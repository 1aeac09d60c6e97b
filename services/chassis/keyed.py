"""Keyed digests: what is kept of a person's values where only equality is asked for, and the keys that they are made under.

Whoever reads a database, a log or a backup without the key can try no guess against them. Each purpose has a key of its
own. Every digest bears the id of its key, so that a key can be replaced while the digests of the former one still count.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Iterable

_ID = 6
_END = "-----END PUBLIC KEY-----"


def parts_of(setting: str) -> list[str]:
    """Return the keys of a setting: several are parted by commas, and the one in use is the first."""
    return [part.strip() for part in setting.split(",") if part.strip()]


def pems_of(setting: str) -> list[str]:
    """Return the keys of a setting of PEMs: they stand one behind the other, and the one in use is the first."""
    return [part + _END for part in setting.split(_END) if "-----BEGIN" in part]


def key_id(secret: bytes) -> str:
    """Return the id of a key; it says nothing of it."""
    return hashlib.blake2b(secret, digest_size=_ID, person=b"liaison key id").hexdigest()


def keys_for(setting: str, purpose: str) -> tuple[bytes, ...]:
    """Return the keys that a purpose has of its own, one from each key of the setting; the one in use is the first."""
    return tuple(hmac.digest(part.encode(), f"liaison {purpose}".encode(), "sha256") for part in parts_of(setting))


class Keyed:
    """Digests for one purpose, under the key in use and under those that are still accepted."""

    def __init__(self, setting: str, purpose: str) -> None:
        """Derive the purpose's key from each key of the setting; without any, one lives as long as the process."""
        secrets = [part.encode() for part in parts_of(setting)] or [os.urandom(32)]
        self._keys = {key_id(secret): hmac.digest(secret, f"liaison digest {purpose}".encode(), "sha256") for secret in secrets}

    def of(self, value: bytes | str) -> str:
        """Return the digest of a value under the key in use."""
        return self.each(value)[0]

    def each(self, value: bytes | str) -> list[str]:
        """Return the digests of a value under every key, the one in use first."""
        raw = value.encode() if isinstance(value, str) else value
        return [f"{name}.{hmac.digest(key, raw, 'sha256').hex()}" for name, key in self._keys.items()]

    def is_of(self, kept: str, value: bytes | str) -> bool:
        """Tell whether a kept digest is that of this value."""
        return any(hmac.compare_digest(kept.encode(), digest.encode()) for digest in self.each(value))


def split_digests(given: str) -> list[str]:
    """Split digests joined by `join_digests`; the one under the key in use is first."""
    return given.split("\n")


def join_digests(digests: Iterable[str]) -> str:
    """Join the digests of one value under several keys into one string."""
    return "\n".join(digests)
