"""A process's stream: its numbers, and the signed lines that it writes under them.

At its start a process makes a key, and its service's key certifies it: that certificate is number 0 of the stream. Every
later line is signed with the process's key and names the one before it by its hash (`prev`), so that nobody who holds a
database or a broker account can write, change or leave out a line unseen. A number whose commit failed is signed as
*void*: it says what was attempted, and by `replaced` the hash that the next line was chained to.
"""

from __future__ import annotations

import base64
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from services.chassis.identity import IdentityRefused, ServiceKey, ServiceKeys, Signature, statement
from services.chassis.messages import new_id, wire_value
from services.chassis.translog.merkle import leaf_hash

_CERTIFICATE = "trail certificate"
_LINE = "trail line"
_KEY_SIZE = 32
_SIGNATURE_SIZE = 64


def canonical(wire: Mapping[str, Any]) -> bytes:
    """Return the bytes under which a line is signed, hashed and kept."""
    return orjson.dumps(wire, option=orjson.OPT_SORT_KEYS, default=wire_value)


def link_of(line: bytes) -> str:
    """Return the hash by which the next line of a stream names this one."""
    return leaf_hash(line).hex()


@dataclass(frozen=True, slots=True)
class Numbered:
    """A signed entry on its way into the table `entries`."""

    n: int
    #: The day of its partition, set here: with it a void is written under the primary key of the entry that it replaces.
    day: str
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Void:
    """A signed line in place of an entry whose commit failed."""

    n: int
    day: str
    unknown: bool
    body: dict[str, Any]


@dataclass(slots=True)
class _Taken:
    day: str
    entry: Mapping[str, Any]
    prev: str
    link: str


class Stream:
    """The numbers of one process instance, and the key that signs under them."""

    def __init__(self, key: ServiceKey, *, beats: bool = True) -> None:
        """Begin a new stream at 1.

        :param beats: whether its process says every ten seconds that it lives; a command that an operator runs does not.
        """
        self.id = new_id()
        self.service = key.service
        self._key = Ed25519PrivateKey.generate()
        self._lock = threading.Lock()
        self._next = 1
        self._beat = 0
        self._taken: dict[int, _Taken] = {}
        self._voids: list[tuple[int, bool]] = []
        certificate = {
            "stream": self.id,
            "n": 0,
            "service": key.service,
            "at": _now(),
            "beats": beats,
            "certificate": base64.b64encode(self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)).decode(),
        }
        #: Number 0: the key of this process, signed by its service.
        self.certificate = canonical({**certificate, "signature": str(key.sign(_CERTIFICATE, canonical(certificate)))}).decode()
        #: The links of the numbers from the mark on.
        self._links: dict[int, str] = {0: link_of(self.certificate.encode())}

    def take(self, entries: Sequence[Mapping[str, Any]]) -> list[Numbered]:
        """Number and sign entries; each must later be `committed` or `voided`."""
        numbered = []
        with self._lock:
            for entry in entries:
                n, day, prev = self._next, datetime.now(UTC).date().isoformat(), self._links[self._next - 1]
                body = self._signed({**entry, "stream": self.id, "n": n, "prev": prev})
                self._links[n] = link_of(canonical(body))
                self._taken[n] = _Taken(day, entry, prev, self._links[n])
                self._next += 1
                numbered.append(Numbered(n, day, body))
        return numbered

    def committed(self, numbers: Iterable[int]) -> None:
        """Say that the entries, or the voids, of these numbers are durable."""
        with self._lock:
            for n in numbers:
                self._taken.pop(n, None)

    def voided(self, numbers: Iterable[int], *, unknown: bool) -> None:
        """Say that the commit failed, or (`unknown`) that nobody can tell whether it did."""
        with self._lock:
            self._voids.extend((n, unknown) for n in numbers)

    def take_voids(self) -> list[Void]:
        """Hand out the numbers to be shipped as void; they stay unsettled until `committed`."""
        with self._lock:
            voids, self._voids = self._voids, []
            return [self._void(n, unknown) for n, unknown in voids]

    @property
    def is_settled(self) -> bool:
        """Whether of every number that was taken it is known what became of it, and written."""
        with self._lock:
            return not self._taken

    @property
    def mark(self) -> int:
        """The number up to which every number is settled."""
        with self._lock:
            return self._mark()

    def sign_mark(self, *, closing: bool = False) -> dict[str, Any]:
        """Say up to where every number is settled, by what hash the last of them is known, and that the process lives."""
        with self._lock:
            mark = self._mark()
            self._links = {n: link for n, link in self._links.items() if n >= mark}
            self._beat += 1
            wire = {"stream": self.id, "mark": mark, "head": self._links[mark], "beat": self._beat, "at": _now()}
            return self._signed(wire | ({"closed": True} if closing else {}))

    def sign_crash(self, stream: str, *, mark: int, highest: int) -> dict[str, Any]:
        """Say of another process of this service that it is gone: what it had settled, and its highest known number."""
        return self._signed({"stream": stream, "mark": mark, "crashed": True, "highest": highest, "by": self.id, "at": _now()})

    def _mark(self) -> int:
        return min(self._taken, default=self._next) - 1

    def _void(self, n: int, unknown: bool) -> Void:
        taken = self._taken[n]
        wire = {"stream": self.id, "n": n, "void": True, "prev": taken.prev, "replaced": taken.link, "attempted": taken.entry}
        return Void(n, taken.day, unknown, self._signed(wire | ({"unknown": True} if unknown else {})))

    def _signed(self, wire: dict[str, Any]) -> dict[str, Any]:
        signature = self._key.sign(statement(_LINE, canonical(wire)))
        return wire | {"signature": base64.b64encode(signature).decode()}


class Certificate:
    """What a service said of a process: the key under which its lines are believed."""

    def __init__(self, wire: Mapping[str, Any], keys: ServiceKeys) -> None:
        """Read number 0 of a stream.

        :raises IdentityRefused: no service signed it, by the keys that are known here.
        """
        rest = dict(wire)
        signature = Signature.parse(rest.pop("signature", None))
        self.stream = str(wire.get("stream"))
        self.service = str(wire.get("service"))
        #: Whether its process says regularly that it lives.
        self.beats = wire.get("beats") is True
        public = _bytes(wire.get("certificate"))
        if wire.get("n") != 0 or len(public) != _KEY_SIZE or not keys.verify(self.service, _CERTIFICATE, canonical(rest), signature):
            raise IdentityRefused("The certificate of a stream is not its service's.")
        self._key = Ed25519PublicKey.from_public_bytes(public)

    def signed(self, wire: Mapping[str, Any]) -> bool:
        """Whether this process signed this line."""
        rest = dict(wire)
        signature = _bytes(rest.pop("signature", None))
        if len(signature) != _SIGNATURE_SIZE:
            return False
        try:
            self._key.verify(signature, statement(_LINE, canonical(rest)))
        except InvalidSignature:
            return False
        return True


def _bytes(text: object) -> bytes:
    try:
        return base64.b64decode(text, validate=True) if isinstance(text, str) else b""
    except ValueError:
        return b""


def _now() -> str:
    return str(wire_value(datetime.now(UTC)))
