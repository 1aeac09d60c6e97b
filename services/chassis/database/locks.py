"""What one transaction at a time may hold, and by what a repeated request is known."""

from __future__ import annotations

from dataclasses import dataclass

import orjson

from services.chassis.messages import Caller, wire_value


@dataclass(frozen=True, slots=True)
class Lock:
    """What one transaction at a time may hold: a name, and the number of its kind."""

    seed: int
    name: str

    @classmethod
    def of_request(cls, caller: Caller) -> Lock | None:
        """Return the lock of a request with an Idempotency-Key; None for one without."""
        request = request_of(caller)
        return cls(0, as_json(request)) if request else None


def request_of(caller: Caller) -> dict[str, str | None] | None:
    """By what a repeated request is known: the same user, method, path and key."""
    operation = caller.operation
    if operation is None or operation.key is None:
        return None
    return {"user": caller.id, "method": operation.method, "path": operation.path, "key": operation.key}


def as_json(value: object) -> str:
    """Return a value as a statement takes it."""
    return orjson.dumps(value, default=wire_value).decode()
