"""What a command gives, as its schema leaves it; of a change, only what is given changes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TypedDict

from services.contacts.contract.answers.organizations import Address


class GivenLink(TypedDict, total=False):
    """How a stakeholder stands to an issue (T22)."""

    issue_id: str
    kind: str
    since: date | None
    ended_on: date | None


class GivenContactPoint(TypedDict):
    """A contact point that is given to the caller's component."""

    kind: str
    value: str
    source: str | None


class GivenOffice(TypedDict, total=False):
    """An office of an organization."""

    id: str | None
    label: str | None
    address: Address | None
    phone: str | None


class GivenIndividual(TypedDict, total=False):
    """Fields of an individual."""

    salutation: str | None
    first_name: str | None
    last_name: str
    title: str | None
    organization_id: str | None
    organization: str | None
    state: str | None
    issues: Sequence[GivenLink]
    issue_ids: Sequence[str]
    interests: Sequence[str] | None
    source: str | None
    declined: Sequence[str]
    use_preferences: Sequence[str]
    deputy: str | None
    keep_reason: str | None
    contact_points: Sequence[GivenContactPoint]
    duplicate_ok: bool


class GivenOrganization(TypedDict, total=False):
    """Fields of an organization."""

    name: str
    sector: str | None
    state: str | None
    offices: Sequence[GivenOffice]
    address: Address | None
    office_phone: str | None
    issues: Sequence[GivenLink]
    issue_ids: Sequence[str]
    group_ids: Sequence[str] | None
    source: str | None
    source_url: str | None
    duplicate_ok: bool


class StakeholderQuery(TypedDict, total=False):
    """Which stakeholders are meant (T17), and which part of a list of them; `name` is of organizations alone."""

    q: str | None
    type: str | None
    issue: str | None
    priority: str | None
    state: str | None
    fema_region: int | None
    component: str | None
    owner: str | None
    group: str | None
    event: str | None
    interest: str | None
    sector: str | None
    organization_id: str | None
    contacted_before: date | None
    contacted_after: date | None
    engaged_on: str | None
    name: str | None
    sort: str
    facets: Sequence[str]
    limit: int
    cursor: str | None
    #: Who has a value that was searched for, as the use case finds them.
    holders: Sequence[str]
