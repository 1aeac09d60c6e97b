"""Working on an import: who has it for how long, and whether they may still go on with it."""

from __future__ import annotations

from datetime import datetime, timedelta

from services.chassis.database import UnitOfWork
from services.chassis.messages import Caller
from services.contacts.contract.imports import ImportsForContributors
from services.contacts.domain.imports.states import Import
from services.contacts.storage import projections
from services.contacts.storage.imports import imports
from services.contacts.usecases.authorization import may_own

LEASE = timedelta(seconds=60)


class ImportOvertaken(Exception):
    """Another worker has gone on with this import, or its owner has cancelled it."""


def claim(work: UnitOfWork, *, now: datetime, undoing: bool) -> Import | None:
    """Take the import that waits longest and that nobody works on: one that is undone, or another.

    Neither kind of work holds up the other.
    """
    return imports.claim(work, now=now, until=now + LEASE, undoing=undoing)


def hold_on(work: UnitOfWork, import_id: str, *, now: datetime) -> None:
    """Hold an import longer, if it is still held."""
    imports.hold_on(work, import_id, until=now + LEASE)


def give_back(work: UnitOfWork, import_id: str, *, now: datetime) -> None:
    """Let another process go on with an import at once."""
    imports.update(work, import_id, {"lease_until": None}, now=now)


def held(work: UnitOfWork, import_id: str, *, state: str, position: int) -> Import:
    """Return an import whose next block is this one, and hold it.

    :raises ImportOvertaken:
    """
    row = imports.find(work, import_id, lock=True)
    if row is None or row.state != state or row.position != position:
        raise ImportOvertaken
    return row


def require_rights(work: UnitOfWork, by: Caller) -> None:
    """An import stops where its owner's rights end."""
    known = projections.user(work, by.id)
    if known and (known.component != by.component or not may_own(known)):
        raise ImportsForContributors
