"""Asking before doing: the policy's decision, the record as its caller may see it, and its version."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from services.chassis.database import UnitOfWork
from services.chassis.messages import Caller, Forbidden, Refusal
from services.contacts.contract.refusals import (
    ContributorsOnly,
    IndividualFrozen,
    IndividualUnknown,
    OrganizationUnknown,
)
from services.contacts.domain.stakeholders import Individual, NamedIndividual, Organization
from services.contacts.storage import individuals, organizations, projections
from services.lexicon.duty import duty_to_erase
from services.lexicon.policy import Decision, Facts, decide
from services.lexicon.vocabulary import at_least


def require(decision: Decision, refusal: type[Refusal] = Forbidden) -> None:
    """Go on only if it was granted."""
    if not decision:
        sentence = getattr(decision, "reason", "")
        raise refusal(f"{sentence[:1].upper()}{sentence[1:]}." if sentence else None)


def require_contributor(by: Caller, action: str, field: str | None = None, facts: Facts | None = None) -> None:
    """Go on only if the policy lets this caller do it; who is merely a reader is told so."""
    decision = decide(by, action, field, facts)
    require(decision, Forbidden if at_least(by.level, "contributor") else ContributorsOnly)


def require_officer(by: Caller) -> None:
    """Go on only for the privacy officer."""
    require(decide(by, "open_case"))


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
    :raises IndividualUnknown: it is not there, or frozen and not theirs to find (T21).
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
    """Return an individual's row as everybody has it, whatever the caller's component is shown of a possible twin."""
    return replace(row, frozen_at=None, is_frozen_as_twin=False) if row.is_frozen_as_twin else row


def open_individual(work: UnitOfWork, individual_id: str, *, by: Caller, now: datetime, lock: bool = False, share: bool = False) -> Individual:
    """Return an individual's row, if the caller may know of it and it is not frozen.

    :raises IndividualFrozen: nothing is done with a frozen record, by those who may find it (T21).
    """
    row = visible_individual(work, individual_id, by=by, now=now, lock=lock, share=share)
    if row.frozen_at is not None:
        raise IndividualFrozen
    return row


def visible_organization(work: UnitOfWork, organization_id: str, *, by: Caller) -> Organization:
    """Return an organization's row.

    :raises OrganizationUnknown: it is not there.
    """
    require(decide(by, "read", "name", Facts(by_exact_id=True)))
    row = organizations.find(work, organization_id)
    if row is None:
        raise OrganizationUnknown
    return row
