"""Coming in and going out: sign in, the acknowledgement, sign out, the privacy notice."""

from __future__ import annotations

from typing import Any

from flask import Response, current_app, g, jsonify, redirect, request

from gateway.errors import FormNotOurs, NotSentYet, status_of
from gateway.identity import is_form_token
from gateway.pages import kept as keeping
from gateway.pages.addresses import ours
from gateway.pages.frame import (
    acknowledgement_page,
    blueprint,
    came_from_elsewhere,
    checked,
    give_back,
    onward_page,
    session_end,
    sign_in_page,
    to,
)
from gateway.pages.frame import page as show
from gateway.routes.sessions import acknowledged, signed_in_with, signed_out
from gateway.trail import recorded
from services.access.contract import SignInSchema
from services.chassis.messages import Invalid, Refusal, Unauthenticated


@blueprint.get("/sign-in")
def sign_in() -> Response:
    """Show the sign-in form; whoever is signed in goes on to their desk, and stays signed in."""
    if came_from_elsewhere():
        return onward_page("/sign-in")
    try:
        signed_in = _come_in_as_before()
    except Unauthenticated as ended:
        return sign_in_page(ended, status=200)
    if not signed_in:
        return sign_in_page(status=200, ended=request.args.get("ended"))
    return to("desk") if g.admission.acknowledged else to("acknowledgement")


@blueprint.post("/sign-in")
def signing_in() -> Response:
    """Sign in with the built-in directory, and go on to the acknowledgement."""
    cookies = current_app.extensions["liaison"].cookies
    visit = cookies.visit()
    username = request.form.get("username", "").strip()
    # Nobody can be signed in by another site's form: it knows neither this cookie nor the token made of it.
    if visit is None or not is_form_token(visit, request.form.get("csrf_token")):
        refused = recorded(FormNotOurs())
        if came_from_elsewhere():
            return onward_page("/sign-in", status=status_of(refused))
        return sign_in_page(refused, status=status_of(refused), username=username if keeping.is_ours() else "")
    try:
        body = checked(SignInSchema, {"username": username, "password": request.form.get("password", "")})
        signed_in = signed_in_with(body["username"], body["password"])
    except Refusal as refusal:
        refused = recorded(refusal)
        return sign_in_page(refused, status=status_of(refused), username=username)
    _come_in(signed_in["token"])
    response = acknowledgement_page(onward=request.form.get("onward"))
    cookies.keep_session(response, g.token)
    return response


@blueprint.get("/acknowledgement")
def acknowledgement() -> Response:
    """Show the three statements; whoever acknowledged them goes on to their desk."""
    return to("desk") if g.admission.acknowledged else acknowledgement_page()


@blueprint.post("/acknowledgement")
def acknowledging() -> Response:
    """Acknowledge all three, each with its own mark (R103-R110), and go on to where one wanted to go."""
    statements = g.admission.session["statements"]
    unmarked = [n for n in range(1, len(statements) + 1) if request.form.get(f"statement_{n}") != "yes"]
    try:
        if unmarked:
            raise Invalid(
                "Mark each statement to acknowledge it.",
                code="statements-not-accepted",
                errors={f"statement_{n}": [f"Statement {n} is not marked."] for n in unmarked},
            )
        token = acknowledged(request.form.get("statements_version", ""), accepted=True, rotate=True)
    except Unauthenticated:
        raise
    except Refusal as refusal:
        refused = recorded(refusal)
        return acknowledgement_page(status=status_of(refused), refusal=refused)
    form = keeping.carried()
    if token:
        _come_in(token)
    mine = form if keeping.belongs_here(form) else None
    response: Any = give_back(mine, NotSentYet()) if mine else redirect(ours(request.form.get("onward")), 303)
    if token:
        current_app.extensions["liaison"].cookies.keep_session(response, token)
    shown: Response = response
    return shown


@blueprint.post("/session/stay")
def staying() -> Response:
    """Stay signed in: note that the session is in use, and tell the page's script until when it lives."""
    g.admission = current_app.extensions["liaison"].sessions.admit_anew(g.token, trace_id=g.trace_id)
    return jsonify(session_end(g.admission.session))


@blueprint.post("/sign-out")
def signing_out() -> Response:
    """End the session of this browser, everywhere at once, from a page of whatever age.

    The token of an old page is no longer that of the session; that a page of ours asks is enough to end one.
    """
    token = current_app.extensions["liaison"].cookies.session()
    given = keeping.posted("csrf_token")
    if not keeping.is_same_origin() and not (token and is_form_token(token, given)):
        raise FormNotOurs
    try:
        if _come_in_as_before():
            signed_out()
    except Unauthenticated:
        # It had ended already, which is what was asked for.
        pass
    response = to("sign_in", ended="signed-out")
    current_app.extensions["liaison"].cookies.drop_session(response)
    return response


@blueprint.get("/privacy")
def privacy_notice() -> Response:
    """Show the privacy notice (R10, R18, R162, R173), to anybody."""
    return show("privacy.html")


def _come_in_as_before() -> bool:
    """Take up the session that the browser holds; False when it holds none.

    :raises Unauthenticated: it has ended.
    """
    token = current_app.extensions["liaison"].cookies.session()
    if token is None:
        return False
    _come_in(token)
    return True


def _come_in(token: str) -> None:
    sessions = current_app.extensions["liaison"].sessions
    g.admission = sessions.admit(token, trace_id=g.trace_id)
    g.token = token
    g.conversation.passports = g.admission.passports
    g.conversation.renew = lambda: sessions.admit_anew(token, trace_id=g.trace_id).passports
