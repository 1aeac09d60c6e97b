"""What interactions does when others announce something; every one of these may come twice, late, or in another order.

Who is erased is brought back by none of them: a tombstone stands in the way of each statement.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from services.access.contract import UserChanged
from services.chassis.database import UnitOfWork
from services.contacts.contract import (
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
from services.interactions.contract import InteractionWithdrawn
from services.interactions.storage import coordination, directory

#: What a requester reads when the individual asked not to be contacted; it names nobody.
NO_CONTACT = "This person asked not to be contacted."


def individuals_registered(work: UnitOfWork, told: Iterable[IndividualRegistered]) -> None:
    """Know new individuals, but for those who are erased already."""
    people = (directory.NewPerson(each.individual_id, each.organization_id, each.state, each.owner_id, each.component) for each in told)
    directory.register_people(work, people)


def individuals_imported(work: UnitOfWork, told: IndividualsImported) -> None:
    """Know new individuals, but for those who are erased already."""
    people = (directory.NewPerson(str(each[0]), each[1], each[2], told.owner_id, told.component) for each in told.individuals)
    directory.register_people(work, people)


def organizations_imported(work: UnitOfWork, told: OrganizationsImported) -> None:
    """Know new organizations, but for those that are erased already."""
    directory.register_organizations(work, told.organizations)


def individual_changed(work: UnitOfWork, told: IndividualChanged) -> None:
    """Know where an individual works and for which state they speak."""
    directory.place_person(work, individual_id=told.individual_id, organization_id=told.organization_id, state=told.state, revision=told.revision)


def owner_changed(work: UnitOfWork, told: OwnerChanged, *, now: datetime) -> None:
    """Know who answers for an individual now; what the new owner had asked of the former one has ended, and they are told."""
    is_news = directory.hand_over(
        work,
        individual_id=told.individual_id,
        owner_id=told.owner_id,
        component=told.component,
        deputy_id=told.deputy_id,
        revision=told.revision,
    )
    if is_news:
        closed = coordination.close_ones_own(work, told.individual_id, owner_id=told.owner_id)
        coordination.tell(work, told.owner_id, "coordination-request-yours", closed, now=now)


def preferences_changed(work: UnitOfWork, told: PreferencesChanged) -> None:
    """Know how an individual's information may be used (R169)."""
    directory.put_preferences(work, individual_id=told.individual_id, spans=told.spans, revision=told.revision)


def individual_frozen(work: UnitOfWork, told: IndividualFrozen, *, now: datetime) -> None:
    """Take a frozen individual out of lists and reports, and decline what was asked about them (T21)."""
    directory.freeze(work, individual_id=told.individual_id, request_id=told.request_id, recorded_by=told.recorded_by)
    for request in coordination.decline_open(work, told.individual_id, reason=NO_CONTACT, now=now):
        coordination.tell(work, request.requested_by, "coordination-request-no-contact", [request], now=now)


def individual_frozen_for(work: UnitOfWork, told: IndividualFrozenFor) -> None:
    """Take a possible twin of somebody who asked not to be contacted out of everything of these components, and of no others (T26)."""
    directory.freeze_for(work, individual_id=told.individual_id, components=told.components, revision=told.revision)


def individual_unfrozen(work: UnitOfWork, told: IndividualUnfrozen) -> None:
    """Let an individual be found and spoken with again: the request was taken back (T36)."""
    directory.unfreeze(work, individual_id=told.individual_id, request_id=told.request_id)


def individual_erased(work: UnitOfWork, told: IndividualErased, *, now: datetime) -> None:
    """Contacts erases last: see to it that nobody comes back."""
    directory.insert_tombstone(work, told.individual_id, kind="individual", now=now)
    directory.forget_person(work, told.individual_id)


def organization_registered(work: UnitOfWork, told: OrganizationRegistered) -> None:
    """Know a new organization, unless it is erased already."""
    directory.register_organization(work, organization_id=told.organization_id, state=told.state, sector=told.sector)


def organization_changed(work: UnitOfWork, told: OrganizationChanged) -> None:
    """Know an organization as it is now."""
    directory.put_organization(work, organization_id=told.organization_id, state=told.state, sector=told.sector, revision=told.revision)


def organization_erased(work: UnitOfWork, told: OrganizationErased, *, now: datetime) -> None:
    """Unlink an organization; interactions that were with nobody else are gone with it."""
    directory.insert_tombstone(work, told.organization_id, kind="organization", now=now)
    directory.forget_organization(work, told.organization_id)
    for interaction_id in directory.unlink_organization(work, told.organization_id):
        work.announce(InteractionWithdrawn(interaction_id))


def user_changed(work: UnitOfWork, told: UserChanged) -> None:
    """Know a user's component and rights."""
    directory.put_user(
        work,
        user_id=told.user_id,
        component=told.component,
        level=told.level,
        roles=told.roles,
        active=told.active,
        revision=told.revision,
    )
