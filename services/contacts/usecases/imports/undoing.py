"""Taking an import back, block by block, the latest effect first (N16).

What nobody has worked with since is deleted as an erasure deletes it; whatever somebody changed, noted, met or froze
stays, and so do values that are no longer what the import wrote. A unit of work here has the role `eraser`. Undoing
writes nothing into the suppression ledger (T9).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import text

from services.chassis.database import UnitOfWork
from services.contacts.contract.announcements import IndividualChanged, IndividualErased, OrganizationChanged, OrganizationErased
from services.contacts.storage import directory, erasing, imports, individuals, organizations
from services.contacts.usecases.imports.representing import ended
from services.contacts.usecases.imports.working import LEASE, ImportOvertaken

EFFECTS = 200
CAUSE = "import_undone"


@dataclass(slots=True)
class _Taken:
    """What a block took back."""

    erased: list[str] = field(default_factory=list)
    people: dict[str, None] = field(default_factory=dict)
    organizations: dict[str, None] = field(default_factory=dict)
    gone: list[str] = field(default_factory=list)


def undo_block(work: UnitOfWork, *, now: datetime, import_id: str, position: int) -> tuple[bool, list[str]]:
    """Take a block of effects back; return whether it was the last one, and whose keys are to be destroyed.

    :raises ImportOvertaken:
    """
    row = imports.find(work, import_id, lock=True)
    if row is None or row["state"] != "undoing" or row["position"] != position:
        raise ImportOvertaken
    effects = imports.last_effects(work, import_id, limit=EFFECTS)
    taken = _Taken()
    for effect in effects:
        _UNDO[effect["kind"]](work, row, effect, taken)
    imports.drop_effects(work, import_id, [effect["n"] for effect in effects])
    people = [person_id for person_id in taken.people if person_id not in taken.erased]
    bodies = [organization_id for organization_id in taken.organizations if organization_id not in taken.gone]
    directory.index_individuals(work, people)
    directory.index_organizations(work, bodies)
    for person_id, person in individuals.find_many(work, people).items():
        work.announce(IndividualChanged(person_id, person["organization_id"], person["state"], person["version"]))
    for organization_id, organization in organizations.find_many(work, bodies).items():
        work.announce(OrganizationChanged(organization_id, organization["state"], organization["sector"], organization["version"]))
    last = len(effects) < EFFECTS
    done = position + len(effects)
    imports.update(work, import_id, {"position": done, **(ended(row, "undone", now=now) if last else {"lease_until": now + LEASE})}, now=now)
    if taken.erased:
        work.record("contacts:individual:erase", subjects=taken.erased, rule=CAUSE)
    if taken.gone:
        work.record("contacts:organization:erase", subjects=taken.gone, rule=CAUSE)
    if people or bodies:
        work.record("contacts:import:undo-rows", subjects=[*people, *bodies], rule=CAUSE)
    work.record("contacts:import:undo-rows", subjects=[import_id])
    return last, taken.erased


def _individual_created(work: UnitOfWork, row: Mapping[str, Any], effect: Mapping[str, Any], taken: _Taken) -> None:
    person_id = effect["subject_id"]
    if not individuals.lock(work, person_id) or not _untouched(work, row, person_id):
        return
    imports.forget_individual(work, person_id)
    erasing.delete_linked(work, person_id)
    erasing.bury(work, person_id, now=row["changed_at"])
    taken.erased.append(person_id)
    work.announce(IndividualErased(person_id, CAUSE))


def _untouched(work: UnitOfWork, row: Mapping[str, Any], person_id: str) -> bool:
    return bool(
        work.execute(
            text(
                "SELECT EXISTS (SELECT FROM individuals i WHERE i.id = CAST(:id AS uuid) AND i.frozen_at IS NULL"
                " AND i.owner_id = CAST(:owner AS uuid) AND i.updated_at <= :committed AND i.last_contacted_at IS NULL"
                " AND i.verified_at IS NULL"
                " AND NOT EXISTS (SELECT FROM engagements e WHERE e.stakeholder_id = i.id)"
                " AND NOT EXISTS (SELECT FROM notes x WHERE x.individual_id = i.id)"
                " AND NOT EXISTS (SELECT FROM hand_overs h WHERE h.individual_id = i.id)"
                " AND NOT EXISTS (SELECT FROM corrections c WHERE c.individual_id = i.id)"
                " AND NOT EXISTS (SELECT FROM contact_points p WHERE p.individual_id = i.id AND p.created_at > :committed)"
                " AND NOT EXISTS (SELECT FROM relationships r WHERE r.stakeholder_id = i.id AND r.component <> :component)"
                " AND NOT EXISTS (SELECT FROM import_effects f WHERE f.subject_id = i.id AND f.import_id <> CAST(:import AS uuid)"
                " AND f.kind <> 'state-proposed'))"
            ),
            {
                "id": person_id,
                "owner": row["owner_id"],
                "component": row["component"],
                "committed": row["finished_at"],
                "import": row["id"],
            },
        ).scalar_one()
    )


def _organization_created(work: UnitOfWork, row: Mapping[str, Any], effect: Mapping[str, Any], taken: _Taken) -> None:
    organization_id = effect["subject_id"]
    if not organizations.lock(work, organization_id):
        return
    used = work.execute(
        text(
            "SELECT EXISTS (SELECT FROM individuals WHERE organization_id = CAST(:id AS uuid))"
            " OR EXISTS (SELECT FROM offices WHERE organization_id = CAST(:id AS uuid))"
            " OR EXISTS (SELECT FROM engagements WHERE stakeholder_id = CAST(:id AS uuid))"
            " OR EXISTS (SELECT FROM relationships WHERE stakeholder_id = CAST(:id AS uuid) AND component <> :component)"
            " OR EXISTS (SELECT FROM organizations WHERE id = CAST(:id AS uuid) AND updated_at > :committed)"
        ),
        {"id": organization_id, "component": row["component"], "committed": row["finished_at"]},
    ).scalar_one()
    if used:
        return
    erasing.delete_linked_to_organization(work, organization_id)
    erasing.bury(work, organization_id, now=row["changed_at"])
    taken.gone.append(organization_id)
    work.announce(OrganizationErased(organization_id, CAUSE))


def _office_added(work: UnitOfWork, _row: Mapping[str, Any], effect: Mapping[str, Any], taken: _Taken) -> None:
    work.execute(text("DELETE FROM offices WHERE id = CAST(:id AS uuid)"), {"id": effect["detail"]["office"]})
    taken.organizations[effect["subject_id"]] = None


def _changed(work: UnitOfWork, _row: Mapping[str, Any], effect: Mapping[str, Any], taken: _Taken) -> None:
    if not individuals.lock(work, effect["subject_id"]):
        return
    person = individuals.find(work, effect["subject_id"])
    if person is None or person["frozen_at"] is not None:
        return
    former = effect["detail"]["from"]
    # Only what still is what the import wrote goes back to what it was.
    back = {name: former[name] for name, value in effect["detail"]["to"].items() if person[name] == value}
    if back:
        individuals.update(work, effect["subject_id"], back, now=person["updated_at"])
        taken.people[effect["subject_id"]] = None


def _point_added(work: UnitOfWork, _row: Mapping[str, Any], effect: Mapping[str, Any], _taken: _Taken) -> None:
    point = {"id": effect["detail"]["point"]}
    work.execute(text("DELETE FROM match_digests WHERE contact_point_id = CAST(:id AS uuid)"), point)
    work.execute(text("DELETE FROM contact_point_grants WHERE contact_point_id = CAST(:id AS uuid)"), point)
    work.execute(text("DELETE FROM contact_points WHERE id = CAST(:id AS uuid)"), point)


def _related(work: UnitOfWork, row: Mapping[str, Any], effect: Mapping[str, Any], _taken: _Taken) -> None:
    work.execute(
        text(
            "DELETE FROM relationships r WHERE r.stakeholder_id = CAST(:id AS uuid) AND r.component = :component AND r.last_contact_at IS NULL"
            " AND NOT EXISTS (SELECT FROM contact_points p WHERE p.individual_id = r.stakeholder_id AND p.component = r.component)"
        ),
        {"id": effect["subject_id"], "component": row["component"]},
    )


def _linked(work: UnitOfWork, _row: Mapping[str, Any], effect: Mapping[str, Any], _taken: _Taken) -> None:
    pairs: Sequence[Sequence[str]] = effect["detail"]["issues"]
    work.execute(
        text(
            "DELETE FROM stakeholder_issues s USING unnest(CAST(:issues AS uuid[]), CAST(:kinds AS text[])) AS t (issue, kind)"
            " WHERE s.stakeholder_id = CAST(:id AS uuid) AND s.issue_id = t.issue AND s.kind = t.kind AND NOT s.derived"
        ),
        {"id": effect["subject_id"], "issues": [issue for issue, _ in pairs], "kinds": [kind for _, kind in pairs]},
    )


def _nothing(_work: UnitOfWork, _row: Mapping[str, Any], _effect: Mapping[str, Any], _taken: _Taken) -> None:
    """A mark that goes with its import."""


_UNDO = {
    "individual-created": _individual_created,
    "organization-created": _organization_created,
    "office-added": _office_added,
    "changed": _changed,
    "point-added": _point_added,
    "related": _related,
    "linked": _linked,
    "state-proposed": _nothing,
}

__all__ = ["CAUSE", "EFFECTS", "ImportOvertaken", "undo_block"]
