"""Names of many stakeholders, ordered by id. The order of rows would tell which changed last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields

from sqlalchemy import select

from services.chassis.database import UnitOfWork
from services.chassis.database.rows import all_typed
from services.contacts.domain.stakeholders import NamedIndividual, NamedOrganization
from services.contacts.storage.tables import directory as tables


def individuals(work: UnitOfWork, ids: Sequence[str]) -> list[NamedIndividual]:
    """Return the names of individuals, with what decides who may know them."""
    columns = [tables.individuals.c[each.name] for each in fields(NamedIndividual)]
    return all_typed(NamedIndividual, work.execute(select(*columns).where(tables.individuals.c.id.in_(ids)).order_by(columns[0])).mappings())


def organizations(work: UnitOfWork, ids: Sequence[str]) -> list[NamedOrganization]:
    """Return the names of organizations."""
    named = tables.organizations.c
    return all_typed(NamedOrganization, work.execute(select(named.id, named.name).where(named.id.in_(ids)).order_by(named.id)).mappings())
