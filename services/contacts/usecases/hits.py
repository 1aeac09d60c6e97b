"""What the privacy officer sees of look-ups in the suppression ledger, and what goes on then (T35)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

from services.chassis.cursors import Cursors
from services.chassis.database import UnitOfWork
from services.chassis.messages import Caller, wire_value
from services.contacts.contract.refusals import ImportsStopped, LookupsExhausted, LookupsUnknown
from services.contacts.storage import lookups
from services.contacts.storage.imports import imports
from services.contacts.usecases.authorization import require_officer

#: The first part of a list, where no other is asked for.
_FIRST: Mapping[str, Any] = MappingProxyType({"limit": 50})


def list_hits(work: UnitOfWork, *, by: Caller, cursors: Cursors, query: Mapping[str, Any] = _FIRST) -> dict[str, Any]:
    """Return which marks were hit by whose entries, each once, as far as they were not seen: the privacy officer."""
    require_officer(by)
    after = cursors.open(query.get("cursor"), of="hits", user_id=by.id, query=query)
    rows = lookups.unseen(work, after=after, limit=query["limit"] + 1)
    last = rows[query["limit"] - 1] if len(rows) > query["limit"] else None
    items = [
        {
            "mark_id": row["mark_id"],
            "request_id": row["case_id"],
            "individual_id": row["individual_id"],
            "kind": row["kind"],
            "account": row["account"],
            "component": row["component"],
            "at": wire_value(row["at"]),
        }
        for row in rows[: query["limit"]]
    ]
    work.record("contacts:hit:list", subjects=[item["mark_id"] for item in items], rule="T35")
    position = {"at": last["at"], "mark": last["mark_id"], "account": last["account"]} if last else {}
    following = cursors.seal(position, of="hits", user_id=by.id, query=query) if last else None
    return {"items": items, "next": following, "total": lookups.count_unseen(work)}


def list_lookups(work: UnitOfWork, *, by: Caller, cursors: Cursors, query: Mapping[str, Any] = _FIRST) -> dict[str, Any]:
    """Return the accounts of which something is to be seen: entries that hit, or as many look-ups as one may do in a day."""
    require_officer(by)
    after = cursors.open(query.get("cursor"), of="lookups", user_id=by.id, query=query)
    rows = lookups.waiting(work, after=after, limit=query["limit"] + 1)
    items = [
        {
            "account": row["account"],
            "component": row["component"],
            "day": row["day"].isoformat(),
            "looked": row["looked"],
            "hits": row["hits"],
            "exhausted": row["waits"],
            "since": wire_value(row["since"]),
        }
        for row in rows[: query["limit"]]
    ]
    work.record("contacts:lookups:list", subjects=[item["account"] for item in items], rule="T35")
    more = len(rows) > query["limit"]
    following = cursors.seal(items[-1]["account"], of="lookups", user_id=by.id, query=query) if more else None
    return {"items": items, "next": following, "total": lookups.count_waiting(work)}


def see_lookups(work: UnitOfWork, *, by: Caller, now: datetime, account: str, more: bool) -> dict[str, Any]:
    """Say that an account's hits were seen and, with `more`, let as many values through again; what waited for it goes on.

    :raises LookupsUnknown: nothing of the account waits.
    """
    require_officer(by)
    if not lookups.see(work, account, by=by.id, now=now, more=more):
        raise LookupsUnknown
    why = [ImportsStopped.code, *([LookupsExhausted.code] if more else [])]
    going = imports.go_on(work, account, why=why, now=now)
    work.record("contacts:lookups:see", subjects=[account, *going], rule="more" if more else "seen")
    return {"account": account, "more": more, "imports": going}


def repeat_seeing(work: UnitOfWork, *, by: Caller, account: str, more: bool) -> dict[str, Any]:
    """Answer as `see_lookups` has answered before, and let nothing more go on."""
    require_officer(by)
    work.record("contacts:lookups:see", subjects=[account], outcome="replayed")
    return {"account": account, "more": more, "imports": []}


def officer_tasks(work: UnitOfWork) -> list[dict[str, Any]]:
    """Return the accounts of which the privacy officer has something to see."""
    return [
        {
            "id": f"lookups_to_see.{row['account']}",
            "kind": "lookups_to_see",
            "notice": False,
            "subject": {"type": "user", "id": row["account"], "individual_ids": []},
            "due_on": None,
            "link": "/api/v1/suppression-lookups",
        }
        for row in lookups.waiting(work, after=None, limit=None)
    ]
