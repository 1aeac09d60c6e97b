"""Find the ids that a command names and that no announcement has brought yet."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from services.access.contract import UserChanged
from services.access.contract.answers import UserAnswer
from services.chassis.database import UnitOfWork
from services.contacts.contract.announcements import IndividualRegistered, OrganizationRegistered
from services.contacts.contract.answers.individuals import IndividualAnswer
from services.contacts.contract.answers.organizations import OrganizationAnswer
from services.interactions.storage import directory


def find(
    work: UnitOfWork, *, individual_ids: Iterable[str], organization_ids: Iterable[str], user_ids: Iterable[str]
) -> tuple[list[str], list[str], list[str]]:
    """Return the ids of individuals, organizations and users that are in no projection. Nothing is recorded, because nothing is shown."""
    individual_ids, organization_ids = dict.fromkeys(individual_ids), dict.fromkeys(organization_ids)
    user_ids = dict.fromkeys(one for one in user_ids if one != work.caller.id)
    known = directory.persons(work, individual_ids) if individual_ids else {}
    bodies = directory.known_organizations(work, organization_ids) if organization_ids else set()
    users = directory.known_users(work, user_ids) if user_ids else {}
    return (
        [one for one in individual_ids if one not in known and not directory.is_erased(work, one)],
        [one for one in organization_ids if one not in bodies and not directory.is_erased(work, one)],
        [one for one in user_ids if one not in users],
    )


def upsert_projections(
    work: UnitOfWork, individuals: Sequence[IndividualAnswer], organizations: Sequence[OrganizationAnswer], users: Sequence[UserAnswer]
) -> None:
    """Store the ids and codes that the owning services answered, as their announcement will."""
    # Of a frozen record neither organization nor state is answered.
    people = [
        IndividualRegistered(one["id"], one.get("organization_id"), one["owner"]["user"], one["owner"]["component"], one.get("state"))
        for one in individuals
        if not directory.is_erased(work, one["id"])
    ]
    if people:
        directory.register_people(work, people)
    for body in organizations:
        if not directory.is_erased(work, body["id"]):
            directory.register_organization(work, OrganizationRegistered(body["id"], body["state"], body["sector"]))
    for user in users:
        told = UserChanged(user["id"], user["component"], user["level"], tuple(user["roles"]), active=user["active"])
        directory.upsert_user_projection(work, told)
