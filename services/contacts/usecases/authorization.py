"""Authorize each use case: ask the field policy, and return a record as the caller may see it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from services.chassis.database import UnitOfWork
from services.chassis.messages import Caller, Forbidden, Refusal
from services.contacts.contract.refusals import IndividualUnknown, OrganizationUnknown
from services.contacts.domain.stakeholders import Individual, NamedIndividual, Organization
from services.contacts.storage import individuals, organizations, projections
from services.contacts.storage.scopes import TaskScope
from services.lexicon.duty import duty_to_erase
from services.lexicon.policy import Decision, Facts, decide
from services.lexicon.refusals import ContributorsOnly, IndividualFrozen


def require(decision: Decision, refusal: type[Refusal] = Forbidden) -> None:
    """Require that the policy granted it.

    :raises Refusal: the given refusal, with the policy's reason.
    """
    if not decision:
        sentence = getattr(decision, "reason", "")
        raise refusal(f"{sentence[:1].upper()}{sentence[1:]}." if sentence else None)


def require_contributor(by: Caller, action: str, field: str | None = None, facts: Facts | None = None) -> None:
    """Require that the policy lets this caller do it.

    :raises ContributorsOnly: the caller is a reader.
    :raises Forbidden: the policy says no to a contributor.
    """
    require(decide(by, action, field, facts), Forbidden if is_contributor(by) else ContributorsOnly)


def is_contributor(by: Caller) -> bool:
    """Return whether the policy lets the caller contribute."""
    return bool(decide(by, "contribute"))


def is_officer(by: Caller) -> bool:
    """Return whether the caller is the privacy officer."""
    return bool(decide(by, "open_case"))


def require_officer(by: Caller) -> None:
    """Require the privacy officer.

    :raises Forbidden: the caller is somebody else.
    """
    require(decide(by, "open_case"))


def stands_for_office(by: Caller) -> bool:
    """Return whether the caller gets the tasks that nobody else of the office has, and notices of many freezes (T26, T36)."""
    return bool(decide(by, "stand_for_office", None, Facts(subject_component=by.component)))


def may_look_up_in_bulk(by: Caller) -> bool:
    """Return whether the caller has the look-up limit of a steward or of a component's system (T35)."""
    return by.kind != "user" or bool(decide(by, "look_up_in_bulk"))


def sees_values(by: Caller) -> bool:
    """Return whether the caller may see their component's values, and so learn that two records hold one."""
    return by.component is not None and bool(decide(by, "reveal", "email", Facts(point_component=by.component)))


def may_own(user: projections.User | None) -> bool:
    """Return whether somebody may own a record or be its deputy: an active contributor, who may have to erase it (T10)."""
    if user is None or not user.active:
        return False
    return bool(decide(Caller(kind="user", id=user.id, component=user.component, level=user.level, roles=frozenset(user.roles)), "own"))


def task_scope(by: Caller) -> TaskScope:
    """Return whose tasks the caller sees."""
    return TaskScope(
        user_id=by.id,
        component=by.component,
        is_administrator=stands_for_office(by),
        sees_values=sees_values(by),
        sees_likenesses=bool(decide(by, "merge")),
        is_officer=is_officer(by),
    )


def facts_of(row: Individual | NamedIndividual) -> Facts:
    """Return what the policy needs to know of an individual's record."""
    return Facts(
        owner_id=row.owner_id,
        owner_component=row.owner_component,
        deputy_id=row.deputy_id,
        frozen=row.frozen_at is not None,
        recorded_by=row.frozen_by,
        by_exact_id=True,
        declined=frozenset(row.declined),
    )


def duty(work: UnitOfWork, row: Individual | NamedIndividual, *, now: datetime) -> str:
    """Return on whom the duty to erase this individual lies (T10)."""
    owner = projections.user(work, row.owner_id)
    return duty_to_erase(
        recorded_at=row.frozen_at or now,
        # An owner nobody has told of is taken to be there: the duty passes on a known fact only.
        owner_is_active=owner is None or owner.active,
        office_has_administrator=projections.office_has_administrator(work, row.owner_component),
        now=now,
    ).of


def visible_individual(work: UnitOfWork, individual_id: str, *, by: Caller, now: datetime, lock: bool = False, share: bool = False) -> Individual:
    """Return an individual's row, if the caller may know of it.

    :param lock: hold the row until the end of the transaction.
    :param share: hold it together with others who share it.
    :raises IndividualUnknown: there is none, or it is frozen and the caller may not find it (T21).
    :raises Forbidden: the caller's account sees no stakeholders.
    """
    if lock or share:
        individuals.lock(work, individual_id, share=share)
    row = individuals.find(work, individual_id)
    if row is None:
        require(decide(by, "read", "id", Facts()))
        raise IndividualUnknown
    if row.frozen_at is None and by.component is not None and by.component in row.frozen_for:
        require(decide(by, "read", "first_name", facts_of(row)))
        # It may be of somebody who asked not to be contacted; the others see it as it was (T26).
        return replace(row, frozen_at=now, is_frozen_as_twin=True)
    frozen = row.frozen_at is not None
    facts = replace(facts_of(row), duty_of=duty(work, row, now=now) if frozen else "owner")
    decision = decide(by, "read", "first_name", facts)
    if not decision:
        if frozen:
            raise IndividualUnknown
        require(decision)
    return row


def truly(row: Individual) -> Individual:
    """Return an individual's row as every other component has it, without the caller's freeze of a possible twin."""
    return replace(row, frozen_at=None, is_frozen_as_twin=False) if row.is_frozen_as_twin else row


def open_individual(work: UnitOfWork, individual_id: str, *, by: Caller, now: datetime, lock: bool = False, share: bool = False) -> Individual:
    """Return an individual's row, if the caller may know of it and it is not frozen.

    :raises IndividualFrozen: it is frozen, and the caller may find it (T21).
    """
    row = visible_individual(work, individual_id, by=by, now=now, lock=lock, share=share)
    if row.frozen_at is not None:
        raise IndividualFrozen
    return row


def visible_organization(work: UnitOfWork, organization_id: str, *, by: Caller) -> Organization:
    """Return an organization's row.

    :raises OrganizationUnknown: there is none.
    """
    require(decide(by, "read", "name", Facts(by_exact_id=True)))
    row = organizations.find(work, organization_id)
    if row is None:
        raise OrganizationUnknown
    return row
