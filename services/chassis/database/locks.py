"""Transaction-level advisory locks, and the identity of a repeatable request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypedDict

import orjson

from services.chassis.keyed import split_digests
from services.chassis.messages import Caller, wire_value


@dataclass(frozen=True, slots=True)
class Lock:
    """An advisory lock: a name, and a seed for its kind."""

    seed: int
    name: str

    @classmethod
    def of_request(cls, caller: Caller) -> list[Lock]:
        """Return the sorted locks of a request with an Idempotency-Key, or none without one.

        There is a lock for each digest of the key, so that two gateways with different digest keys share one.
        """
        request = request_of(caller)
        if request is None:
            return []
        user, method, path = request["user"], request["method"], request["path"]
        return [cls(0, as_json({"user": user, "method": method, "path": path, "key": key})) for key in sorted(request["keys"])]


class RequestIdentity(TypedDict):
    """What two requests with the same Idempotency-Key have in common; `keys` has a digest of it for each digest key."""

    user: str
    method: str
    path: str
    keys: list[str]


def request_of(caller: Caller) -> RequestIdentity | None:
    """Return the identity of a request with an Idempotency-Key, or None without one."""
    operation = caller.operation
    if operation is None or operation.key is None:
        return None
    return {"user": caller.id, "method": operation.method, "path": operation.path, "keys": split_digests(operation.key)}


def as_json(value: object) -> str:
    """Return a value as JSON for a statement's parameter."""
    return orjson.dumps(value, default=wire_value).decode()
