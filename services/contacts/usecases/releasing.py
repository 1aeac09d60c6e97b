"""The privacy officer reads and releases notes that were kept against a finding (T15)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from services.chassis.answers import Part
from services.chassis.database import UnitOfWork
from services.chassis.messages import Caller, Stale, wire_value
from services.contacts.contract.answers.notes import KeptTextAnswer
from services.contacts.storage import notes
from services.contacts.usecases.authorization import require_officer
from services.lexicon.refusals import KeptTextUnknown


def list_kept_texts(work: UnitOfWork, *, by: Caller, after: Sequence[str] | None, limit: int) -> Part[KeptTextAnswer]:
    """Return kept notes that wait, oldest first: `items`, whether there are `more`, `total`. The role is `caseworker`.

    :raises Forbidden: the caller is not the privacy officer.
    """
    require_officer(by)
    rows = notes.waiting(work, after=(after[0], after[1]) if after else None, limit=limit)
    items: list[KeptTextAnswer] = [
        {
            "id": row.id,
            "subject_type": "note",
            "subject_id": row.individual_id,
            "field": "text",
            "text": row.text,
            "provenance": row.provenance,
            "reason": row.keep_reason,
            "component": row.component,
            "kept_by": row.author_id,
            "kept_at": str(wire_value(row.updated_at)),
            "position": [row.updated_at.isoformat(), row.id],
        }
        for row in rows[:limit]
    ]
    subjects = dict.fromkeys(one for item in items for one in (item["id"], item["subject_id"]))
    work.record("contacts:note:list-kept", subjects=list(subjects), fields=["notes"], rule="T15")
    return {"items": items, "more": len(rows) > limit, "total": notes.count_waiting(work)}


def release_kept_text(work: UnitOfWork, *, by: Caller, now: datetime, note_id: str, kept_at: datetime) -> None:
    """Let everybody read a kept note from now on. The role is `caseworker`.

    :raises Forbidden: the caller is not the privacy officer.
    :raises KeptTextUnknown: no kept note has this id.
    :raises Stale: it changed since it was read.
    """
    require_officer(by)
    row = notes.find(work, note_id)
    if row is None or not row.kept or row.released_at is not None:
        raise KeptTextUnknown
    if wire_value(row.updated_at) != wire_value(kept_at):
        raise Stale
    notes.release(work, note_id, now=now)
    work.record("contacts:note:release", subjects=[row.individual_id, note_id], fields=["notes"], rule="T15")
