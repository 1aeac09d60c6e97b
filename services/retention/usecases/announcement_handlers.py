"""Store what other services announce. Announcements may arrive twice, late, or out of order."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from services.access.contract import UserChanged
from services.chassis.database import UnitOfWork
from services.contacts.contract.announcements import (
    IndividualErased,
    IndividualFrozen,
    IndividualRegistered,
    IndividualsErased,
    IndividualsImported,
    OwnerChanged,
)
from services.retention.contract import NoContactRequestCreateSchema
from services.retention.storage import requests as stored
from services.retention.usecases import requests


def individual_frozen(work: UnitOfWork, told: IndividualFrozen, *, now: datetime) -> None:
    """Open the request, unless the call that froze the individual has opened it."""
    given = NoContactRequestCreateSchema().load({"individual_id": told.individual_id, "medium": told.medium, "received_on": told.received_on})
    requests.open_request(
        work,
        now=now,
        request_id=told.request_id,
        individual_id=given.individual_id,
        medium=given.medium,
        received_on=given.received_on,
        recorded_by=told.recorded_by,
        recorded_by_component=told.recorded_by_component,
    )


def individuals_registered(work: UnitOfWork, told: Iterable[IndividualRegistered]) -> None:
    """Store the owners of new individuals."""
    stored.upsert_individual_projections(work, ((each.individual_id, each.owner_id, each.component) for each in told))


def individuals_imported(work: UnitOfWork, told: IndividualsImported) -> None:
    """Store the owners of imported individuals."""
    stored.upsert_individual_projections(work, ((str(each[0]), told.owner_id, told.component) for each in told.individuals))


def owner_changed(work: UnitOfWork, told: OwnerChanged) -> None:
    """Store the present owner of an individual."""
    stored.upsert_individual_projection(
        work, told.individual_id, owner_id=told.owner_id, component=told.component, deputy_id=told.deputy_id, revision=told.revision
    )


def individual_erased(work: UnitOfWork, told: IndividualErased) -> None:
    """Delete the projection of an erased individual."""
    stored.insert_tombstone(work, told.individual_id)


def individuals_erased(work: UnitOfWork, told: IndividualsErased) -> None:
    """Delete the projections of erased individuals."""
    stored.insert_tombstones(work, told.individuals)


def user_changed(work: UnitOfWork, told: UserChanged) -> None:
    """Store the component, level, roles and status of a user."""
    stored.upsert_user_projection(
        work, told.user_id, component=told.component, level=told.level, roles=list(told.roles), active=told.active, revision=told.revision
    )
