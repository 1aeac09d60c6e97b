"""The shapes of what contacts answers, as use cases make them; `schemas` documents the same for the gateway."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NotRequired, TypedDict


class NoteAnswer(TypedDict):
    """A note."""

    id: str
    individual_id: str
    text: str
    provenance: str | None
    author: str
    component: str
    kept: bool
    created_at: str | None
    updated_at: str | None


class PageOfNotes(TypedDict):
    """Notes on an individual, with the cursor of the next page."""

    items: list[NoteAnswer]
    next: str | None
    total: int


class KeptTextAnswer(TypedDict):
    """A kept note that waits for the privacy officer."""

    id: str
    subject_type: str
    subject_id: str
    field: str
    text: str
    provenance: str | None
    reason: str | None
    component: str
    kept_by: str
    kept_at: str
    position: list[str]


class PartOfKeptTexts(TypedDict):
    """The first kept notes after a position."""

    items: list[KeptTextAnswer]
    more: bool
    total: int


class Owner(TypedDict):
    """Whom to ask."""

    user: str
    component: str


class Relationship(TypedDict):
    """A component's relationship with a stakeholder."""

    component: str
    since: str
    last_contact_at: str | None


class LinkedIssue(TypedDict):
    """How a stakeholder stands to an issue (T22)."""

    issue_id: str
    kind: str
    since: str | None
    ended_on: str | None


class PreviousFact(TypedDict):
    """A former title or employer."""

    title: str | None
    organization_id: str | None
    organization_name: str | None
    replaced_at: str
    import_id: str | None


class LastContact(TypedDict):
    """Who was last in contact."""

    by: str | None
    component: str | None
    mode: str | None


class LikenessAnswer(TypedDict):
    """Somebody whom a new record may be the same as (T23)."""

    id: str
    first_name: str
    last_name: str
    organization_id: str | None
    owner: Owner
    because: list[str]


class FrozenIndividualAnswer(TypedDict):
    """What is left of a frozen record (T21)."""

    id: str
    type: str
    first_name: str
    last_name: str
    owner: Owner
    frozen: bool
    notice: str


class IndividualAnswer(TypedDict):
    """An individual's directory layer (T4)."""

    id: str
    type: str
    salutation: str | None
    first_name: str
    last_name: str
    title: str | None
    organization_id: str | None
    organization_name: str | None
    previous: Sequence[PreviousFact]
    state: str | None
    fema_region: int | None
    issues: Sequence[LinkedIssue]
    interests: Sequence[str]
    source: str | None
    declined: Sequence[str]
    use_preferences: Sequence[str]
    owner: Owner
    deputy: str | None
    relationships: Sequence[Relationship]
    last_contacted_at: str | None
    last_contact: LastContact | None
    expires_on: str
    expires_because: str
    frozen: bool
    verified_at: str | None
    created_at: str | None
    updated_at: str | None
    version: int
    #: To the privacy officer, of a record that a hold keeps (T24).
    set_aside: NotRequired[bool]
    #: Of a new individual alone.
    possible_duplicates: NotRequired[list[LikenessAnswer]]


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

    id: str
    label: str | None
    address: Address | None
    phone: str | None


class OrganizationAnswer(TypedDict):
    """An organization; all of it is directory layer (T4)."""

    id: str
    type: str
    name: str
    sector: str | None
    state: str | None
    fema_region: int | None
    offices: list[OfficeAnswer]
    address: Address | None
    office_phone: str | None
    issues: Sequence[LinkedIssue]
    group_ids: Sequence[str]
    source: str | None
    source_url: str | None
    owner: Owner
    relationships: Sequence[Relationship]
    last_contacted_at: str | None
    last_contact: LastContact | None
    created_at: str | None
    updated_at: str | None
    version: int


class LineAnswer(TypedDict):
    """One line of a search."""

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
    fema_region: int | None
    owner: Owner
    relationships: Sequence[Relationship]
    last_contacted_at: str | None


class VerificationAnswer(TypedDict):
    """A verification of a person's details."""

    id: str
    individual_id: str
    medium: str
    verified_at: str
    recorded_at: str
    by: str
    component: str
    withdrawn: Sequence[str]


#: One moment of a record's timeline; `from` is no name that a class may use.
HistoryItem = TypedDict(
    "HistoryItem",
    {
        "kind": str,
        "by": str,
        "component": str,
        "from": NotRequired[Owner],
        "to": NotRequired[Owner],
        "medium": NotRequired[str],
        "withdrawn": NotRequired[Sequence[str]],
        "at": NotRequired[str],
        "position": NotRequired[list[str]],
    },
)


class PartOfHistory(TypedDict):
    """The latest moments behind a position."""

    items: list[HistoryItem]
    more: bool
    total: int


class NameAnswer(TypedDict):
    """What a stakeholder is called."""

    id: str
    type: str
    name: str


class NamesAnswer(TypedDict):
    """What stakeholders are called."""

    items: list[NameAnswer]


class HolderAnswer(TypedDict):
    """Who stands for a component's relationship."""

    component: str
    user: str | None


class PossibleOrganization(TypedDict):
    """An organization of the same name."""

    id: str
    name: str
    state: str | None
    owner: Owner


class FacetValue(TypedDict):
    """How many of the found have a value."""

    value: str | int
    count: int


class StateOfRegion(TypedDict):
    """How many stakeholders there are in a state."""

    state: str
    name: str
    count: int
    individuals: int
    organizations: int


class RegionCount(TypedDict):
    """How many stakeholders there are in a FEMA region, and in each of its states."""

    fema_region: int
    count: int
    states: list[StateOfRegion]


class RegionReport(TypedDict):
    """How many stakeholders there are in each region (R101)."""

    regions: list[RegionCount]
    without_state: int
    total: int
