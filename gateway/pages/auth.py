"""Pages for signing in, acknowledging the statements and signing out, and the privacy notice."""

from __future__ import annotations

import orjson
from flask import Response, g, request

from gateway.context import app_context
from gateway.errors import FormNotOurs, NotSentYet, status_of
from gateway.identity import is_csrf_token
from gateway.pages import unsent_forms
from gateway.pages.layout import (
    acknowledgement_page,
    blueprint,
    is_cross_site_request,
    onward_page,
    redirect_to,
    redirect_to_path,
    session_end,
    show_unsent_form,
    sign_in_page,
    validated,
)
from gateway.pages.layout import page as show
from gateway.routes.sessions import acknowledge_statements, end_session, open_session
from gateway.trail import recorded
from services.access.contract import SignInSchema
from services.chassis.messages import Invalid, Refusal, Unauthenticated


@blueprint.get("/sign-in")
def sign_in() -> Response:
    """Show the sign-in form; redirect a signed-in user to the tasks."""
    if is_cross_site_request():
        return onward_page("/sign-in")
    try:
        signed_in = _use_cookie()
    except Unauthenticated as ended:
        return sign_in_page(ended, status=200)
    if not signed_in:
        return sign_in_page(status=200, ended=request.args.get("ended"))
    return redirect_to("desk") if g.session.acknowledged else redirect_to("acknowledgement")


@blueprint.post("/sign-in")
def signing_in() -> Response:
    """Sign in with the built-in directory, and show the acknowledgement."""
    cookies = app_context().cookies
    visit = cookies.visit()
    username = request.form.get("username", "").strip()
    # Another site's form cannot sign anybody in: it knows neither this cookie nor its token.
    if visit is None or not is_csrf_token(visit, request.form.get("csrf_token")):
        refused = recorded(FormNotOurs())
        if is_cross_site_request():
            return onward_page("/sign-in", status=status_of(refused))
        return sign_in_page(refused, status=status_of(refused), username=username if unsent_forms.is_own_form() else "")
    try:
        given = {"username": username, "password": request.form.get("password", "")}
        body = validated(SignInSchema, {name: value for name, value in given.items() if value})
        signed_in = open_session(body)
    except Refusal as refusal:
        refused = recorded(refusal)
        return sign_in_page(refused, status=status_of(refused), username=username)
    _use_session(signed_in["token"])
    response = acknowledgement_page(onward=request.form.get("onward"))
    cookies.set_session(response, g.token)
    return response


@blueprint.get("/acknowledgement")
def acknowledgement() -> Response:
    """Show the three statements; redirect a user who acknowledged them to the tasks."""
    return redirect_to("desk") if g.session.acknowledged else acknowledgement_page()


@blueprint.post("/acknowledgement")
def acknowledging() -> Response:
    """Acknowledge the three statements, each by its own box (R103-R110), and continue to the page that was asked for."""
    statements = g.session.details["statements"]
    unmarked = [n for n in range(1, len(statements) + 1) if request.form.get(f"statement_{n}") != "yes"]
    try:
        if unmarked:
            raise Invalid(
                "Mark each statement to acknowledge it.",
                code="statements-not-accepted",
                errors={f"statement_{n}": [f"Statement {n} is not marked."] for n in unmarked},
            )
        token = acknowledge_statements({"statements_version": request.form.get("statements_version", ""), "accepted": True}, rotate=True)
    except Unauthenticated:
        raise
    except Refusal as refusal:
        return acknowledgement_page(refusal=recorded(refusal))
    form = unsent_forms.carried_form()
    if token:
        _use_session(token)
    mine = form if unsent_forms.is_by_current_user(form) else None
    response = show_unsent_form(mine, NotSentYet()) if mine else redirect_to_path(request.form.get("onward"))
    if token:
        app_context().cookies.set_session(response, token)
    return response


@blueprint.post("/session/stay")
def staying() -> Response:
    """Extend the session, and tell the page's script when it ends."""
    g.session = app_context().sessions.refresh(g.token, trace_id=g.trace_id)
    return Response(orjson.dumps(session_end(g.session.details)), content_type="application/json")


@blueprint.post("/sign-out")
def signing_out() -> Response:
    """End the session of this browser, from a page of any age.

    The token of an old page may not match the session. A request from this site is enough to end one.
    """
    token = app_context().cookies.session()
    given = unsent_forms.form_value("csrf_token")
    if not unsent_forms.is_same_origin() and not (token and is_csrf_token(token, given)):
        raise FormNotOurs
    try:
        if _use_cookie():
            end_session()
    except Unauthenticated:
        # The session had ended already.
        pass
    response = redirect_to("sign_in", ended="signed-out")
    app_context().cookies.delete_session(response)
    return response


@blueprint.get("/privacy")
def privacy_notice() -> Response:
    """Show the privacy notice, without a session (R10, R18, R162, R173)."""
    return show("privacy.html")


def _use_cookie() -> bool:
    """Use the session in the browser's cookie; return False when there is no cookie.

    :raises Unauthenticated: the session has ended.
    """
    token = app_context().cookies.session()
    if token is None:
        return False
    _use_session(token)
    return True


def _use_session(token: str) -> None:
    sessions = app_context().sessions
    g.session = sessions.authenticate(token, trace_id=g.trace_id)
    g.token = token
    g.client.passports = g.session.passports
    g.client.renew = lambda: sessions.refresh(token, trace_id=g.trace_id).passports
