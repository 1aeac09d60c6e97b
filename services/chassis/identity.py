"""Service identities: each service's Ed25519 key, and the public keys of all services.

Each signature covers its purpose (`context`), so it is invalid for any other. The public keys are a text with one line per
key: service, key id, the 32 bytes in base64. A service may have several keys, so that a new one is known before the old
one is retired. A retired key keeps its line, with the word `retired` at the end: its old signatures stay valid.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

_CONTEXT = re.compile(r"[a-z0-9 -]+")
_SERVICE = re.compile(r"[a-z][a-z0-9_-]*")
#: Marks the line of a retired key.
RETIRED = "retired"


class IdentityRefused(ValueError):
    """The key, signature or list of keys is malformed or unknown."""


def key_id_of(public: bytes) -> str:
    """Return the id of a public key: the start of its hash."""
    return sha256(b"liaison service key\n" + public).hexdigest()[:16]


def statement(context: str, message: bytes) -> bytes:
    """Return the signed bytes: purpose, zero byte, message.

    :raises ValueError: the purpose has other characters than small letters, digits, spaces and hyphens.
    """
    if not _CONTEXT.fullmatch(context):
        raise ValueError("a purpose is words of small letters")
    return b"liaison " + context.encode() + b"\0" + message


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature, and the id of the key that made it."""

    key_id: str
    value: bytes

    def __str__(self) -> str:
        """Return `id.base64`."""
        return f"{self.key_id}.{base64.b64encode(self.value).decode()}"

    @classmethod
    def parse(cls, text: object) -> Signature:
        """Parse `id.base64`.

        :raises IdentityRefused: the text is malformed.
        """
        key_id, dot, encoded = text.partition(".") if isinstance(text, str) else ("", "", "")
        value = _decode(encoded)
        if not dot or len(value) != 64:
            raise IdentityRefused("A signature is a key id, a dot and 64 bytes in base64.")
        return cls(key_id, value)


class ServiceKey:
    """The secret key of one service."""

    def __init__(self, service: str, private: Ed25519PrivateKey) -> None:
        """Wrap a private key."""
        self.service = service
        self._private = private
        self.public = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.key_id = key_id_of(self.public)

    def __repr__(self) -> str:
        """Return the service and the key id, never the key."""
        return f"ServiceKey({self.service!r}, {self.key_id!r})"

    @classmethod
    def generate(cls, service: str) -> ServiceKey:
        """Generate a key."""
        return cls(service, Ed25519PrivateKey.generate())

    @classmethod
    def parse(cls, service: str, pem: str) -> ServiceKey:
        """Parse a PEM private key.

        :raises IdentityRefused: it is not an Ed25519 key in PEM.
        """
        try:
            private = load_pem_private_key(pem.encode(), password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            private = None
        if not isinstance(private, Ed25519PrivateKey):
            raise IdentityRefused(f"The key of {service} is an Ed25519 private key in PEM.")
        return cls(service, private)

    def sign(self, context: str, message: bytes) -> Signature:
        """Sign a message for one purpose."""
        return Signature(self.key_id, self._private.sign(statement(context, message)))

    @property
    def line(self) -> str:
        """The public key as a line of the list."""
        return f"{self.service} {self.key_id} {base64.b64encode(self.public).decode()}"


class ServiceKeys:
    """The public keys of all services; a service may have several."""

    def __init__(self, keys: Iterable[tuple[str, bytes]] = (), *, retired: Iterable[tuple[str, bytes]] = ()) -> None:
        """Take pairs of service and public key; `retired` keys sign nothing new."""
        retired = list(retired)
        self._keys: Mapping[tuple[str, str], Ed25519PublicKey] = {
            (service, key_id_of(public)): Ed25519PublicKey.from_public_bytes(public) for service, public in (*keys, *retired)
        }
        self._retired = {(service, key_id_of(public)) for service, public in retired}

    @property
    def services(self) -> frozenset[str]:
        """The services with a key."""
        return frozenset(service for service, _ in self._keys)

    @classmethod
    def parse(cls, text: str) -> ServiceKeys:
        """Parse the list; ignore empty lines and those that start with `#`.

        :raises IdentityRefused: a line is malformed, or its id does not match its key.
        """
        pairs: list[tuple[str, bytes]] = []
        retired: list[tuple[str, bytes]] = []
        for line in map(str.strip, text.splitlines()):
            if not line or line.startswith("#"):
                continue
            *words, last = line.split()
            if last != RETIRED:
                words.append(last)
            if len(words) != 3 or not _SERVICE.fullmatch(words[0]):
                raise IdentityRefused("A line of the services' public keys is a service, a key id and a key in base64.")
            public = _decode(words[2])
            if len(public) != 32 or key_id_of(public) != words[1]:
                raise IdentityRefused(f"A public key of {words[0]} does not fit its id.")
            (retired if last == RETIRED else pairs).append((words[0], public))
        return cls(pairs, retired=retired)

    @property
    def present(self) -> ServiceKeys:
        """The keys that are not retired, for verifying new signatures."""
        known = ServiceKeys()
        known._keys = {name: key for name, key in self._keys.items() if name not in self._retired}
        return known

    def verify(self, service: str, context: str, message: bytes, signature: Signature) -> bool:
        """Return whether a known key of the service signed the message for this purpose."""
        key = self._keys.get((service, signature.key_id))
        if key is None:
            return False
        try:
            key.verify(signature.value, statement(context, message))
        except InvalidSignature:
            return False
        return True


def _decode(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""
