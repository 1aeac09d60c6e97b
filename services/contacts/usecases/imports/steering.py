"""Steering: what an import's owner asks for (check, commit, cancel, undo, stop, go on), and the end of what nobody goes on with."""

from __future__ import annotations

from datetime import datetime

from services.chassis.database import UnitOfWork
from services.chassis.messages import Caller, Refusal
from services.contacts.contract.answers.imports import ImportAnswer
from services.contacts.contract.imports import ImportStateUnsuitable, UploadInterrupted
from services.contacts.contract.refusals import ImportsStopped, LookupsExhausted
from services.contacts.domain.imports import columns
from services.contacts.domain.imports.states import Import, ImportChanges
from services.contacts.storage.imports import effects, files, imports, outcomes
from services.contacts.storage.vault import Vault
from services.contacts.usecases import looking
from services.contacts.usecases.imports import refused_rows
from services.contacts.usecases.imports.representing import (
    acting,
    as_it_is,
    ended,
    layout_of,
    own,
)
from services.contacts.usecases.imports.uploading import fail, require_may_import
from services.contacts.usecases.preconditions import require_entries_left

STOPPED = "The import was stopped before this row."


def check_import(work: UnitOfWork, *, by: Caller, now: datetime, vault: Vault, import_id: str) -> ImportAnswer:
    """Ask for every row to be checked; nothing changes by it.

    :raises MappingIncomplete, BlockedTooOften, ImportForStewards, ImportStateUnsuitable:
    """
    row = own(work, import_id, by=by, lock=True, states={"uploaded", "mapped", "checked", "stopped"})
    if row.state == "stopped":
        return _resume_as(work, row, "checking", by=by, now=now, vault=vault)
    require_may_import(by, rows=row.rows)
    require_entries_left(work, by=by, now=now)
    columns.require_enough(layout_of(vault, row).mapping)
    outcomes.drop(work, import_id)
    _queue(work, row, by=by, now=now, state="checking", total=row.rows)
    work.record("contacts:import:check", subjects=[import_id])
    return as_it_is(work, vault, import_id)


def commit_import(work: UnitOfWork, *, by: Caller, now: datetime, vault: Vault, import_id: str) -> ImportAnswer:
    """Ask for the checked rows to be taken in.

    :raises ImportForStewards, ImportStateUnsuitable: it was not checked.
    :raises ImportsStopped: the privacy officer looks at the caller's entries first (T35).
    """
    row = own(work, import_id, by=by, lock=True, states={"checked", "stopped"})
    if row.state == "stopped":
        return _resume_as(work, row, "committing", by=by, now=now, vault=vault)
    require_may_import(by, rows=row.rows)
    looking.require_going_on(work, by=by, now=now)
    _queue(work, row, by=by, now=now, state="committing", total=row.rows)
    work.record("contacts:import:commit", subjects=[import_id])
    return as_it_is(work, vault, import_id)


def cancel_import(work: UnitOfWork, *, by: Caller, now: datetime, vault: Vault, import_id: str) -> ImportAnswer:
    """Leave an import that was not committed; what was staged of it is dropped. The keys go after the commit.

    A commit or an undo that is under way is stopped instead: some of it is done already.
    """
    row = own(work, import_id, by=by, lock=True, states={"uploading", "uploaded", "mapped", "checked", *_UNDER_WAY, "stopped"})
    if row.state in {"committing", "undoing"} or (row.state == "stopped" and row.stopped != "checking"):
        return stop_import(work, by=by, now=now, vault=vault, import_id=import_id)
    files.drop_staged(work, import_id)
    outcomes.drop(work, import_id)
    imports.update(work, import_id, ended(row, "cancelled", now=now), now=now)
    work.record("contacts:import:cancel", subjects=[import_id])
    return as_it_is(work, vault, import_id)


def undo_import(work: UnitOfWork, *, by: Caller, now: datetime, vault: Vault, import_id: str) -> ImportAnswer:
    """Ask for a committed import to be taken back (N16); what somebody has worked with since stays."""
    row = own(work, import_id, by=by, lock=True, states={"committed", "stopped"})
    if row.state == "stopped":
        if row.stopped == "undoing":
            return resume_import(work, by=by, now=now, vault=vault, import_id=import_id)
        if row.stopped != "committing":
            raise ImportStateUnsuitable("The import is stopped.", extra={"state": "stopped"})
        # Of a commit that was stopped, what is in already is taken back.
        files.drop_staged(work, import_id)
        outcomes.leave_rest_out(work, import_id, first=row.position, reason=STOPPED)
    require_may_import(by, rows=0)
    outcomes.lapse(work, import_id, refused_rows.UNDONE)
    refused_rows.let_go(work, import_id)
    imports.update(work, import_id, {"deciding": None}, now=now)
    _queue(work, row, by=by, now=now, state="undoing", total=effects.count(work, import_id))
    work.record("contacts:import:undo", subjects=[import_id])
    return as_it_is(work, vault, import_id)


def stop_import(work: UnitOfWork, *, by: Caller, now: datetime, vault: Vault, import_id: str) -> ImportAnswer:
    """Stop a check, a commit, an undo or the deciding of all rows behind the block under way; each but the last can be gone on with.

    :raises ImportStateUnsuitable: nothing is under way.
    """
    row = own(work, import_id, by=by, lock=True)
    if row.deciding is not None:
        # What was not decided yet simply waits on.
        imports.update(work, import_id, {"deciding": None, "lease_until": None}, now=now)
    elif row.state in _UNDER_WAY:
        imports.update(work, import_id, {"state": "stopped", "stopped": row.state, "lease_until": None}, now=now)
    elif row.state != "stopped":
        raise ImportStateUnsuitable(f"The import is {row.state}.", extra={"state": row.state})
    work.record("contacts:import:stop", subjects=[import_id])
    return as_it_is(work, vault, import_id)


_UNDER_WAY = ("checking", "committing", "undoing")
_NO_PROBLEM: ImportChanges = {"problem_code": None, "problem_detail": None}
#: Why an import waits for the privacy officer (T35).
HELD = (LookupsExhausted, ImportsStopped)


def hold_import(work: UnitOfWork, *, now: datetime, import_id: str, refusal: Refusal) -> None:
    """Stop a commit, or the deciding of all rows, behind the last block: the privacy officer looks first (T35)."""
    row = imports.find(work, import_id, lock=True)
    if row is None:
        return
    if row.deciding is not None:
        imports.update(work, import_id, {"deciding": None, "acting": None, "lease_until": None}, now=now)
    elif row.state == "committing":
        why: ImportChanges = {"problem_code": refusal.code, "problem_detail": refusal.detail}
        imports.update(work, import_id, {"state": "stopped", "stopped": "committing", "lease_until": None, **why}, now=now)
    work.record("contacts:import:stop", subjects=[import_id], rule="T35")


def resume_import(work: UnitOfWork, *, by: Caller, now: datetime, vault: Vault, import_id: str) -> ImportAnswer:
    """Go on with what was stopped, where it was stopped.

    :raises ImportStateUnsuitable: nothing was stopped.
    :raises ImportsStopped: the privacy officer looks at the caller's entries first (T35).
    """
    row = own(work, import_id, by=by, lock=True, states={"stopped"})
    require_may_import(by, rows=row.rows if row.stopped != "undoing" else 0)
    if row.stopped == "committing":
        looking.require_going_on(work, by=by, now=now)
    going: ImportChanges = {"state": row.stopped, "stopped": None, "acting": acting(by), "lease_until": None, **_NO_PROBLEM}
    imports.update(work, import_id, going, now=now)
    work.record("contacts:import:resume", subjects=[import_id])
    return as_it_is(work, vault, import_id)


def fail_interrupted(work: UnitOfWork, *, now: datetime, before: datetime) -> list[str]:
    """Say of uploads of which nothing came since then that they were interrupted; return them, for their keys to be destroyed."""
    rows = imports.interrupted(work, before=before)
    for row in rows:
        fail(work, row, now=now, refusal=UploadInterrupted())
    return [row.id for row in rows]


def end_stopped(work: UnitOfWork, *, now: datetime, before: datetime) -> list[str]:
    """End commits that were stopped and that nobody went on with: what is in stays; return them, for their keys to be destroyed."""
    rows = imports.left_stopped(work, before=before)
    for row in rows:
        files.drop_staged(work, row.id)
        outcomes.leave_rest_out(work, row.id, first=row.position, reason=STOPPED)
        kept: ImportChanges = {"refused_layout": row.refused_layout, "refused_until": now + refused_rows.KEPT}
        imports.update(work, row.id, {**ended(row, "committed", now=now), "stopped": None, **_NO_PROBLEM, **kept}, now=now)
    if rows:
        work.record("contacts:import:end-stopped", subjects=[row.id for row in rows], rule="left-behind")
    return [row.id for row in rows]


def cancel_left_behind(work: UnitOfWork, *, now: datetime, before: datetime) -> list[str]:
    """Cancel imports that nobody went on with; return them, for their keys to be destroyed."""
    rows = imports.left_behind(work, before=before)
    left = [row.id for row in rows]
    for row in rows:
        files.drop_staged(work, row.id)
        outcomes.drop(work, row.id)
        imports.update(work, row.id, ended(row, "cancelled", now=now), now=now)
    if left:
        work.record("contacts:import:cancel", subjects=left, rule="left-behind")
    return left


def _resume_as(work: UnitOfWork, row: Import, stopped: str, *, by: Caller, now: datetime, vault: Vault) -> ImportAnswer:
    if row.stopped != stopped:
        raise ImportStateUnsuitable("The import is stopped.", extra={"state": "stopped"})
    return resume_import(work, by=by, now=now, vault=vault, import_id=row.id)


def _queue(work: UnitOfWork, row: Import, *, by: Caller, now: datetime, state: str, total: int) -> None:
    changes: ImportChanges = {
        "state": state,
        "stopped": None,
        "position": 0,
        "total": total,
        "acting": acting(by),
        "lease_until": None,
        **_NO_PROBLEM,
    }
    imports.update(work, row.id, changes, now=now)
