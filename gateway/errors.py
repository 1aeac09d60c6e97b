"""Refusals as HTTP: the table from branch to status, and the problem documents of RFC 9457."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

import orjson
from flask import Response, g

from services.chassis.messages import (
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    PreconditionMissing,
    Refusal,
    Stale,
    TooLarge,
    TooMany,
    Unauthenticated,
    Unavailable,
    WrongType,
)

PROBLEM = "application/problem+json"

#: The branch of a refusal alone decides its status.
STATUS: dict[type[Refusal], int] = {
    Unauthenticated: 401,
    Forbidden: 403,
    NotFound: 404,
    Conflict: 409,
    Stale: 412,
    TooLarge: 413,
    WrongType: 415,
    Invalid: 422,
    PreconditionMissing: 428,
    TooMany: 429,
    Unavailable: 503,
}


class NoSuchAddress(NotFound):
    """There is nothing at this address."""


class MetricsTokenRequired(Unauthenticated):
    """The counters are for operators: show METRICS_TOKEN as a bearer token."""


class FormNotOurs(Forbidden):
    """This form did not come from a page of this session; load the page again and send it once more."""

    code = "csrf-token-required"


class NotSentYet(Conflict):
    """Your session had ended. This is what you had typed; nothing of it was sent yet."""


class ContactValueInAddress(Invalid):
    """A telephone number or e-mail address must not stand in an address, which is written into histories and logs; search by POST."""


class UnreadableBody(Invalid):
    """The body is not a JSON object in UTF-8."""


class BodyTooLarge(TooLarge):
    """The request is larger than allowed."""


class JsonRequired(WrongType):
    """Send JSON, as application/json."""


class MultipartRequired(WrongType):
    """Send the file as multipart/form-data, in a part called file."""


class TooManySignIns(TooMany):
    """There were too many attempts to sign in. Wait a minute."""


class TooManyRefusals(TooMany):
    """There were too many requests without a session from this address; wait a minute."""

    code = "too-many-anonymous-requests"


class SessionUncertain(Unavailable):
    """The system can't check your session at the moment. Try again shortly."""


class TrailUnavailable(Unavailable):
    """The audit trail is not available at the moment, so nothing is answered. Try again shortly."""

    code = "audit-unavailable"


class BodyTooSlow(Unavailable):
    """The request came in too slowly; send it again."""

    code = "request-too-slow"


#: An error of HTTP itself, which has no branch of the refusals.
HOST_NOT_OURS = ("host-not-ours", 421, "This system does not serve this host name. Operators list its names in HOSTS.")


class BrokenFraming(Exception):
    """The length of the request is missing, wrong or given twice, so nothing was done."""

    code = "malformed-request"
    status = 400


def status_of(refusal: Refusal) -> int:
    """Return the status of the refusal's branch."""
    for branch, status in STATUS.items():
        if isinstance(refusal, branch):
            return status
    return 500


def problem(
    status: int, code: str, detail: str, *, errors: Mapping[str, list[str]] | None = None, extra: Mapping[str, object] | None = None
) -> Response:
    """Return a problem document; `extra` adds fields, and replaces no standard one."""
    document: dict[str, object] = {
        **(extra or {}),
        "type": f"/api/v1/docs#{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
        "trace_id": g.trace_id,
    }
    if errors:
        document["errors"] = errors
    response = Response(orjson.dumps(document), status=status, content_type=PROBLEM)
    if status == 401:
        response.headers["WWW-Authenticate"] = 'Bearer realm="liaison"'
    if status in {429, 503}:
        response.headers["Retry-After"] = "60" if status == 429 else "2"
    return response


def framing_error_response() -> bytes:
    """Return the complete answer to an ambiguous request, which reaches no route, trail or trace id."""
    said = {
        "type": f"/api/v1/docs#{BrokenFraming.code}",
        "title": HTTPStatus(BrokenFraming.status).phrase,
        "status": BrokenFraming.status,
        "detail": BrokenFraming.__doc__,
        "code": BrokenFraming.code,
    }
    document = orjson.dumps(said)
    head = f"HTTP/1.1 {said['status']} {said['title']}\r\nContent-Type: {PROBLEM}\r\nContent-Length: {len(document)}\r\n"
    return f"{head}Cache-Control: no-store\r\nConnection: close\r\n\r\n".encode() + document


def problem_of(refusal: Refusal) -> Response:
    """Return the problem document of a refusal."""
    return problem(status_of(refusal), refusal.code, refusal.detail, errors=refusal.errors, extra=refusal.extra)
