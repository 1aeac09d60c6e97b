"""Organizations and their offices; all of it is directory layer (T4)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import text

from services.chassis.database import UnitOfWork
from services.contacts.storage.individuals import ISSUES, RELATIONSHIPS
from services.contacts.storage.rows import plain, plains
from services.lexicon.canonical import canonical_organization

FIELDS = ("name", "sector", "state", "group_ids", "source", "source_url")
ADDRESS = ("street", "city", "state", "postal_code", "country")

_OFFICES = """
    (SELECT coalesce(json_agg(json_build_object('id', f.id, 'label', f.label, 'address', json_build_object(
        'street', f.street, 'city', f.city, 'state', f.state, 'postal_code', f.postal_code, 'country', f.country),
        'phone', f.phone) ORDER BY f.position), '[]') FROM offices f WHERE f.organization_id = o.id) AS offices
"""
_SELECT = f"""
    SELECT o.*, {_OFFICES}, {RELATIONSHIPS.format(id="o.id")}, {ISSUES.format(id="o.id")} FROM organizations o
"""  # noqa: S608 - put together from our own constants


def find(work: UnitOfWork, organization_id: str) -> dict[str, Any] | None:
    """Return an organization with offices, relationships and issues."""
    row = work.execute(text(f"{_SELECT} WHERE o.id = CAST(:id AS uuid)"), {"id": organization_id}).mappings().one_or_none()
    return plain(row) if row else None


def find_many(work: UnitOfWork, ids: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Return these organizations by id."""
    rows = work.execute(text(f"{_SELECT} WHERE o.id = ANY(CAST(:ids AS uuid[]))"), {"ids": list(ids)}).mappings()
    return {row["id"]: row for row in plains(rows)}


def of_name(work: UnitOfWork, name: str) -> list[dict[str, Any]]:
    """Return organizations that are called the same, but for case, marks and legal form."""
    rows = work.execute(
        text(
            "SELECT id, name, sector, state, group_ids, owner_id, owner_component FROM organizations"
            " WHERE canonical_name = :name ORDER BY created_at, id"
        ),
        {"name": canonical_organization(name)},
    )
    return plains(rows.mappings())


def lock(work: UnitOfWork, organization_id: str) -> bool:
    """Hold an organization's row until the end of the transaction; say whether it is there."""
    statement = text("SELECT 1 FROM organizations WHERE id = CAST(:id AS uuid) FOR UPDATE")
    return work.execute(statement, {"id": organization_id}).one_or_none() is not None


def hold_name(work: UnitOfWork, name: str) -> None:
    """Let nobody else register an organization of this name until the end of the transaction."""
    work.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 1))"), {"name": f"organization {canonical_organization(name)}"})


_INSERT = text(
    """
    INSERT INTO organizations (id, name, canonical_name, sector, state, group_ids, source, source_url, owner_id,
        owner_component, created_at, created_by, created_component, updated_at)
    VALUES (:id, :name, :canonical_name, :sector, :state, CAST(:group_ids AS uuid[]), :source, :source_url, :owner_id,
        :owner_component, :now, :created_by, :created_component, :now)
    """
)


def insert_many(work: UnitOfWork, organizations: Iterable[Mapping[str, Any]]) -> None:
    """Insert organizations: `FIELDS`, id, owner, creator and instant."""
    rows = [{**dict.fromkeys(FIELDS), "group_ids": [], **row, "canonical_name": canonical_organization(row["name"])} for row in organizations]
    work.execute(_INSERT, rows)


def update(work: UnitOfWork, organization_id: str, changes: Mapping[str, Any], *, now: datetime) -> None:
    """Set these of `FIELDS`; version and `updated_at` move."""
    assert set(changes) <= set(FIELDS)  # noqa: S101 - the names become SQL
    values = dict(changes)
    if "name" in values:
        values["canonical_name"] = canonical_organization(values["name"])
    sets = [f"{name} = {'CAST(:group_ids AS uuid[])' if name == 'group_ids' else f':{name}'}" for name in values]
    work.execute(
        text(
            f"UPDATE organizations SET {', '.join([*sets, 'version = version + 1', 'updated_at = :now'])}"  # noqa: S608 - names of our own list
            " WHERE id = CAST(:id AS uuid)"
        ),
        {**values, "id": organization_id, "now": now},
    )


_INSERT_OFFICE = text(
    """
    INSERT INTO offices (id, organization_id, position, label, street, city, state, postal_code, country, phone)
    VALUES (:id, :organization_id, :position, :label, :street, :city, :state, :postal_code, :country, :phone)
    """
)


def replace_offices(work: UnitOfWork, organization_id: str, offices: Sequence[Mapping[str, Any]]) -> None:
    """Set an organization's offices, in their order; each has an id, `label`, `address` and `phone`."""
    work.execute(text("DELETE FROM offices WHERE organization_id = CAST(:id AS uuid)"), {"id": organization_id})
    insert_offices(work, [(organization_id, position, office) for position, office in enumerate(offices)])


def insert_offices(work: UnitOfWork, offices: Iterable[tuple[str, int, Mapping[str, Any]]]) -> None:
    """Insert offices: (organization id, position, office)."""
    rows = [
        {
            "id": office["id"],
            "organization_id": organization_id,
            "position": position,
            "label": office.get("label"),
            "phone": office.get("phone"),
            **{part: (office.get("address") or {}).get(part) for part in ADDRESS},
        }
        for organization_id, position, office in offices
    ]
    if rows:
        work.execute(_INSERT_OFFICE, rows)
