"""Imports: whose each is, how far it has come, and who works on it.

Whatever a file says is encrypted under the import's own key, which is destroyed when the import ends (N17).
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Text, cast, func, null, or_, select, tuple_
from sqlalchemy import insert as insert_into
from sqlalchemy import update as update_of

from services.chassis.database import UnitOfWork
from services.chassis.database.rows import all_typed, typed_or_none
from services.contacts.domain.imports.states import Import, ImportChanges
from services.contacts.storage.rows import position
from services.contacts.storage.tables.imports import imports

#: Imports that are looked after in one go.
_AT_ONCE = 20


def insert(work: UnitOfWork, import_id: str, *, owner_id: str, component: str, filename: str, now: datetime) -> None:
    """Begin an import."""
    row = {"id": import_id, "owner_id": owner_id, "component": component, "filename": filename, "state": "uploading", "size": 0}
    work.execute(insert_into(imports), {**row, "created_at": now, "changed_at": now})


def find(work: UnitOfWork, import_id: str, *, lock: bool = False) -> Import | None:
    """Return an import; with `lock`, held until the end of the transaction."""
    statement = select(imports).where(imports.c.id == import_id)
    return typed_or_none(Import, work.execute(statement.with_for_update() if lock else statement).mappings().one_or_none())


def of_owner(work: UnitOfWork, owner_id: str, *, before: tuple[datetime, str] | None, limit: int) -> list[Import]:
    """Return a user's imports, the latest first, from behind a position on."""
    statement = select(imports).where(imports.c.owner_id == owner_id)
    if before is not None:
        statement = statement.where(tuple_(imports.c.created_at, imports.c.id) < position((imports.c.created_at, imports.c.id), before))
    return all_typed(Import, work.execute(statement.order_by(imports.c.created_at.desc(), imports.c.id.desc()).limit(limit)).mappings())


def count_of_owner(work: UnitOfWork, owner_id: str) -> int:
    """Count a user's imports."""
    return int(work.execute(select(func.count()).select_from(imports).where(imports.c.owner_id == owner_id)).scalar_one())


def update(work: UnitOfWork, import_id: str, changes: ImportChanges, *, now: datetime) -> None:
    """Set columns of an import."""
    # A column of JSON would take None for JSON's own null, which IS NULL does not find.
    values = {name: null() if value is None else value for name, value in changes.items()}
    work.execute(update_of(imports).where(imports.c.id == import_id).values({**values, "changed_at": now}))


def claim(work: UnitOfWork, *, now: datetime, until: datetime, undoing: bool = False) -> Import | None:
    """Take the import that waits longest and that nobody works on; the lease tells others for how long.

    :param undoing: one that is taken back, and no other: neither kind of work holds up the other.
    """
    wanted = imports.c.state == "undoing" if undoing else or_(imports.c.state.in_(("checking", "committing")), imports.c.deciding.is_not(None))
    free = or_(imports.c.lease_until.is_(None), imports.c.lease_until < now)
    first = select(imports.c.id).where(wanted, free).order_by(imports.c.changed_at).limit(1).with_for_update(skip_locked=True)
    statement = update_of(imports).where(imports.c.id == first.scalar_subquery()).values(lease_until=until).returning(imports)
    return typed_or_none(Import, work.execute(statement).mappings().one_or_none())


def hold_on(work: UnitOfWork, import_id: str, *, until: datetime) -> None:
    """Hold an import longer, if it is still held."""
    work.execute(update_of(imports).where(imports.c.id == import_id, imports.c.lease_until.is_not(None)).values(lease_until=until))


def left_behind(work: UnitOfWork, *, before: datetime) -> list[Import]:
    """Return imports that nobody committed or gave up since then, and hold them."""
    early = imports.c.state.in_(("uploading", "uploaded", "mapped", "checked"))
    return _waiting(work, or_(early, _stopped("checking")), before=before)


def interrupted(work: UnitOfWork, *, before: datetime) -> list[Import]:
    """Return uploads of which nothing came since then, and hold them."""
    return _waiting(work, imports.c.state == "uploading", before=before)


def left_stopped(work: UnitOfWork, *, before: datetime) -> list[Import]:
    """Return commits that were stopped before then, and hold them; one that waits for the privacy officer is given a week more (T35)."""
    due = or_(imports.c.problem_code.is_(None), imports.c.changed_at < before - timedelta(days=7))
    return _waiting(work, _stopped("committing") & due, before=before)


def go_on(work: UnitOfWork, owner_id: str, *, why: Collection[str], now: datetime) -> list[str]:
    """Let a user's imports go on that were stopped for one of these reasons; return them."""
    # The account of a component's own system is no user's id.
    theirs = cast(imports.c.owner_id, Text) == owner_id
    statement = (
        update_of(imports)
        .where(theirs, imports.c.state == "stopped", imports.c.problem_code.in_(why))
        .values(state=imports.c.stopped, stopped=None, problem_code=None, problem_detail=None, lease_until=None, changed_at=now)
    )
    return list(work.execute(statement.returning(imports.c.id)).scalars())


def waiting_for_decisions(work: UnitOfWork, owner_id: str, component: str) -> list[tuple[str, datetime]]:
    """Return the imports of a user with rows that wait to be decided: id, and until when their cells are kept."""
    statement = (
        select(imports.c.id, imports.c.refused_until)
        .where(imports.c.owner_id == owner_id, imports.c.component == component, imports.c.state == "committed")
        .where(imports.c.refused_until.is_not(None), imports.c.counts["undecided"].as_string().is_not(None))
    )
    return [(row.id, row.refused_until) for row in work.execute(statement.order_by(imports.c.refused_until))]


def _stopped(state: str) -> ColumnElement[bool]:
    return (imports.c.state == "stopped") & (imports.c.stopped == state)


def _waiting(work: UnitOfWork, condition: ColumnElement[bool], *, before: datetime) -> list[Import]:
    statement = select(imports).where(condition, imports.c.changed_at < before).order_by(imports.c.changed_at)
    return all_typed(Import, work.execute(statement.limit(_AT_ONCE).with_for_update(skip_locked=True)).mappings())
