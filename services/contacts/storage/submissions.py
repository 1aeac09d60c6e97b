"""Submitted messages, who is told of a person, and messages on their way to a component's queues."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import orjson
from sqlalchemy import ColumnElement, and_, delete, func, insert, select, text, update

from services.chassis.database import Lock, UnitOfWork
from services.chassis.database.rows import typed
from services.chassis.keyed import Keyed
from services.contacts.domain.submissions import Delivered, OutgoingEvent
from services.contacts.storage.tables.imports import integration_audiences, submissions

# Text SQL: the outbox is the chassis's table, and a row is inserted only where there is no tombstone.

# Text where rows are made of other rows, and for the outbox, which is the chassis's.


def claim(
    work: UnitOfWork,
    *,
    component: str,
    keyed: Keyed,
    event_id: str | None,
    delivered: Delivered,
    code: str,
    fields: Iterable[str],
    now: datetime,
) -> bool:
    """Store a message's size, keyed digests and code; return whether its id is new. A copy waits for the first to commit."""
    if event_id is not None:
        # Its digests under two keys differ: the lock is on the id itself, and lives no longer than this transaction.
        work.hold(Lock(6, _event(component, event_id)))
        if find(work, component=component, keyed=keyed, event_id=event_id):
            return False
    claimed = {
        "component": component,
        "event_digest": None if event_id is None else keyed.of(_event(component, event_id)),
        "size": len(delivered.body),
        "digest": keyed.of(delivered.body),
        "code": code,
        "fields": list(fields),
        "received_at": now,
    }
    work.execute(insert(submissions), claimed)
    return True


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a message."""

    event_id: str | None
    size: int
    digest: str
    code: str
    fields: Sequence[str]
    individual_id: str | None = None


def find(work: UnitOfWork, *, component: str, keyed: Keyed, event_id: str) -> Outcome | None:
    """Return the outcome of a message, or None."""
    of = submissions.c
    found = select(of.size, of.digest, of.code, of.fields, of.individual_id).where(_is(component, keyed, event_id))
    row = work.execute(found).mappings().one_or_none()
    return typed(Outcome, {**row, "event_id": event_id}) if row else None


def note_individual(work: UnitOfWork, *, component: str, keyed: Keyed, event_id: str, individual_id: str) -> None:
    """Store which individual a message became."""
    work.execute(update(submissions).where(_is(component, keyed, event_id)).values(individual_id=individual_id))


def _is(component: str, keyed: Keyed, event_id: str) -> ColumnElement[bool]:
    return and_(submissions.c.component == component, submissions.c.event_digest.in_(keyed.each(_event(component, event_id))))


def _event(component: str, event_id: str) -> str:
    return f"event {component} {event_id}"


def blocked_since(work: UnitOfWork, *, component: str, since: datetime) -> int:
    """Count a component's blocked messages."""
    of = submissions.c
    blocked = select(func.count()).select_from(submissions).where(of.component == component, of.code == "blocked", of.received_at >= since)
    return int(work.execute(blocked).scalar_one())


def admit(work: UnitOfWork, individual_id: str, component: str) -> None:
    """Let a component be told of an individual, unless they were erased."""
    work.execute(
        text(
            "INSERT INTO integration_audiences (individual_id, component) SELECT CAST(:id AS uuid), :component"
            " WHERE NOT EXISTS (SELECT FROM tombstones WHERE stakeholder_id = CAST(:id AS uuid)) ON CONFLICT DO NOTHING"
        ),
        {"id": individual_id, "component": component},
    )


def audience(work: UnitOfWork, individual_id: str) -> set[str]:
    """Return the components that have a relationship with an individual, or had one when they were erased."""
    return set(
        work.execute(
            text(
                "SELECT component FROM integration_audiences WHERE individual_id = CAST(:id AS uuid)"
                " UNION SELECT component FROM relationships WHERE stakeholder_id = CAST(:id AS uuid)"
            ),
            {"id": individual_id},
        ).scalars()
    )


def dismiss(work: UnitOfWork, individual_id: str) -> None:
    """Delete who is told of an individual."""
    work.execute(delete(integration_audiences).where(integration_audiences.c.individual_id == individual_id))


def send(work: UnitOfWork, event: OutgoingEvent, *, routing_key: str) -> None:
    """Put a message for a component into the outbox; the relay publishes it after the commit."""
    work.execute(
        text("INSERT INTO outbox (id, routing_key, body) VALUES (CAST(:id AS uuid), :key, CAST(:body AS json))"),
        {"id": event["id"], "key": routing_key, "body": orjson.dumps(event).decode()},
    )
