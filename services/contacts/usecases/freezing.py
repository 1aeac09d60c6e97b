"""Freezing whoever asks not to be contacted, and who may then erase (T10, T21); what waits for a user."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from services.chassis.database import UnitOfWork
from services.chassis.messages import Caller, Invalid, NotFound, entity_tag
from services.contacts.contract.announcements import IndividualFrozen as FrozenAnnouncement
from services.contacts.contract.refusals import TaskStands
from services.contacts.domain import representations
from services.contacts.domain.clocks import erase_due
from services.contacts.storage import contact_layer, directory, individuals, projections
from services.contacts.usecases.asking import demand, duty, facts_of, visible_individual, visible_organization
from services.lexicon.calendar import add_working_days
from services.lexicon.policy import Facts, Granted, decide

#: What goes away when it is done, and not by dismissing it.
_STAND = frozenset({"correction", "duplicate", "decide-import-rows"})


def freeze(
    work: UnitOfWork,
    *,
    by: Caller,
    now: datetime,
    request_id: str,
    individual_id: str,
    medium: str,
    received_on: date,
) -> dict[str, Any]:
    """Freeze an individual who asked anyone, by any medium, not to be contacted (R164-R170).

    The same request again answers the same. Another request for one who is frozen already answers whoever may find the
    record, and is "not found" to everybody else (T21).

    :raises Invalid: it was received on a day that lies ahead (T29).
    """
    row = visible_individual(work, individual_id, by=by, now=now, lock=True)
    demand(decide(by, "freeze", None, facts_of(row)))
    if received_on > now.astimezone(UTC).date():
        raise Invalid(errors={"received_on": ["Not in the future."]})
    if row["frozen_at"] is None:
        frozen = {
            "now": now,
            "request_id": request_id,
            "medium": medium,
            "received_on": received_on,
            "by": by.id,
            "component": by.component,
        }
        individuals.freeze(work, individual_id, frozen)
        directory.leave(work, individual_id)
        work.announce(FrozenAnnouncement(individual_id, request_id, medium, received_on.isoformat(), by.id, by.component))
        row = {**row, "frozen_at": now, "frozen_request_id": request_id, "frozen_by": by.id}
    work.record("contacts:individual:freeze", subjects=[individual_id], fields=["frozen"], rule="T21")
    return {
        **representations.frozen_individual(row),
        "request_id": row["frozen_request_id"],
        "due_on": erase_due(row["frozen_at"]).isoformat(),
    }


def may_erase(work: UnitOfWork, *, by: Caller, now: datetime, individual_id: str) -> dict[str, Any]:
    """Return whether this caller may erase this individual now, and whose record it is (R165, T10)."""
    row = visible_individual(work, individual_id, by=by, now=now)
    on = duty(work, row, now=now)
    decision = decide(by, "erase", None, facts_of(row, duty_of=on))
    work.record("contacts:individual:may-erase", subjects=[individual_id], fields=["owner"])
    return {
        "allowed": bool(decision),
        "rule": decision.rule,
        "reason": None if isinstance(decision, Granted) else decision.reason,
        "owner": {"user": row["owner_id"], "component": row["owner_component"]},
        "deputy": row["deputy_id"],
        "duty_of": on,
        "frozen": row["frozen_at"] is not None,
        "request_id": row["frozen_request_id"],
        "etag": entity_tag(representations.individual(row)),
    }


def may_erase_organization(work: UnitOfWork, *, by: Caller, organization_id: str) -> dict[str, Any]:
    """Return whether this caller may erase this organization, and whose record it is."""
    row = visible_organization(work, organization_id, by=by)
    owner = projections.user(work, row["owner_id"])
    on = "owner" if owner is None or owner["active"] else "office_administrator"
    facts = Facts(owner_id=row["owner_id"], owner_component=row["owner_component"], duty_of=on)
    decision = decide(by, "erase", None, facts)
    work.record("contacts:organization:may-erase", subjects=[organization_id], fields=["owner"])
    return {
        "allowed": bool(decision),
        "rule": decision.rule,
        "reason": None if isinstance(decision, Granted) else decision.reason,
        "owner": {"user": row["owner_id"], "component": row["owner_component"]},
        "duty_of": on,
        "etag": entity_tag(representations.organization(row)),
    }


def list_tasks(work: UnitOfWork, *, by: Caller) -> list[dict[str, Any]]:
    """Return what waits for the caller here: corrections to look at, likely duplicates (T3, T23); all of it, in no order.

    Whom to erase is retention's to say: it keeps the requests.
    """
    tasks: list[dict[str, Any]] = []
    if by.component is not None:
        for found in contact_layer.unseen_corrections(work, user_id=by.id, component=by.component):
            due = add_working_days(found["reported_at"].date(), 5)
            individual_id = found["individual_id"]
            tasks.append(_task("correction", individual_id, due.isoformat(), f"/api/v1/individuals/{individual_id}/contact-points"))
        tasks += [
            _task("duplicate", found["held_id"], None, f"/api/v1/individuals/{found['other_id']}", key=f"{found['held_id']}-{found['other_id']}")
            for found in contact_layer.own_likenesses(work, component=by.component)
        ]
    unique: dict[str, dict[str, Any]] = {}
    for task in tasks:
        # Of several corrections of one person the most urgent stands for all.
        unique.setdefault(task["id"], task)
    work.record("contacts:task:list", subjects=[task["subject"]["id"] for task in unique.values()])
    return list(unique.values())


def dismiss_task(work: UnitOfWork, *, by: Caller, task_id: str) -> None:  # noqa: ARG001 - notices are somebody's
    """Take away a task that only tells the caller something: none of ours does yet.

    A kind of notice is added here: delete the caller's row by the key in `<kind>.<key>`, record
    `contacts:task:dismiss`, and give its tasks `"notice": True` in `list_tasks`. `NotFound` when it is not theirs.

    :raises TaskStands: it is something to do.
    :raises NotFound: there is no such kind.
    """
    if task_id.partition(".")[0] in _STAND:
        raise TaskStands
    raise NotFound


def _task(kind: str, individual_id: str, due_on: str | None, link: str, *, key: str | None = None) -> dict[str, Any]:
    subject = {"type": "individual", "id": individual_id, "individual_ids": [individual_id]}
    return {"id": f"{kind}.{key or individual_id}", "kind": kind, "notice": False, "subject": subject, "due_on": due_on, "link": link}
