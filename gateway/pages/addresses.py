"""Addresses of pages: safe redirections, and the nearest page of an address that accepts only forms."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable
from urllib.parse import unquote

from flask import current_app, request
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RoutingException

from gateway.addresses import fields_with_contact_values
from gateway.naming import is_id

#: Browsers drop tabs and line breaks and read a backslash as a slash, so `/<tab>/host` would lead to another host.
OUR_PATH = re.compile(r"/(?!/)[^\x00-\x20\x7f\\]*")
#: Pages to which signing in does not lead back.
SIGN_IN_PAGES = frozenset({"/sign-in", "/acknowledgement", "/sign-out"})
#: The code of a component.
CODE = re.compile(r"[A-Z][A-Z0-9&-]{1,19}")
#: Prefixes of the addresses for programs.
FOR_PROGRAMS = ("/api", "/health", "/metrics", "/static")


def safe_path(path: str | None) -> str:
    """Return the path if it leads to a page of this site, else the path of the tasks.

    Another site and the pages for signing in and out are refused in every spelling.
    """
    if not path or not OUR_PATH.fullmatch(path):
        return "/"
    # Browsers resolve dot segments before they send a request, percent-encoded ones too.
    way = unquote(re.split(r"[?#]", path, maxsplit=1)[0])
    plain = posixpath.normpath(way).lower()
    if "//" in way or not OUR_PATH.fullmatch(plain) or plain in SIGN_IN_PAGES or is_for_programs(plain):
        return "/"
    return path


def is_for_programs(path: str) -> bool:
    """Tell whether this address is for programs."""
    return any(path == prefix or path.startswith(f"{prefix}/") for prefix in FOR_PROGRAMS)


def values_from_address(*ids: str, codes: Iterable[str] = ()) -> dict[str, str]:
    """Return the ids and codes of components with which a link prefills a form.

    A link never prefills text: anybody could write it, and the user would take it for their own.
    """
    named = {name: value for name in ids if is_id(value := request.args.get(name, ""))}
    return named | {name: value for name in codes if CODE.fullmatch(value := request.args.get(name, ""))}


def is_page(path: str) -> bool:
    """Tell whether GET at this address shows a page."""
    try:
        endpoint, _ = current_app.url_map.bind("").match(path, method="GET")
    except (HTTPException, RoutingException):
        return False
    return bool(endpoint.startswith("pages."))


def nearest_page(path: str) -> str:
    """Return the nearest page at or above this address, such as `/individuals/<id>` for `/individuals/<id>/reveal`."""
    path = path.rstrip("/")
    while path and not is_page(path):
        path = path.rpartition("/")[0]
    return path or "/"


def current_page() -> str:
    """Return the page of the current request, to which signing in leads back."""
    if request.method in {"GET", "HEAD"} and not (request.routing_exception and getattr(request.routing_exception, "code", 404) == 405):
        # A query that would be refused is left out.
        return safe_path(request.path if fields_with_contact_values(request.args.items(multi=True)) else request.full_path.rstrip("?"))
    return safe_path(nearest_page(request.path))
