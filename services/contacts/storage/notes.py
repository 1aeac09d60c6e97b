"""Notes on individuals; notes kept against a finding are behind row-level security (T15)."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select, tuple_
from sqlalchemy import delete as delete_from
from sqlalchemy import insert as insert_into
from sqlalchemy import update as update_of

from services.chassis.database import UnitOfWork
from services.chassis.database.rows import all_typed, typed_or_none
from services.contacts.domain.notes import Note
from services.contacts.storage.rows import position
from services.contacts.storage.tables.contact_layer import notes
from services.contacts.storage.tables.directory import individuals

_WAITING = (
    select(notes)
    .join(individuals, individuals.c.id == notes.c.individual_id)
    .where(notes.c.kept, notes.c.released_at.is_(None), individuals.c.frozen_at.is_(None))
)


def insert(work: UnitOfWork, note: Note) -> None:
    """Insert a note."""
    work.execute(insert_into(notes), asdict(note))


def find(work: UnitOfWork, note_id: str) -> Note | None:
    """Return a note, if this transaction may see it."""
    return typed_or_none(Note, work.execute(select(notes).where(notes.c.id == note_id)).mappings().one_or_none())


def of_individual(work: UnitOfWork, individual_id: str, *, after: tuple[str, str] | None, limit: int) -> list[Note]:
    """Return the notes on an individual that this transaction may see after a position, latest first."""
    statement = select(notes).where(notes.c.individual_id == individual_id)
    if after is not None:
        statement = statement.where(tuple_(notes.c.created_at, notes.c.id) < position((notes.c.created_at, notes.c.id), after))
    return all_typed(Note, work.execute(statement.order_by(notes.c.created_at.desc(), notes.c.id.desc()).limit(limit)).mappings())


def count(work: UnitOfWork, individual_id: str) -> int:
    """Return how many notes on an individual this transaction may see."""
    return int(work.execute(select(func.count()).select_from(notes).where(notes.c.individual_id == individual_id)).scalar_one())


def update(work: UnitOfWork, note: Note) -> None:
    """Store a changed note."""
    work.execute(update_of(notes).where(notes.c.id == note.id).values(asdict(note)))


def delete(work: UnitOfWork, note_id: str) -> None:
    """Delete a note."""
    work.execute(delete_from(notes).where(notes.c.id == note_id))


def waiting(work: UnitOfWork, *, after: tuple[str, str] | None, limit: int) -> list[Note]:
    """Return kept notes that wait to be released, oldest first, at most `limit` and one more. The role is `caseworker`."""
    statement: Select[Any] = _WAITING
    if after is not None:
        statement = statement.where(tuple_(notes.c.updated_at, notes.c.id) > position((notes.c.updated_at, notes.c.id), after))
    return all_typed(Note, work.execute(statement.order_by(notes.c.updated_at, notes.c.id).limit(limit + 1)).mappings())


def count_waiting(work: UnitOfWork) -> int:
    """Count the kept notes that wait. The role is `caseworker`."""
    return int(work.execute(select(func.count()).select_from(_WAITING.subquery())).scalar_one())


def release(work: UnitOfWork, note_id: str, *, now: datetime) -> None:
    """Let everybody read a kept note from now on. The role is `caseworker`."""
    work.execute(update_of(notes).where(notes.c.id == note_id).values(released_at=now))
