"""Kept texts, for one component only; row-level security holds for every statement (T15)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from types import MappingProxyType

from sqlalchemy import ColumnElement, Table, and_, delete, exists, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from services.chassis.database import UnitOfWork
from services.chassis.database.rows import typed_or_none
from services.interactions.domain.records import KeptText
from services.interactions.storage import pages
from services.interactions.storage.tables import (
    coordination_requests,
    events,
    follow_ups,
    interactions,
    issue_updates,
    issues,
    kept_texts,
    talking_points,
)

#: (id of what it belongs to, name of the field) → text
Kept = Mapping[tuple[str, str], str]
_FIELDS = frozenset({"outcome", "text", "message", "reason", "name", "place", "agenda", "summary"})
#: Where a text stands once everybody may read it, by the type of what it belongs to.
_SHARED: Mapping[str, Table] = MappingProxyType(
    {
        "interaction": interactions,
        "follow_up": follow_ups,
        "coordination_request": coordination_requests,
        "event": events,
        "issue": issues,
        "issue_update": issue_updates,
        "talking_point": talking_points,
    }
)


def read(work: UnitOfWork, component: str, subject_ids: Iterable[str]) -> Kept:
    """Return a component's kept texts of these subjects."""
    query = select(kept_texts.c.subject_id, kept_texts.c.field, kept_texts.c.text)
    rows = work.execute(query.where(kept_texts.c.subject_id.in_(list(subject_ids)), kept_texts.c.component == component))
    return {(row.subject_id, row.field): row.text for row in rows}


def keep(work: UnitOfWork, kept: KeptText) -> None:
    """Keep a text for a component, in place of the one that it kept there before."""
    statement = insert(kept_texts).values(asdict(kept))
    new = {name: statement.excluded[name] for name in ("text", "reason", "classes", "kept_by", "kept_at")}
    work.execute(statement.on_conflict_do_update(index_elements=["subject_id", "field", "component"], set_=new))


def drop(work: UnitOfWork, subject_id: str, field: str) -> None:
    """Delete the text that the caller's component kept in a field."""
    work.execute(
        delete(kept_texts).where(
            kept_texts.c.subject_id == subject_id,
            kept_texts.c.field == field,
            kept_texts.c.component == work.caller.component,
        )
    )


def _is_replaced() -> ColumnElement[bool]:
    """Return a condition: the field of the kept text holds another text that everybody reads."""
    places = []
    for subject_type, table in _SHARED.items():
        for field in _FIELDS & set(table.c.keys()):
            there = exists().where(table.c.id == kept_texts.c.subject_id, table.c[field].is_not(None))
            places.append(and_(kept_texts.c.subject_type == subject_type, kept_texts.c.field == field, there))
    return or_(*places)


def waiting(work: UnitOfWork, *, after: Sequence[str] | None, limit: int) -> pages.Page[KeptText]:
    """Return a page of the kept texts that wait to be released, the oldest first. As the eraser, who sees all of them."""
    position = [datetime.fromisoformat(after[0]), after[1]] if after else None
    keys = [kept_texts.c.kept_at, kept_texts.c.id]
    return pages.page(work, KeptText, select(kept_texts).where(~_is_replaced()), keys=keys, after=position, limit=limit, descending=False)


def one_waiting(work: UnitOfWork, kept_id: str) -> KeptText | None:
    """Return a kept text, locked. The role is `eraser`."""
    query = select(kept_texts).where(kept_texts.c.id == kept_id).with_for_update()
    return typed_or_none(KeptText, work.execute(query).mappings().one_or_none())


def share(work: UnitOfWork, kept: KeptText) -> bool:
    """Store a kept text where everybody reads it, unless another one is there; return whether it was stored. As the eraser."""
    table = _SHARED[kept.subject_type]
    column = table.c[kept.field]
    done = work.execute(update(table).where(table.c.id == kept.subject_id, column.is_(None)).values({column: kept.text})).rowcount
    if done:
        work.execute(delete(kept_texts).where(kept_texts.c.id == kept.id))
    return bool(done)
