"""What was typed into a form whose session ended: kept for whoever typed it, sealed, and given to nobody else.

A form bears its author and the token of its session, sealed by the gateway when it showed the page. When the form
arrives too late, what was typed is sealed with its author for this one browser, which carries it through signing in and
cannot read it. What another site sends, by a form or by a link, is never kept and never offered, whatever it copied.
"""

from __future__ import annotations

import hmac
import re
import secrets
from dataclasses import dataclass

from flask import g, request
from werkzeug.exceptions import HTTPException

from gateway.context import app_context
from gateway.identity import csrf_token, is_csrf_token

#: Fields of a form that belong to the frame, not to what was typed.
LAYOUT_FIELDS = frozenset({"csrf_token", "author", "kept", "onward"})
#: Fields that go with what was typed, but are nothing to read.
HIDDEN_FIELDS = LAYOUT_FIELDS | {"idempotency_key", "if_match", "seen_match"}
#: An id, or several.
IDS = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}([\s,]+[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})*", re.IGNORECASE)
DOORS = frozenset({"pages.signing_in", "pages.acknowledging", "pages.signing_out"})
#: Those through which a kept form is carried.
CARRYING_ENDPOINTS = frozenset({"pages.signing_in", "pages.acknowledging"})


@dataclass(frozen=True, slots=True)
class Author:
    """Who typed something, and for which component."""

    user: str
    component: str


@dataclass(frozen=True, slots=True)
class UnsentForm:
    """A form that was not sent: its author, its address and its fields."""

    author: Author
    path: str
    fields: tuple[tuple[str, str], ...]


def author_seal() -> str:
    """Return the mark that a form of the present session bears; nothing where nobody is signed in.

    It is good together with the token of that session's forms alone: taken off a page, it marks no other form.
    """
    author = current_author()
    return app_context().sealer.seal("author", [author.user, author.component, csrf_token(g.token)]) if author else ""


def current_author() -> Author | None:
    """Return who is signed in."""
    session = g.get("session")
    if session is None:
        return None
    user = session.details["user"]
    return Author(str(user["id"]), str(user["component"] or ""))


def unsent_form() -> UnsentForm | None:
    """Return the form that is to be kept: the one that just arrived too late, or the one carried through signing in."""
    return carried_form() or late_form()


def carried_form() -> UnsentForm | None:
    """Return the form that is carried through signing in, by the browser that it was sealed for."""
    if request.endpoint not in CARRYING_ENDPOINTS or not is_same_origin():
        return None
    content = app_context().sealer.unseal(f"kept {_visit_of_browser() or ''}", form_value("kept"))
    return UnsentForm(Author(*content["author"]), content["path"], tuple((name, value) for name, value in content["fields"])) if content else None


def late_form() -> UnsentForm | None:
    """Return the present form, if a page of ours showed it to its author."""
    if request.method != "POST" or is_upload() or request.endpoint in DOORS or not is_same_origin():
        return None
    if not str(request.endpoint).startswith("pages."):
        return None
    mark = app_context().sealer.unseal("author", form_value("author"))
    fields = tuple((name, value) for name, value in form_fields() if name not in LAYOUT_FIELDS)
    if not mark or not any(value.strip() for name, value in fields if not _is_hidden(name)):
        return None
    user, component, token = mark
    if not hmac.compare_digest(token.encode(), (form_value("csrf_token") or "").encode()):
        return None
    return UnsentForm(Author(user, component), request.path, fields)


def seal_form(form: UnsentForm | None) -> str:
    """Return a kept form as this browser carries it."""
    if form is None:
        return ""
    author = [form.author.user, form.author.component]
    return app_context().sealer.seal(f"kept {visit()}", {"author": author, "path": form.path, "fields": form.fields})


def visit() -> str:
    """Return the mark of this browser, made with the first page that needs one; `page` hands it over."""
    mark: str = _visit_of_browser() or secrets.token_urlsafe(24)
    g.visit = mark
    return mark


def is_by_current_user(form: UnsentForm | None) -> bool:
    """Tell whether the one signed in typed it, for the component that they are of now."""
    return form is not None and form.author == current_author()


def unsaved_values(form: UnsentForm | None) -> list[tuple[str, str]]:
    """Return label and text of what was typed, for a page that has no form to show it in; ids say nothing to a person."""
    if form is None or not is_by_current_user(form):
        return []
    shown = [(name, value.strip()) for name, value in form.fields if not _is_hidden(name)]
    return [(name.replace("_", " ").capitalize(), value) for name, value in shown if value and not IDS.fullmatch(value)]


def draft_key() -> str:
    """Return the key under which a browser keeps a page's unsent text: the user's, in pages that are shown to them.

    Behind a blank each stand former ones, under which it may have been kept.
    """
    author = current_author()
    return " ".join(app_context().sealer.keys("draft", author.user, author.component)) if author else ""


def own_form_value(name: str) -> str | None:
    """Return a field of the form that was sent, if a page of ours sent it: only that is shown again."""
    return form_value(name) if is_own_form() else None


def is_own_form() -> bool:
    """Tell whether a page of ours sent the present form: the browser says so, or it bears the token of its session."""
    if is_same_origin():
        return True
    secret = g.get("token") or _visit_of_browser()
    return secret is not None and not is_upload() and is_csrf_token(secret, form_value("csrf_token"))


def form_value(name: str) -> str | None:
    """Return a field of the form that was sent; nothing when its body cannot be read."""
    try:
        return request.form.get(name)
    except HTTPException:
        return None


def form_fields() -> list[tuple[str, str]]:
    """Return the fields of the form that was sent; none when its body cannot be read."""
    try:
        return list(request.form.items(multi=True))
    except HTTPException:
        return []


def is_same_origin() -> bool:
    """Tell whether a page of ours sent this: another site's form arrives without our cookie, but it arrives."""
    fetched = request.headers.get("Sec-Fetch-Site")
    if fetched is not None:
        return fetched == "same-origin"
    origin = request.headers.get("Origin")
    # With the cookie kept to HTTPS there is TLS before this server, whether or not a proxy says so.
    schemes = {request.scheme, "https"} if app_context().settings.cookie_secure else {request.scheme}
    return origin in {f"{scheme}://{request.host}" for scheme in schemes}


def is_cross_site() -> bool:
    """Tell whether another site had this asked: then the browser kept our strict cookies back, whichever it has.

    Under our referrer policy an old browser says `null` for our own forms too; that tells nothing.
    """
    fetched, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    if fetched is not None:
        return fetched in {"cross-site", "same-site"}
    return origin not in {None, "null"} and not is_same_origin()


def is_upload() -> bool:
    """Tell whether a file comes with the form; it is read as it comes."""
    return request.mimetype == "multipart/form-data"


def _is_hidden(name: str) -> bool:
    return name in HIDDEN_FIELDS or name.startswith("was_") or name.endswith(("_zone", "_fold"))


def _visit_of_browser() -> str | None:
    mark: str | None = g.get("visit") or app_context().cookies.visit()
    return mark
