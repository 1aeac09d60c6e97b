"""Answers to searches, names and counts by region."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, NotRequired, TypedDict

from msgspec import Meta

from services.chassis.answers import IdText, InstantText, Page
from services.contacts.contract.answers.shared import Owner, Relationship


class LineAnswer(TypedDict):
    """One line of a search: what the directory knows of a stakeholder."""

    id: IdText
    type: str
    name: str
    first_name: str | None
    last_name: str | None
    title: str | None
    organization_id: IdText | None
    organization_name: str | None
    sector: str | None
    state: str | None
    fema_region: int | None
    owner: Owner
    relationships: Sequence[Relationship]
    last_contacted_at: InstantText | None


class FacetValue(TypedDict):
    """How many of the found have a value."""

    value: str | int
    count: int


class FacetedPage(Page[LineAnswer]):
    """A page of a search."""

    facets: NotRequired[Annotated[dict[str, list[FacetValue]], Meta(description="The counts of each facet that was asked for.")]]


class NameAnswer(TypedDict):
    """The name of a stakeholder."""

    id: str
    type: str
    name: str


class NamesAnswer(TypedDict):
    """The names of stakeholders."""

    items: list[NameAnswer]


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
    without_state: Annotated[int, Meta(description="Stakeholders of no known state.")]
    total: int
