"""What crosses boundaries: refusals, announcements, callers. Standard library only.

The refusals, one branch for one meaning (the gateway gives each branch its HTTP status)::

    Refusal
    ├── Unauthenticated       nobody is signed in
    ├── Forbidden             somebody is, and may not
    ├── NotFound              not there, or not yours to know of
    ├── Conflict              the state of things forbids it
    ├── Stale                 it changed since you read it
    ├── TooLarge              larger than allowed
    ├── WrongType             not a supported kind of content
    ├── Invalid               the input is wrong, field by field
    ├── PreconditionMissing   say which version you mean
    ├── TooMany               slow down
    └── Unavailable           a part of the system is not available
"""

from __future__ import annotations

import dataclasses
import hashlib
import inspect
import json
import os
import re
import time
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import islice
from typing import Any, ClassVar, Self
from uuid import UUID


class Refusal(Exception):
    """The request cannot be granted."""

    branch: ClassVar[str] = "refusal"
    code: str = "refused"

    def __init__(
        self,
        detail: str | None = None,
        *,
        code: str | None = None,
        errors: Mapping[str, list[str]] | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        self.detail = detail or _first_line(type(self))
        self.code = code or type(self).code
        self.errors = dict(errors) if errors else None
        self.extra = dict(extra) if extra else {}
        super().__init__(self.detail)

    def to_wire(self) -> dict[str, Any]:
        """Return the shape in which a refusal crosses the bus; nothing else of an exception ever does."""
        return {
            "branch": self.branch,
            "code": self.code,
            "detail": self.detail,
            "errors": self.errors,
            "extra": self.extra,
        }

    @staticmethod
    def from_wire(wire: Mapping[str, Any]) -> Refusal:
        """Rebuild a refusal of the same branch and code; an unknown branch is `Unavailable`."""
        branch = BRANCHES.get(str(wire.get("branch")), Unavailable)
        return branch(
            str(wire.get("detail") or "") or None,
            code=str(wire.get("code") or branch.code),
            errors=wire.get("errors"),
            extra=wire.get("extra"),
        )


class Unauthenticated(Refusal):
    """Sign in first."""

    branch = "unauthenticated"
    code = "session-required"


class Forbidden(Refusal):
    """You may not do this."""

    branch = "forbidden"
    code = "forbidden"


class NotFound(Refusal):
    """There is no such record, or you may not see it."""

    branch = "not-found"
    code = "not-found"


class Conflict(Refusal):
    """The present state does not allow this."""

    branch = "conflict"
    code = "conflict"


class Stale(Refusal):
    """The record changed since you read it."""

    branch = "stale"
    code = "stale"


class TooLarge(Refusal):
    """This is larger than allowed."""

    branch = "too-large"
    code = "too-large"


class WrongType(Refusal):
    """This kind of content is not supported."""

    branch = "wrong-type"
    code = "wrong-type"


class Invalid(Refusal):
    """Check the fields below."""

    branch = "invalid"
    code = "invalid"


class PreconditionMissing(Refusal):
    """Say with If-Match which version of the record you mean."""

    branch = "precondition-missing"
    code = "precondition-missing"


class TooMany(Refusal):
    """There were too many requests. Try again later."""

    branch = "too-many"
    code = "too-many"


class Unavailable(Refusal):
    """A part of the system is not available. Try again shortly."""

    branch = "unavailable"
    code = "unavailable"


class OutcomeUnknown(Unavailable):
    """The answer did not come in time; ask for the operation to learn whether it was done."""

    code = "outcome-unknown"


class IdempotencyMismatch(Conflict):
    """This Idempotency-Key was used for another request."""

    code = "idempotency-mismatch"


BRANCHES: dict[str, type[Refusal]] = {
    branch.branch: branch
    for branch in (
        Unauthenticated,
        Forbidden,
        NotFound,
        Conflict,
        Stale,
        TooLarge,
        WrongType,
        Invalid,
        PreconditionMissing,
        TooMany,
        Unavailable,
    )
}


@dataclass(frozen=True, slots=True)
class Operation:
    """One command as its sender made it; the owning service remembers it with its effect.

    `key` and `body_hash` are keyed digests, each under every key that is accepted, the one in use first.
    """

    id: str
    method: str
    path: str
    key: str | None
    body_hash: str

    def to_wire(self) -> dict[str, Any]:
        """Return the header that carries it."""
        return dataclasses.asdict(self)

    @classmethod
    def from_wire(cls, wire: Mapping[str, Any]) -> Self:
        """Read the header; unknown fields are ignored."""
        key = wire.get("key")
        return cls(
            id=str(wire["id"]),
            method=str(wire["method"]),
            path=str(wire["path"]),
            key=None if key is None else str(key),
            body_hash=str(wire["body_hash"]),
        )


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, under which session, in which request."""

    kind: str
    id: str
    component: str | None = None
    level: str | None = None
    roles: frozenset[str] = frozenset()
    session_id: str | None = None
    acknowledgement_id: str | None = None
    jti: str | None = None
    policy_version: str | None = None
    #: The service that asks in the user's name; None when the gateway does.
    via: str | None = None
    trace_id: str | None = None
    operation: Operation | None = None

    @classmethod
    def service(cls, name: str, *, trace_id: str | None = None) -> Caller:
        """Return the identity under which a service does its own background work."""
        return cls(kind="service", id=name, trace_id=trace_id or new_id())

    @classmethod
    def operator(cls, name: str, *, trace_id: str | None = None) -> Caller:
        """Return the identity of a named person at the command line."""
        return cls(kind="operator", id=name, trace_id=trace_id or new_id())

    @classmethod
    def anonymous(cls, *, trace_id: str | None = None) -> Caller:
        """Return the identity of somebody who has not signed in."""
        return cls(kind="anonymous", id="anonymous", trace_id=trace_id or new_id())

    @property
    def acknowledged(self) -> bool:
        """Whether the three statements were acknowledged in this session (R103-R110)."""
        return self.acknowledgement_id is not None

    def within(self, *, trace_id: str | None, operation: Operation | None = None) -> Caller:
        """Return the same caller in one particular request."""
        return dataclasses.replace(self, trace_id=trace_id, operation=operation)


class Announcement:
    """A fact, told after it happened; ids and words of closed lists, never a person's values.

    Subclasses are frozen, slotted dataclasses with a `name` such as `contacts:individual:registered`.
    """

    __slots__ = ()
    name: ClassVar[str]
    #: Whether it is for listeners that an installation may be without; any other that nobody hears is an alarm.
    may_go_unheard: ClassVar[bool] = False

    @classmethod
    def routing_key(cls) -> str:
        """Return the topic under which it travels."""
        return cls.name.replace(":", ".")

    def to_wire(self) -> dict[str, Any]:
        """Return the JSON-able fields."""
        return {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}  # type: ignore[arg-type]  # every subclass is a dataclass

    @classmethod
    def from_wire(cls, wire: Mapping[str, Any]) -> Self:
        """Read the fields it knows and ignore the rest, so that contracts can grow."""
        return cls(**{field.name: wire[field.name] for field in dataclasses.fields(cls) if field.name in wire})  # type: ignore[arg-type]  # every subclass is a dataclass


@dataclass(frozen=True, slots=True)
class CheckpointSigned(Announcement):
    """The audit service signed a checkpoint; `proofs` show that it continues each of the checkpoints before it.

    A proof is written as one text: the earlier size, then its hashes in base64, with spaces between. There are several,
    so that a witness that hears two announcements in the wrong order still finds the one it needs.
    """

    name: ClassVar[str] = "audit:checkpoint:signed"

    size: int
    note: str
    proofs: tuple[str, ...]


def may_go_unheard(routing_key: str) -> bool:
    """Whether an announcement of this topic may find no listener."""
    return any(kind.may_go_unheard and kind.routing_key() == routing_key for kind in Announcement.__subclasses__())


def new_id() -> str:
    """Return a UUIDv7 (RFC 9562): 48 bits of Unix milliseconds, then chance."""
    at, chance = f"{time.time_ns() // 1_000_000:012x}", os.urandom(10).hex()
    # Put together as text, for an import makes hundreds of thousands; the variant is two bits of chance's fourth digit.
    return f"{at[:8]}-{at[8:]}-7{chance[:3]}-{'89ab'[int(chance[3], 16) & 3]}{chance[4:7]}-{chance[7:19]}"


def entity_tag(representation: Mapping[str, Any]) -> str:
    """Return the strong ETag (RFC 9110, 8.8.3) of what one caller sees, quotes included; nobody without our key can try a guess."""
    return _tag(representation, _tag_keys[0])


def entity_tags(representation: Mapping[str, Any]) -> list[str]:
    """Return the tags of a representation under each of the keys that tags were made with."""
    return [_tag(representation, key) for key in _tag_keys]


def require_match(if_match: str | None, tags: Collection[str]) -> None:
    """Go on only if an If-Match names the record with these tags, compared strongly; `*` is any record (RFC 9110, 13.1.1).

    :raises PreconditionMissing: there is none.
    :raises Stale: it names other versions.
    """
    given = if_match.strip() if if_match else ""
    if not given:
        raise PreconditionMissing
    if given != "*" and not any(not weak and tag in tags for weak, tag in _TAG.findall(given)):
        raise Stale


def is_any_match(if_none_match: str, tag: str) -> bool:
    """Tell whether an If-None-Match names this tag, compared weakly; `*` is any (RFC 9110, 13.1.2)."""
    return if_none_match.strip() == "*" or any(tag == known for _, known in _TAG.findall(if_none_match))


#: An entity tag in a list: whether it is weak, and its opaque part with the quotes (RFC 9110, 8.8.3).
_TAG = re.compile(r'(?:^|,)\s*(W/)?("[^"]*")\s*(?=,|$)')


def tag_with(keys: Iterable[str], *, instead_of: Iterable[str] = ()) -> None:
    """Make entity tags under the first of these keys; those of the others still count, and of former ones that are not dropped."""
    dropped = set(map(_tag_key, instead_of))
    _tag_keys[:] = list(dict.fromkeys([*map(_tag_key, keys), *(key for key in _tag_keys if key not in dropped)]))[:_TAG_KEYS]


#: Without a key in its settings a process has one of its own; they count as long as no four newer ones are known.
_TAG_KEYS = 4
_tag_keys = [os.urandom(32)]


def _tag_key(key: str) -> bytes:
    return hashlib.blake2b(key.encode(), digest_size=32, person=b"liaison tags").digest()


def _tag(representation: Mapping[str, Any], key: bytes) -> str:
    canonical = json.dumps(representation, sort_keys=True, separators=(",", ":"), default=wire_value)
    return f'"{hashlib.blake2b(canonical.encode(), digest_size=16, key=key).hexdigest()}"'


def wire_value(value: object) -> object:
    """Return the JSON form of dates, instants (RFC 3339, UTC), ids and sets."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, set | frozenset):
        return sorted(value)
    message = f"{type(value).__name__} has no JSON form"
    raise TypeError(message)


def chunks(items: Iterable[Any], size: int) -> Iterable[list[Any]]:
    """Yield lists of at most `size`; nothing for nothing."""
    rest = iter(items)
    while chunk := list(islice(rest, size)):
        yield chunk


def _first_line(refusal: type[Refusal]) -> str:
    return inspect.cleandoc(refusal.__doc__ or "").partition("\n")[0]
