"""Replaced facts of a person: titles and employers, which everybody sees, and a component's own values (T25, T28)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import select, text

from services.chassis.database import UnitOfWork
from services.chassis.messages import new_id
from services.contacts.domain.imports.states import EffectDetail
from services.contacts.storage.bulk import array, as_json, insert_rows, records
from services.contacts.storage.rows import INSTANT
from services.contacts.storage.tables.directory import previous_facts

# Text SQL: sets of rows are changed in one statement each.

# Text where many rows are changed in one statement.

_FACT = {"id": "uuid", "individual_id": "uuid", "title": "text", "organization_id": "uuid", "replaced_at": "timestamptz", "import_id": "uuid"}
#: A column of a statement over individuals: what was replaced of each, the latest first. An organization is called as it is called now.
PREVIOUS = f"""
    (SELECT coalesce(json_agg(json_build_object('title', p.title, 'organization_id', p.organization_id, 'organization_name', b.name,
        'replaced_at', {INSTANT.format("p.replaced_at")}, 'import_id', p.import_id) ORDER BY p.replaced_at DESC, p.id), '[]')
     FROM previous_facts p LEFT JOIN organizations b ON b.id = p.organization_id WHERE p.individual_id = {{id}}) AS previous
"""  # noqa: S608 - put together from our own constants


def keep(work: UnitOfWork, replaced: Mapping[str, Mapping[str, str | None]], *, now: datetime, import_id: str | None = None) -> None:
    """Store what was replaced of these individuals: id → `title`, `organization_id`; None is what was not replaced.

    :param import_id: the import that replaced it.
    """
    rows = [
        {"id": new_id(), "individual_id": individual_id, "replaced_at": now, "import_id": import_id, **fields}
        for individual_id, fields in replaced.items()
        if any(fields.values())
    ]
    insert_rows(work, "previous_facts", _FACT, rows)


_TAKE_BACK = text(
    f"""
    UPDATE previous_facts p SET title = CASE WHEN 'title' = ANY(t.fields) THEN NULL ELSE p.title END,
        organization_id = CASE WHEN 'organization_id' = ANY(t.fields) THEN NULL ELSE p.organization_id END
    FROM {records("rows", {"id": "uuid", "fields": "text[]"})} WHERE p.individual_id = t.id AND p.import_id = CAST(:import AS uuid)
    """  # noqa: S608 - put together from our own constants
)


def take_back(work: UnitOfWork, import_id: str, restored: Mapping[str, Iterable[str]]) -> None:
    """Delete previous facts that an import replaced and its undo restored (individual id → fields). The role is `eraser`."""
    if restored:
        rows = as_json([{"id": individual_id, "fields": list(fields)} for individual_id, fields in restored.items()])
        work.execute(_TAKE_BACK, {"rows": rows, "import": import_id})
        work.execute(
            text("DELETE FROM previous_facts WHERE title IS NULL AND organization_id IS NULL AND individual_id = ANY(CAST(:people AS uuid[]))"),
            {"people": array(restored)},
        )


def titles(work: UnitOfWork, individual_id: str) -> list[str]:
    """Return a person's former titles: one may name a former employer (T25)."""
    of = previous_facts.c
    found = select(of.title).where(of.individual_id == individual_id, of.title.is_not(None)).distinct().order_by(of.title)
    return list(work.execute(found).scalars())


_KEPT = {"individual_id": "uuid", "lookup": "bytea"}
_RETIRE = text(
    f"""
    UPDATE contact_points p SET replaced_at = :now, replaced_import = CAST(:import AS uuid)
    WHERE p.component = :component AND p.kind = :kind AND p.individual_id = ANY(CAST(:people AS uuid[])) AND p.replaced_at IS NULL
      AND p.import_id IS DISTINCT FROM CAST(:import AS uuid)
      AND NOT EXISTS (SELECT FROM {records("kept", _KEPT)} WHERE t.individual_id = p.individual_id AND t.lookup = p.lookup)
    RETURNING p.id, p.individual_id
    """  # noqa: S608 - put together from our own constants
)
_REVIVE = text(
    f"""
    UPDATE contact_points p SET replaced_at = NULL, replaced_import = NULL, confirmed_at = :now
    FROM {records("kept", _KEPT)} WHERE p.component = :component AND p.kind = :kind AND p.individual_id = t.individual_id
      AND p.lookup = t.lookup AND p.replaced_at IS NOT NULL RETURNING p.id, p.individual_id
    """  # noqa: S608 - put together from our own constants
)


def turn(work: UnitOfWork, kept: Sequence[tuple[str, bytes]], *, kind: str, component: str, import_id: str, now: datetime) -> dict[str, EffectDetail]:
    """Make a component's values of a kind previous, except these (individual id, lookup), which become present.

    Values that the same import entered stay present: one file may have several.

    :returns: individual id → ids of contact points, `retired` and `revived`.
    """
    turned: dict[str, EffectDetail] = {}
    if kept:
        given = {
            "kept": as_json([{"individual_id": individual_id, "lookup": lookup} for individual_id, lookup in kept]),
            "people": array(dict.fromkeys(individual_id for individual_id, _ in kept)),
            "kind": kind,
            "component": component,
            "import": import_id,
            "now": now,
        }
        for row in work.execute(_REVIVE, given):
            turned.setdefault(str(row.individual_id), {}).setdefault("revived", []).append(str(row.id))
        for row in work.execute(_RETIRE, given):
            turned.setdefault(str(row.individual_id), {}).setdefault("retired", []).append(str(row.id))
    return turned


def turn_back(work: UnitOfWork, import_id: str, turned: Sequence[EffectDetail], *, now: datetime) -> None:
    """Reverse what an import's `turn` did. The role is `eraser`."""
    retired = [point for each in turned for point in each.get("retired", ())]
    revived = [point for each in turned for point in each.get("revived", ())]
    if retired:
        work.execute(
            text(
                "UPDATE contact_points SET replaced_at = NULL, replaced_import = NULL"
                " WHERE id = ANY(CAST(:ids AS uuid[])) AND replaced_import = CAST(:import AS uuid)"
            ),
            {"ids": array(retired), "import": import_id},
        )
    if revived:
        work.execute(
            text("UPDATE contact_points SET replaced_at = :now WHERE id = ANY(CAST(:ids AS uuid[])) AND replaced_at IS NULL"),
            {"ids": array(revived), "now": now},
        )
