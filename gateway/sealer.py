"""Encrypts what a browser carries for the gateway, so that nobody else can read or make it."""

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
    """Seals what a browser carries: it can neither be read nor made by anybody else."""

    def __init__(self, setting: str) -> None:
        """Take the secrets that keys are derived from, the one in use first; without any, one lives as long as the process."""
        self._materials = [part.encode() for part in parts_of(setting)] or [os.urandom(32)]

    @functools.cached_property
    def _ciphers(self) -> list[Any]:
        # Loaded with the first form: a gateway that only answers programs does without it.
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.kdf.hkdf import HKDF

        return [AESGCM(HKDF(SHA256(), 32, None, b"liaison kept forms").derive(each)) for each in self._materials]

    def seal(self, purpose: str, content: Any) -> str:
        """Return the content as text that only `unseal` reads."""
        nonce = os.urandom(12)
        sealed = self._ciphers[0].encrypt(nonce, zlib.compress(orjson.dumps(content)), purpose.encode())
        return base64.urlsafe_b64encode(nonce + sealed).decode()

    def keys(self, *parts: str) -> list[str]:
        """Return keys of their own for these parts, the one in use first."""
        said = "\0".join(("liaison", *parts)).encode()
        return [base64.b64encode(hmac.digest(each, said, "sha256")).decode() for each in self._materials]

    def unseal(self, purpose: str, text: str | None) -> Any:
        """Return what was sealed for this purpose; None for anything else."""
        from cryptography.exceptions import InvalidTag

        try:
            sealed = base64.b64decode((text or "").encode("ascii"), altchars=b"-_", validate=True)
        except (ValueError, binascii.Error):
            return None
        for cipher in self._ciphers:
            with suppress(InvalidTag, ValueError, zlib.error):
                return orjson.loads(zlib.decompress(cipher.decrypt(sealed[:12], sealed[12:], purpose.encode())))
        return None
