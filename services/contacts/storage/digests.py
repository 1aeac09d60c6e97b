"""Keyed digests of canonical values: they tell whether two values are the same without telling the values.

Each purpose has its own keys, derived from one secret, so that a digest of one purpose finds nothing in another:

* look-up of a value that the caller's component holds itself; bound to the component, so that two components' digests
  of one value differ;
* likeness across components, read by the matcher only (T23);
* suppression (T9);
* authentication of cursors.

There are few phone numbers: whoever has the key and the rows can guess them.
"""

from __future__ import annotations

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from services.contacts.storage.vault import Keyring
from services.lexicon.canonical import compared_as


class Digests:
    """Digests under the active key, and under retired keys that rows may still have."""

    def __init__(self, keyring: Keyring) -> None:
        """Derive one key for each purpose from each secret."""
        self.key_id = keyring.active
        # Keyed once; each digest goes on from a copy.
        self._keyed = {
            (purpose, key_id): HMAC(HKDF(SHA256(), 32, salt=None, info=f"liaison contacts {purpose}".encode()).derive(secret), SHA256())
            for purpose in ("look-up", "match", "suppression")
            for key_id, secret in keyring.items()
        }
        #: The one in use first.
        self.key_ids = [keyring.active, *(key_id for key_id in keyring if key_id != keyring.active)]

    def lookup(self, component: str, kind: str, canonical: str) -> bytes:
        """Return the digest that finds a component's own value."""
        return self._digest("look-up", self.key_id, component, compared_as(kind), canonical)

    def lookups(self, component: str, kind: str, canonical: str) -> list[bytes]:
        """Return it under every key that rows may have."""
        return [self._digest("look-up", key_id, component, compared_as(kind), canonical) for key_id in self.key_ids]

    def match(self, kind: str, canonical: str) -> bytes:
        """Return the digest that compares values across components."""
        return self._digest("match", self.key_id, compared_as(kind), canonical)

    def matches(self, kind: str, canonical: str) -> list[bytes]:
        """Return it under every key that rows may have."""
        return [self._digest("match", key_id, compared_as(kind), canonical) for key_id in self.key_ids]

    def suppression(self, kind: str, canonical: str) -> bytes:
        """Return the digest that goes into the suppression ledger."""
        return self._digest("suppression", self.key_id, compared_as(kind), canonical)

    def suppressions(self, kind: str, canonical: str) -> list[bytes]:
        """Return it under every key that the ledger may have."""
        return [self._digest("suppression", key_id, compared_as(kind), canonical) for key_id in self.key_ids]

    def _digest(self, purpose: str, key_id: str, *parts: str) -> bytes:
        digest = self._keyed[purpose, key_id].copy()
        digest.update("\x1f".join(parts).encode())
        return digest.finalize()
