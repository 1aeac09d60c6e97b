"""Answers about organizations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypedDict

from services.chassis.answers import IdText, InstantText
from services.contacts.contract.answers.shared import LastContact, LinkedIssue, Owner, Relationship


class Address(TypedDict):
    """A postal address."""

    street: str | None
    city: str | None
    state: str | None
    postal_code: str | None
    country: str | None


class StoredOffice(TypedDict):
    """An office, each part of its address by itself."""

    id: str
    label: str | None
    address: Address
    phone: str | None


class OfficeAnswer(TypedDict):
    """An office; an address of which nothing is known is null."""

    id: IdText
    label: str | None
    address: Address | None
    phone: str | None


class OrganizationAnswer(TypedDict):
    """An organization; all of it is directory layer (T4)."""

    id: IdText
    type: Literal["organization"]
    name: str
    sector: str | None
    state: str | None
    fema_region: int | None
    offices: list[OfficeAnswer]
    address: Address | None
    office_phone: str | None
    issues: Sequence[LinkedIssue]
    group_ids: Sequence[IdText]
    source: str | None
    source_url: str | None
    owner: Owner
    relationships: Sequence[Relationship]
    last_contacted_at: InstantText | None
    last_contact: LastContact | None
    created_at: InstantText | None
    updated_at: InstantText | None
    version: int


class PossibleOrganization(TypedDict):
    """An organization of the same name."""

    id: str
    name: str
    state: str | None
    owner: Owner
