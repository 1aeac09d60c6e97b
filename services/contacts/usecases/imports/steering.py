"""What an import's owner does with it: look, say what columns are, check, commit, cancel, undo."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any

from services.chassis.cursors import Cursors
from services.chassis.database import UnitOfWork
from services.chassis.messages import Caller, Refusal, entity_tags, require_match
from services.contacts.contract.imports import ImportStateUnsuitable, UploadInterrupted
from services.contacts.contract.refusals import ImportsStopped, IssueUnknown, LookupsExhausted
from services.contacts.domain.imports import columns
from services.contacts.storage import imports, links
from services.contacts.storage.vault import Vault
from services.contacts.usecases import looking
from services.contacts.usecases.imports import refused
from services.contacts.usecases.imports.representing import (
    acting,
    ended,
    layout_of,
    line_of,
    own,
    representation,
    sealed_layout,
)
from services.contacts.usecases.imports.uploading import fail, require_may_import
from services.contacts.usecases.preconditions import require_entries_left

_COUNTED = 10_000
STOPPED = "The import was stopped before this row."


def read_import(work: UnitOfWork, *, by: Caller, vault: Vault, import_id: str) -> dict[str, Any]:
    """Return an import of the caller's."""
    row = own(work, import_id, by=by)
    work.record("contacts:import:read", subjects=[import_id])
    return representation(vault, row)


def list_imports(work: UnitOfWork, *, by: Caller, vault: Vault, cursors: Cursors, query: Mapping[str, Any]) -> dict[str, Any]:
    """Return a page of the caller's imports, the latest first."""
    require_may_import(by, rows=0)
    position = cursors.open(query.get("cursor"), of="imports", user_id=by.id, query={})
    before = (datetime.fromisoformat(position["at"]), position["id"]) if position else None
    limit = query["limit"]
    rows = imports.of_owner(work, by.id, before=before, limit=limit + 1)
    following = None
    if len(rows) > limit:
        rows = rows[:limit]
        following = cursors.seal({"at": rows[-1]["created_at"].isoformat(), "id": rows[-1]["id"]}, of="imports", user_id=by.id, query={})
    work.record("contacts:import:list", subjects=[row["id"] for row in rows])
    return {"items": [representation(vault, row) for row in rows], "next": following, "total": imports.count_of_owner(work, by.id)}


def change_import(
    work: UnitOfWork,
    *,
    by: Caller,
    now: datetime,
    vault: Vault,
    import_id: str,
    if_match: str | None,
    mapping: Sequence[Mapping[str, str | None]] | None = None,
    **given: Any,
) -> dict[str, Any]:
    """Say what columns are (the whole mapping), and what holds for every row: issues, source.

    What a check said before does not hold any more.

    :raises PreconditionMissing, Stale, ColumnRefused, MappingInvalid, IssueUnknown, ImportStateUnsuitable:
    """
    row = own(work, import_id, by=by, lock=True, states={"uploaded", "mapped", "checked"})
    require_match(if_match, entity_tags(representation(vault, row)))
    layout = layout_of(vault, row)
    if mapping is not None:
        refused = [columns.RefusedColumn(**refusal) for refusal in row["refused_columns"]]
        layout["mapping"] = columns.checked(mapping, layout["columns"], refused)
    changes: dict[str, Any] = {
        "state": "mapped" if columns.is_enough(layout["mapping"]) else "uploaded",
        "layout": sealed_layout(vault, import_id, layout),
        "position": 0,
    }
    if "issues" in given:
        wanted = {(link["issue_id"], link["kind"]): link for link in given["issues"]}
        if links.unknown_issues(work, [issue_id for issue_id, _ in wanted]):
            raise IssueUnknown(errors={"issues": ["An issue that was deleted."]})
        changes["issues"] = [{**link, "since": _day(link.get("since")), "ended_on": _day(link.get("ended_on"))} for link in wanted.values()]
    if "source" in given:
        changes["source"] = given["source"]
    imports.drop_rows(work, import_id)
    imports.update(work, import_id, changes, now=now)
    work.record("contacts:import:change", subjects=[import_id], fields=[*given, *(["mapping"] if mapping is not None else [])])
    return _as_it_is(work, vault, import_id)


def check_import(work: UnitOfWork, *, by: Caller, now: datetime, vault: Vault, import_id: str) -> dict[str, Any]:
    """Ask for every row to be checked; nothing changes by it.

    :raises MappingIncomplete, BlockedTooOften, ImportForStewards, ImportStateUnsuitable:
    """
    row = own(work, import_id, by=by, lock=True, states={"uploaded", "mapped", "checked", "stopped"})
    if row["state"] == "stopped":
        return _resume_as(work, row, "checking", by=by, now=now, vault=vault)
    require_may_import(by, rows=row["rows"])
    require_entries_left(work, by=by, now=now)
    columns.require_enough(layout_of(vault, row)["mapping"])
    imports.drop_rows(work, import_id)
    _queue(work, row, by=by, now=now, state="checking", total=row["rows"])
    work.record("contacts:import:check", subjects=[import_id])
    return _as_it_is(work, vault, import_id)


def commit_import(work: UnitOfWork, *, by: Caller, now: datetime, vault: Vault, import_id: str) -> dict[str, Any]:
    """Ask for the checked rows to be taken in.

    :raises ImportForStewards, ImportStateUnsuitable: it was not checked.
    :raises ImportsStopped: the privacy officer looks at the caller's entries first (T35).
    """
    row = own(work, import_id, by=by, lock=True, states={"checked", "stopped"})
    if row["state"] == "stopped":
        return _resume_as(work, row, "committing", by=by, now=now, vault=vault)
    require_may_import(by, rows=row["rows"])
    looking.require_going_on(work, by=by, now=now)
    _queue(work, row, by=by, now=now, state="committing", total=row["rows"])
    work.record("contacts:import:commit", subjects=[import_id])
    return _as_it_is(work, vault, import_id)


def cancel_import(work: UnitOfWork, *, by: Caller, now: datetime, vault: Vault, import_id: str) -> dict[str, Any]:
    """Leave an import that was not committed; what was staged of it is dropped. The keys go after the commit.

    A commit or an undo that is under way is stopped instead: some of it is done already.
    """
    row = own(work, import_id, by=by, lock=True, states={"uploading", "uploaded", "mapped", "checked", *_UNDER_WAY, "stopped"})
    if row["state"] in {"committing", "undoing"} or (row["state"] == "stopped" and row["stopped"] != "checking"):
        return stop_import(work, by=by, now=now, vault=vault, import_id=import_id)
    imports.drop_staged(work, import_id)
    imports.drop_rows(work, import_id)
    imports.update(work, import_id, ended(row, "cancelled", now=now), now=now)
    work.record("contacts:import:cancel", subjects=[import_id])
    return _as_it_is(work, vault, import_id)


def undo_import(work: UnitOfWork, *, by: Caller, now: datetime, vault: Vault, import_id: str) -> dict[str, Any]:
    """Ask for a committed import to be taken back (N16); what somebody has worked with since stays."""
    row = own(work, import_id, by=by, lock=True, states={"committed", "stopped"})
    if row["state"] == "stopped":
        if row["stopped"] == "undoing":
            return resume_import(work, by=by, now=now, vault=vault, import_id=import_id)
        if row["stopped"] != "committing":
            raise ImportStateUnsuitable("The import is stopped.", extra={"state": "stopped"})
        # Of a commit that was stopped, what is in already is taken back.
        imports.drop_staged(work, import_id)
        imports.leave_rest_out(work, import_id, first=row["position"], reason=STOPPED)
    require_may_import(by, rows=0)
    imports.lapse_rows(work, import_id, refused.UNDONE)
    refused.let_go(work, import_id)
    imports.update(work, import_id, {"deciding": None}, now=now)
    _queue(work, row, by=by, now=now, state="undoing", total=imports.count_effects(work, import_id))
    work.record("contacts:import:undo", subjects=[import_id])
    return _as_it_is(work, vault, import_id)


def stop_import(work: UnitOfWork, *, by: Caller, now: datetime, vault: Vault, import_id: str) -> dict[str, Any]:
    """Stop a check, a commit, an undo or the deciding of all rows behind the block under way; each but the last can be gone on with.

    :raises ImportStateUnsuitable: nothing is under way.
    """
    row = own(work, import_id, by=by, lock=True)
    if row["deciding"] is not None:
        # What was not decided yet simply waits on.
        imports.update(work, import_id, {"deciding": None, "lease_until": None}, now=now)
    elif row["state"] in _UNDER_WAY:
        imports.update(work, import_id, {"state": "stopped", "stopped": row["state"], "lease_until": None}, now=now)
    elif row["state"] != "stopped":
        raise ImportStateUnsuitable(f"The import is {row['state']}.", extra={"state": row["state"]})
    work.record("contacts:import:stop", subjects=[import_id])
    return _as_it_is(work, vault, import_id)


_UNDER_WAY = ("checking", "committing", "undoing")
_NO_PROBLEM: Mapping[str, Any] = MappingProxyType({"problem_code": None, "problem_detail": None})
#: Why an import waits for the privacy officer (T35).
HELD = (LookupsExhausted, ImportsStopped)


def hold_import(work: UnitOfWork, *, now: datetime, import_id: str, refusal: Refusal) -> None:
    """Stop a commit, or the deciding of all rows, behind the last block: the privacy officer looks first (T35)."""
    row = imports.find(work, import_id, lock=True)
    if row is None:
        return
    if row["deciding"] is not None:
        imports.update(work, import_id, {"deciding": None, "acting": None, "lease_until": None}, now=now)
    elif row["state"] == "committing":
        why = {"problem_code": refusal.code, "problem_detail": refusal.detail}
        imports.update(work, import_id, {"state": "stopped", "stopped": "committing", "lease_until": None, **why}, now=now)
    work.record("contacts:import:stop", subjects=[import_id], rule="T35")


def resume_import(work: UnitOfWork, *, by: Caller, now: datetime, vault: Vault, import_id: str) -> dict[str, Any]:
    """Go on with what was stopped, where it was stopped.

    :raises ImportStateUnsuitable: nothing was stopped.
    :raises ImportsStopped: the privacy officer looks at the caller's entries first (T35).
    """
    row = own(work, import_id, by=by, lock=True, states={"stopped"})
    require_may_import(by, rows=row["rows"] if row["stopped"] != "undoing" else 0)
    if row["stopped"] == "committing":
        looking.require_going_on(work, by=by, now=now)
    going = {"state": row["stopped"], "stopped": None, "acting": acting(by), "lease_until": None, **_NO_PROBLEM}
    imports.update(work, import_id, going, now=now)
    work.record("contacts:import:resume", subjects=[import_id])
    return _as_it_is(work, vault, import_id)


def list_rows(work: UnitOfWork, *, by: Caller, cursors: Cursors, import_id: str, query: Mapping[str, Any]) -> dict[str, Any]:
    """Return a page of what becomes, or became, of each row."""
    counts = own(work, import_id, by=by)["counts"]
    outcome, limit = query["outcome"], query["limit"]
    asked = {"rows": import_id, "outcome": outcome}
    position = cursors.open(query.get("cursor"), of="rows", user_id=by.id, query=asked)
    after = -1 if position is None else position
    found = imports.rows(work, import_id, outcomes=[outcome] if outcome else [], after=after, limit=limit + 1)
    following = None
    if len(found) > limit:
        found = found[:limit]
        following = cursors.seal(found[-1]["n"], of="rows", user_id=by.id, query=asked)
    total = counts.get(outcome, 0) if outcome else sum(counts.values())
    work.record("contacts:import:list-rows", subjects=[import_id])
    return {
        "items": [line_of(row) for row in found],
        "next": following,
        "total": total if total <= _COUNTED else {"at_least": _COUNTED},
    }


def fail_interrupted(work: UnitOfWork, *, now: datetime, before: datetime) -> list[str]:
    """Say of uploads of which nothing came since then that they were interrupted; return them, for their keys to be destroyed."""
    rows = imports.interrupted(work, before=before)
    for row in rows:
        fail(work, row, now=now, refusal=UploadInterrupted())
    return [row["id"] for row in rows]


def end_stopped(work: UnitOfWork, *, now: datetime, before: datetime) -> list[str]:
    """End commits that were stopped and that nobody went on with: what is in stays; return them, for their keys to be destroyed."""
    rows = imports.left_stopped(work, before=before)
    for row in rows:
        imports.drop_staged(work, row["id"])
        imports.leave_rest_out(work, row["id"], first=row["position"], reason=STOPPED)
        kept = {"refused_layout": row["refused_layout"], "refused_until": now + refused.KEPT}
        imports.update(work, row["id"], {**ended(row, "committed", now=now), "stopped": None, **_NO_PROBLEM, **kept}, now=now)
    if rows:
        work.record("contacts:import:end-stopped", subjects=[row["id"] for row in rows], rule="left-behind")
    return [row["id"] for row in rows]


def cancel_left_behind(work: UnitOfWork, *, now: datetime, before: datetime) -> list[str]:
    """Cancel imports that nobody went on with; return them, for their keys to be destroyed."""
    rows = imports.left_behind(work, before=before)
    left = [row["id"] for row in rows]
    for row in rows:
        imports.drop_staged(work, row["id"])
        imports.drop_rows(work, row["id"])
        imports.update(work, row["id"], ended(row, "cancelled", now=now), now=now)
    if left:
        work.record("contacts:import:cancel", subjects=left, rule="left-behind")
    return left


def _resume_as(work: UnitOfWork, row: Mapping[str, Any], stopped: str, *, by: Caller, now: datetime, vault: Vault) -> dict[str, Any]:
    if row["stopped"] != stopped:
        raise ImportStateUnsuitable("The import is stopped.", extra={"state": "stopped"})
    return resume_import(work, by=by, now=now, vault=vault, import_id=row["id"])


def _queue(work: UnitOfWork, row: Mapping[str, Any], *, by: Caller, now: datetime, state: str, total: int) -> None:
    changes = {"state": state, "stopped": None, "position": 0, "total": total, "acting": acting(by), "lease_until": None, **_NO_PROBLEM}
    imports.update(work, row["id"], changes, now=now)


def _as_it_is(work: UnitOfWork, vault: Vault, import_id: str) -> dict[str, Any]:
    row = imports.find(work, import_id)
    assert row is not None  # noqa: S101 - it is locked
    return representation(vault, row)


def _day(value: Any) -> str | None:
    return None if value is None else str(value)
