"""Coming in and going out: sign in, the acknowledgement, sign out, the privacy notice."""

from __future__ import annotations

from flask import Response, g, jsonify, request

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
    """Show the sign-in form; whoever is signed in goes on to their desk, and stays signed in."""
    if is_cross_site_request():
        return onward_page("/sign-in")
    try:
        signed_in = _come_in_as_before()
    except Unauthenticated as ended:
        return sign_in_page(ended, status=200)
    if not signed_in:
        return sign_in_page(status=200, ended=request.args.get("ended"))
    return redirect_to("desk") if g.session.acknowledged else redirect_to("acknowledgement")


@blueprint.post("/sign-in")
def signing_in() -> Response:
    """Sign in with the built-in directory, and go on to the acknowledgement."""
    cookies = app_context().cookies
    visit = cookies.visit()
    username = request.form.get("username", "").strip()
    # Nobody can be signed in by another site's form: it knows neither this cookie nor the token made of it.
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
    _come_in(signed_in["token"])
    response = acknowledgement_page(onward=request.form.get("onward"))
    cookies.set_session(response, g.token)
    return response


@blueprint.get("/acknowledgement")
def acknowledgement() -> Response:
    """Show the three statements; whoever acknowledged them goes on to their desk."""
    return redirect_to("desk") if g.session.acknowledged else acknowledgement_page()


@blueprint.post("/acknowledgement")
def acknowledging() -> Response:
    """Acknowledge all three, each with its own mark (R103-R110), and go on to where one wanted to go."""
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
        refused = recorded(refusal)
        return acknowledgement_page(status=status_of(refused), refusal=refused)
    form = unsent_forms.carried_form()
    if token:
        _come_in(token)
    mine = form if unsent_forms.is_by_current_user(form) else None
    response = show_unsent_form(mine, NotSentYet()) if mine else redirect_to_path(request.form.get("onward"))
    if token:
        app_context().cookies.set_session(response, token)
    return response


@blueprint.post("/session/stay")
def staying() -> Response:
    """Stay signed in: note that the session is in use, and tell the page's script until when it lives."""
    g.session = app_context().sessions.refresh(g.token, trace_id=g.trace_id)
    return jsonify(session_end(g.session.details))


@blueprint.post("/sign-out")
def signing_out() -> Response:
    """End the session of this browser, everywhere at once, from a page of whatever age.

    The token of an old page is no longer that of the session; that a page of ours asks is enough to end one.
    """
    token = app_context().cookies.session()
    given = unsent_forms.form_value("csrf_token")
    if not unsent_forms.is_same_origin() and not (token and is_csrf_token(token, given)):
        raise FormNotOurs
    try:
        if _come_in_as_before():
            end_session()
    except Unauthenticated:
        # It had ended already, which is what was asked for.
        pass
    response = redirect_to("sign_in", ended="signed-out")
    app_context().cookies.delete_session(response)
    return response


@blueprint.get("/privacy")
def privacy_notice() -> Response:
    """Show the privacy notice (R10, R18, R162, R173), to anybody."""
    return show("privacy.html")


def _come_in_as_before() -> bool:
    """Take up the session that the browser holds; False when it holds none.

    :raises Unauthenticated: it has ended.
    """
    token = app_context().cookies.session()
    if token is None:
        return False
    _come_in(token)
    return True


def _come_in(token: str) -> None:
    sessions = app_context().sessions
    g.session = sessions.authenticate(token, trace_id=g.trace_id)
    g.token = token
    g.client.passports = g.session.passports
    g.client.renew = lambda: sessions.refresh(token, trace_id=g.trace_id).passports
