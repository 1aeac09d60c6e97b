"""Signing in, the acknowledgement, signing out."""

from __future__ import annotations

from typing import Any

from flask import Response, current_app, g, request

from gateway.clients import query
from gateway.endpoints import Answer, ApiBlueprint
from gateway.identity import form_token
from gateway.trail import source
from services.access.contract import AcknowledgementSchema, SessionSchema, SignedInSchema, SignInSchema
from services.chassis.messages import Unauthenticated

area = ApiBlueprint("sessions", __name__, url_prefix="/sessions", description="Signing in and the acknowledgement")


@area.endpoint("POST", "", body=SignInSchema, answers=SignedInSchema, status=201, open_to_all=True)
def sign_in(body: dict[str, Any]) -> Answer:
    """Sign in; a browser gets the same session as a cookie, and the token for its forms."""
    signed_in = signed_in_with(body["username"], body["password"])
    return Answer({**signed_in, "csrf_token": form_token(signed_in["token"])}, headers=_cookie(signed_in["token"]))


@area.endpoint("GET", "/current", answers=SessionSchema)
def current_session() -> dict[str, Any]:
    """Read who is signed in, until when, and whether the statements are acknowledged."""
    session: dict[str, Any] = query("access", "current_session")
    return session


@area.endpoint("POST", "/current/acknowledgement", body=AcknowledgementSchema, status=204)
def acknowledge(body: dict[str, Any]) -> Answer:
    """Acknowledge the three statements (R103-R110); a browser's cookie is rotated, a bearer token stays."""
    token = acknowledged(body["statements_version"], accepted=body["accepted"], rotate=_by_cookie())
    return Answer(None, 204, _cookie(token) if token else {})


@area.endpoint("DELETE", "/current", status=204)
def sign_out() -> Response:
    """End the session, everywhere at once."""
    signed_out()
    response = Response(status=204)
    current_app.extensions["liaison"].cookies.drop_session(response)
    return response


def signed_in_with(username: str, password: str) -> dict[str, Any]:
    """Return a new session; where many tries of a network failed, each further one of it waits its turn.

    :raises TooManySignIns: the line is full.
    """
    sign_ins = current_app.extensions["liaison"].sign_ins
    network = source()
    sign_ins.wait(network)
    try:
        signed_in: dict[str, Any] = query("access", "sign_in", username=username, password=password, source=network)
    except Unauthenticated:
        sign_ins.failed.admits(network)
        raise
    return signed_in


def acknowledged(version: str, *, accepted: bool, rotate: bool) -> str | None:
    """Acknowledge, and forget what is kept of the unacknowledged session; returns the rotated token, if any."""
    answer = query("access", "acknowledge", statements_version=version, accepted=accepted, rotate=rotate)
    current_app.extensions["liaison"].sessions.forget(g.token)
    token: str | None = (answer or {}).get("token")
    return token if rotate else None


def signed_out() -> None:
    """End the session and forget what is kept of it."""
    query("access", "sign_out")
    current_app.extensions["liaison"].sessions.forget(g.token)


def _by_cookie() -> bool:
    return "Authorization" not in request.headers


def _cookie(token: str) -> dict[str, str]:
    carrier = Response()
    current_app.extensions["liaison"].cookies.keep_session(carrier, token)
    return {"Set-Cookie": carrier.headers["Set-Cookie"]}
