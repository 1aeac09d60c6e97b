"""What the privacy officer sees of look-ups in the suppression ledger, and how look-ups are allowed again (T35)."""

from __future__ import annotations

from datetime import datetime

from services.chassis.answers import Page
from services.chassis.cursors import Cursors
from services.chassis.database import UnitOfWork
from services.chassis.messages import Caller
from services.contacts.contract.answers.cases import HitAnswer, LookupsAnswer, LookupsSeenAnswer, TaskAnswer
from services.contacts.contract.refusals import ImportsStopped, LookupsExhausted, LookupsUnknown
from services.contacts.domain.representations import instant
from services.contacts.storage import lookups
from services.contacts.storage.imports import imports
from services.contacts.usecases.authorization import require_officer


def list_hits(work: UnitOfWork, *, by: Caller, cursors: Cursors, limit: int = 50, cursor: str | None = None) -> Page[HitAnswer]:
    """Return to the privacy officer which marks were hit by whose entries, each once, without those already seen."""
    require_officer(by)
    rows = lookups.unseen(work, after=cursors.open(cursor, of="hits", user_id=by.id, query={}), limit=limit + 1)
    items: list[HitAnswer] = [
        {
            "mark_id": row.mark_id,
            "request_id": row.case_id,
            "individual_id": row.individual_id,
            "kind": row.kind,
            "account": row.account,
            "component": row.component,
            "at": instant(row.at),
        }
        for row in rows[:limit]
    ]
    work.record("contacts:hit:list", subjects=[item["mark_id"] for item in items], rule="T35")
    following = None
    if len(rows) > limit:
        last = rows[limit - 1]
        following = cursors.seal([last.at, last.mark_id, last.account], of="hits", user_id=by.id, query={})
    return {"items": items, "next": following, "total": lookups.count_unseen(work)}


def list_lookups(work: UnitOfWork, *, by: Caller, cursors: Cursors, limit: int = 50, cursor: str | None = None) -> Page[LookupsAnswer]:
    """Return the accounts to look at: with entries that hit, or with all look-ups of a day used."""
    require_officer(by)
    rows = lookups.waiting(work, after=cursors.open(cursor, of="lookups", user_id=by.id, query={}), limit=limit + 1)
    items: list[LookupsAnswer] = [
        {
            "account": row.account,
            "component": row.component,
            "day": row.day.isoformat(),
            "looked": row.looked,
            "hits": row.hits,
            "exhausted": row.waits,
            "since": instant(row.since),
        }
        for row in rows[:limit]
    ]
    work.record("contacts:lookups:list", subjects=[item["account"] for item in items], rule="T35")
    following = cursors.seal(items[-1]["account"], of="lookups", user_id=by.id, query={}) if len(rows) > limit else None
    return {"items": items, "next": following, "total": lookups.count_waiting(work)}


def see_lookups(work: UnitOfWork, *, by: Caller, now: datetime, account: str, more: bool) -> LookupsSeenAnswer:
    """Mark an account's hits as seen. With `more`, allow as many values again, and resume the imports that waited for it.

    :raises LookupsUnknown: the account has nothing to look at.
    """
    require_officer(by)
    if not lookups.see(work, account, by=by.id, now=now, more=more):
        raise LookupsUnknown
    why = [ImportsStopped.code, *([LookupsExhausted.code] if more else [])]
    going = imports.go_on(work, account, why=why, now=now)
    work.record("contacts:lookups:see", subjects=[account, *going], rule="more" if more else "seen")
    return {"account": account, "more": more, "imports": going}


def repeat_seeing(work: UnitOfWork, *, by: Caller, account: str, more: bool) -> LookupsSeenAnswer:
    """Answer a repeated `see_lookups` as the first one; allow nothing more."""
    require_officer(by)
    work.record("contacts:lookups:see", subjects=[account], outcome="replayed")
    return {"account": account, "more": more, "imports": []}


def officer_tasks(work: UnitOfWork) -> list[TaskAnswer]:
    """Return the accounts that the privacy officer has to look at."""
    return [
        {
            "id": f"lookups_to_see.{row.account}",
            "kind": "lookups_to_see",
            "notice": False,
            "subject": {"type": "user", "id": row.account, "individual_ids": []},
            "due_on": None,
            "link": "/api/v1/suppression-lookups",
        }
        for row in lookups.waiting(work, after=None, limit=None)
    ]
