"""Values that cross process boundaries: refusals, operations, callers and announcements. Standard library only.

The branches of the refusal tree; the gateway maps each branch to one HTTP status::

    Refusal
    ├── Unauthenticated       the caller is not signed in
    ├── Forbidden             the caller may not do this
    ├── NotFound              the record does not exist for the caller
    ├── Conflict              the current state forbids it
    ├── Stale                 the record changed since it was read
    ├── TooLarge              the input is too large
    ├── WrongType             the content type is not supported
    ├── Invalid               fields of the input are wrong
    ├── PreconditionMissing   the request has no If-Match
    ├── TooMany               the caller is rate limited
    └── Unavailable           a part of the system is unavailable
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
from typing import Any, ClassVar, Self, TypedDict
from uuid import UUID


class RefusalWire(TypedDict):
    """A refusal on the bus; `errors` has the sentences on each wrong field."""

    branch: str
    code: str
    detail: str
    errors: dict[str, list[str]] | None
    extra: dict[str, Any]


#: The branches of the refusal tree, by name.
BRANCHES: dict[str, type[Refusal]] = {}
#: All refusals that are loaded, by branch and code.
KNOWN: dict[tuple[str, str], type[Refusal]] = {}


class Refusal(Exception):
    """The request cannot be granted."""

    branch: ClassVar[str] = "refusal"
    code: str = "refused"

    def __init_subclass__(cls, *, branch: str | None = None) -> None:
        """Set the code, which is the name of the class (`NotFound`: not-found) unless it has another; add a branch to the tree."""
        super().__init_subclass__()
        cls.code = cls.__dict__.get("code") or re.sub(r"(?<!^)(?=[A-Z])", "-", cls.__name__).lower()
        if branch is not None:
            cls.branch = branch
            BRANCHES[branch] = cls
        KNOWN[cls.branch, cls.code] = cls

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

    def to_wire(self) -> RefusalWire:
        """Return what is sent of a refusal; of other exceptions, nothing is."""
        return {"branch": self.branch, "code": self.code, "detail": self.detail, "errors": self.errors, "extra": self.extra}

    @staticmethod
    def from_wire(wire: Mapping[str, Any]) -> Refusal:
        """Return a refusal of the same branch and code; `Unavailable` for an unknown branch."""
        branch = BRANCHES.get(str(wire.get("branch")), Unavailable)
        return branch(
            str(wire.get("detail") or "") or None,
            code=str(wire.get("code") or branch.code),
            errors=wire.get("errors"),
            extra=wire.get("extra"),
        )


class Unauthenticated(Refusal, branch="unauthenticated"):
    """Sign in first."""

    code = "session-required"


class Forbidden(Refusal, branch="forbidden"):
    """You may not do this."""


class NotFound(Refusal, branch="not-found"):
    """There is no such record, or you may not see it."""


class Conflict(Refusal, branch="conflict"):
    """The present state does not allow this."""


class Stale(Refusal, branch="stale"):
    """The record changed since you read it."""


class TooLarge(Refusal, branch="too-large"):
    """This is larger than allowed."""


class WrongType(Refusal, branch="wrong-type"):
    """This kind of content is not supported."""


class Invalid(Refusal, branch="invalid"):
    """Check the fields below."""


class PreconditionMissing(Refusal, branch="precondition-missing"):
    """Say with If-Match which version of the record you mean."""


class TooMany(Refusal, branch="too-many"):
    """There were too many requests. Try again later."""


class Unavailable(Refusal, branch="unavailable"):
    """A part of the system is not available. Try again shortly."""


class OutcomeUnknown(Unavailable):
    """The answer did not come in time; ask for the operation to learn whether it was done."""


class IdempotencyMismatch(Conflict):
    """This Idempotency-Key was used for another request."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One command, as identified by the gateway; the service that runs it stores it with its result.

    `key` (of the Idempotency-Key) and `body_hash` each join the digests under all accepted keys, the one in use first.
    """

    id: str
    method: str
    path: str
    key: str | None
    body_hash: str

    @classmethod
    def from_wire(cls, wire: Mapping[str, Any]) -> Self:
        """Read the header's content; ignore unknown fields."""
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
    """The identity, session and request behind a call."""

    kind: str
    id: str
    component: str | None = None
    level: str | None = None
    roles: frozenset[str] = frozenset()
    session_id: str | None = None
    acknowledgement_id: str | None = None
    jti: str | None = None
    policy_version: str | None = None
    #: The service that calls on behalf of the user; None for the gateway.
    via: str | None = None
    trace_id: str | None = None
    operation: Operation | None = None

    @classmethod
    def service(cls, name: str, *, trace_id: str | None = None) -> Caller:
        """Return the caller for a service's own background work."""
        return cls(kind="service", id=name, trace_id=trace_id or new_id())

    @classmethod
    def operator(cls, name: str, *, trace_id: str | None = None) -> Caller:
        """Return the caller for a person at the command line."""
        return cls(kind="operator", id=name, trace_id=trace_id or new_id())

    @classmethod
    def anonymous(cls, *, trace_id: str | None = None) -> Caller:
        """Return the caller for a client that is not signed in."""
        return cls(kind="anonymous", id="anonymous", trace_id=trace_id or new_id())

    @property
    def acknowledged(self) -> bool:
        """Whether the session has acknowledged the three statements (R103-R110)."""
        return self.acknowledgement_id is not None

    def within(self, *, trace_id: str | None, operation: Operation | None = None) -> Caller:
        """Return the same caller in another request."""
        return dataclasses.replace(self, trace_id=trace_id, operation=operation)


class AnnouncementWire(TypedDict):
    """An announcement in the outbox and on the bus."""

    id: str
    name: str
    at: str
    service: str
    trace_id: str | None
    fields: dict[str, object]


class Announcement:
    """A domain event: a fact that other services are told of, with ids and codes only, never personal data.

    Subclasses are frozen, slotted dataclasses with a `name` such as `contacts:individual:registered`.
    """

    __slots__ = ()
    name: ClassVar[str]
    #: Whether an installation may have no handler for it; any other unroutable announcement is logged as an error.
    may_go_unheard: ClassVar[bool] = False

    @classmethod
    def routing_key(cls) -> str:
        """Return the routing key: the name with dots."""
        return cls.name.replace(":", ".")

    def to_wire(self) -> dict[str, Any]:
        """Return the fields, ready for JSON."""
        return {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}  # type: ignore[arg-type]  # every subclass is a dataclass

    @classmethod
    def from_wire(cls, wire: Mapping[str, object]) -> Self:
        """Read the known fields and ignore the rest, so that contracts can grow.

        :raises TypeError: a field without default is missing.
        """
        return cls(**{field.name: wire[field.name] for field in dataclasses.fields(cls) if field.name in wire})  # type: ignore[arg-type]  # every subclass is a dataclass


@dataclass(frozen=True, slots=True)
class CheckpointSigned(Announcement):
    """The audit service signed a checkpoint; each of `proofs` proves its consistency with an earlier checkpoint.

    A proof is a string: the earlier size, then hashes in base64, separated by spaces. There are several, because a
    witness may receive announcements out of order.
    """

    name: ClassVar[str] = "audit:checkpoint:signed"

    size: int
    note: str
    proofs: tuple[str, ...]


def may_go_unheard(routing_key: str) -> bool:
    """Whether an announcement with this routing key may be unroutable."""
    return any(kind.may_go_unheard and kind.routing_key() == routing_key for kind in Announcement.__subclasses__())


def new_id() -> str:
    """Return a UUIDv7 (RFC 9562): 48 bits of Unix milliseconds, then random bits."""
    at, chance = f"{time.time_ns() // 1_000_000:012x}", os.urandom(10).hex()
    # Composed as text, because an import makes hundreds of thousands; the variant takes two bits of the fourth random digit.
    return f"{at[:8]}-{at[8:]}-7{chance[:3]}-{'89ab'[int(chance[3], 16) & 3]}{chance[4:7]}-{chance[7:19]}"


def entity_tag(representation: Mapping[str, object]) -> str:
    """Return the strong ETag (RFC 9110, 8.8.3) of a representation, with its quotes; a keyed digest."""
    return _tag(representation, _tag_keys[0])


def entity_tags(representation: Mapping[str, object]) -> list[str]:
    """Return a representation's ETags under the current key and former ones."""
    return [_tag(representation, key) for key in _tag_keys]


def require_match(if_match: str | None, tags: Collection[str]) -> None:
    """Check an If-Match header against a record's tags, by strong comparison; `*` matches any record (RFC 9110, 13.1.1).

    :raises PreconditionMissing: the header is missing or blank.
    :raises Stale: it matches none of the tags.
    """
    given = if_match.strip() if if_match else ""
    if not given:
        raise PreconditionMissing
    if given != "*" and not any(not weak and tag in tags for weak, tag in _TAG.findall(given)):
        raise Stale


def is_any_match(if_none_match: str, tag: str) -> bool:
    """Return whether an If-None-Match header matches the tag, by weak comparison; `*` matches any (RFC 9110, 13.1.2)."""
    return if_none_match.strip() == "*" or any(tag == known for _, known in _TAG.findall(if_none_match))


#: An entity tag in a list: the weakness marker, and the opaque tag with its quotes (RFC 9110, 8.8.3).
_TAG = re.compile(r'(?:^|,)\s*(W/)?("[^"]*")\s*(?=,|$)')


def tag_with(keys: Iterable[str], *, instead_of: Iterable[str] = ()) -> None:
    """Make ETags under the first key; keep accepting tags under the others and under former keys not in `instead_of`."""
    dropped = set(map(_tag_key, instead_of))
    _tag_keys[:] = list(dict.fromkeys([*map(_tag_key, keys), *(key for key in _tag_keys if key not in dropped)]))[:_TAG_KEYS]


#: Accepted keys, the current one first; a process without a configured key makes its own.
_TAG_KEYS = 4
_tag_keys = [os.urandom(32)]


def _tag_key(key: str) -> bytes:
    return hashlib.blake2b(key.encode(), digest_size=32, person=b"liaison tags").digest()


def _tag(representation: Mapping[str, object], key: bytes) -> str:
    canonical = json.dumps(representation, sort_keys=True, separators=(",", ":"), default=wire_value)
    return f'"{hashlib.blake2b(canonical.encode(), digest_size=16, key=key).hexdigest()}"'


def wire_value(value: object) -> object:
    """Return the JSON form of a date, datetime (RFC 3339, UTC, milliseconds), UUID or set.

    :raises TypeError: the value is of another type.
    """
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, set | frozenset):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


def chunks(items: Iterable[Any], size: int) -> Iterable[list[Any]]:
    """Split items into lists of at most `size`."""
    rest = iter(items)
    while chunk := list(islice(rest, size)):
        yield chunk


def _first_line(refusal: type[Refusal]) -> str:
    return inspect.cleandoc(refusal.__doc__ or "").partition("\n")[0]
