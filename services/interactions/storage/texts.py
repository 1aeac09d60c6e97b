"""Text kept against a finding: the caller's component's alone; row-level security stands behind every statement (T15)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from services.chassis.database import UnitOfWork
from services.interactions.storage.tables import kept_texts
from services.lexicon.vocabulary import at_least

#: (id of what it belongs to, name of the field) → text
Kept = dict[tuple[str, str], str]


def read(work: UnitOfWork, subject_ids: Iterable[str]) -> Kept:
    """Return the caller's component's own kept texts of these subjects; they may quote contact values, so readers get none (T5)."""
    ids = list(subject_ids)
    if not ids or not work.caller.component or not at_least(work.caller.level, "contributor"):
        return {}
    rows = work.execute(
        select(kept_texts.c.subject_id, kept_texts.c.field, kept_texts.c.text).where(
            kept_texts.c.subject_id.in_(ids), kept_texts.c.component == work.caller.component
        )
    )
    return {(row.subject_id, row.field): row.text for row in rows}


def keep(
    work: UnitOfWork,
    *,
    id: str,  # noqa: A002 - it is the column's name
    subject_type: str,
    subject_id: str,
    field: str,
    text: str,
    reason: str,
    classes: Iterable[str],
    now: datetime,
) -> None:
    """Keep a text for the caller's component, in the place of the one it kept there before."""
    statement = insert(kept_texts).values(
        id=id,
        subject_type=subject_type,
        subject_id=subject_id,
        field=field,
        component=work.caller.component,
        text=text,
        reason=reason,
        classes=list(classes),
        kept_by=work.caller.id,
        kept_at=now,
    )
    new = statement.excluded
    work.execute(
        statement.on_conflict_do_update(
            index_elements=["subject_id", "field", "component"],
            set_={"text": new.text, "reason": new.reason, "classes": new.classes, "kept_by": new.kept_by, "kept_at": new.kept_at},
        )
    )


def drop(work: UnitOfWork, subject_id: str, field: str) -> None:
    """Forget what the caller's component kept there."""
    work.execute(
        delete(kept_texts).where(
            kept_texts.c.subject_id == subject_id,
            kept_texts.c.field == field,
            kept_texts.c.component == work.caller.component,
        )
    )
