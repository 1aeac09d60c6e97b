"""Verifications: when a person's details were verified with them, how, and by whom (T6, T20)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import func, insert, literal, select, update

from services.chassis.database import UnitOfWork
from services.chassis.database.rows import all_typed, typed_or_none
from services.contacts.storage.tables.contact_layer import contact_points
from services.contacts.storage.tables.directory import individuals, verifications


@dataclass(frozen=True, slots=True)
class Verification:
    """A row of `verifications`."""

    id: str
    individual_id: str
    medium: str
    verified_at: datetime
    recorded_at: datetime
    by_user: str
    by_component: str
    withdrawn: Sequence[str]


def add(work: UnitOfWork, entry: Verification) -> None:
    """Insert a verification and move its person's one-year clock, unless a later one exists."""
    work.execute(insert(verifications), asdict(entry))
    latest = func.greatest(individuals.c.verified_at, literal(entry.verified_at, individuals.c.verified_at.type))
    work.execute(update(individuals).where(individuals.c.id == entry.individual_id).values(verified_at=latest))


def verify_own_points(work: UnitOfWork, individual_id: str, ids: Collection[str], *, component: str, at: datetime) -> list[str]:
    """Set when these contact points were verified; return the ids of those that are the component's own and this person's."""
    of = contact_points.c
    verified = (
        update(contact_points)
        .where(of.id.in_(ids), of.individual_id == individual_id, of.component == component)
        .values(verified_at=func.greatest(of.verified_at, literal(at, of.verified_at.type)))
        .returning(of.id)
    )
    return list(work.execute(verified).scalars())


def find(work: UnitOfWork, verification_id: str) -> Verification | None:
    """Return a verification."""
    return typed_or_none(Verification, work.execute(select(verifications).where(verifications.c.id == verification_id)).mappings().one_or_none())


def of_individual(work: UnitOfWork, individual_id: str) -> list[Verification]:
    """Return a person's verifications, latest first."""
    of = verifications.c
    found = select(verifications).where(of.individual_id == individual_id).order_by(of.verified_at.desc(), of.id)
    return all_typed(Verification, work.execute(found).mappings())
