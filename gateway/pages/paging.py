"""Pages of a list: the query for one page, and the links to the others. No list is cut off silently."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from flask import request

from gateway.clients import query
from gateway.merging import Item, Page

#: Items of a list on a page.
SHOWN = 50


@dataclass(frozen=True, slots=True)
class PageLinks:
    """What `_paging.html` shows below a list: how many items there are, and links to the next and first page."""

    shown: int = 0
    total: str | None = None
    is_part: bool = False
    next: str | None = None
    first: str | None = None


def page_query(filters: Mapping[str, str] | None = None, *, limit: int = SHOWN, name: str = "cursor") -> dict[str, str]:
    """Return the query for the page of a list that the request's address names.

    :param name: the parameter that holds the cursor; a page with several lists has one for each.
    """
    cursor = request.args.get(name, "").strip()
    return {**(filters or {}), "limit": str(limit), **({"cursor": cursor} if cursor else {})}


def page_links(found: Page[Item], *, path: str, name: str = "cursor", kept: Mapping[str, str] | None = None) -> PageLinks:
    """Return the links below a page of a list.

    :param kept: the other parameters of the address; by default those of the request.
    """
    others = kept if kept is not None else {key: value for key, value in request.args.items() if key != name}
    total, following = found.get("total"), found.get("next")
    return PageLinks(
        shown=len(found["items"]),
        total=f"more than {total['at_least']:,}" if isinstance(total, dict) else f"{total:,}" if isinstance(total, int) else None,
        is_part=following is not None or bool(request.args.get(name)),
        next=f"{path}?{urlencode({**others, name: following})}" if following else None,
        first=(f"{path}?{urlencode(others)}" if others else path) if request.args.get(name) else None,
    )


def fetch_all(service: str, method: str, filters: Mapping[str, str], *, flat: bool = False) -> list[Any]:
    """Return all items of a list, for choices that are of no use when they are cut off.

    :param flat: the service takes the parameters of its query as arguments.
    """
    items: list[Any] = []
    cursor: str | None = None
    while True:
        part = {**filters, "limit": 200, **({"cursor": cursor} if cursor else {})}
        found = query(service, method, **part) if flat else query(service, method, query=part)
        items += found["items"]
        cursor = found.get("next")
        if not cursor:
            return items
