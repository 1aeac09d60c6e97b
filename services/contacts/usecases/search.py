"""Search, lists and counts by region, over the directory layer only (R83-R88, T12, T17, T18)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from services.chassis.answers import AtLeast, Page, total_up_to
from services.chassis.cursors import Cursors
from services.chassis.database import UnitOfWork
from services.chassis.messages import Caller
from services.contacts.contract.answers.individuals import FrozenIndividualAnswer, IndividualAnswer
from services.contacts.contract.answers.organizations import OrganizationAnswer
from services.contacts.contract.answers.search import FacetedPage, FacetValue, RegionCount, RegionReport, StateOfRegion
from services.contacts.contract.commands import StakeholderQuery
from services.contacts.domain import representations
from services.contacts.domain.stakeholders import Line
from services.contacts.storage import individuals, organizations, search
from services.contacts.storage.contact_layer import ContactLayer
from services.contacts.storage.search import Position, StateCount
from services.contacts.usecases.authorization import require
from services.lexicon.places import REGIONS, STATES, fema_region
from services.lexicon.policy import Facts, decide
from services.lexicon.searching import read_search
from services.lexicon.vocabulary import CONTACT_POINT_KINDS

_LINE = ("first_name", "last_name", "name", "title", "organization_id", "state", "owner", "relationships")


def search_stakeholders(
    work: UnitOfWork, *, by: Caller, now: datetime, cursors: Cursors, layer: ContactLayer, query: StakeholderQuery
) -> FacetedPage:
    """Return a page of stakeholders: `items`, `next`, `total`, and `facets` if asked for.

    Words match by their beginnings, or by similarity if that finds nothing. A telephone number or an e-mail address
    matches only what the caller's own component holds (T31). The trail has the ids that were shown, never the query (T8).
    """
    require(decide(by, "search", "name"))
    query = _with_holders(work, query, by=by, layer=layer)
    found = _found(work, by=by, now=now, cursors=cursors, query=query)
    answer: FacetedPage = {"items": [representations.line(row) for row in found.rows], "next": found.next, "total": found.total}
    if query.get("facets"):
        answer["facets"] = _facets(work, query, by=by, now=now, misspelt=found.misspelt)
    work.record("contacts:stakeholder:search", subjects=[row.id for row in found.rows], fields=_LINE)
    return answer


def list_individuals(
    work: UnitOfWork, *, by: Caller, now: datetime, cursors: Cursors, query: StakeholderQuery
) -> Page[IndividualAnswer | FrozenIndividualAnswer]:
    """Return a page of individuals with their whole directory layer; frozen ones are in no list (T21)."""
    require(decide(by, "search", "name"))
    page = _found(work, by=by, now=now, cursors=cursors, query={**query, "type": "individual"})
    found = individuals.find_many(work, [row.id for row in page.rows])
    work.record("contacts:individual:list", subjects=[row.id for row in page.rows], fields=_LINE)
    return {"items": [representations.individual(found[row.id]) for row in page.rows if row.id in found], "next": page.next, "total": page.total}


def list_organizations(work: UnitOfWork, *, by: Caller, now: datetime, cursors: Cursors, query: StakeholderQuery) -> Page[OrganizationAnswer]:
    """Return a page of organizations."""
    require(decide(by, "search", "name"))
    page = _found(work, by=by, now=now, cursors=cursors, query={**query, "type": "organization", "q": query.get("name")})
    found = organizations.find_many(work, [row.id for row in page.rows])
    work.record("contacts:organization:list", subjects=[row.id for row in page.rows], fields=["name", "sector", "state", "offices"])
    return {"items": [representations.organization(found[row.id]) for row in page.rows if row.id in found], "next": page.next, "total": page.total}


def stakeholders_by_region(work: UnitOfWork, *, by: Caller, now: datetime, query: StakeholderQuery) -> RegionReport:
    """Return the number of stakeholders in each FEMA region and each of its states, zeros included (R101, T12)."""
    require(decide(by, "search", "state"))
    counts = {row.state: row for row in search.by_state(work, search.filter_of(query, now=now), component=by.component)}
    none = StateCount(None)
    regions: list[RegionCount] = []
    for region, states in REGIONS.items():
        drilled: list[StateOfRegion] = []
        for state in states:
            row = counts.get(state, none)
            drilled.append(
                {
                    "state": state,
                    "name": STATES[state].name,
                    "count": row.individuals + row.organizations,
                    "individuals": row.individuals,
                    "organizations": row.organizations,
                }
            )
        regions.append({"fema_region": region, "count": sum(state["count"] for state in drilled), "states": drilled})
    nowhere = counts.get(None, none)
    without_state = nowhere.individuals + nowhere.organizations
    work.record("contacts:report:stakeholders-by-region", fields=["state"])
    return {
        "regions": regions,
        "without_state": without_state,
        "total": sum(region["count"] for region in regions) + without_state,
    }


def _with_holders(work: UnitOfWork, query: StakeholderQuery, *, by: Caller, layer: ContactLayer) -> StakeholderQuery:
    """Return the query with the ids of who holds its contact-layer values. The values are then no words of it."""
    asked = read_search(query.get("q") or "")
    if not asked.has_values:
        return query
    # Whoever may reveal no contact point finds nobody by its value either.
    may = by.component is not None and any(decide(by, "reveal", kind, Facts(point_component=by.component)) for kind in CONTACT_POINT_KINDS)
    values = [*(("cell", phone) for phone in asked.phones), *(("email", email) for email in asked.emails)]
    holders = sorted(layer.holders(work, str(by.component), values)) if may else []
    return {**query, "q": asked.words or None, "holders": holders}


@dataclass(frozen=True, slots=True)
class _Found:
    """A page of what a query finds."""

    rows: list[Line]
    next: str | None
    total: int | AtLeast
    misspelt: bool


def _found(work: UnitOfWork, *, by: Caller, now: datetime, cursors: Cursors, query: StakeholderQuery) -> _Found:
    position = cursors.open(query.get("cursor"), of="stakeholders", user_id=by.id, query=query)
    after = Position(**position) if position else None
    misspelt = bool(after and after.misspelt)
    if misspelt:
        search.allow_likeness(work)
    wanted = search.filter_of(query, now=now, misspelt=misspelt)
    sort, limit = query.get("sort") or "name", query.get("limit") or 50
    # One more than asked for tells whether there is a next page.
    rows, total = search.page(work, wanted, sort=sort, limit=limit + 1, component=by.component, after=after)
    if after:
        total = after.total
    elif total == 0 and query.get("q"):
        misspelt = True
        search.allow_likeness(work)
        wanted = search.filter_of(query, now=now, misspelt=True)
        rows, total = search.page(work, wanted, sort=sort, limit=limit + 1, component=by.component)
    following = None
    if len(rows) > limit:
        rows = rows[:limit]
        last = Position(rows[-1].key, rows[-1].id, total, misspelt)
        following = cursors.seal(last, of="stakeholders", user_id=by.id, query=query)
    return _Found(rows, following, total_up_to(total, search.COUNTED), misspelt)


def _facets(work: UnitOfWork, query: StakeholderQuery, *, by: Caller, now: datetime, misspelt: bool) -> dict[str, list[FacetValue]]:
    wanted = search.filter_of(query, now=now, misspelt=misspelt)
    facets: dict[str, list[FacetValue]] = {}
    for name in query["facets"]:
        if name != "fema_region":
            facets[name] = search.facet(work, wanted, name, component=by.component)
            continue
        regions: dict[int, int] = {}
        for entry in search.facet(work, wanted, "state", component=by.component):
            if region := fema_region(str(entry["value"])):
                regions[region] = regions.get(region, 0) + entry["count"]
        facets[name] = [{"value": region, "count": count} for region, count in sorted(regions.items())]
    return facets
