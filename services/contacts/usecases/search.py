"""Search, lists and counts by region, over the directory layer only (R83-R88, T12, T17, T18)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from services.chassis.cursors import Cursors
from services.chassis.database import UnitOfWork
from services.chassis.messages import Caller
from services.contacts.contract.answers import FacetValue, RegionCount, RegionReport, StateOfRegion
from services.contacts.domain import representations
from services.contacts.domain.stakeholders import Line
from services.contacts.storage import individuals, organizations, search
from services.contacts.storage.contact_layer import ContactLayer
from services.contacts.storage.search import StateCount
from services.contacts.usecases.authorization import require
from services.lexicon.places import REGIONS, STATES, fema_region
from services.lexicon.policy import Facts, decide
from services.lexicon.searching import read_search
from services.lexicon.vocabulary import CONTACT_POINT_KINDS

_LINE = ("first_name", "last_name", "name", "title", "organization_id", "state", "owner", "relationships")


def search_stakeholders(
    work: UnitOfWork, *, by: Caller, now: datetime, cursors: Cursors, layer: ContactLayer, query: Mapping[str, Any]
) -> dict[str, Any]:
    """Return a page of stakeholders: `items`, `next`, `total`, and `facets` if asked for.

    Words match by their beginnings, or by similarity if that finds nothing. A telephone number or an e-mail address
    matches only what the caller's own component holds (T31). The trail has the ids that were shown, never the query (T8).
    """
    require(decide(by, "search", "name"))
    query = _with_holders(work, query, by=by, layer=layer)
    rows, answer = _page(work, by=by, now=now, cursors=cursors, query=query)
    answer["items"] = [representations.line(row) for row in rows]
    if query.get("facets"):
        answer["facets"] = _facets(work, query, by=by, now=now, misspelt=answer.pop("misspelt"))
    answer.pop("misspelt", None)
    work.record("contacts:stakeholder:search", subjects=[row.id for row in rows], fields=_LINE)
    return answer


def list_individuals(work: UnitOfWork, *, by: Caller, now: datetime, cursors: Cursors, query: Mapping[str, Any]) -> dict[str, Any]:
    """Return a page of individuals with their whole directory layer; frozen ones are in no list (T21)."""
    require(decide(by, "search", "name"))
    rows, answer = _page(work, by=by, now=now, cursors=cursors, query={**query, "type": "individual"})
    found = individuals.find_many(work, [row.id for row in rows])
    answer["items"] = [representations.individual(found[row.id]) for row in rows if row.id in found]
    answer.pop("misspelt", None)
    work.record("contacts:individual:list", subjects=[row.id for row in rows], fields=_LINE)
    return answer


def list_organizations(work: UnitOfWork, *, by: Caller, now: datetime, cursors: Cursors, query: Mapping[str, Any]) -> dict[str, Any]:
    """Return a page of organizations."""
    require(decide(by, "search", "name"))
    asked = {**query, "type": "organization", "q": query.get("name")}
    rows, answer = _page(work, by=by, now=now, cursors=cursors, query=asked)
    found = organizations.find_many(work, [row.id for row in rows])
    answer["items"] = [representations.organization(found[row.id]) for row in rows if row.id in found]
    answer.pop("misspelt", None)
    work.record("contacts:organization:list", subjects=[row.id for row in rows], fields=["name", "sector", "state", "offices"])
    return answer


def stakeholders_by_region(work: UnitOfWork, *, by: Caller, now: datetime, query: Mapping[str, Any]) -> RegionReport:
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


def _with_holders(work: UnitOfWork, query: Mapping[str, Any], *, by: Caller, layer: ContactLayer) -> Mapping[str, Any]:
    """Return the query with the ids of who holds its contact-layer values. The values are then no words of it."""
    asked = read_search(query.get("q") or "")
    if not asked.has_values:
        return query
    # Whoever may reveal no contact point finds nobody by its value either.
    may = by.component is not None and any(decide(by, "reveal", kind, Facts(point_component=by.component)) for kind in CONTACT_POINT_KINDS)
    values = [*(("cell", phone) for phone in asked.phones), *(("email", email) for email in asked.emails)]
    holders = sorted(layer.holders(work, str(by.component), values)) if may else []
    return {**query, "q": asked.words or None, "holders": holders}


def _page(work: UnitOfWork, *, by: Caller, now: datetime, cursors: Cursors, query: Mapping[str, Any]) -> tuple[list[Line], dict[str, Any]]:
    after: dict[str, Any] | None = cursors.open(query.get("cursor"), of="stakeholders", user_id=by.id, query=query)
    misspelt = bool(after and after["misspelt"])
    if misspelt:
        search.allow_likeness(work)
    wanted = search.filter_of(query, now=now, misspelt=misspelt)
    sort, limit = query.get("sort") or "name", query.get("limit") or 50
    # One more than asked for tells whether there is a next page.
    rows, total = search.page(work, wanted, sort=sort, limit=limit + 1, component=by.component, after=after)
    if after:
        total = int(after["total"])
    elif total == 0 and query.get("q"):
        misspelt = True
        search.allow_likeness(work)
        wanted = search.filter_of(query, now=now, misspelt=True)
        rows, total = search.page(work, wanted, sort=sort, limit=limit + 1, component=by.component)
    following = None
    if len(rows) > limit:
        rows = rows[:limit]
        position = {"key": rows[-1].key, "id": rows[-1].id, "total": total, "misspelt": misspelt}
        following = cursors.seal(position, of="stakeholders", user_id=by.id, query=query)
    shown: int | dict[str, int] = total if total <= search.COUNTED else {"at_least": search.COUNTED}
    return rows, {"items": [], "next": following, "total": shown, "misspelt": misspelt}


def _facets(work: UnitOfWork, query: Mapping[str, Any], *, by: Caller, now: datetime, misspelt: bool) -> dict[str, list[FacetValue]]:
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
