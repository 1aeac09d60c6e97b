"""What one transaction at a time may hold, and by what a repeated request is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson

from services.chassis.keyed import split_digests
from services.chassis.messages import Caller, wire_value


@dataclass(frozen=True, slots=True)
class Lock:
    """What one transaction at a time may hold: a name, and the number of its kind."""

    seed: int
    name: str

    @classmethod
    def of_request(cls, caller: Caller) -> list[Lock]:
        """Return the locks of a request with an Idempotency-Key, in one order; none for one without.

        There is one for each digest of its key: two gateways that differ in the key that they use have one in common.
        """
        request = request_of(caller)
        return [cls(0, as_json({**request, "key": key})) for key in sorted(request.pop("keys"))] if request else []


def request_of(caller: Caller) -> dict[str, Any] | None:
    """By what a repeated request is known: the same user, method, path and key."""
    operation = caller.operation
    if operation is None or operation.key is None:
        return None
    return {"user": caller.id, "method": operation.method, "path": operation.path, "keys": split_digests(operation.key)}


def as_json(value: object) -> str:
    """Return a value as a statement takes it."""
    return orjson.dumps(value, default=wire_value).decode()
