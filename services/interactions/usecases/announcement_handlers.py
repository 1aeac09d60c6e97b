"""Handle the announcements of other services; each may come twice, late, or in another order.

None of them brings back a stakeholder who is erased: each statement checks for a tombstone.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from services.access.contract import UserChanged
from services.chassis.database import UnitOfWork
from services.contacts.contract.announcements import (
    IndividualChanged,
    IndividualErased,
    IndividualFrozen,
    IndividualFrozenFor,
    IndividualRegistered,
    IndividualsImported,
    IndividualUnfrozen,
    OrganizationChanged,
    OrganizationErased,
    OrganizationRegistered,
    OrganizationsImported,
    OwnerChanged,
    PreferencesChanged,
)
from services.interactions.contract.announcements import InteractionWithdrawn
from services.interactions.storage import coordination, directory

#: The reason that the requester reads when the individual asked not to be contacted; it names nobody.
NO_CONTACT = "This person asked not to be contacted."


def individuals_registered(work: UnitOfWork, announcements: Iterable[IndividualRegistered]) -> None:
    """Store new individuals, except those who are erased already."""
    directory.register_people(work, announcements)


def individuals_imported(work: UnitOfWork, announcement: IndividualsImported) -> None:
    """Store new individuals, except those who are erased already."""
    owner_id, component = announcement.owner_id, announcement.component
    directory.register_people(work, (IndividualRegistered(str(each[0]), each[1], owner_id, component, each[2]) for each in announcement.individuals))


def organizations_imported(work: UnitOfWork, announcement: OrganizationsImported) -> None:
    """Store new organizations, except those that are erased already."""
    directory.register_organizations(work, announcement.organizations)


def individual_changed(work: UnitOfWork, announcement: IndividualChanged) -> None:
    """Store where an individual works and for which state they speak."""
    directory.upsert_place(work, announcement)


def owner_changed(work: UnitOfWork, announcement: OwnerChanged, *, now: datetime) -> None:
    """Store the new owner of an individual; end the requests that the new owner had sent to the former one, with a notice."""
    if directory.upsert_owner(work, announcement):
        closed = coordination.close_ones_own(work, announcement.individual_id, owner_id=announcement.owner_id)
        coordination.notify(work, announcement.owner_id, "coordination-request-yours", closed, now=now)


def preferences_changed(work: UnitOfWork, announcement: PreferencesChanged) -> None:
    """Store how an individual's information may be used (R169)."""
    directory.upsert_preferences(work, announcement)


def individual_frozen(work: UnitOfWork, announcement: IndividualFrozen, *, now: datetime) -> None:
    """Take a frozen individual out of lists and reports, and decline the open requests about them (T21)."""
    directory.freeze(work, announcement)
    for request in coordination.decline_open(work, announcement.individual_id, reason=NO_CONTACT, now=now):
        coordination.notify(work, request.requested_by, "coordination-request-no-contact", [request], now=now)


def individual_frozen_for(work: UnitOfWork, announcement: IndividualFrozenFor) -> None:
    """Store which components see an individual as frozen, because the individual may be the person of a request (T26)."""
    directory.freeze_for(work, announcement)


def individual_unfrozen(work: UnitOfWork, announcement: IndividualUnfrozen) -> None:
    """Unfreeze an individual whose request was withdrawn (T36)."""
    directory.unfreeze(work, announcement)


def individual_erased(work: UnitOfWork, announcement: IndividualErased, *, now: datetime) -> None:
    """Insert a tombstone, so that no later announcement brings the individual back."""
    directory.insert_tombstone(work, announcement.individual_id, kind="individual", now=now)
    directory.delete_person(work, announcement.individual_id)


def organization_registered(work: UnitOfWork, announcement: OrganizationRegistered) -> None:
    """Store a new organization, unless it is erased already."""
    directory.register_organization(work, announcement)


def organization_changed(work: UnitOfWork, announcement: OrganizationChanged) -> None:
    """Store an organization as it is now."""
    directory.upsert_organization_projection(work, announcement)


def organization_erased(work: UnitOfWork, announcement: OrganizationErased, *, now: datetime) -> None:
    """Unlink an organization, and delete the interactions that were with nobody else."""
    directory.insert_tombstone(work, announcement.organization_id, kind="organization", now=now)
    directory.delete_organization(work, announcement.organization_id)
    for interaction_id in directory.unlink_organization(work, announcement.organization_id):
        work.announce(InteractionWithdrawn(interaction_id))


def user_changed(work: UnitOfWork, announcement: UserChanged) -> None:
    """Store the component and rights of a user."""
    directory.upsert_user_projection(work, announcement)
