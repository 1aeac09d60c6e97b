"""Find the ids that a command names and that no announcement has brought yet."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from services.access.contract.answers import UserAnswer
from services.chassis.database import UnitOfWork
from services.chassis.messages import Caller
from services.contacts.contract.answers.individuals import IndividualAnswer
from services.contacts.contract.answers.organizations import OrganizationAnswer
from services.interactions.storage import directory


@dataclass(frozen=True, slots=True)
class UnknownReferences:
    """Ids in a command that no projection has yet."""

    individual_ids: tuple[str, ...]
    organization_ids: tuple[str, ...]
    user_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FoundReferences:
    """The answers of the owning services."""

    individuals: list[IndividualAnswer]
    organizations: list[OrganizationAnswer]
    users: list[UserAnswer]


def find(
    work: UnitOfWork, *, by: Caller, individual_ids: Iterable[str], organization_ids: Iterable[str], user_ids: Iterable[str]
) -> UnknownReferences:
    """Return the ids that are in no projection. Nothing is recorded, because nothing is shown."""
    individual_ids, organization_ids = dict.fromkeys(individual_ids), dict.fromkeys(organization_ids)
    user_ids = dict.fromkeys(one for one in user_ids if one != by.id)
    known = directory.persons(work, individual_ids) if individual_ids else {}
    bodies = directory.known_organizations(work, organization_ids) if organization_ids else set()
    users = directory.known_users(work, user_ids) if user_ids else {}
    return UnknownReferences(
        tuple(one for one in individual_ids if one not in known and not directory.is_erased(work, one)),
        tuple(one for one in organization_ids if one not in bodies and not directory.is_erased(work, one)),
        tuple(one for one in user_ids if one not in users),
    )


def upsert_projections(work: UnitOfWork, found: FoundReferences) -> None:
    """Store the ids and codes that the owning services answered, as their announcement will."""
    # Of a frozen record neither organization nor state is answered.
    people = [
        directory.NewPerson(one["id"], one.get("organization_id"), one.get("state"), one["owner"]["user"], one["owner"]["component"])
        for one in found.individuals
        if not directory.is_erased(work, one["id"])
    ]
    if people:
        directory.register_people(work, people)
    for body in found.organizations:
        if not directory.is_erased(work, body["id"]):
            directory.register_organization(work, organization_id=body["id"], state=body["state"], sector=body["sector"])
    for user in found.users:
        directory.upsert_user_projection(
            work, user_id=user["id"], component=user["component"], level=user["level"], roles=user["roles"], active=user["active"]
        )
