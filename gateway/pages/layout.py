"""The common parts of pages: the layout, forms that show what was typed after a refusal, and redirections."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypedDict, TypeVar

import orjson
from flask import Blueprint, Response, current_app, g, redirect, render_template, request, url_for
from marshmallow import Schema
from werkzeug.datastructures import ImmutableMultiDict
from werkzeug.exceptions import HTTPException

import gateway
from gateway.clients import query
from gateway.context import app_context
from gateway.endpoints import operation, validate
from gateway.errors import FormNotOurs, status_of
from gateway.identity import csrf_token
from gateway.pages import assets, times, unsent_forms
from gateway.pages.addresses import current_page, nearest_page, safe_path
from gateway.pages.paging import fetch_all
from gateway.pages.sentences import Field, problems, worded
from gateway.pages.unsent_forms import UnsentForm
from gateway.permissions import may
from gateway.trail import recorded
from services.access.contract import SessionRequired
from services.access.contract.answers import SessionAnswer, UserAnswer
from services.chassis.answers import Page
from services.chassis.messages import IdempotencyMismatch, NotFound, Refusal, Unauthenticated, Unavailable, new_id
from services.interactions.contract.answers import IssueAnswer
from services.lexicon.places import STATES
from services.lexicon.vocabulary import (
    CONTACT_POINT_KINDS,
    INITIATORS,
    INTERACTION_MODES,
    PRIORITIES,
    REQUEST_MEDIA,
    SECTORS,
    SOURCES,
    USE_PREFERENCES,
    VERIFICATION_MEDIA,
)

blueprint = Blueprint("pages", __name__)

#: Pages without a form, which show what was typed so that it is not lost.
WITHOUT_FORM = frozenset({"refused.html", "frozen.html", "fault.html"})
#: Sentences for the reasons why access ended a session.
ENDED = {
    "idle": "Your session ended after fifteen minutes without a request. Sign in again.",
    "expired": "Your session ended after twelve hours. Sign in again.",
    "signed-out": "You signed out.",
    "newer-sign-in": "Your session was ended by a newer sign-in of yours. Sign in again.",
    "rights-changed": "Your rights were changed, so your session ended. Sign in again.",
    "access-suspended": "Your access is suspended. Sign in to see why.",
    "account-closed": "Your account is closed.",
}
WORDS = {
    "modes": INTERACTION_MODES,
    "initiators": INITIATORS,
    "media": REQUEST_MEDIA,
    "verification_media": VERIFICATION_MEDIA,
    "priorities": PRIORITIES,
    "sectors": SECTORS,
    "sources": SOURCES,
    "kinds": CONTACT_POINT_KINDS,
    "preferences": USE_PREFERENCES,
    "states": {code: state.name for code, state in STATES.items()},
    "roles": {
        "isso": "security officer",
        "privacy_officer": "privacy officer",
        "office_administrator": "office administrator",
        "system_administrator": "system administrator",
        "system_owner": "system owner",
    },
    "types": {"individual": "Individuals", "organization": "Organizations"},
}

Body = TypeVar("Body", bound=Mapping[str, object])
View = Callable[..., Response]


class SessionEnd(TypedDict):
    """When a session ends without another request; `final` says that no request extends it."""

    seconds: int
    at: str
    final: bool


#: How many users access answers at a time.
USERS_AT_A_TIME = 200


def page(template: str, *, status: int | None = None, refusal: Refusal | None = None, **shown: object) -> Response:
    """Render a page in the layout; `values` are shown in its form, and `refusal` says what is wrong with them.

    :param status: by default that of the refusal.
    """
    session = g.get("session")
    key = unsent_forms.own_form_value("idempotency_key") if request.method == "POST" and not unsent_forms.is_upload() else None
    if refusal is not None and refusal.code == IdempotencyMismatch.code:
        # The key belongs to other content: the next try is another record.
        key = None
    wrong: dict[str, Field] = {}
    render = functools.partial(
        render_template,
        template,
        session=session.details if session is not None else None,
        minute=datetime.now(UTC),
        zone=times.zone_shown(),
        ends=session_end(session.details) if session is not None else None,
        unsaved=template in WITHOUT_FORM and request.method == "POST",
        draft_key=unsent_forms.draft_key(),
        csrf_token=csrf_token(g.token or unsent_forms.visit()),
        idempotency_key=key or new_id(),
        note_wrong=lambda name, label, control: wrong.update({name: Field(label.partition(" (")[0], control)}) or "",
        refusal=refusal,
        is_fault=isinstance(refusal, Unavailable),
        trace_id=g.trace_id,
        author=unsent_forms.author_seal(),
        unsent=unsent_forms.unsaved_values(unsent_forms.late_form()) if template in WITHOUT_FORM else [],
        words=WORDS,
        ribbon=app_context().settings.ribbon,
        release=gateway.__version__,
        **{"values": {}, **shown},
    )
    errors = (refusal.errors or {}) if refusal is not None else {}
    html = render(errors=errors, problems=[])
    if errors:
        # The first time the page tells which fields it has, and the second time what is wrong, by their labels.
        errors = worded(errors, wrong)
        html = render(errors=errors, problems=problems(errors, wrong))
    status = status or (status_of(refusal) if refusal is not None else 200)
    response = Response(html, status=status, content_type="text/html; charset=utf-8")
    if request.headers.get("HX-Request") == "true" and 'id="progress"' not in html:
        # What the page followed has ended: the whole page is of interest now.
        response.headers["HX-Refresh"] = "true"
    if g.get("visit") and not unsent_forms.is_cross_site():
        # A cross-site request comes without the cookie that the browser may have, and must not replace it.
        app_context().cookies.set_visit(response, g.visit)
    return response


def form_view(rule: str, again: View) -> Callable[[View], View]:
    """Declare a view that carries out a form. After a refusal the form is shown again with what was typed and what is wrong.

    The hidden key of the form makes a double submit one record. An unsent form of an ended session is only shown.

    :param again: shows the page of the form; it takes the values of the path, and the `refusal`.
    """

    def declare(view: View) -> View:
        @functools.wraps(view)
        def act(**path: str) -> Response:
            if "given_back" in g:
                return again(**path, refusal=g.given_back)
            g.client.operation = operation(key=request.form.get("idempotency_key") or new_id(), body=_form())
            try:
                return view(**path)
            except Unauthenticated:
                raise
            except Refusal as refusal:
                said = recorded(refusal)
                response = again(**path, refusal=said)
                response.status_code = status_of(said)
                return response

        return blueprint.post(rule)(act)

    return declare


def redirect_to(endpoint: str, **values: Any) -> Response:
    """Redirect the browser to a page, by GET."""
    return redirect(url_for(f"pages.{endpoint}", **values), 303)  # type: ignore[return-value]  # Flask's response class


def redirect_to_path(path: str | None) -> Response:
    """Redirect the browser to a path of this site, by GET; any other address leads to the tasks."""
    return redirect(safe_path(path), 303)  # type: ignore[return-value]  # Flask's response class


def form_values(*names: str) -> dict[str, str]:
    """Return the filled-in fields of the form."""
    return {name: value for name in names if (value := request.form.get(name, "").strip())}


def form_list(name: str) -> list[str]:
    """Return all values of a field that occurs more than once."""
    return [value for value in (value.strip() for value in request.form.getlist(name)) if value]


def validated(schema: type[Schema], body: Body) -> Body:
    """Validate a body by a service's schema, and return it.

    :raises Invalid: with the sentences of each field.
    """
    validate(schema, body)
    return body


def show_unsent_form(kept: UnsentForm, why: Refusal) -> Response:
    """Show an unsent form in its page, as it was typed; nothing is sent to a service.

    When its page no longer has the form, show what was typed as text.
    """
    rule, view_args = current_app.url_map.bind("").match(kept.path, method="POST", return_rule=True)
    present = request.url_rule, request.view_args, request.form
    request.url_rule, request.view_args = rule, dict(view_args)
    request.__dict__["form"] = ImmutableMultiDict([*kept.fields, ("author", unsent_forms.author_seal()), ("csrf_token", csrf_token(g.token))])
    g.given_back, g.client.operation = why, None
    try:
        shown: Response = current_app.ensure_sync(current_app.view_functions[rule.endpoint])(**view_args)
    except Unauthenticated:
        raise
    except (Refusal, HTTPException, RuntimeError):
        # Without an operation, a view that sends a command is stopped here.
        shown = page("refused.html", refusal=why)
    finally:
        request.url_rule, request.view_args, request.__dict__["form"] = present
    shown.status_code = status_of(why) if isinstance(why, FormNotOurs) else 200
    return shown


def refusal_page(refusal: Refusal, *, status: int | None = None) -> Response:
    """Show a refusal: the sign-in form, the acknowledgement, or a page with the reason."""
    if isinstance(refusal, Unauthenticated) and is_cross_site_request():
        return onward_page(current_page(), status=401)
    if isinstance(refusal, Unauthenticated):
        return sign_in_page(refusal)
    unacknowledged = g.get("session") is not None and not g.session.acknowledged
    if refusal.code == "acknowledgement-required" or (isinstance(refusal, FormNotOurs) and unacknowledged):
        return acknowledgement_page(status=403)
    if isinstance(refusal, FormNotOurs):
        return _form_of_another_session(refusal)
    return page("refused.html", status=status, refusal=refusal)


def redirect_to_page() -> Response:
    """Redirect a GET for an address that accepts only forms to its nearest page."""
    return redirect(nearest_page(request.path), 303)  # type: ignore[return-value]  # Flask's response class


def onward_page(path: str, *, status: int = 200) -> Response:
    """Show a page that continues to another one: the browser sends a Strict cookie only from this site."""
    return page("onward.html", status=status, onward=path)


def error_page() -> Response:
    """Show that an unexpected error happened, with what was typed."""
    return page("fault.html", status=500)


def sign_in_page(refusal: Refusal | None = None, *, status: int = 401, username: str = "", ended: str | None = None) -> Response:
    """Show the sign-in form with the reason why the session ended; it carries an unsent form."""
    cookies = app_context().cookies
    told = _why_it_ended(refusal) or ended or cookies.ended()
    g.session, g.token = None, None
    onward = safe_path(named) if (named := unsent_forms.own_form_value("onward")) is not None else current_page()
    if isinstance(refusal, SessionRequired):
        refusal = None
    response = page(
        "sign_in.html",
        status=status,
        refusal=refusal,
        kept=unsent_forms.seal_form(unsent_forms.unsent_form()),
        onward=onward,
        username=username,
        why=ENDED.get(told or "", "") if refusal is None else "",
        accounts=_demo_accounts(),
    )
    if cookies.session() is not None:
        cookies.delete_session(response)
    if told in ENDED:
        cookies.set_ended(response, told)
    return response


def _demo_accounts() -> list[dict[str, object]]:
    """Return the accounts of a demonstration, each with its password; none elsewhere."""
    file = app_context().settings.demo_accounts_file
    accounts: list[dict[str, object]] = orjson.loads(Path(file).read_bytes()) if file else []
    return accounts


def acknowledgement_page(*, status: int | None = None, refusal: Refusal | None = None, onward: str | None = None) -> Response:
    """Show the three statements, with no box ticked (R105)."""
    path = unsent_forms.own_form_value("onward") or onward or (current_page() if request.endpoint != "pages.acknowledgement" else "/")
    kept = unsent_forms.unsent_form()
    if kept and not unsent_forms.is_by_current_user(kept):
        # Another user, or the same one in another component, typed the form.
        kept, path = None, "/"
    return page("acknowledgement.html", status=status, refusal=refusal, kept=unsent_forms.seal_form(kept), onward=safe_path(path))


def session_end(session: SessionAnswer) -> SessionEnd:
    """Return when a session ends unless another request is made in it."""
    idle, last = datetime.fromisoformat(session["idle_expires_at"]), datetime.fromisoformat(session["expires_at"])
    return {
        "seconds": max(0, int((idle - datetime.now(UTC)).total_seconds())),
        "at": times.minute_words(idle),
        "final": idle >= last,
    }


def user_names(users: Iterable[str | None]) -> dict[str, str]:
    """Return user id → name, as far as access knows the users."""
    ids = sorted({user for user in users if user})
    names: dict[str, str] = {}
    for start in range(0, len(ids), USERS_AT_A_TIME):
        try:
            found: Page[UserAnswer] = query("access", "list_users", ids=ids[start : start + USERS_AT_A_TIME])
        except NotFound:
            continue
        names |= {user["id"]: user["name"] for user in found["items"]}
    return names


def issue_names() -> dict[str, str]:
    """Return id → name of all issues."""
    issues: list[IssueAnswer] = fetch_all("interactions", "list_issues", {})
    return {issue["id"]: issue["name"] or "(withheld)" for issue in issues}


for each in times.FILTERS:
    blueprint.add_app_template_filter(each)
blueprint.add_app_template_global(times.choices_of_moment)
blueprint.add_app_template_global(may)
blueprint.add_app_template_global(assets.static_url)
blueprint.add_app_template_global(assets.style_sheets)
blueprint.add_app_template_global(assets.polling_script)
blueprint.add_app_template_global(assets.picker_script)


@blueprint.app_template_global("filled")
def filled(values: Mapping[str, str], names: list[str]) -> bool:
    """Tell whether one of these fields is filled in, so that the section with them stays open."""
    return any(str(values.get(name) or "").strip() for name in names)


@blueprint.app_template_filter("word")
def word(code: str | None, vocabulary: str) -> str:
    """Return the words for a code of a closed list."""
    return str(WORDS[vocabulary].get(code or "", code or ""))


def is_cross_site_request() -> bool:
    """Tell whether another site's link or form made this request, so that it came without the session cookie."""
    leads = request.method not in {"GET", "HEAD"} or (request.method == "GET" and request.headers.get("Sec-Fetch-Mode") == "navigate")
    return leads and g.get("token") is None and unsent_forms.is_cross_site()


def _form_of_another_session(refusal: FormNotOurs) -> Response:
    """Show a form again that the same user opened in another session; show nothing of another user's form."""
    if request.endpoint == "pages.acknowledging":
        # Another tab has acknowledged already.
        return redirect_to_path(unsent_forms.own_form_value("onward"))
    form = unsent_forms.unsent_form()
    if form is not None and unsent_forms.is_by_current_user(form):
        return show_unsent_form(
            form, FormNotOurs("This page was opened in an earlier session of yours. Nothing was sent yet: check it, and send it again.")
        )
    return page("refused.html", refusal=refusal, back=nearest_page(request.path))


def _why_it_ended(refusal: Refusal | None) -> str | None:
    """Return the reason why this session ended; ask access when the refusal does not say it."""
    if not isinstance(refusal, Unauthenticated):
        return None
    if "reason" in refusal.extra:
        return str(refusal.extra["reason"])
    if not g.get("token"):
        return None
    try:
        app_context().sessions.refresh(g.token, trace_id=g.trace_id)
    except Refusal as ended:
        return str(ended.extra.get("reason") or "") or None
    return None


def _form() -> bytes:
    return orjson.dumps(sorted((name, value) for name, value in request.form.items(multi=True) if name not in unsent_forms.LAYOUT_FIELDS))
