"""Define individuals and organizations as they are stored, with their relationships and issues."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TypedDict

from services.contacts.contract.answers.individuals import PreviousFact
from services.contacts.contract.answers.organizations import Address, StoredOffice
from services.contacts.contract.answers.shared import LinkedIssue, Relationship
from services.contacts.domain.preferences import Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Individual:
    """A row of `individuals`, with what a read joins to it."""

    id: str
    first_name: str
    last_name: str
    canonical_name: str
    family_key: str
    owner_id: str
    owner_component: str
    created_at: datetime
    created_by: str
    created_component: str
    updated_at: datetime
    salutation: str | None = None
    title: str | None = None
    organization_id: str | None = None
    state: str | None = None
    interests: Sequence[str] = field(default_factory=list)
    source: str | None = None
    declined: Sequence[str] = field(default_factory=list)
    use_preferences: Sequence[str] = field(default_factory=list)
    preference_spans: Sequence[Span] = field(default_factory=list)
    deputy_id: str | None = None
    version: int = 1
    verified_at: datetime | None = None
    last_contacted_at: datetime | None = None
    last_contact_by: str | None = None
    last_contact_component: str | None = None
    last_contact_mode: str | None = None
    frozen_at: datetime | None = None
    frozen_request_id: str | None = None
    frozen_medium: str | None = None
    frozen_received_on: date | None = None
    frozen_by: str | None = None
    frozen_by_component: str | None = None
    #: Components that see the record as frozen, because it may be of a person who asked for no more contact (T26).
    frozen_for: Sequence[str] = field(default_factory=list)
    frozen_for_revision: int = 0
    organization_name: str | None = None
    relationships: Sequence[Relationship] = field(default_factory=list)
    issues: Sequence[LinkedIssue] = field(default_factory=list)
    previous: Sequence[PreviousFact] = field(default_factory=list)
    #: Whether it is frozen for the caller's component only.
    is_frozen_as_twin: bool = False


class IndividualChanges(TypedDict, total=False):
    """Columns that a change sets; the others stay."""

    salutation: str | None
    first_name: str
    last_name: str
    title: str | None
    organization_id: str | None
    state: str | None
    interests: Sequence[str]
    source: str | None
    declined: Sequence[str]
    use_preferences: Sequence[str]
    preference_spans: Sequence[Span]
    deputy_id: str | None


@dataclass(frozen=True, slots=True)
class NamedIndividual:
    """An individual's name, with the facts that decide who may read it."""

    id: str
    first_name: str
    last_name: str
    owner_id: str
    owner_component: str
    deputy_id: str | None
    frozen_at: datetime | None
    frozen_by: str | None
    declined: Sequence[str]


@dataclass(frozen=True, slots=True)
class NamedOrganization:
    """An organization's name."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class SameName:
    """An organization with the name that another one is to get."""

    id: str
    name: str
    sector: str | None
    state: str | None
    group_ids: Sequence[str]
    owner_id: str
    owner_component: str


@dataclass(frozen=True, slots=True)
class Frozen:
    """A frozen individual whom the caller may find (T21)."""

    id: str
    first_name: str
    last_name: str
    frozen_request_id: str | None
    owner_id: str
    owner_component: str


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a search result."""

    id: str
    type: str
    name: str
    first_name: str | None
    last_name: str | None
    title: str | None
    organization_id: str | None
    organization_name: str | None
    sector: str | None
    state: str | None
    owner_id: str
    owner_component: str
    last_contacted_at: str | None
    relationships: Sequence[Relationship]
    #: The sort key.
    key: str | None


@dataclass(frozen=True, slots=True)
class Compared:
    """An individual to compare with a new one (T23)."""

    id: str
    first_name: str
    last_name: str
    canonical_name: str
    organization_id: str | None
    owner_id: str
    owner_component: str
    frozen_at: str | None
    frozen_for: Sequence[str]
    state: str | None
    #: The digest of the value that both records have.
    lookup: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Organization:
    """A row of `organizations`, with what a read joins to it."""

    id: str
    name: str
    canonical_name: str
    owner_id: str
    owner_component: str
    created_at: datetime
    created_by: str
    created_component: str
    updated_at: datetime
    sector: str | None = None
    state: str | None = None
    group_ids: Sequence[str] = field(default_factory=list)
    source: str | None = None
    source_url: str | None = None
    version: int = 1
    last_contacted_at: datetime | None = None
    last_contact_by: str | None = None
    last_contact_component: str | None = None
    last_contact_mode: str | None = None
    offices: Sequence[StoredOffice] = field(default_factory=list)
    relationships: Sequence[Relationship] = field(default_factory=list)
    issues: Sequence[LinkedIssue] = field(default_factory=list)


class OrganizationChanges(TypedDict, total=False):
    """Columns that a change sets; the others stay."""

    name: str
    sector: str | None
    state: str | None
    group_ids: Sequence[str]
    source: str | None
    source_url: str | None


@dataclass(frozen=True, slots=True)
class Office:
    """An office with a standardized address (R80)."""

    id: str
    label: str | None
    address: Address | None
    phone: str | None


@dataclass(frozen=True, slots=True)
class Employer:
    """The facts of an organization that a new individual inherits."""

    id: str
    name: str
    sector: str | None
    group_ids: Sequence[str]
