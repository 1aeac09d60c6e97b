"""What was submitted, who is told, and what is on its way to a component's queues."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import text

from services.chassis.database import Lock, UnitOfWork
from services.chassis.database.rows import plain
from services.chassis.keyed import Keyed
from services.contacts.domain.submissions import Delivered


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
    """Keep a message's size, keyed digests and code; tell whether its id is new. A copy waits for the first to commit."""
    if event_id is not None:
        # Its digests under two keys differ: the lock is on the id itself, and lives no longer than this transaction.
        work.hold(Lock(6, _event(component, event_id)))
        if find(work, component=component, keyed=keyed, event_id=event_id):
            return False
    work.execute(
        text(
            "INSERT INTO submissions (component, event_digest, size, digest, code, fields, received_at)"
            " VALUES (:component, :event, :size, :digest, :code, CAST(:fields AS text[]), :now)"
        ),
        {
            "component": component,
            "event": None if event_id is None else keyed.of(_event(component, event_id)),
            "size": delivered.size,
            "digest": keyed.of(delivered.body),
            "code": code,
            "fields": list(fields),
            "now": now,
        },
    )
    return True


def find(work: UnitOfWork, *, component: str, keyed: Keyed, event_id: str) -> dict[str, Any] | None:
    """Return what became of a message."""
    row = (
        work.execute(
            text(
                "SELECT size, digest, code, fields, individual_id FROM submissions"
                " WHERE component = :component AND event_digest = ANY(CAST(:events AS text[]))"
            ),
            {"component": component, "events": keyed.each(_event(component, event_id))},
        )
        .mappings()
        .one_or_none()
    )
    return {**plain(row), "event_id": event_id} if row else None


def note_individual(work: UnitOfWork, *, component: str, keyed: Keyed, event_id: str, individual_id: str) -> None:
    """Note whom a message became."""
    work.execute(
        text(
            "UPDATE submissions SET individual_id = CAST(:individual AS uuid)"
            " WHERE component = :component AND event_digest = ANY(CAST(:events AS text[]))"
        ),
        {"individual": individual_id, "component": component, "events": keyed.each(_event(component, event_id))},
    )


def _event(component: str, event_id: str) -> str:
    return f"event {component} {event_id}"


def blocked_since(work: UnitOfWork, *, component: str, since: datetime) -> int:
    """Count a component's messages that were blocked."""
    count: int = work.execute(
        text("SELECT count(*) FROM submissions WHERE component = :component AND code = 'blocked' AND received_at >= :since"),
        {"component": component, "since": since},
    ).scalar_one()
    return count


def admit(work: UnitOfWork, individual_id: str, component: str) -> None:
    """Let a component hear of an individual; one who is gone brings nobody back."""
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
    """Forget who was told of an individual."""
    work.execute(text("DELETE FROM integration_audiences WHERE individual_id = CAST(:id AS uuid)"), {"id": individual_id})


def send(work: UnitOfWork, event: Mapping[str, Any], *, routing_key: str) -> None:
    """Put a message for a component into the outbox: the relay publishes it once this transaction has committed."""
    work.execute(
        text("INSERT INTO outbox (id, routing_key, body) VALUES (CAST(:id AS uuid), :key, CAST(:body AS json))"),
        {"id": event["id"], "key": routing_key, "body": orjson.dumps(event).decode()},
    )
