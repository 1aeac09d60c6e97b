"""Finding the ids that a command names before their announcement has come."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from services.chassis.database import UnitOfWork
from services.chassis.messages import Caller
from services.interactions.storage import directory


@dataclass(frozen=True, slots=True)
class UnknownReferences:
    """Ids that a command names and that no projection has yet."""

    individual_ids: tuple[str, ...]
    organization_ids: tuple[str, ...]
    user_ids: tuple[str, ...]


def find(work: UnitOfWork, *, by: Caller, command: Mapping[str, Any]) -> UnknownReferences:
    """Return the ids that are in no projection. Nothing is shown to anybody, so nothing is recorded."""
    individual_ids = dict.fromkeys(command.get("individual_ids") or ())
    organization_ids = dict.fromkeys(command.get("organization_ids") or ())
    user_ids = dict.fromkeys(
        one for one in (command.get("user"), *(p.get("assignee") for p in command.get("follow_ups") or ())) if one and one != by.id
    )
    known = directory.persons(work, individual_ids) if individual_ids else {}
    bodies = directory.known_organizations(work, organization_ids) if organization_ids else set()
    users = directory.known_users(work, user_ids) if user_ids else {}
    return UnknownReferences(
        tuple(one for one in individual_ids if one not in known and not directory.is_erased(work, one)),
        tuple(one for one in organization_ids if one not in bodies and not directory.is_erased(work, one)),
        tuple(one for one in user_ids if one not in users),
    )


def upsert_projections(work: UnitOfWork, asked: UnknownReferences, found: Iterable[Mapping[str, Any]]) -> None:
    """Store the ids and codes that the owning services answered, as their announcement will."""
    for one in found:
        if one["id"] in asked.individual_ids and not directory.is_erased(work, one["id"]):
            owner = one.get("owner") or {}
            person = {name: one.get(name) for name in ("id", "organization_id", "state")}
            directory.register_people(work, [{**person, "owner_id": owner.get("user"), "component": owner.get("component")}])
        elif one["id"] in asked.organization_ids and not directory.is_erased(work, one["id"]):
            directory.register_organization(work, organization_id=one["id"], state=one.get("state"), sector=one.get("sector"))
        elif one["id"] in asked.user_ids:
            directory.put_user(
                work,
                user_id=one["id"],
                component=one.get("component"),
                level=one.get("level"),
                roles=one.get("roles") or (),
                active=bool(one.get("active", True)),
            )
