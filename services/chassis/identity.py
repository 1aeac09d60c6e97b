"""Who a service is: an Ed25519 key of its own, in a file and in no database, and everybody's public keys.

What is signed says what it is for (`context`), so that a signature for one purpose is of no use for another. The public
keys are one text, a line for each: service, key id, the 32 bytes in base64. A service may have several lines, so that
a new key can be known before the old one is put away. Of one that was put away the line stays, with the word `retired`
behind it: what it signed before is still believed, and nothing new.
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
#: What stands behind a key that signs nothing new.
RETIRED = "retired"


class IdentityRefused(ValueError):
    """This is no key of a service."""


def key_id_of(public: bytes) -> str:
    """Return by what a public key is known: the beginning of its hash."""
    return sha256(b"liaison service key\n" + public).hexdigest()[:16]


def statement(context: str, message: bytes) -> bytes:
    """Return what is signed: the purpose, a zero byte, the message.

    :raises ValueError: the purpose is not written as one.
    """
    if not _CONTEXT.fullmatch(context):
        sentence = "a purpose is words of small letters"
        raise ValueError(sentence)
    return b"liaison " + context.encode() + b"\0" + message


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature, and the id of the key that made it."""

    key_id: str
    value: bytes

    def __str__(self) -> str:
        """Write it as one word, `id.base64`."""
        return f"{self.key_id}.{base64.b64encode(self.value).decode()}"

    @classmethod
    def parse(cls, text: object) -> Signature:
        """Read one.

        :raises IdentityRefused: it is not written as one.
        """
        key_id, dot, encoded = text.partition(".") if isinstance(text, str) else ("", "", "")
        value = _decode(encoded)
        if not dot or len(value) != 64:
            raise IdentityRefused("A signature is a key id, a dot and 64 bytes in base64.")
        return cls(key_id, value)


class ServiceKey:
    """The secret key of one service."""

    def __init__(self, service: str, private: Ed25519PrivateKey) -> None:
        """Take the key; `parse` reads one."""
        self.service = service
        self._private = private
        self.public = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.key_id = key_id_of(self.public)

    def __repr__(self) -> str:
        """Name the key, never show it."""
        return f"ServiceKey({self.service!r}, {self.key_id!r})"

    @classmethod
    def generate(cls, service: str) -> ServiceKey:
        """Make a new key."""
        return cls(service, Ed25519PrivateKey.generate())

    @classmethod
    def parse(cls, service: str, pem: str) -> ServiceKey:
        """Read a key from PEM.

        :raises IdentityRefused: it is no Ed25519 key.
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
        """The public half, as a line of the public keys."""
        return f"{self.service} {self.key_id} {base64.b64encode(self.public).decode()}"


class ServiceKeys:
    """The public keys of all services; each may have several at once."""

    def __init__(self, keys: Iterable[tuple[str, bytes]] = (), *, retired: Iterable[tuple[str, bytes]] = ()) -> None:
        """Take pairs of service and public key; those that are retired sign nothing new."""
        retired = list(retired)
        self._keys: Mapping[tuple[str, str], Ed25519PublicKey] = {
            (service, key_id_of(public)): Ed25519PublicKey.from_public_bytes(public) for service, public in (*keys, *retired)
        }
        self._retired = {(service, key_id_of(public)) for service, public in retired}

    @property
    def services(self) -> frozenset[str]:
        """Those that have a key."""
        return frozenset(service for service, _ in self._keys)

    @classmethod
    def parse(cls, text: str) -> ServiceKeys:
        """Read the lines of a file; empty ones and those that begin with `#` say nothing.

        :raises IdentityRefused: a line is malformed, or its id is another key's.
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
        """Those that are not retired: by them what is new is believed."""
        known = ServiceKeys()
        known._keys = {name: key for name, key in self._keys.items() if name not in self._retired}
        return known

    def verify(self, service: str, context: str, message: bytes, signature: Signature) -> bool:
        """Whether this service signed this message for this purpose, with a key that is known here."""
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
