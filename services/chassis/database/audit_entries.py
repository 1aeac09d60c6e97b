"""Audit entries before they are numbered and signed, and whether a call has committed one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from typing import TypedDict

from services.chassis.messages import Caller, wire_value


class AuditEntry(TypedDict):
    """An audit entry without number and signature: ids and names of fields, never a value."""

    at: str
    service: str
    actor: str
    actor_kind: str
    component: str | None
    session: str | None
    acknowledgement: str | None
    jti: str | None
    action: str
    subjects: list[str]
    fields: list[str]
    outcome: str
    rule: str | None
    trace_id: str | None
    operation: str | None


def entry_of(
    caller: Caller,
    *,
    service: str,
    at: datetime,
    action: str,
    subjects: Sequence[str],
    fields: Sequence[str],
    outcome: str,
    rule: str | None,
) -> AuditEntry:
    """Return an audit entry of the caller's action."""
    return {
        "at": str(wire_value(at)),
        "service": service,
        "actor": caller.id,
        "actor_kind": caller.kind,
        "component": caller.component,
        "session": caller.session_id,
        "acknowledgement": caller.acknowledgement_id,
        "jti": caller.jti,
        "action": action,
        "subjects": list(subjects),
        "fields": list(fields),
        "outcome": outcome,
        "rule": rule,
        "trace_id": caller.trace_id,
        "operation": caller.operation.id if caller.operation else None,
    }


_audited: ContextVar[int] = ContextVar("audited", default=0)


@contextmanager
def audited_calls() -> Iterator[Callable[[], bool]]:
    """Yield a function that returns whether an audit entry was committed since the block began."""
    before = _audited.get()
    yield lambda: _audited.get() > before


def note_audited() -> None:
    """Record that an audit entry of the current call is committed."""
    _audited.set(_audited.get() + 1)
