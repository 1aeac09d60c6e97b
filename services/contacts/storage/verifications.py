"""Verifications: when a person's details were verified with them, how, and by whom (T6, T20)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import text

from services.chassis.database import UnitOfWork
from services.contacts.storage.bulk import array
from services.contacts.storage.rows import plain, plains


def add(work: UnitOfWork, entry: Mapping[str, Any]) -> None:
    """Keep one, and move its person's one-year clock; an earlier one than the latest moves nothing."""
    work.execute(
        text(
            "INSERT INTO verifications (id, individual_id, medium, verified_at, recorded_at, by_user, by_component, withdrawn)"
            " VALUES (:id, :individual_id, :medium, :verified_at, :recorded_at, :by_user, :by_component, CAST(:withdrawn AS text[]))"
        ),
        dict(entry),
    )
    work.execute(
        text("UPDATE individuals SET verified_at = greatest(verified_at, :verified_at) WHERE id = CAST(:individual_id AS uuid)"),
        {name: entry[name] for name in ("verified_at", "individual_id")},
    )


def verify_own_points(work: UnitOfWork, individual_id: str, ids: Iterable[str], *, component: str, at: datetime) -> list[str]:
    """Note when these contact points were verified; return the ids of those that are the component's own and this person's."""
    rows = work.execute(
        text(
            "UPDATE contact_points SET verified_at = greatest(verified_at, :at) WHERE id = ANY(CAST(:ids AS uuid[]))"
            " AND individual_id = CAST(:id AS uuid) AND component = :component RETURNING id"
        ),
        {"at": at, "ids": array(ids), "id": individual_id, "component": component},
    )
    return [str(row.id) for row in rows]


def find(work: UnitOfWork, verification_id: str) -> dict[str, Any] | None:
    """Return one."""
    row = work.execute(text("SELECT * FROM verifications WHERE id = CAST(:id AS uuid)"), {"id": verification_id}).mappings().one_or_none()
    return plain(row) if row else None


def of_individual(work: UnitOfWork, individual_id: str) -> list[dict[str, Any]]:
    """Return a person's, the latest first."""
    rows = work.execute(
        text("SELECT * FROM verifications WHERE individual_id = CAST(:id AS uuid) ORDER BY verified_at DESC, id"), {"id": individual_id}
    )
    return plains(rows.mappings())
