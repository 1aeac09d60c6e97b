"""Names of many stakeholders, in the order of their ids: that of the rows tells which was changed last."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import text

from services.chassis.database import UnitOfWork
from services.contacts.storage.rows import plains


def individuals(work: UnitOfWork, ids: Sequence[str]) -> list[dict[str, Any]]:
    """Return the names of individuals, with what decides who may know them."""
    rows = work.execute(
        text(
            "SELECT id, first_name, last_name, owner_id, owner_component, deputy_id, frozen_at, frozen_by, declined"
            " FROM individuals WHERE id = ANY(CAST(:ids AS uuid[])) ORDER BY id"
        ),
        {"ids": list(ids)},
    )
    return plains(rows.mappings())


def organizations(work: UnitOfWork, ids: Sequence[str]) -> list[dict[str, Any]]:
    """Return the names of organizations."""
    rows = work.execute(text("SELECT id, name FROM organizations WHERE id = ANY(CAST(:ids AS uuid[])) ORDER BY id"), {"ids": list(ids)})
    return plains(rows.mappings())
