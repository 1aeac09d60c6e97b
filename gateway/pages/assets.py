"""Static files, under an address that changes with their contents, so that browsers keep them for a year."""

from __future__ import annotations

import hashlib
import mimetypes
from pathlib import Path

from flask import Response, abort, request, url_for

_FOLDER = Path(__file__).with_name("static")
_FILES = {path.relative_to(_FOLDER).as_posix(): path.read_bytes() for path in sorted(_FOLDER.rglob("*")) if path.is_file()}
#: A digest of the names and contents of all files.
VERSION = hashlib.sha256(b"".join(b"%s\0%d\0%s" % (name.encode(), len(content), content) for name, content in _FILES.items())).hexdigest()[:16]
#: Built from a package where the build had npm and a network (deploy/build-assets), and ours for its classes where it had not.
DESIGN_SYSTEM = "built/uswds.css"
PLAIN = "plain.css"
#: From the same build; without it, pages of what goes on have a link to look again.
HTMX = "built/htmx.min.js"
#: Likewise; without it, a search field of a form is looked up by a button.
AUTOCOMPLETE = "built/accessible-autocomplete.min.js"
#: Seconds.
YEAR = 31_536_000


def static_file(version: str, filename: str) -> Response:
    """Answer with a static file; only one of the present version may be kept."""
    content = _FILES.get(filename)
    if content is None:
        abort(404)
    response = Response(content, mimetype=mimetypes.guess_type(filename)[0])
    if version == VERSION:
        response.cache_control.public = True
        response.cache_control.max_age = YEAR
        response.cache_control.immutable = True
    else:
        response.cache_control.no_cache = True
    response.add_etag()
    response.make_conditional(request)
    return response


def static_url(filename: str) -> str:
    """Return the address of a static file."""
    return url_for("static", version=VERSION, filename=filename)


def style_sheets() -> list[str]:
    """Return the addresses of the style sheets; ours is the last, and decides."""
    return [static_url(name) for name in (DESIGN_SYSTEM if DESIGN_SYSTEM in _FILES else PLAIN, "liaison.css")]


def polling_script() -> str | None:
    """Return the address of the script with which a page follows what goes on, or None where it was not built."""
    return static_url(HTMX) if HTMX in _FILES else None


def picker_script() -> str | None:
    """Return the address of the script with which a search field answers while one types, or None where it was not built."""
    return static_url(AUTOCOMPLETE) if AUTOCOMPLETE in _FILES else None
