"""Forms that arrive after their session ended: the browser carries them, encrypted, until their author signs in again.

A page seals the author and the CSRF token into each form. A late form is sealed for its browser, which cannot read it. A
form that another site sends is never kept or shown.
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

#: Fields that the layout adds to each form.
LAYOUT_FIELDS = frozenset({"csrf_token", "author", "kept", "onward"})
#: Fields that are kept with a form, but not shown as text.
HIDDEN_FIELDS = LAYOUT_FIELDS | {"idempotency_key", "if_match", "seen_match"}
#: One or more ids.
IDS = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}([\s,]+[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})*", re.IGNORECASE)
SIGN_IN_ENDPOINTS = frozenset({"pages.signing_in", "pages.acknowledging", "pages.signing_out"})
#: Endpoints that carry an unsent form.
CARRYING_ENDPOINTS = frozenset({"pages.signing_in", "pages.acknowledging"})


@dataclass(frozen=True, slots=True)
class Author:
    """The user who typed a form, and their component."""

    user: str
    component: str


@dataclass(frozen=True, slots=True)
class UnsentForm:
    """A form that was not sent: its author, its address and its fields."""

    author: Author
    path: str
    fields: tuple[tuple[str, str], ...]


def author_seal() -> str:
    """Return the sealed author of a form; an empty text without a session.

    It contains the CSRF token of the session, so that it is valid in no other session's form.
    """
    author = current_author()
    return app_context().sealer.seal("author", [author.user, author.component, csrf_token(g.token)]) if author else ""


def current_author() -> Author | None:
    """Return the signed-in user as an author."""
    session = g.get("session")
    if session is None:
        return None
    user = session.details["user"]
    return Author(str(user["id"]), str(user["component"] or ""))


def unsent_form() -> UnsentForm | None:
    """Return the unsent form: the one that the browser carries, or the late form of this request."""
    return carried_form() or late_form()


def carried_form() -> UnsentForm | None:
    """Return the form that the browser carries through signing in."""
    if request.endpoint not in CARRYING_ENDPOINTS or not is_same_origin():
        return None
    content = app_context().sealer.unseal(f"kept {_visit_of_browser() or ''}", form_value("kept"))
    return UnsentForm(Author(*content["author"]), content["path"], tuple((name, value) for name, value in content["fields"])) if content else None


def late_form() -> UnsentForm | None:
    """Return the form of this request, if this site showed it to its author."""
    if request.method != "POST" or is_upload() or request.endpoint in SIGN_IN_ENDPOINTS or not is_same_origin():
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
    """Return an unsent form, sealed for this browser."""
    if form is None:
        return ""
    author = [form.author.user, form.author.component]
    return app_context().sealer.seal(f"kept {visit()}", {"author": author, "path": form.path, "fields": form.fields})


def visit() -> str:
    """Return the id of this browser; `page` sets its cookie."""
    mark: str = _visit_of_browser() or secrets.token_urlsafe(24)
    g.visit = mark
    return mark


def is_by_current_user(form: UnsentForm | None) -> bool:
    """Tell whether the signed-in user typed the form, in their current component."""
    return form is not None and form.author == current_author()


def unsaved_values(form: UnsentForm | None) -> list[tuple[str, str]]:
    """Return label and text of what was typed, for a page without the form; ids are left out."""
    if form is None or not is_by_current_user(form):
        return []
    shown = [(name, value.strip()) for name, value in form.fields if not _is_hidden(name)]
    return [(name.replace("_", " ").capitalize(), value) for name, value in shown if value and not IDS.fullmatch(value)]


def draft_key() -> str:
    """Return the keys of the user's drafts in the browser, the current one first, separated by blanks."""
    author = current_author()
    return " ".join(app_context().sealer.keys("draft", author.user, author.component)) if author else ""


def own_form_value(name: str) -> str | None:
    """Return a field of the form, if this site sent it; other forms are never shown again."""
    return form_value(name) if is_own_form() else None


def is_own_form() -> bool:
    """Tell whether this site sent the form: the browser says so, or it has the CSRF token."""
    if is_same_origin():
        return True
    secret = g.get("token") or _visit_of_browser()
    return secret is not None and not is_upload() and is_csrf_token(secret, form_value("csrf_token"))


def form_value(name: str) -> str | None:
    """Return a field of the form; None when the body cannot be read."""
    try:
        return request.form.get(name)
    except HTTPException:
        return None


def form_fields() -> list[tuple[str, str]]:
    """Return the fields of the form; none when the body cannot be read."""
    try:
        return list(request.form.items(multi=True))
    except HTTPException:
        return []


def is_same_origin() -> bool:
    """Tell whether a page of this site made the request, by the headers of the browser."""
    fetched = request.headers.get("Sec-Fetch-Site")
    if fetched is not None:
        return fetched == "same-origin"
    origin = request.headers.get("Origin")
    # With a Secure cookie, a proxy in front of this server uses TLS, even if it does not say so.
    schemes = {request.scheme, "https"} if app_context().settings.cookie_secure else {request.scheme}
    return origin in {f"{scheme}://{request.host}" for scheme in schemes}


def is_cross_site() -> bool:
    """Tell whether another site made the request, so that the browser held back its Strict cookies.

    An old browser sends the origin `null` for this site's forms too, because of the referrer policy.
    """
    fetched, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    if fetched is not None:
        return fetched in {"cross-site", "same-site"}
    return origin not in {None, "null"} and not is_same_origin()


def is_upload() -> bool:
    """Tell whether the form has a file, whose body is read as a stream."""
    return request.mimetype == "multipart/form-data"


def _is_hidden(name: str) -> bool:
    return name in HIDDEN_FIELDS or name.startswith("was_") or name.endswith(("_zone", "_fold"))


def _visit_of_browser() -> str | None:
    mark: str | None = g.get("visit") or app_context().cookies.visit()
    return mark
