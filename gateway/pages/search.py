"""Search: one box, facets, and every filter in the address."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from flask import Response, request

from gateway.clients import query
from gateway.errors import status_of
from gateway.pages.frame import blueprint, checked, issue_names, names_of, page
from gateway.trail import recorded
from services.chassis.messages import Invalid
from services.contacts.contract import StakeholderQuerySchema

FACETS = ("type", "state", "fema_region", "component", "sector", "issue", "priority")
SHOWN = 50


@blueprint.get("/search")
def search() -> Response:
    """Find stakeholders; empty fields of the form are not filters."""
    given = {name: value for name, value in request.args.items() if value.strip()}
    issues = issue_names()
    try:
        asked = {**given, "limit": str(SHOWN), "facets": ",".join(FACETS)}
        found = query("contacts", "search_stakeholders", query=checked(StakeholderQuerySchema, asked))
    except Invalid as refusal:
        said = recorded(refusal)
        return page(
            "search.html",
            status=status_of(said),
            refusal=said,
            values=given,
            found=None,
            issues=issues,
            facets=[],
            names={},
            following=None,
        )
    names = names_of({(item.get("owner") or {}).get("user") for item in found["items"]})
    following = urlencode({**given, "cursor": found["next"]}) if found["next"] else None
    return page(
        "search.html",
        values=given,
        found=found,
        issues=issues,
        facets=_facets(found.get("facets") or {}, given, issues),
        names=names,
        following=following,
    )


def _facets(facets: dict[str, Any], given: dict[str, str], issues: dict[str, str]) -> list[dict[str, Any]]:
    """Return facets as links that add or take away a filter and keep the others."""
    shown = []
    for name in FACETS:
        counts = facets.get(name)
        if not counts:
            continue
        pairs = counts.items() if isinstance(counts, dict) else [(c["value"], c["count"]) for c in counts]
        values = []
        for value, count in pairs:
            if value in {None, "", "None", "null"}:
                continue
            chosen = given.get(name) == str(value)
            others = {k: v for k, v in given.items() if k not in {name, "cursor"}}
            link = urlencode(others if chosen else {**others, name: value})
            values.append({"label": issues.get(str(value), str(value)), "count": count, "link": link, "chosen": chosen})
        shown.append({"name": name.replace("_", " "), "code": name, "entries": values})
    return shown
