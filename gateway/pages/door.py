"""Coming in and going out: sign in, the acknowledgement, sign out, the privacy notice."""

from __future__ import annotations

from flask import Response, current_app, g, redirect, request

from gateway.errors import FormNotOurs, status_of
from gateway.identity import is_form_token
from gateway.pages.frame import (
    acknowledgement_page,
    blueprint,
    checked,
    kept_form,
    ours,
    page,
    sign_in_page,
    to,
)
from gateway.routes.sessions import acknowledged, signed_in_with, signed_out
from gateway.trail import recorded
from services.access.contract import SignInSchema
from services.chassis.messages import Invalid, Refusal, Unauthenticated


@blueprint.get("/sign-in")
def sign_in() -> Response:
    """Show the sign-in form."""
    return sign_in_page(status=200)


@blueprint.post("/sign-in")
def signing_in() -> Response:
    """Sign in with the built-in directory, and go on to the acknowledgement."""
    cookies = current_app.extensions["liaison"].cookies
    visit = cookies.visit(request)
    username = request.form.get("username", "").strip()
    # Nobody can be signed in by another site's form: it knows neither this cookie nor the token made of it.
    if visit is None or not is_form_token(visit, request.form.get("csrf_token")):
        refused = recorded(FormNotOurs())
        return sign_in_page(refused, status=status_of(refused), username=username)
    try:
        body = checked(SignInSchema, {"username": username, "password": request.form.get("password", "")})
        signed_in = signed_in_with(body["username"], body["password"])
    except Refusal as refusal:
        refused = recorded(refusal)
        return sign_in_page(refused, status=status_of(refused), username=username)
    g.token = signed_in["token"]
    g.admission = current_app.extensions["liaison"].sessions.admit(g.token, trace_id=g.trace_id)
    response = acknowledgement_page(onward=request.form.get("onward"))
    cookies.keep_session(response, g.token)
    return response


@blueprint.get("/acknowledgement")
def acknowledgement() -> Response:
    """Show the three statements."""
    return acknowledgement_page()


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
    kept = kept_form()
    if kept:
        if token:
            g.token = token
        g.admission = current_app.extensions["liaison"].sessions.admit(g.token, trace_id=g.trace_id)
        response = page("resume.html", kept=kept)
    else:
        response = redirect(ours(request.form.get("onward")), 303)  # type: ignore[assignment]  # Flask's response class
    if token:
        current_app.extensions["liaison"].cookies.keep_session(response, token)
    return response


@blueprint.post("/sign-out")
def signing_out() -> Response:
    """End the session, everywhere at once."""
    signed_out()
    response = to("sign_in")
    current_app.extensions["liaison"].cookies.drop_session(response)
    return response


@blueprint.get("/privacy")
def privacy_notice() -> Response:
    """Show the privacy notice (R10, R18, R162, R173), to anybody."""
    return page("privacy.html")
