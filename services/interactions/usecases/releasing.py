"""List and release kept texts, for the privacy officer (T15)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from services.chassis.database import UnitOfWork
from services.chassis.messages import Stale
from services.contacts.contract.answers.notes import KeptTextAnswer
from services.interactions.contract.answers import Part, ReleasedText
from services.interactions.contract.refusals import TextReplaced
from services.interactions.storage import texts
from services.interactions.usecases.authorization import require_privacy_officer
from services.interactions.usecases.writing import answer_of, wire
from services.lexicon.refusals import KeptTextUnknown


def list_kept_texts(work: UnitOfWork, *, after: Sequence[str] | None, limit: int) -> Part[KeptTextAnswer]:
    """Return kept texts that wait, oldest first: `items`, whether there are `more`, `total`. The role is `eraser`.

    :raises Forbidden: the caller is not the privacy officer.
    """
    require_privacy_officer(work.caller)
    page = texts.waiting(work, after=after, limit=limit)
    items = [answer_of(KeptTextAnswer, row, provenance=None, position=[row.kept_at.isoformat(), row.id]) for row in page.rows]
    subjects = dict.fromkeys(one for item in items for one in (item["id"], item["subject_id"]))
    work.record("interactions:kept-text:list", subjects=list(subjects), fields=["text", "reason"], rule="T15")
    return {"items": items, "more": page.has_more, "total": page.total}


def release_kept_text(work: UnitOfWork, *, kept_id: str, kept_at: datetime) -> ReleasedText:
    """Release a kept text to everybody. As the eraser.

    :raises Forbidden: the caller is not the privacy officer.
    :raises KeptTextUnknown: nothing of that id waits.
    :raises Stale: it was changed since it was read.
    :raises TextReplaced: another text stands there, which everybody reads already.
    """
    require_privacy_officer(work.caller)
    row = texts.one_waiting(work, kept_id)
    if row is None:
        raise KeptTextUnknown
    if wire(row.kept_at) != wire(kept_at):
        raise Stale
    if not texts.share(work, row):
        raise TextReplaced
    work.record("interactions:kept-text:release", subjects=[row.subject_id, kept_id], fields=[row.field], rule="T15")
    return {"id": kept_id, "released": True}
