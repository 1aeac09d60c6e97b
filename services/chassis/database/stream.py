"""A process's stream: a sequence of numbered, signed and chained lines for the audit trail.

At start, a process generates a key, and its service's key certifies it; the certificate is number 0 of the stream. Every
later line is signed with the process's key and has the hash of the line before it (`prev`), so that nobody with a
database or broker account can add, change or remove a line unnoticed. If the commit of a number failed, a signed *void*
takes its place: it has the attempted entry, and in `replaced` the hash that the next line is chained to.
"""

from __future__ import annotations

import base64
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NotRequired, TypedDict

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from services.chassis.database.audit_entries import AuditEntry
from services.chassis.identity import IdentityRefused, ServiceKey, ServiceKeys, Signature, statement
from services.chassis.messages import new_id, wire_value
from services.chassis.translog.merkle import leaf_hash

_CERTIFICATE = "trail certificate"
_LINE = "trail line"
_KEY_SIZE = 32
_SIGNATURE_SIZE = 64


def canonical(wire: Mapping[str, object]) -> bytes:
    """Return the canonical JSON of a line, which is signed, hashed and stored."""
    return orjson.dumps(wire, option=orjson.OPT_SORT_KEYS, default=wire_value)


def link_of(line: bytes) -> str:
    """Return a line's hash, which is the `prev` of the next line."""
    return leaf_hash(line).hex()


class UnsignedEntry(AuditEntry):
    """A numbered entry, chained to the line before it."""

    stream: str
    n: int
    prev: str


class SignedEntry(UnsignedEntry):
    """An entry as it is stored and shipped."""

    signature: str


class SignedVoid(TypedDict):
    """A void as it is stored and shipped."""

    stream: str
    n: int
    void: bool
    prev: str
    replaced: str
    attempted: AuditEntry
    unknown: NotRequired[bool]
    signature: NotRequired[str]


class Mark(TypedDict):
    """Every number of the stream up to `mark` is settled; `head` is that line's hash, `beat` counts the marks."""

    stream: str
    mark: int
    head: str
    beat: int
    at: str
    closed: NotRequired[bool]
    signature: NotRequired[str]


class Crash(TypedDict):
    """The process of `stream` died with this mark and highest known number, as the stream `by` found."""

    stream: str
    mark: int
    crashed: bool
    highest: int
    by: str
    at: str
    signature: NotRequired[str]


@dataclass(frozen=True, slots=True)
class Numbered:
    """A signed entry for the table `entries`."""

    n: int
    #: The day of its partition. It is set here, so that a void gets the primary key of the entry that it replaces.
    day: str
    body: SignedEntry


@dataclass(frozen=True, slots=True)
class Void:
    """A signed line for a number whose commit failed; `unknown` if it may have succeeded."""

    n: int
    day: str
    unknown: bool
    body: SignedVoid


@dataclass(slots=True)
class _Taken:
    day: str
    entry: AuditEntry
    prev: str
    link: str


class Stream:
    """Numbers and signs the lines of one process instance."""

    def __init__(self, key: ServiceKey, *, beats: bool = True) -> None:
        """Start a new stream, whose first entry is number 1.

        :param beats: whether the process sends a heartbeat every ten seconds; commands of an operator do not.
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
        #: Number 0: the public key of this process, signed by its service.
        self.certificate = canonical({**certificate, "signature": str(key.sign(_CERTIFICATE, canonical(certificate)))}).decode()
        #: Hashes of the lines from the mark on.
        self._links: dict[int, str] = {0: link_of(self.certificate.encode())}

    def take(self, entries: Sequence[AuditEntry]) -> list[Numbered]:
        """Number and sign entries; pass each number to `committed` or `voided` later."""
        numbered = []
        with self._lock:
            for entry in entries:
                n, day, prev = self._next, datetime.now(UTC).date().isoformat(), self._links[self._next - 1]
                unsigned: UnsignedEntry = {**entry, "stream": self.id, "n": n, "prev": prev}
                body: SignedEntry = {**unsigned, "signature": self._signature(unsigned)}
                self._links[n] = link_of(canonical(body))
                self._taken[n] = _Taken(day, entry, prev, self._links[n])
                self._next += 1
                numbered.append(Numbered(n, day, body))
        return numbered

    def committed(self, numbers: Iterable[int]) -> None:
        """Record that the entries or voids of these numbers are committed."""
        with self._lock:
            for n in numbers:
                self._taken.pop(n, None)

    def voided(self, numbers: Iterable[int], *, unknown: bool) -> None:
        """Record that the commit failed, or with `unknown` that its outcome is unknown."""
        with self._lock:
            self._voids.extend((n, unknown) for n in numbers)

    def take_voids(self) -> list[Void]:
        """Return the voids to write; their numbers stay unsettled until `committed`."""
        with self._lock:
            voids, self._voids = self._voids, []
            return [self._void(n, unknown) for n, unknown in voids]

    @property
    def is_settled(self) -> bool:
        """Whether every number that was taken is committed, as an entry or a void."""
        with self._lock:
            return not self._taken

    def sign_mark(self, *, closing: bool = False) -> Mark:
        """Return a signed mark with its line's hash, which also proves that the process is alive."""
        with self._lock:
            mark = min(self._taken, default=self._next) - 1
            self._links = {n: link for n, link in self._links.items() if n >= mark}
            self._beat += 1
            wire: Mark = {"stream": self.id, "mark": mark, "head": self._links[mark], "beat": self._beat, "at": _now()}
            if closing:
                wire["closed"] = True
            wire["signature"] = self._signature(wire)
            return wire

    def sign_crash(self, stream: str, *, mark: int, highest: int) -> Crash:
        """Return a signed line that closes the stream of a dead process, with its mark and its highest known number."""
        wire: Crash = {"stream": stream, "mark": mark, "crashed": True, "highest": highest, "by": self.id, "at": _now()}
        wire["signature"] = self._signature(wire)
        return wire

    def _void(self, n: int, unknown: bool) -> Void:
        taken = self._taken[n]
        wire: SignedVoid = {"stream": self.id, "n": n, "void": True, "prev": taken.prev, "replaced": taken.link, "attempted": taken.entry}
        if unknown:
            wire["unknown"] = True
        wire["signature"] = self._signature(wire)
        return Void(n, taken.day, unknown, wire)

    def _signature(self, line: Mapping[str, object]) -> str:
        return base64.b64encode(self._key.sign(statement(_LINE, canonical(line)))).decode()


class Certificate:
    """A verified certificate of a stream, with the public key of its process."""

    def __init__(self, wire: Mapping[str, object], keys: ServiceKeys) -> None:
        """Read and verify number 0 of a stream.

        :raises IdentityRefused: its signature is not by a known key of its service.
        """
        rest = dict(wire)
        signature = Signature.parse(rest.pop("signature", None))
        self.stream = str(wire.get("stream"))
        self.service = str(wire.get("service"))
        #: Whether the process sends heartbeats.
        self.beats = wire.get("beats") is True
        public = _bytes(wire.get("certificate"))
        if wire.get("n") != 0 or len(public) != _KEY_SIZE or not keys.verify(self.service, _CERTIFICATE, canonical(rest), signature):
            raise IdentityRefused("The certificate of a stream is not its service's.")
        self._key = Ed25519PublicKey.from_public_bytes(public)

    def signed(self, wire: Mapping[str, object]) -> bool:
        """Whether the process signed this line."""
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
