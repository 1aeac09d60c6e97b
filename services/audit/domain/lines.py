"""The lines of the trail: what relays send, and the bytes under which each is hashed and kept.

A line is an entry, a void (a number whose commit failed), a mark (how far a stream is settled), or malformed (what
came could not be read: its number, keyed digest and size are kept, and nothing of what it said).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

import orjson

from services.chassis.keyed import Keyed
from services.chassis.merkle import leaf_hash

Kind = Literal["entry", "void", "unknown", "mark", "malformed"]

#: Bounds of one line; a relay's entry of 500 subjects has some 20 kB.
MAX_BYTES = 256 * 1024
MAX_NUMBER = 2**53
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
_ACTION = re.compile(r"[a-z0-9_-]+(:[a-z0-9_-]+)+")
_REQUIRED = ("at", "actor", "actor_kind", "action", "outcome", "service")
_TEXTS = frozenset(
    {
        "at",
        "actor",
        "actor_kind",
        "component",
        "session",
        "acknowledgement",
        "jti",
        "action",
        "outcome",
        "rule",
        "trace_id",
        "operation",
        "service",
    }
)
_LISTS = frozenset({"subjects", "fields"})


#: What could not be read may hold anything: nobody without the key of this installation can try a guess against its digest.
_keyed = [Keyed("", "audit lines")]


def digest_under(setting: str) -> None:
    """Make digests of what cannot be read under the keys of a setting."""
    _keyed[:] = [Keyed(setting, "audit lines")]


def digest_of(body: bytes) -> str:
    """Return what tells one that cannot be read from another."""
    return _keyed[0].of(body)


class Unreadable(ValueError):
    """This is no line of a trail."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line: its kind, its number (stream, n), and its bytes.

    The `n` of a mark is the number up to which the stream is settled. `highest` is the last number that a crashed
    process is known to have used; None for every other line.
    """

    kind: Kind
    stream: str
    n: int
    body: str
    closed: bool = False
    highest: int | None = None

    @property
    def leaf(self) -> bytes:
        """Return the hash under which the line stands in the tree."""
        return leaf_hash(self.body.encode())


def read_line(wire: object) -> Line:
    """Take in what a relay sent, as decoded from JSON.

    What has a number but is otherwise malformed becomes a line of that kind, so that the number is not a hole.

    :raises Unreadable: it does not even have a number.
    """
    if not isinstance(wire, Mapping):
        raise Unreadable("A line is an object.")
    try:
        body = orjson.dumps(wire, option=orjson.OPT_SORT_KEYS)
    except (TypeError, ValueError):
        raise Unreadable("A line is JSON.") from None
    stream = _stream(wire.get("stream"))
    if "mark" in wire:
        return _read_mark(wire, stream, body)
    n = _number(wire.get("n"), least=1)
    if not _is_sound(body) or not (_is_void(wire) or _is_entry(wire)):
        return _malformed(stream, n, body)
    kind: Kind = "entry"
    if "void" in wire:
        kind = "unknown" if "unknown" in wire else "void"
    return Line(kind, stream, n, body.decode())


def parse_body(body: str) -> Line:
    """Read a stored line back; its bytes are kept as they are.

    :raises Unreadable: these bytes were never written by `read_line`.
    """
    try:
        wire = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise Unreadable("A line is JSON.") from None
    if isinstance(wire, dict) and wire.get("malformed") is True:
        return Line("malformed", _stream(wire.get("stream")), _number(wire.get("n"), least=1), body)
    line = read_line(wire)
    if line.body != body:
        raise Unreadable("The line is not in its canonical form.")
    return line


def _read_mark(wire: Mapping[str, Any], stream: str, body: bytes) -> Line:
    mark = _number(wire.get("mark"), least=0)
    if not _is_sound(body):
        raise Unreadable("A mark has its number and the end of its stream, nothing else.")
    highest = None
    if wire.get("crashed") is True:
        highest = _number(wire.get("highest"), least=mark)
    return Line("mark", stream, mark, body.decode(), closed=wire.get("closed") is True or highest is not None, highest=highest)


def _malformed(stream: str, n: int, body: bytes) -> Line:
    kept = {"malformed": True, "n": n, "digest": digest_of(body), "size": len(body), "stream": stream}
    return Line("malformed", stream, n, orjson.dumps(kept, option=orjson.OPT_SORT_KEYS).decode())


def _is_sound(body: bytes) -> bool:
    # PostgreSQL's jsonb has no NUL.
    return len(body) <= MAX_BYTES and b"\\u0000" not in body


def _is_void(wire: Mapping[str, Any]) -> bool:
    return wire.get("void") is True and wire.get("unknown") in {None, True} and wire.keys() <= {"stream", "n", "void", "unknown", "at"}


def _is_entry(wire: Mapping[str, Any]) -> bool:
    if "void" in wire or any(not isinstance(wire.get(name), str) for name in _REQUIRED):
        return False
    for name, value in wire.items():
        if name in _TEXTS and not (value is None or isinstance(value, str)):
            return False
        if name in _LISTS and not (isinstance(value, list) and all(isinstance(item, str) for item in value)):
            return False
        if name not in _TEXTS | _LISTS and not (value is None or isinstance(value, str | int | bool)):
            return False
    return bool(_INSTANT.fullmatch(wire["at"]) and _ACTION.fullmatch(wire["action"]))


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
