"""Notes on individuals. Any user writes them; text that screening stops needs a reason first (R37-R41, T15)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from services.chassis.answers import Page
from services.chassis.cursors import Cursors
from services.chassis.database import UnitOfWork
from services.chassis.messages import Caller, entity_tags, new_id, require_match
from services.contacts.contract.answers.notes import NoteAnswer
from services.contacts.contract.refusals import NoteUnknown, OwnerUnsuitable
from services.contacts.domain import representations
from services.contacts.domain.notes import Note
from services.contacts.storage import notes
from services.contacts.usecases.authorization import is_contributor, open_individual, require
from services.lexicon.policy import decide
from services.lexicon.refusals import TextNeedsReview
from services.lexicon.screening import contact_values, findings_in, screen

#: A reader could not read what they kept.
KEPT_BY_CONTRIBUTORS = "This text has information that can't be shared. Change it. Only contributors of your component can keep it: ask one of them."


def list_notes(
    work: UnitOfWork, *, by: Caller, now: datetime, cursors: Cursors, individual_id: str, limit: int = 50, cursor: str | None = None
) -> Page[NoteAnswer]:
    """List the notes on an individual, latest first. Kept notes go only to contributors of their author's component."""
    open_individual(work, individual_id, by=by, now=now)
    bound = {"individual_id": individual_id}
    position = cursors.open(cursor, of="notes", user_id=by.id, query=bound)
    rows = notes.of_individual(work, individual_id, after=(position["at"], position["id"]) if position else None, limit=limit + 1)
    items = [representations.note(row) for row in rows[:limit]]
    following = None
    if len(rows) > limit:
        following = cursors.seal({"at": rows[limit - 1].created_at, "id": rows[limit - 1].id}, of="notes", user_id=by.id, query=bound)
    work.record("contacts:note:list", subjects=[individual_id, *(note["id"] for note in items)], fields=["notes"])
    return {"items": items, "next": following, "total": notes.count(work, individual_id)}


def add_note(
    work: UnitOfWork,
    *,
    by: Caller,
    now: datetime,
    individual_id: str,
    text: str,
    provenance: str | None = None,
    keep_reason: str | None = None,
) -> NoteAnswer:
    """Write a note.

    :raises TextNeedsReview: screening found something, and there is no reason to keep it; has the spans.
    """
    open_individual(work, individual_id, by=by, now=now, share=True)
    require(decide(by, "write_note"))
    if by.component is None:
        raise OwnerUnsuitable
    reason = _reason_to_keep(text, provenance, keep_reason, by=by)
    note = Note(new_id(), individual_id, text, provenance, by.component, by.id, now, now, reason is not None, reason)
    notes.insert(work, note)
    work.record("contacts:note:create", subjects=[individual_id, note.id], fields=["notes"], rule="T15" if note.kept else None)
    return _shown(work, note.id)


def read_note(work: UnitOfWork, *, by: Caller, now: datetime, individual_id: str, note_id: str) -> NoteAnswer:
    """Return one note.

    :raises NoteUnknown: there is none, or it is kept for another component's contributors.
    """
    row = _visible(work, individual_id, note_id, by=by, now=now)
    work.record("contacts:note:read", subjects=[row.individual_id, note_id], fields=["notes"])
    return representations.note(row)


def change_note(
    work: UnitOfWork,
    *,
    by: Caller,
    now: datetime,
    individual_id: str,
    note_id: str,
    if_match: str | None,
    keep_reason: str | None = None,
    **changes: str | None,
) -> NoteAnswer:
    """Change a note that the caller can see.

    :raises NoteUnknown: there is none, or it is kept for another component's contributors.
    :raises PreconditionMissing, Stale: If-Match is missing, or names an earlier version.
    """
    row = _visible(work, individual_id, note_id, by=by, now=now)
    require(decide(by, "write_note"))
    require_match(if_match, entity_tags(representations.note(row)))
    text, provenance = changes.get("text") or row.text, changes.get("provenance", row.provenance)
    reason = _reason_to_keep(text, provenance, keep_reason, by=by)
    if reason is not None and row.component != by.component:
        # It would be hidden from whoever wrote it, or shown to whoever did not.
        raise TextNeedsReview(errors={"text": ["Write what needs keeping into a note of your own."]})
    changed = replace(row, text=text, provenance=provenance, kept=reason is not None, keep_reason=reason, released_at=None, updated_at=now)
    notes.update(work, changed)
    work.record("contacts:note:change", subjects=[row.individual_id, note_id], fields=["notes"])
    return _shown(work, note_id)


def delete_note(work: UnitOfWork, *, by: Caller, now: datetime, individual_id: str, note_id: str, if_match: str | None) -> None:
    """Delete a note that the caller can see.

    :raises NoteUnknown: there is none, or it is kept for another component's contributors.
    :raises PreconditionMissing, Stale: If-Match is missing, or names an earlier version.
    """
    row = _visible(work, individual_id, note_id, by=by, now=now)
    require(decide(by, "write_note"))
    require_match(if_match, entity_tags(representations.note(row)))
    notes.delete(work, note_id)
    work.record("contacts:note:delete", subjects=[row.individual_id, note_id], fields=["notes"])


def _visible(work: UnitOfWork, individual_id: str, note_id: str, *, by: Caller, now: datetime) -> Note:
    open_individual(work, individual_id, by=by, now=now, share=True)
    row = notes.find(work, note_id)
    if row is None or row.individual_id != individual_id:
        raise NoteUnknown
    return row


def _reason_to_keep(text: str, provenance: str | None, keep_reason: str | None, *, by: Caller) -> str | None:
    """Return the reason if screening found something, or None if it did not.

    :raises TextNeedsReview: it did, and there is no reason, or the caller may not keep it.
    """
    # The reason is read beside the text, and holds no value either.
    TextNeedsReview.unless_clean([("keep_reason", keep_reason, contact_values)])
    findings = findings_in([("text", text, screen), ("provenance", provenance, screen)])
    contributes = is_contributor(by)
    if findings and not (keep_reason and contributes):
        raise TextNeedsReview.of(findings, None if contributes else KEPT_BY_CONTRIBUTORS)
    return keep_reason if findings else None


def _shown(work: UnitOfWork, note_id: str) -> NoteAnswer:
    row = notes.find(work, note_id)
    assert row is not None  # noqa: S101 - its author's component sees it
    return representations.note(row)
