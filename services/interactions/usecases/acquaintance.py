"""Getting to know whom a command names, when it came faster than the announcement of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from services.chassis.database import UnitOfWork
from services.chassis.messages import Caller
from services.interactions.storage import directory


@dataclass(frozen=True, slots=True)
class Strangers:
    """Ids that a command names and that nobody has told us of."""

    individual_ids: tuple[str, ...]
    organization_ids: tuple[str, ...]
    user_ids: tuple[str, ...]


def strangers(work: UnitOfWork, *, by: Caller, command: Mapping[str, Any]) -> Strangers:
    """Return whom the command names and who is not known; nothing is recorded, for nothing is told."""
    individual_ids = dict.fromkeys(command.get("individual_ids") or ())
    organization_ids = dict.fromkeys(command.get("organization_ids") or ())
    user_ids = dict.fromkeys(
        one for one in (command.get("user"), *(p.get("assignee") for p in command.get("follow_ups") or ())) if one and one != by.id
    )
    known = directory.persons(work, individual_ids) if individual_ids else {}
    bodies = directory.known_organizations(work, organization_ids) if organization_ids else set()
    users = directory.known_users(work, user_ids) if user_ids else {}
    return Strangers(
        tuple(one for one in individual_ids if one not in known and not directory.is_erased(work, one)),
        tuple(one for one in organization_ids if one not in bodies and not directory.is_erased(work, one)),
        tuple(one for one in user_ids if one not in users),
    )


def remember(work: UnitOfWork, asked: Strangers, found: Iterable[Mapping[str, Any]]) -> None:
    """Keep the ids and codes of what their owners answered, as their announcement would have told."""
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
