"""Sessions: signing in, acknowledging the statements, signing out."""

from __future__ import annotations

from typing import Annotated

from flask import Response, g, request
from msgspec import Meta

from gateway.clients import query
from gateway.context import app_context
from gateway.endpoints import Answer, ApiBlueprint, JsonObject
from gateway.identity import csrf_token
from gateway.trail import source
from services.access.contract import AcknowledgementSchema, SignInSchema
from services.access.contract.answers import Acknowledged, SessionAnswer, SignedIn
from services.chassis.messages import Unauthenticated

blueprint = ApiBlueprint("sessions", "Signing in and the acknowledgement", service="access")


class SignedInAnswer(SignedIn):
    """A new session: its token, which is answered once, and what a browser's forms need."""

    csrf_token: Annotated[str, Meta(description="What a request by the session's cookie bears as X-CSRF-Token.")]


@blueprint.endpoint("POST", "", body=SignInSchema, answers=SignedInAnswer, status=201, public=True)
def sign_in(body: JsonObject) -> Answer:
    """Sign in; a browser also gets the session as a cookie, and a CSRF token for forms."""
    signed_in = open_session(body)
    return Answer({**signed_in, "csrf_token": csrf_token(signed_in["token"])}, headers=_cookie(signed_in["token"]))


@blueprint.forward("GET", "/current", answers=SessionAnswer)
def current_session() -> None:
    """Read the session: its user, its end, and whether the statements are acknowledged."""


@blueprint.endpoint("POST", "/current/acknowledgement", body=AcknowledgementSchema, status=204)
def acknowledge(body: JsonObject) -> Answer:
    """Acknowledge the three statements; a session cookie is rotated, a bearer token stays (R103-R110)."""
    token = acknowledge_statements(body, rotate=_has_cookie())
    return Answer(None, 204, _cookie(token) if token else {})


@blueprint.endpoint("DELETE", "/current", status=204)
def sign_out() -> Response:
    """End the session."""
    end_session()
    response = Response(status=204)
    app_context().cookies.delete_session(response)
    return response


def open_session(credentials: JsonObject) -> SignedIn:
    """Open a session; after many failures from one network, its attempts wait in a queue.

    :raises TooManySignIns: the queue is full.
    """
    sign_ins = app_context().sign_ins
    network = source()
    sign_ins.wait(network)
    try:
        signed_in: SignedIn = query("access", "sign_in", **credentials, source=network)
    except Unauthenticated:
        sign_ins.failed.allow(network)
        raise
    return signed_in


def acknowledge_statements(acknowledgement: JsonObject, *, rotate: bool) -> str | None:
    """Acknowledge the statements and drop the cached session; return the new token when it was rotated."""
    answer: Acknowledged = query("access", "acknowledge", **acknowledgement, rotate=rotate)
    app_context().sessions.forget(g.token)
    return answer["token"] if rotate else None


def end_session() -> None:
    """End the session and drop it from the cache."""
    query("access", "sign_out")
    app_context().sessions.forget(g.token)


def _has_cookie() -> bool:
    return "Authorization" not in request.headers


def _cookie(token: str) -> dict[str, str]:
    carrier = Response()
    app_context().cookies.set_session(carrier, token)
    return {"Set-Cookie": carrier.headers["Set-Cookie"]}
