"""Addresses of pages: where it is safe to go on to, and the page of a thing whose address only takes forms."""

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

#: Browsers drop tabs and line breaks, and read a backslash as a slash: `/<tab>/elsewhere` would lead elsewhere.
OUR_PATH = re.compile(r"/(?!/)[^\x00-\x20\x7f\\]*")
#: Nobody goes on to these after signing in: they sign in, acknowledge or sign out themselves.
DOORS = frozenset({"/sign-in", "/acknowledgement", "/sign-out"})
#: A component's code, as links name it.
CODE = re.compile(r"[A-Z][A-Z0-9&-]{1,19}")
#: These answer programs, never a person.
FOR_PROGRAMS = ("/api", "/health", "/metrics", "/static")


def safe_path(path: str | None) -> str:
    """Return a page of this site to go on to, or the desk.

    Neither another site nor a door is one, however it is spelled.
    """
    if not path or not OUR_PATH.fullmatch(path):
        return "/"
    # Browsers take dot segments out of an address before they ask for it, percent-encoded ones too.
    way = unquote(re.split(r"[?#]", path, maxsplit=1)[0])
    plain = posixpath.normpath(way).lower()
    if "//" in way or not OUR_PATH.fullmatch(plain) or plain in DOORS or is_for_programs(plain):
        return "/"
    return path


def is_for_programs(path: str) -> bool:
    """Tell whether programs are answered at this address, in their own format."""
    return any(path == prefix or path.startswith(f"{prefix}/") for prefix in FOR_PROGRAMS)


def values_from_address(*ids: str, codes: Iterable[str] = ()) -> dict[str, str]:
    """Return what a link may say of the form that it opens: whom it is about, by id, and a component, by its code.

    Words it never fills in: anybody can put a link anywhere, and what a form shows is taken for one's own.
    """
    named = {name: value for name in ids if is_id(value := request.args.get(name, ""))}
    return named | {name: value for name in codes if CODE.fullmatch(value := request.args.get(name, ""))}


def is_page(path: str) -> bool:
    """Tell whether a browser that goes to this address is shown a page."""
    try:
        endpoint, _ = current_app.url_map.bind("").match(path, method="GET")
    except (HTTPException, RoutingException):
        return False
    return bool(endpoint.startswith("pages."))


def nearest_page(path: str) -> str:
    """Return the nearest page at this address or above it: `/individuals/<id>/reveal` is done on `/individuals/<id>`."""
    path = path.rstrip("/")
    while path and not is_page(path):
        path = path.rpartition("/")[0]
    return path or "/"


def current_page() -> str:
    """Return the page that the present request is about, to come back to after signing in."""
    if request.method in {"GET", "HEAD"} and not (request.routing_exception and getattr(request.routing_exception, "code", 404) == 405):
        # What may not stand in an address is not taken along in one either.
        return safe_path(request.path if fields_with_contact_values(request.args.items(multi=True)) else request.full_path.rstrip("?"))
    return safe_path(nearest_page(request.path))
