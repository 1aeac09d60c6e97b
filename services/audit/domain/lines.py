"""The lines of the trail: what relays send, and the bytes under which each is hashed and kept.

A line is a stream's certificate (number 0), an entry, a void (a number whose commit failed), a mark (how far a stream
is settled), or malformed (its process signed a line that cannot be read: only number, keyed digest and size are kept). Each is
signed, and chained to the one before it; `genuine` checks both.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID

import orjson

from services.chassis.database import AuditEntry
from services.chassis.database.stream import canonical, link_of
from services.chassis.keyed import Keyed
from services.chassis.translog.merkle import leaf_hash

Kind = Literal["certificate", "entry", "void", "unknown", "mark", "malformed"]

#: Bounds of one line; a relay's entry of 500 subjects has some 20 kB.
MAX_BYTES = 256 * 1024
MAX_NUMBER = 2**53
MAX_CERTIFICATE = 1024
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
_HASH = re.compile(r"[0-9a-f]{64}")
_ACTION = re.compile(r"[a-z0-9_-]+(:[a-z0-9_-]+)+")
_REQUIRED = ("at", "actor", "actor_kind", "action", "outcome", "service")
_LISTS = frozenset({"subjects", "fields"})
_TEXTS = AuditEntry.__required_keys__ - _LISTS | {"prev", "signature"}
_VOIDS = frozenset({"stream", "n", "void", "unknown", "prev", "replaced", "attempted", "signature"})
_CERTIFIES = ("service", "at", "certificate", "signature")


#: A line that cannot be read may hold personal data: without the key of this installation nobody can test a guess against its digest.
_keyed = [Keyed("", "audit lines")]


def digest_under(setting: str) -> None:
    """Use the keys of a setting for the digests of unreadable lines."""
    _keyed[:] = [Keyed(setting, "audit lines")]


def digest_of(body: bytes) -> str:
    """Return the keyed digest of an unreadable line."""
    return _keyed[0].of(body)


class Unreadable(ValueError):
    """This is not a line of a trail."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line: its kind, its number (stream, n), and its bytes.

    The `n` of a mark is the number up to which the stream is settled. `highest` is the last number that a crashed
    process is known to have used, and `by` the stream that says so; both are None for other lines.
    """

    kind: Kind
    stream: str
    n: int
    body: str
    closed: bool = False
    highest: int | None = None
    by: str | None = None
    #: Of a mark: how often its process has said so; None when somebody else speaks of it.
    beat: int | None = None
    #: The hash of the line before, and the one by which the next line names this one; of a mark, of the line it speaks of.
    prev: str = ""
    link: str = ""
    #: Whose entry it says it is.
    service: str | None = None
    #: What was sent, where it is not kept: of what is malformed.
    sent: Mapping[str, object] | None = field(default=None, compare=False, repr=False)
    leaf: bytes = field(init=False, compare=False)

    def __post_init__(self) -> None:
        """Compute the line's leaf hash in the tree."""
        object.__setattr__(self, "leaf", leaf_hash(self.body.encode()))

    @property
    def wire(self) -> Mapping[str, object]:
        """The line as it was sent; for a malformed line only while it is being received."""
        if self.sent is not None:
            return self.sent
        wire: Mapping[str, object] = orjson.loads(self.body)
        return wire


def read_line(wire: object) -> Line:
    """Parse a line that a relay sent, as decoded from JSON.

    A malformed line that has a number becomes a line of kind `malformed`, so that the number is not a hole.

    :raises Unreadable: it has no number.
    """
    if not isinstance(wire, Mapping):
        raise Unreadable("A line is an object.")
    try:
        body = canonical(wire)
    except (TypeError, ValueError):
        raise Unreadable("A line is JSON.") from None
    stream = _stream(wire.get("stream"))
    if "mark" in wire:
        return _read_mark(wire, stream, body)
    n = _number(wire.get("n"), least=0)
    if n == 0:
        return _read_certificate(wire, stream, body)
    if not _is_sound(body) or not _is_chained(wire) or not (_is_void(wire) or _is_entry(wire)):
        return _malformed(wire, stream, n, body)
    if "void" in wire:
        kind: Kind = "unknown" if "unknown" in wire else "void"
        return Line(kind, stream, n, body.decode(), prev=str(wire["prev"]), link=str(wire["replaced"]))
    return Line("entry", stream, n, body.decode(), prev=str(wire["prev"]), link=link_of(body), service=str(wire["service"]))


def parse_body(body: str) -> Line:
    """Parse a stored line; its bytes stay as they are.

    :raises Unreadable: `read_line` never wrote these bytes.
    """
    try:
        wire = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise Unreadable("A line is JSON.") from None
    if isinstance(wire, dict) and wire.get("malformed") is True:
        return Line("malformed", _stream(wire.get("stream")), _number(wire.get("n"), least=1), body, link=str(wire.get("link")))
    line = read_line(wire)
    if line.body != body:
        raise Unreadable("The line is not in its canonical form.")
    return line


def _read_mark(wire: Mapping[str, object], stream: str, body: bytes) -> Line:
    mark = _number(wire.get("mark"), least=0)
    if not _is_sound(body):
        raise Unreadable("A mark has its number and the end of its stream, nothing else.")
    if wire.get("crashed") is True:
        highest = _number(wire.get("highest"), least=mark)
        return Line("mark", stream, mark, body.decode(), closed=True, highest=highest, by=_stream(wire.get("by")))
    beat, head = _number(wire.get("beat"), least=1), wire.get("head")
    if not isinstance(head, str) or not _HASH.fullmatch(head):
        raise Unreadable("A mark names the line that it speaks of by its hash.")
    return Line("mark", stream, mark, body.decode(), closed=wire.get("closed") is True, beat=beat, link=head)


def _read_certificate(wire: Mapping[str, object], stream: str, body: bytes) -> Line:
    if not _is_sound(body) or len(body) > MAX_CERTIFICATE or not all(isinstance(wire.get(name), str) for name in _CERTIFIES):
        raise Unreadable("Number 0 of a stream is its certificate.")
    return Line("certificate", stream, 0, body.decode(), link=link_of(body), service=str(wire["service"]))


def _malformed(wire: Mapping[str, object], stream: str, n: int, body: bytes) -> Line:
    link = link_of(body)
    kept = {"malformed": True, "n": n, "digest": digest_of(body), "size": len(body), "stream": stream, "link": link}
    return Line("malformed", stream, n, canonical(kept).decode(), link=link, sent=wire)


def _is_sound(body: bytes) -> bool:
    # PostgreSQL's jsonb has no NUL.
    return len(body) <= MAX_BYTES and b"\\u0000" not in body


def _is_chained(wire: Mapping[str, object]) -> bool:
    return all(isinstance(wire.get(name), str) for name in ("prev", "signature")) and bool(_HASH.fullmatch(str(wire["prev"])))


def _is_void(wire: Mapping[str, object]) -> bool:
    # A tuple, not a set: the value may be a list, which has no hash.
    if wire.get("void") is not True or wire.get("unknown") not in (None, True) or not wire.keys() <= _VOIDS:
        return False
    replaced, attempted = wire.get("replaced"), wire.get("attempted")
    return isinstance(replaced, str) and bool(_HASH.fullmatch(replaced)) and isinstance(attempted, Mapping) and _is_entry(attempted)


def _is_entry(wire: Mapping[str, object]) -> bool:
    if "void" in wire or any(not isinstance(wire.get(name), str) for name in _REQUIRED):
        return False
    for name, value in wire.items():
        if name in _TEXTS and not (value is None or isinstance(value, str)):
            return False
        if name in _LISTS and not (isinstance(value, list) and all(isinstance(item, str) for item in value)):
            return False
        if name not in _TEXTS | _LISTS and not (value is None or isinstance(value, str | int | bool)):
            return False
    return bool(_INSTANT.fullmatch(str(wire["at"])) and _ACTION.fullmatch(str(wire["action"])))


def _stream(value: object) -> str:
    try:
        stream = str(UUID(str(value)))
    except ValueError:
        raise Unreadable("A stream is named by a UUID.") from None
    if stream != value:
        raise Unreadable("A stream is named by a UUID.")
    return stream


def _number(value: object, *, least: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value < MAX_NUMBER:
        raise Unreadable(f"A number of a stream is an integer from {least}.")
    return value
