"""Encrypts what a browser carries for the gateway."""

from __future__ import annotations

import base64
import binascii
import functools
import hmac
import os
import zlib
from contextlib import suppress
from typing import Any

import orjson

from services.chassis.keyed import parts_of


class Sealer:
    """Encrypts and authenticates content, so that nobody else can read or make it."""

    def __init__(self, setting: str) -> None:
        """Take the secrets for the keys, the current one first; without a secret, one is made for this process."""
        self._materials = [part.encode() for part in parts_of(setting)] or [os.urandom(32)]

    @functools.cached_property
    def _ciphers(self) -> list[Any]:
        # Loaded with the first form, because a gateway that only answers programs does not need it.
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.kdf.hkdf import HKDF

        return [AESGCM(HKDF(SHA256(), 32, None, b"liaison kept forms").derive(each)) for each in self._materials]

    def seal(self, purpose: str, content: object) -> str:
        """Return the content as text that only `unseal` can read."""
        nonce = os.urandom(12)
        sealed = self._ciphers[0].encrypt(nonce, zlib.compress(orjson.dumps(content)), purpose.encode())
        return base64.urlsafe_b64encode(nonce + sealed).decode()

    def keys(self, *parts: str) -> list[str]:
        """Return the keys for these parts, the current one first."""
        said = "\0".join(("liaison", *parts)).encode()
        return [base64.b64encode(hmac.digest(each, said, "sha256")).decode() for each in self._materials]

    def unseal(self, purpose: str, text: str | None) -> Any:
        """Return the content that was sealed for this purpose; None for any other text."""
        from cryptography.exceptions import InvalidTag

        try:
            sealed = base64.b64decode((text or "").encode("ascii"), altchars=b"-_", validate=True)
        except (ValueError, binascii.Error):
            return None
        for cipher in self._ciphers:
            with suppress(InvalidTag, ValueError, zlib.error):
                return orjson.loads(zlib.decompress(cipher.decrypt(sealed[:12], sealed[12:], purpose.encode())))
        return None
