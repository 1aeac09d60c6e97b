"""Create callers as passports describe them, for tests that start after the passport check."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import orjson

from services.chassis.messages import Caller, Operation, new_id


def a_caller(
    component: str | None = "ICE",
    level: str | None = "contributor",
    *,
    id: str | None = None,  # noqa: A002 - the field is called so
    roles: Iterable[str] = (),
    acknowledged: bool = True,
) -> Caller:
    """Return a signed-in user with a new session and acknowledged statements."""
    return Caller(
        kind="user",
        id=id or new_id(),
        component=component,
        level=level,
        roles=frozenset(roles),
        session_id=new_id(),
        acknowledgement_id=new_id() if acknowledged else None,
        jti=new_id(),
        policy_version="1",
        trace_id=new_id(),
    )


def a_command(caller: Caller, path: str = "/individuals", *, method: str = "POST", key: str | None = None, body: object = None) -> Caller:
    """Return the caller with an operation for one command, as the gateway sends it."""
    body_hash = hashlib.sha256(orjson.dumps(body, option=orjson.OPT_SORT_KEYS)).hexdigest()
    operation = Operation(id=new_id(), method=method, path=path, key=key, body_hash=body_hash)
    return caller.within(trace_id=new_id(), operation=operation)


def anonymous() -> Caller:
    """Return a caller who has not signed in."""
    return Caller.anonymous()
