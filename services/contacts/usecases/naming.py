"""Names of many stakeholders at once, for lists that store only ids. Names are directory layer (T4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from services.chassis.database import UnitOfWork
from services.chassis.messages import Caller, NotFound
from services.contacts.contract.answers.individuals import HolderAnswer
from services.contacts.contract.answers.search import NameAnswer, NamesAnswer
from services.contacts.storage import links, naming
from services.contacts.usecases.authorization import duty, facts_of, open_individual, require
from services.lexicon.policy import Facts, decide


def name_stakeholders(work: UnitOfWork, *, by: Caller, now: datetime, ids: Sequence[str]) -> NamesAnswer:
    """Return `items` [{`id`, `type`, `name`}] of those that exist and that the caller may know of.

    A frozen one is named only to callers who may find it (T21).
    """
    require(decide(by, "read", "first_name", Facts(by_exact_id=True)))
    items: list[NameAnswer] = []
    for row in naming.individuals(work, ids):
        facts = replace(facts_of(row), duty_of=duty(work, row, now=now)) if row.frozen_at is not None else facts_of(row)
        if decide(by, "read", "first_name", facts):
            items.append({"id": row.id, "type": "individual", "name": f"{row.first_name or ''} {row.last_name or ''}".strip()})
    items += [{"id": row.id, "type": "organization", "name": row.name} for row in naming.organizations(work, ids)]
    work.record("contacts:stakeholder:name", subjects=[item["id"] for item in items], fields=["first_name", "last_name", "name"])
    return {"items": items}


def read_holder(work: UnitOfWork, *, by: Caller, now: datetime, individual_id: str, component: str) -> HolderAnswer:
    """Return who stands for a component's relationship with an individual (T5): `component`, `user`.

    :raises IndividualUnknown, IndividualFrozen: see there.
    :raises NotFound: the component has no relationship.
    """
    row = open_individual(work, individual_id, by=by, now=now)
    held = next((one for one in links.relationships_of(work, individual_id) if one.component == component), None)
    if held is None:
        raise NotFound
    work.record("contacts:relationship:read", subjects=[individual_id], fields=["relationships"])
    return {"component": component, "user": row.owner_id if component == row.owner_component else held.user_id}
