"""Undoing: an import is taken back block by block, the latest effect first (N16).

What nobody has worked with since is deleted as an erasure deletes it, whether or not a hold stands on it: of whom one does, a
copy is set aside for the privacy officer. Whatever somebody changed, noted, met or froze stays as it is, and so do values
that are no longer what the import wrote. What was worked with is told from what the importer's component may see: the
directory layer, and its own values (T17). A unit of work here has the role `eraser`.
Undoing writes nothing into the suppression ledger (T9).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from services.chassis.database import UnitOfWork
from services.chassis.messages import chunks
from services.contacts.contract.announcements import IndividualChanged, IndividualsErased, OrganizationChanged, OrganizationErased
from services.contacts.domain.imports.states import Effect, FieldValue, Import, ImportChanges
from services.contacts.storage import directory, individuals, organizations, previous
from services.contacts.storage.imports import effects, imports, undoing
from services.contacts.storage.vault import Vault
from services.contacts.usecases.imports.representing import ended
from services.contacts.usecases.imports.setting_aside import set_people_aside
from services.contacts.usecases.imports.working import ImportOvertaken

#: Effects in one transaction, and with them all others on the people whom they entered.
EFFECTS = 1000
_TOLD_AT_ONCE = 500
CAUSE = "import_undone"


@dataclass(slots=True)
class _Taken:
    """What a block took back."""

    erased: list[str] = field(default_factory=list)
    people: set[str] = field(default_factory=set)
    organizations: set[str] = field(default_factory=set)
    gone: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Block:
    """What is taken back next: the effects that are left behind a position, the latest first."""

    position: int
    effects: list[Effect]
    #: Whom the import entered among those whom it is about.
    entered: list[str]


def next_block(work: UnitOfWork, import_id: str) -> Block:
    """Return what is taken back next.

    :raises ImportOvertaken: it is not being taken back (any more).
    """
    row = imports.find(work, import_id)
    if row is None or row.state != "undoing":
        raise ImportOvertaken
    latest = undoing.last_effects(work, import_id, limit=EFFECTS)
    return Block(row.position, latest, sorted({effect.subject_id for effect in latest if effect.kind == "individual-created"}))


def undo_block(work: UnitOfWork, *, now: datetime, vault: Vault, import_id: str, block: Block, held: Collection[str]) -> tuple[bool, list[str]]:
    """Take a block back; return whether these were the last, and whose keys are to be destroyed.

    Whoever works on an import holds it for the block alone: another process may go on with the next one.

    :param held: on whom of `entered` a hold stands: they are set aside where they would be erased (R138), and nobody sees it (T24).
    :raises ImportOvertaken: it is not being taken back (any more), or another process has taken that block.
    """
    row = imports.find(work, import_id, lock=True)
    if row is None or row.state != "undoing" or row.position != block.position:
        raise ImportOvertaken
    by_kind: dict[str, list[Effect]] = {}
    for effect in block.effects:
        by_kind.setdefault(effect.kind, []).append(effect)
    taken = _Taken()
    created = set(block.entered)
    kept = _erase(work, row, sorted(created), taken, held=held, vault=vault, now=now)
    # Whoever stays, because somebody has worked with them, stays as they are.
    known = {kind: [effect for effect in of if effect.subject_id not in created] for kind, of in by_kind.items()}
    _put_back(work, import_id, known.get("changed", ()), taken, now=now)
    previous.turn_back(work, import_id, [effect.detail for effect in known.get("points-turned", ())], now=now)
    points = [(effect.subject_id, effect.detail["point"]) for effect in known.get("point-added", ())]
    undoing.delete_points(work, points, component=row.component)
    undoing.delete_notes(work, [effect.detail["note"] for effect in known.get("note-added", ())])
    undoing.end_relationships(work, [effect.subject_id for effect in known.get("related", ())], component=row.component)
    undoing.unlink(work, [(effect.subject_id, *pair) for effect in known.get("linked", ()) for pair in effect.detail["issues"]])
    states = {effect.subject_id: effect.detail["state"] for effect in known.get("organization-state", ())}
    taken.organizations |= undoing.take_states_back(work, states, now=now)
    offices = known.get("office-added", ())
    undoing.delete_offices(work, [effect.detail["office"] for effect in offices])
    taken.organizations |= {effect.subject_id for effect in offices}
    _erase_organizations(work, row, [effect.subject_id for effect in known.get("organization-created", ())], taken, now=now)
    effects.drop(work, import_id, [effect.n for effect in block.effects])
    last = len(block.effects) < EFFECTS
    changes: ImportChanges = {"position": row.position + len(block.effects), "lease_until": None}
    imports.update(work, import_id, {**changes, **ended(row, "undone", now=now)} if last else changes, now=now)
    _tell(work, import_id, taken)
    return last, [each for each in taken.erased if each not in kept]


def _erase(work: UnitOfWork, row: Import, created: Sequence[str], taken: _Taken, *, held: Collection[str], vault: Vault, now: datetime) -> set[str]:
    """Erase with whom nobody has worked; return of whom a copy is set aside."""
    taken.erased = undoing.untouched(work, created, owner_id=row.owner_id, component=row.component, import_id=row.id)
    kept = set(taken.erased) & set(held)
    set_people_aside(work, sorted(kept), vault=vault, import_id=row.id, now=now)
    undoing.erase_individuals(work, taken.erased, now=now)
    for part in chunks(taken.erased, _TOLD_AT_ONCE):
        work.announce(IndividualsErased(part, CAUSE, row.id))
    return kept


def _put_back(work: UnitOfWork, import_id: str, changed: Sequence[Effect], taken: _Taken, *, now: datetime) -> None:
    """Put back what still is what the import wrote."""
    if not changed:
        return
    people = undoing.lock_individuals(work, [effect.subject_id for effect in changed])
    back: dict[str, dict[str, FieldValue]] = {}
    for effect in changed:
        person = people.get(effect.subject_id)
        if person is None:
            continue
        for name, value in effect.detail["to"].items():
            if person[name] == value:
                person[name] = back.setdefault(effect.subject_id, {})[name] = effect.detail["from"][name]
    undoing.put_back(work, back, people, now=now)
    previous.take_back(work, import_id, back)
    taken.people |= back.keys()


def _erase_organizations(work: UnitOfWork, row: Import, created: Sequence[str], taken: _Taken, *, now: datetime) -> None:
    taken.gone = undoing.unused(work, created, component=row.component, committed=row.finished_at or now)
    undoing.erase_organizations(work, taken.gone, now=now)
    taken.organizations -= set(taken.gone)
    for organization_id in taken.gone:
        work.announce(OrganizationErased(organization_id, CAUSE))


def _tell(work: UnitOfWork, import_id: str, taken: _Taken) -> None:
    people, bodies = sorted(taken.people), sorted(taken.organizations)
    directory.index_individuals(work, people)
    directory.index_organizations(work, bodies)
    for person_id, person in individuals.find_many(work, people).items():
        work.announce(IndividualChanged(person_id, person.organization_id, person.state, person.version))
    for organization_id, organization in organizations.find_many(work, bodies).items():
        work.announce(OrganizationChanged(organization_id, organization.state, organization.sector, organization.version))
    if taken.erased:
        work.record("contacts:individual:erase", subjects=taken.erased, rule=CAUSE)
    if taken.gone:
        work.record("contacts:organization:erase", subjects=taken.gone, rule=CAUSE)
    work.record("contacts:import:undo-rows", subjects=[import_id, *people, *bodies], rule=CAUSE)


__all__ = ["CAUSE", "EFFECTS", "Block", "ImportOvertaken", "next_block", "undo_block"]
