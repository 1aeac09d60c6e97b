"""Search with facets. Filters are part of the address, unless they contain a value of the contact layer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypedDict

from flask import Response, request

from gateway.addresses import may_be_in_address
from gateway.clients import query
from gateway.merging import Page
from gateway.pages.layout import WORDS, blueprint, issue_names, page, redirect_to, user_names, validated
from gateway.pages.paging import SHOWN
from gateway.trail import recorded
from services.chassis.messages import Invalid, Refusal
from services.contacts.contract.answers.cases import FoundFrozen
from services.contacts.contract.answers.search import FacetedPage, FacetValue
from services.contacts.contract.schemas.search import StakeholderQuerySchema

#: Facets by code, each with its label and the closed list that its values are words of.
FACETS = {
    "type": ("Kind", "types"),
    "state": ("State", "states"),
    "fema_region": ("FEMA region", ""),
    "component": ("Component", ""),
    "sector": ("Sector", "sectors"),
    "issue": ("Issue", ""),
    "priority": ("Priority", "priorities"),
}
#: Fields of the layout, which are no filters.
LAYOUT_FIELDS = frozenset({"csrf_token", "author", "idempotency_key", "kept"})


class FacetLink(TypedDict):
    """A value of a facet, and the filters that its link leads to."""

    label: str
    count: int
    to: dict[str, str]
    chosen: bool


class ShownFacet(TypedDict):
    """A facet with its values."""

    name: str
    entries: list[FacetLink]


@blueprint.get("/search")
def search() -> Response:
    """Find stakeholders by the filters in the address; empty fields are no filters."""
    return _results(_filled(request.args), posted=False)


@blueprint.post("/search")
def searching() -> Response:
    """Redirect the search form to an address that can be kept, unless it contains a phone number or e-mail address (T31)."""
    given = _filled(request.form)
    if may_be_in_address(given.items()):
        return redirect_to("search", **given)
    return _results(given, posted=True)


def _filled(fields: Mapping[str, str]) -> dict[str, str]:
    return {name: value.strip() for name, value in fields.items() if value.strip() and name not in LAYOUT_FIELDS}


def _results(given: dict[str, str], *, posted: bool) -> Response:
    issues = issue_names()
    try:
        asked = {**given, "limit": str(SHOWN), "facets": ",".join(FACETS)}
        found: FacetedPage = query("contacts", "search_stakeholders", query=validated(StakeholderQuerySchema, asked))
    except Invalid as refusal:
        return page("search.html", refusal=recorded(refusal), values=given, issues=issues)
    return page(
        "search.html",
        values=given,
        frozen=_frozen(given),
        found=found,
        issues=issues,
        facets=_facets(found.get("facets") or {}, given, issues),
        names=user_names({item["owner"]["user"] for item in found["items"]}),
        following={**given, "cursor": found["next"]} if found["next"] else None,
        posted=posted,
    )


def _frozen(given: dict[str, str]) -> Page[FoundFrozen] | None:
    """Return the frozen people of this name whom the user may find; the search itself finds none (T21)."""
    if "q" not in given or "cursor" in given:
        return None
    try:
        found: Page[FoundFrozen] = query("contacts", "find_frozen", query={"q": given["q"], "limit": str(SHOWN)})
    except Refusal:
        return None
    return found


def _facets(facets: Mapping[str, list[FacetValue]], given: dict[str, str], issues: dict[str, str]) -> list[ShownFacet]:
    """Return facets as links that add or remove one filter and keep the others."""
    shown: list[ShownFacet] = []
    for name, (label, vocabulary) in FACETS.items():
        words = WORDS[vocabulary] if vocabulary else issues
        others = {k: v for k, v in given.items() if k not in {name, "cursor"}}
        links: list[FacetLink] = []
        for each in facets.get(name) or ():
            value = str(each["value"] or "")
            if value not in {"", "None", "null"}:
                chosen = given.get(name) == value
                leads_to = others if chosen else {**others, name: value}
                links.append({"label": words.get(value, value), "count": each["count"], "to": leads_to, "chosen": chosen})
        if facets.get(name):
            shown.append({"name": label, "entries": links})
    return shown
