"""What every page has: the marking, the user and the minute, forms that come back with what was typed."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import orjson
from flask import Blueprint, Response, current_app, g, redirect, render_template, request, url_for
from marshmallow import Schema

from gateway.clients import query
from gateway.endpoints import check, operation
from gateway.errors import FormNotOurs, status_of
from gateway.identity import form_token
from gateway.trail import recorded
from services.access.contract import SessionRequired
from services.chassis.messages import IdempotencyMismatch, NotFound, Refusal, Unauthenticated, new_id
from services.lexicon.places import STATES
from services.lexicon.vocabulary import (
    CONTACT_POINT_KINDS,
    INTERACTION_MODES,
    PRIORITIES,
    REQUEST_MEDIA,
    SECTORS,
    SOURCES,
)

blueprint = Blueprint("pages", __name__)

#: Fields of a form that belong to the frame, not to what was typed.
OURS = frozenset({"csrf_token", "idempotency_key", "if_match", "kept"})
MAX_KEPT = 64 << 10
#: Browsers drop tabs and line breaks, and read a backslash as a slash: `/<tab>/elsewhere` would lead elsewhere.
OUR_PATH = re.compile(r"/(?!/)[^\x00-\x20\x7f\\]*")
WORDS = {
    "modes": INTERACTION_MODES,
    "media": REQUEST_MEDIA,
    "priorities": PRIORITIES,
    "sectors": SECTORS,
    "sources": SOURCES,
    "kinds": CONTACT_POINT_KINDS,
    "states": {code: state.name for code, state in STATES.items()},
}

Filter = Callable[..., str]


def page(template: str, *, status: int = 200, refusal: Refusal | None = None, **shown: Any) -> Response:
    """Render a page in the frame; `values` are what a form shows, `refusal` what is wrong with it."""
    admission = getattr(g, "admission", None)
    key = request.form.get("idempotency_key") if request.method == "POST" and not _is_upload() else None
    if refusal is not None and refusal.code == IdempotencyMismatch.code:
        # The browser went back and sent the form with other content: sent again, it is another record.
        key = None
    html = render_template(
        template,
        session=admission.session if admission is not None else None,
        minute=datetime.now(UTC),
        csrf_token=form_token(g.token) if g.token else form_token(_visit()),
        idempotency_key=key or new_id(),
        errors=(refusal.errors or {}) if refusal is not None else {},
        refusal=refusal,
        trace_id=g.trace_id,
        words=WORDS,
        ribbon=current_app.extensions["liaison"].settings.ribbon,
        **{"values": {}, **shown},
    )
    response = Response(html, status=status, content_type="text/html; charset=utf-8")
    if admission is None and g.get("visit"):
        current_app.extensions["liaison"].cookies.keep_visit(response, g.visit)
    return response


def attempt(act: Callable[[], Any], again: Callable[[Refusal], Response]) -> Response:
    """Do what a form asks; when it is refused, show the form again with what was typed and what is wrong.

    The form's hidden key makes a double submit one record; the key stays while the form comes back.
    """
    g.conversation.operation = operation(key=request.form.get("idempotency_key") or new_id(), body_hash=_hash_of_form())
    try:
        done: Response = act()
    except Unauthenticated:
        raise
    except Refusal as refusal:
        said = recorded(refusal)
        response = again(said)
        response.status_code = status_of(said)
        return response
    return done


def to(endpoint: str, **values: Any) -> Response:
    """Send the browser to a page, by GET."""
    return redirect(url_for(f"pages.{endpoint}", **values), 303)  # type: ignore[return-value]  # Flask's response class


def typed(*names: str) -> dict[str, str]:
    """Return those of the form's fields that were filled in."""
    return {name: value for name in names if (value := request.form.get(name, "").strip())}


def several(name: str) -> list[str]:
    """Return a field that may occur more than once, or hold several lines."""
    return [value for value in (value.strip() for value in request.form.getlist(name)) if value]


def checked(schema: type[Schema], body: dict[str, Any]) -> dict[str, Any]:
    """Return a body that the service's schema accepts.

    :raises Invalid: with the sentences of each field.
    """
    check(schema, body)
    return body


def instant(value: str) -> str:
    """Return a form's `datetime-local`, which is UTC here, as an instant."""
    return f"{value}Z" if value and not value.endswith("Z") else value


def kept_form() -> dict[str, Any] | None:
    """Return what was typed into a form whose session ended: from the form itself, or carried through signing in."""
    if request.form.get("kept"):
        try:
            kept = orjson.loads(request.form["kept"])
        except orjson.JSONDecodeError:
            return None
        return kept if _is_kept(kept) else None
    if request.method != "POST" or _is_upload() or request.endpoint in {"pages.signing_in", "pages.acknowledging"}:
        return None
    # Another site's form arrives without our cookie as well; it must not be kept and offered as the user's own.
    if not _is_same_origin():
        return None
    typed_in = [[name, value] for name, value in request.form.items(multi=True) if name not in OURS]
    return {"path": request.path, "fields": typed_in} if typed_in else None


def ours(path: str | None) -> str:
    """Return a path of this site to go on to, or the desk."""
    if not path or not OUR_PATH.fullmatch(path):
        return "/"
    return path


def refusal_page(refusal: Refusal) -> Response:
    """Show a refusal: signing in or acknowledging where that is what is missing, else a page that says why."""
    if isinstance(refusal, Unauthenticated) and _came_from_elsewhere():
        # A link on another site was followed: the browser kept our Strict cookie back. From a page of ours it sends it.
        return page("onward.html", status=401, onward=ours(request.full_path.rstrip("?")))
    if isinstance(refusal, Unauthenticated):
        return sign_in_page(refusal if g.token or not isinstance(refusal, SessionRequired) else None)
    if refusal.code == "acknowledgement-required":
        return acknowledgement_page(status=403)
    if isinstance(refusal, FormNotOurs) and (kept := kept_form()):
        return page("resume.html", status=403, kept=kept)
    return page("refused.html", status=status_of(refusal), refusal=refusal)


def fault_page() -> Response:
    """Show that something went wrong on our side."""
    return page("fault.html", status=500)


def sign_in_page(refusal: Refusal | None = None, *, status: int = 401, username: str = "") -> Response:
    """Show the sign-in form; what was typed into another form is kept in it."""
    g.admission, g.token = None, None
    if request.form.get("onward") is not None:
        onward = ours(request.form["onward"])
    else:
        onward = ours(request.full_path.rstrip("?") if request.method == "GET" else None)
    response = page("sign_in.html", status=status, refusal=refusal, kept=_dumped(kept_form()), onward=onward, username=username)
    cookies = current_app.extensions["liaison"].cookies
    if cookies.session(request) is not None:
        cookies.drop_session(response)
    return response


def acknowledgement_page(*, status: int = 200, refusal: Refusal | None = None, onward: str | None = None) -> Response:
    """Show the three statements, nothing pre-ticked (R105)."""
    path = request.form.get("onward") or onward
    if path is None and request.method == "GET" and request.endpoint != "pages.acknowledgement":
        path = request.full_path.rstrip("?")
    return page("acknowledgement.html", status=status, refusal=refusal, kept=_dumped(kept_form()), onward=ours(path))


def names_of(users: set[str | None]) -> dict[str, str]:
    """Return user id → name, for owners and authors; someone who cannot be asked for stays an id."""
    ids = sorted(user for user in users if user)
    if not ids:
        return {}
    try:
        answer = query("access", "list_users", ids=ids)
    except NotFound:
        return {}
    found = answer["items"] if isinstance(answer, dict) else answer
    return {user["id"]: user["name"] for user in found}


def issue_names() -> dict[str, str]:
    """Return issue id → name of the issues that there are, for choosing and for showing."""
    answer = query("interactions", "list_issues", query={"limit": 200})
    return {issue["id"]: issue["name"] or "(withheld)" for issue in answer["items"]}


@blueprint.app_template_filter("day")
def day(value: Any) -> str:
    """Write a date as people do."""
    if not value:
        return ""
    return f"{datetime.fromisoformat(str(value)[:10]):%-d %B %Y}"


@blueprint.app_template_filter("minute")
def minute(value: Any) -> str:
    """Write an instant to the minute, in UTC."""
    if not value:
        return ""
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    return f"{moment.astimezone(UTC):%-d %B %Y, %H:%M} UTC"


@blueprint.app_template_filter("ago")
def ago(value: Any) -> str:
    """Write how long ago an instant was."""
    if not value:
        return "never"
    moment = datetime.fromisoformat(str(value))
    days = (datetime.now(UTC).date() - moment.astimezone(UTC).date()).days
    return "today" if days <= 0 else "yesterday" if days == 1 else f"{days} days ago"


@blueprint.app_template_filter("word")
def word(code: Any, vocabulary: str) -> str:
    """Write a code of a closed list in words."""
    return str(WORDS[vocabulary].get(code, code or ""))


def _visit() -> str:
    cookies = current_app.extensions["liaison"].cookies
    mark: str = cookies.visit(request) or g.get("visit") or secrets.token_urlsafe(24)
    g.visit = mark
    return mark


def _came_from_elsewhere() -> bool:
    return (
        request.method == "GET"
        and g.token is None
        and request.headers.get("Sec-Fetch-Mode") == "navigate"
        and request.headers.get("Sec-Fetch-Site") in {"cross-site", "same-site"}
    )


def _is_same_origin() -> bool:
    fetched = request.headers.get("Sec-Fetch-Site")
    if fetched is not None:
        return fetched == "same-origin"
    origin = request.headers.get("Origin")
    return origin is not None and origin.partition("://")[2] == request.host


def _is_upload() -> bool:
    return request.mimetype == "multipart/form-data"


def _hash_of_form() -> str:
    pairs = sorted((name, value) for name, value in request.form.items(multi=True) if name != "csrf_token")
    return hashlib.sha256(orjson.dumps(pairs)).hexdigest()


def _dumped(kept: dict[str, Any] | None) -> str:
    text = orjson.dumps(kept).decode() if kept else ""
    return text if len(text) <= MAX_KEPT else ""


def _is_kept(kept: Any) -> bool:
    return (
        isinstance(kept, dict)
        and isinstance(kept.get("path"), str)
        and ours(kept["path"]) == kept["path"]
        and isinstance(kept.get("fields"), list)
        and all(isinstance(pair, list) and len(pair) == 2 and all(isinstance(part, str) for part in pair) for pair in kept["fields"])
    )
