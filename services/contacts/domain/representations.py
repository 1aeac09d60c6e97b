"""Represent stakeholders to a caller: the directory layer, or the little that a frozen record shows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from services.chassis.messages import wire_value
from services.contacts.contract.answers.individuals import FrozenIndividualAnswer, IndividualAnswer, LikenessAnswer
from services.contacts.contract.answers.notes import NoteAnswer
from services.contacts.contract.answers.organizations import Address, OfficeAnswer, OrganizationAnswer
from services.contacts.contract.answers.search import LineAnswer
from services.contacts.contract.answers.shared import LastContact, Owner
from services.contacts.domain.clocks import expiry
from services.contacts.domain.notes import Note
from services.contacts.domain.stakeholders import Compared, Individual, Line, Organization
from services.lexicon.places import fema_region

DO_NOT_CONTACT = "do not contact"

#: The fields that `individual` shows of one who is not frozen, for audit entries.
INDIVIDUAL_FIELDS = tuple(name for name in IndividualAnswer.__annotations__ if name not in {"set_aside", "possible_duplicates"})


def individual(row: Individual) -> IndividualAnswer | FrozenIndividualAnswer:
    """Return the directory layer of an individual (T4), or what T21 leaves of a frozen one."""
    return open_individual(row) if row.frozen_at is None else frozen_individual(row)


def open_individual(row: Individual) -> IndividualAnswer:
    """Return the directory layer of an individual who is not frozen."""
    expires_on, because = expiry(
        created_at=row.created_at,
        last_contacted_at=row.last_contacted_at,
        last_mode=row.last_contact_mode,
        verified_at=row.verified_at,
    )
    return {
        "id": row.id,
        "type": "individual",
        "salutation": row.salutation,
        "first_name": row.first_name,
        "last_name": row.last_name,
        "title": row.title,
        "organization_id": row.organization_id,
        "organization_name": row.organization_name,
        "previous": row.previous,
        "state": row.state,
        "fema_region": fema_region(row.state),
        "issues": row.issues,
        "interests": row.interests,
        "source": row.source,
        "declined": row.declined,
        "use_preferences": row.use_preferences,
        "owner": owner_of(row),
        "deputy": row.deputy_id,
        "relationships": row.relationships,
        "last_contacted_at": instant(row.last_contacted_at),
        "last_contact": _last_contact(row),
        "expires_on": expires_on.isoformat(),
        "expires_because": because,
        "frozen": False,
        "verified_at": instant(row.verified_at),
        "created_at": instant(row.created_at),
        "updated_at": instant(row.updated_at),
        "version": row.version,
    }


def frozen_individual(row: Individual) -> FrozenIndividualAnswer:
    """Return what a frozen record shows: the name, the owner and a notice (T21)."""
    return {
        "id": row.id,
        "type": "individual",
        "first_name": row.first_name,
        "last_name": row.last_name,
        "owner": owner_of(row),
        "frozen": True,
        "notice": DO_NOT_CONTACT,
    }


def organization(row: Organization) -> OrganizationAnswer:
    """Return an organization. The address and telephone are those of its first office."""
    offices: list[OfficeAnswer] = [{**office, "address": _address(office["address"])} for office in row.offices]
    first = offices[0] if offices else None
    return {
        "id": row.id,
        "type": "organization",
        "name": row.name,
        "sector": row.sector,
        "state": row.state,
        "fema_region": fema_region(row.state),
        "offices": offices,
        "address": first["address"] if first else None,
        "office_phone": first["phone"] if first else None,
        "issues": row.issues,
        "group_ids": row.group_ids,
        "source": row.source,
        "source_url": row.source_url,
        "owner": owner_of(row),
        "relationships": row.relationships,
        "last_contacted_at": instant(row.last_contacted_at),
        "last_contact": _last_contact(row),
        "created_at": instant(row.created_at),
        "updated_at": instant(row.updated_at),
        "version": row.version,
    }


def line(row: Line) -> LineAnswer:
    """Return a line of a search result."""
    return {
        "id": row.id,
        "type": row.type,
        "name": row.name,
        "first_name": row.first_name,
        "last_name": row.last_name,
        "title": row.title,
        "organization_id": row.organization_id,
        "organization_name": row.organization_name,
        "sector": row.sector,
        "state": row.state,
        "fema_region": fema_region(row.state),
        "owner": owner_of(row),
        "relationships": row.relationships,
        "last_contacted_at": row.last_contacted_at,
    }


def likeness(row: Compared, because: Sequence[str]) -> LikenessAnswer:
    """Return a record that may be of the same person as a new one, with its owner (T23)."""
    return {
        "id": row.id,
        "first_name": row.first_name,
        "last_name": row.last_name,
        "organization_id": row.organization_id,
        "owner": owner_of(row),
        "because": list(because),
    }


def note(row: Note) -> NoteAnswer:
    """Return a note."""
    return {
        "id": row.id,
        "individual_id": row.individual_id,
        "text": row.text,
        "provenance": row.provenance,
        "author": row.author_id,
        "component": row.component,
        "kept": row.kept and row.released_at is None,
        "created_at": instant(row.created_at),
        "updated_at": instant(row.updated_at),
    }


class _Owned(Protocol):
    @property
    def owner_id(self) -> str: ...

    @property
    def owner_component(self) -> str: ...


def owner_of(row: _Owned) -> Owner:
    """Return the owner of a record."""
    return {"user": row.owner_id, "component": row.owner_component}


def _last_contact(row: Individual | Organization) -> LastContact | None:
    if row.last_contacted_at is None:
        return None
    return {"by": row.last_contact_by, "component": row.last_contact_component, "mode": row.last_contact_mode}


def _address(address: Address) -> Address | None:
    return address if any(address.values()) else None


def instant(value: datetime | None) -> str | None:
    """Return an instant as on the wire."""
    return None if value is None else str(wire_value(value))
