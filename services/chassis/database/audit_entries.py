"""Audit entries on their way into the table, and whether a call has left one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from typing import Any

from services.chassis.messages import Caller, wire_value


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
) -> dict[str, Any]:
    """Return an audit entry as it travels, but for its number and signature."""
    return {
        "at": wire_value(at),
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
    """Watch whether an entry is committed while a call is served; gives a question to ask at the end."""
    before = _audited.get()
    yield lambda: _audited.get() > before


def note_audited() -> None:
    """Say that an entry of the present call is durable (for the few reads that do not use a unit of work)."""
    _audited.set(_audited.get() + 1)
