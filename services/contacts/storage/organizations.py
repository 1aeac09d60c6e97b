"""Organizations and their offices; all of it is directory layer (T4)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import fields
from datetime import datetime

from sqlalchemy import delete, select, text
from sqlalchemy import insert as insert_into
from sqlalchemy import update as update_of

from services.chassis.database import Lock, UnitOfWork
from services.chassis.database.rows import all_typed, typed_or_none
from services.contacts.contract.answers.organizations import Address
from services.contacts.domain.stakeholders import Office, Organization, OrganizationChanges, SameName
from services.contacts.storage.individuals import ISSUES, RELATIONSHIPS
from services.contacts.storage.tables.directory import offices, organizations
from services.lexicon.canonical import canonical_organization

# Text SQL: one statement reads a record with everything that belongs to it, as JSON.

# Text where a row is read with all that stands beside it in one statement.
_OFFICES = """
    (SELECT coalesce(json_agg(json_build_object('id', f.id, 'label', f.label, 'address', json_build_object(
        'street', f.street, 'city', f.city, 'state', f.state, 'postal_code', f.postal_code, 'country', f.country),
        'phone', f.phone) ORDER BY f.position), '[]') FROM offices f WHERE f.organization_id = o.id) AS offices
"""
_SELECT = f"""
    SELECT o.*, {_OFFICES}, {RELATIONSHIPS.format(id="o.id")}, {ISSUES.format(id="o.id")} FROM organizations o
"""  # noqa: S608 - put together from our own constants
_BY_ID = text(f"{_SELECT} WHERE o.id = CAST(:id AS uuid)")
_BY_IDS = text(f"{_SELECT} WHERE o.id = ANY(CAST(:ids AS uuid[]))")


def find(work: UnitOfWork, organization_id: str) -> Organization | None:
    """Return an organization with offices, relationships and issues."""
    return typed_or_none(Organization, work.execute(_BY_ID, {"id": organization_id}).mappings().one_or_none())


def find_many(work: UnitOfWork, ids: Iterable[str]) -> dict[str, Organization]:
    """Return these organizations by id."""
    return {row.id: row for row in all_typed(Organization, work.execute(_BY_IDS, {"ids": list(ids)}).mappings())}


def of_name(work: UnitOfWork, name: str) -> list[SameName]:
    """Return organizations of the same name, without regard to case, punctuation and legal form."""
    columns = [organizations.c[each.name] for each in fields(SameName)]
    named = select(*columns).where(organizations.c.canonical_name == canonical_organization(name))
    return all_typed(SameName, work.execute(named.order_by(organizations.c.created_at, organizations.c.id)).mappings())


def lock(work: UnitOfWork, organization_id: str) -> bool:
    """Lock an organization's row until the end of the transaction; return whether there is one."""
    held = select(organizations.c.id).where(organizations.c.id == organization_id).with_for_update()
    return work.execute(held).one_or_none() is not None


def hold_name(work: UnitOfWork, name: str) -> None:
    """Let nobody else register an organization of this name until the end of the transaction."""
    work.hold(Lock(1, f"organization {canonical_organization(name)}"))


def insert(work: UnitOfWork, organization: Organization) -> None:
    """Insert an organization, without its offices, relationships and issues."""
    work.execute(insert_into(organizations), {column.name: getattr(organization, column.name) for column in organizations.c})


def update(work: UnitOfWork, organization_id: str, changes: OrganizationChanges, *, now: datetime) -> None:
    """Set these columns; version and `updated_at` move."""
    names = {"canonical_name": canonical_organization(changes["name"])} if "name" in changes else {}
    changed = update_of(organizations).where(organizations.c.id == organization_id)
    work.execute(changed.values(**changes, **names, updated_at=now, version=organizations.c.version + 1))


def replace_offices(work: UnitOfWork, organization_id: str, wanted: Sequence[Office]) -> None:
    """Set an organization's offices, in their order."""
    work.execute(delete(offices).where(offices.c.organization_id == organization_id))
    insert_offices(work, organization_id, wanted)


def insert_offices(work: UnitOfWork, organization_id: str, wanted: Sequence[Office]) -> None:
    """Insert an organization's offices, in their order."""
    nowhere: Address = {"street": None, "city": None, "state": None, "postal_code": None, "country": None}
    rows = [
        {
            "id": office.id,
            "organization_id": organization_id,
            "position": position,
            "label": office.label,
            "phone": office.phone,
            **(office.address or nowhere),
        }
        for position, office in enumerate(wanted)
    ]
    if rows:
        work.execute(insert_into(offices), rows)
