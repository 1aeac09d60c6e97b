"""Signing in, the acknowledgement, signing out."""

from __future__ import annotations

from typing import Any

from flask import Response, g, request

from gateway.clients import query
from gateway.context import app_context
from gateway.endpoints import Answer, ApiBlueprint
from gateway.identity import csrf_token
from gateway.trail import source
from services.access.contract import AcknowledgementSchema, SessionSchema, SignedInSchema, SignInSchema
from services.chassis.messages import Unauthenticated

blueprint = ApiBlueprint("sessions", __name__, url_prefix="/sessions", description="Signing in and the acknowledgement")


@blueprint.endpoint("POST", "", body=SignInSchema, answers=SignedInSchema, status=201, public=True)
def sign_in(body: dict[str, Any]) -> Answer:
    """Sign in; a browser gets the same session as a cookie, and the token for its forms."""
    signed_in = open_session(body["username"], body["password"])
    return Answer({**signed_in, "csrf_token": csrf_token(signed_in["token"])}, headers=_cookie(signed_in["token"]))


@blueprint.endpoint("GET", "/current", answers=SessionSchema)
def current_session() -> dict[str, Any]:
    """Read who is signed in, until when, and whether the statements are acknowledged."""
    session: dict[str, Any] = query("access", "current_session")
    return session


@blueprint.endpoint("POST", "/current/acknowledgement", body=AcknowledgementSchema, status=204)
def acknowledge(body: dict[str, Any]) -> Answer:
    """Acknowledge the three statements (R103-R110); a browser's cookie is rotated, a bearer token stays."""
    token = acknowledge_statements(body["statements_version"], accepted=body["accepted"], rotate=_by_cookie())
    return Answer(None, 204, _cookie(token) if token else {})


@blueprint.endpoint("DELETE", "/current", status=204)
def sign_out() -> Response:
    """End the session, everywhere at once."""
    end_session()
    response = Response(status=204)
    app_context().cookies.delete_session(response)
    return response


def open_session(username: str, password: str) -> dict[str, Any]:
    """Return a new session; where many tries of a network failed, each further one of it waits its turn.

    :raises TooManySignIns: the line is full.
    """
    sign_ins = app_context().sign_ins
    network = source()
    sign_ins.wait(network)
    try:
        signed_in: dict[str, Any] = query("access", "sign_in", username=username, password=password, source=network)
    except Unauthenticated:
        sign_ins.failed.admits(network)
        raise
    return signed_in


def acknowledge_statements(version: str, *, accepted: bool, rotate: bool) -> str | None:
    """Acknowledge, and forget what is kept of the unacknowledged session; returns the rotated token, if any."""
    answer = query("access", "acknowledge", statements_version=version, accepted=accepted, rotate=rotate)
    app_context().sessions.forget(g.token)
    token: str | None = (answer or {}).get("token")
    return token if rotate else None


def end_session() -> None:
    """End the session and forget what is kept of it."""
    query("access", "sign_out")
    app_context().sessions.forget(g.token)


def _by_cookie() -> bool:
    return "Authorization" not in request.headers


def _cookie(token: str) -> dict[str, str]:
    carrier = Response()
    app_context().cookies.set_session(carrier, token)
    return {"Set-Cookie": carrier.headers["Set-Cookie"]}
