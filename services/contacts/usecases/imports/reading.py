"""Reading: what an import's owner sees of it and of its rows."""

from __future__ import annotations

from datetime import datetime

from services.chassis.answers import Page, total_up_to
from services.chassis.cursors import Cursors
from services.chassis.database import UnitOfWork
from services.chassis.messages import Caller
from services.contacts.contract.answers.imports import ImportAnswer, ImportRowAnswer
from services.contacts.storage.imports import imports, outcomes
from services.contacts.storage.vault import Vault
from services.contacts.usecases.imports.representing import line_of, own, representation
from services.contacts.usecases.imports.uploading import require_may_import

_COUNTED = 10_000


def read_import(work: UnitOfWork, *, by: Caller, vault: Vault, import_id: str) -> ImportAnswer:
    """Return an import of the caller's."""
    row = own(work, import_id, by=by)
    work.record("contacts:import:read", subjects=[import_id])
    return representation(vault, row)


def list_imports(work: UnitOfWork, *, by: Caller, vault: Vault, cursors: Cursors, limit: int, cursor: str | None = None) -> Page[ImportAnswer]:
    """Return a page of the caller's imports, the latest first."""
    require_may_import(by, rows=0)
    position = cursors.open(cursor, of="imports", user_id=by.id, query={})
    before = (datetime.fromisoformat(position["at"]), position["id"]) if position else None
    rows = imports.of_owner(work, by.id, before=before, limit=limit + 1)
    following = None
    if len(rows) > limit:
        rows = rows[:limit]
        following = cursors.seal({"at": rows[-1].created_at.isoformat(), "id": rows[-1].id}, of="imports", user_id=by.id, query={})
    work.record("contacts:import:list", subjects=[row.id for row in rows])
    return {"items": [representation(vault, row) for row in rows], "next": following, "total": imports.count_of_owner(work, by.id)}


def list_rows(
    work: UnitOfWork, *, by: Caller, cursors: Cursors, import_id: str, limit: int, cursor: str | None = None, outcome: str | None = None
) -> Page[ImportRowAnswer]:
    """Return a page of what becomes, or became, of each row."""
    counts = own(work, import_id, by=by).counts
    asked = {"rows": import_id, "outcome": outcome}
    position = cursors.open(cursor, of="rows", user_id=by.id, query=asked)
    after = -1 if position is None else position
    found = outcomes.find_many(work, import_id, outcomes=[outcome] if outcome else [], after=after, limit=limit + 1)
    following = None
    if len(found) > limit:
        found = found[:limit]
        following = cursors.seal(found[-1].n, of="rows", user_id=by.id, query=asked)
    total = counts.get(outcome, 0) if outcome else sum(counts.values())
    work.record("contacts:import:list-rows", subjects=[import_id])
    return {
        "items": [line_of(row) for row in found],
        "next": following,
        "total": total_up_to(total, _COUNTED),
    }
