"""Notes on individuals; what was kept against a finding stands behind row-level security (T15)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import text

from services.chassis.database import UnitOfWork
from services.contacts.storage.rows import plain, plains


def insert(work: UnitOfWork, note: Mapping[str, Any]) -> None:
    """Insert a note."""
    work.execute(
        text(
            "INSERT INTO notes (id, individual_id, text, provenance, component, author_id, created_at, updated_at, kept,"
            " keep_reason) VALUES (:id, :individual_id, :text, :provenance, :component, :author_id, :now, :now, :kept,"
            " :keep_reason)"
        ),
        dict(note),
    )


def find(work: UnitOfWork, note_id: str) -> dict[str, Any] | None:
    """Return a note, if this transaction may see it."""
    row = work.execute(text("SELECT * FROM notes WHERE id = CAST(:id AS uuid)"), {"id": note_id}).mappings().one_or_none()
    return plain(row) if row else None


def of_individual(work: UnitOfWork, individual_id: str, *, after: tuple[str, str] | None, limit: int) -> list[dict[str, Any]]:
    """Return the notes on an individual that this transaction may see behind a position, the latest first."""
    behind = "" if after is None else "AND (created_at, id) < (CAST(:at AS timestamptz), CAST(:note AS uuid))"
    at, note = after or (None, None)
    rows = work.execute(
        text(f"SELECT * FROM notes WHERE individual_id = CAST(:id AS uuid) {behind} ORDER BY created_at DESC, id DESC LIMIT :limit"),  # noqa: S608 - conditions of our own
        {"id": individual_id, "limit": limit, **({"at": at, "note": note} if after else {})},
    )
    return plains(rows.mappings())


def count(work: UnitOfWork, individual_id: str) -> int:
    """Return how many notes on an individual this transaction may see."""
    return int(work.execute(text("SELECT count(*) FROM notes WHERE individual_id = CAST(:id AS uuid)"), {"id": individual_id}).scalar_one())


def update(work: UnitOfWork, note_id: str, note: Mapping[str, Any]) -> None:
    """Set a note's `text`, `provenance`, `kept` and `keep_reason`; what was released waits for release again."""
    work.execute(
        text(
            "UPDATE notes SET text = :text, provenance = :provenance, kept = :kept, keep_reason = :keep_reason,"
            " released_at = NULL, updated_at = :now WHERE id = CAST(:id AS uuid)"
        ),
        {**note, "id": note_id},
    )


def delete(work: UnitOfWork, note_id: str) -> None:
    """Delete a note."""
    work.execute(text("DELETE FROM notes WHERE id = CAST(:id AS uuid)"), {"id": note_id})


_WAITING = "FROM notes n JOIN individuals i ON i.id = n.individual_id WHERE n.kept AND n.released_at IS NULL AND i.frozen_at IS NULL"


def waiting(work: UnitOfWork, *, after: Sequence[str] | None, limit: int) -> list[dict[str, Any]]:
    """Return kept notes that wait to be released, the oldest first, one more than `limit` where there are more. As the caseworker."""
    beyond = " AND (n.updated_at, n.id) > (CAST(:at AS timestamptz), CAST(:id AS uuid))" if after else ""
    given = {"at": after[0], "id": after[1]} if after else {}
    statement = f"SELECT n.* {_WAITING}{beyond} ORDER BY n.updated_at, n.id LIMIT :most"
    return plains(work.execute(text(statement), {**given, "most": limit + 1}).mappings())


def count_waiting(work: UnitOfWork) -> int:
    """Return how many wait. As the caseworker."""
    return int(work.execute(text(f"SELECT count(*) {_WAITING}")).scalar_one())


def release(work: UnitOfWork, note_id: str, *, now: datetime) -> None:
    """Let everybody read a kept note from now on. As the caseworker."""
    work.execute(text("UPDATE notes SET released_at = :now WHERE id = CAST(:id AS uuid)"), {"id": note_id, "now": now})
