"""Lists that go on: how many of how many are shown, and the way to the rest. No page stops at a number silently."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from flask import request

from gateway.clients import query


def page_query(asked: dict[str, Any], *, limit: int, name: str = "cursor") -> dict[str, Any]:
    """Return a query for the part of a list that this page's address names.

    :param name: the parameter of the address; a page with several lists has one for each.
    """
    cursor = request.args.get(name, "").strip()
    return {**asked, "limit": str(limit), **({"cursor": cursor} if cursor else {})}


def page_links(found: dict[str, Any], *, path: str, name: str = "cursor", kept: dict[str, str] | None = None) -> dict[str, Any]:
    """Return what `_paging.html` shows under a list: how many there are, the next part's address, and the first part's.

    :param kept: other parameters of the address, which stay.
    """
    others = kept if kept is not None else {key: value for key, value in request.args.items() if key != name}
    total = found.get("total")
    following = found.get("next")
    return {
        "shown": len(found["items"]),
        "total": f"more than {total['at_least']:,}" if isinstance(total, dict) else f"{total:,}" if isinstance(total, int) else None,
        "is_part": following is not None or bool(request.args.get(name)),
        "next": f"{path}?{urlencode({**others, name: following})}" if following else None,
        "first": (f"{path}?{urlencode(others)}" if others else path) if request.args.get(name) else None,
    }


def fetch_all(service: str, method: str, asked: dict[str, Any], *, flat: bool = False) -> list[dict[str, Any]]:
    """Return all of a list, page by page: for boxes to choose from, which are of no use cut off.

    :param flat: the service takes its query as arguments.
    """
    items: list[dict[str, Any]] = []
    cursor: str | None = None
    while True:
        part = {**asked, "limit": 200, **({"cursor": cursor} if cursor else {})}
        found = query(service, method, **part) if flat else query(service, method, query=part)
        items += found["items"]
        cursor = found.get("next")
        if not cursor:
            return items
