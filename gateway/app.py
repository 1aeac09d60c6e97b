"""The Flask application: it authenticates each request, handles errors, and adds the trace id to each response."""

from __future__ import annotations

import hmac
import re
import time
from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIEnvironment

from flask import Flask, Response, g, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed, RequestEntityTooLarge, UnsupportedMediaType
from werkzeug.routing import BaseConverter, UUIDConverter

from gateway import pages, routes
from gateway.addresses import reject_contact_values
from gateway.clients import Bus, ServiceClient
from gateway.compression import compress_response, init_compression
from gateway.context import app_context, build_context, context_of
from gateway.endpoints import CHANGING
from gateway.errors import (
    HOST_NOT_OURS,
    BodyTooLarge,
    BrokenFraming,
    FormNotOurs,
    JsonRequired,
    MetricsTokenRequired,
    NoSuchAddress,
    TooManyRefusals,
    TrailUnavailable,
    UnreadableBody,
    problem,
    problem_of,
)
from gateway.hosts import is_this_machine
from gateway.identity import AuthenticatedSession, bearer_token, is_csrf_token
from gateway.openapi import document
from gateway.pages import assets
from gateway.pages.addresses import is_for_programs
from gateway.pages.unsent_forms import CARRYING_ENDPOINTS
from gateway.trail import record, recorded, source
from services.access.contract import SessionRequired
from services.chassis import logs
from services.chassis.config import Settings
from services.chassis.keyed import parts_of
from services.chassis.logs import Log
from services.chassis.messages import Refusal, Unauthenticated, new_id
from services.chassis.refusals import AcknowledgementRequired
from services.chassis.revocations import Revocations

log = Log(__name__)

#: Endpoints that need no session. All others are denied by default (R110, R156).
PUBLIC_ENDPOINTS = frozenset(
    {
        "static",
        "health.live",
        "health.ready",
        "health.metrics",
        "api_health.live",
        "api_health.ready",
        "api_health.metrics",
        "docs.openapi",
        "docs.page",
        "sessions.sign_in",
        "pages.sign_in",
        "pages.signing_in",
        "pages.signing_out",
        "pages.privacy_notice",
    }
)
#: Public endpoints that ask for the operator's token, and those that answer under any host name.
OPERATOR_ENDPOINTS = frozenset({"health.metrics", "api_health.metrics"})
PROBE_ENDPOINTS = frozenset({"health.live", "health.ready", "api_health.live", "api_health.ready"})
#: Endpoints that answer before the user acknowledged the statements (R103-R110).
BEFORE_ACKNOWLEDGEMENT = frozenset(
    {
        "sessions.current_session",
        "sessions.acknowledge",
        "sessions.sign_out",
        "pages.acknowledgement",
        "pages.acknowledging",
        "pages.staying",
    }
)
#: Upload forms are streamed, so their views read the CSRF token from the first part of the body.
STREAMED_FORMS = frozenset({"pages.uploading"})
#: A client's request id is logged only in these forms: free text could contain a person's name.
CLIENT_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{32}", re.IGNORECASE)
JSON_LIMIT = 1 << 20
UPLOAD_LIMIT = (10 << 20) + (64 << 10)
UPLOAD_ENDPOINTS = frozenset({"imports.create_import", "pages.uploading"})
#: The sign-in pages carry an unsent form of any accepted size; encrypted, it is a third longer.
SEALED_FORM_LIMIT = 2 * JSON_LIMIT
FORM_TOO_LONG = "What you sent is longer than a form may be (1 MiB), so nothing of it was saved. Go back, shorten it, and send it again."

_CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; font-src 'self'; script-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
SECURITY_HEADERS = (
    ("Content-Security-Policy", _CONTENT_SECURITY_POLICY),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "no-referrer"),
    ("Permissions-Policy", "camera=(), microphone=(), geolocation=()"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
)


class IdConverter(BaseConverter):
    """Passes the ids of an address to views as texts."""

    regex = UUIDConverter.regex

    def to_python(self, value: str) -> str:
        """Return the id as services write it."""
        return value.lower()


class Application(Flask):
    """Takes the client's address from trusted proxies before Flask sees the request."""

    def wsgi_app(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        context_of(self).proxies.apply(environ)
        return super().wsgi_app(environ, start_response)


def create_app(bus: Bus, revocations: Revocations, settings: Settings) -> Flask:
    """Build the application, without connecting to anything."""
    app = Application("gateway", static_folder=None, template_folder="pages/templates")
    app.add_url_rule("/static/<version>/<path:filename>", "static", assets.static_file)
    app.url_map.converters["uuid"] = IdConverter
    app.url_map.strict_slashes = False
    # A redirection from `//` would lead to whatever host the client names.
    app.url_map.merge_slashes = False
    init_compression(app)
    app.config.update(
        MAX_CONTENT_LENGTH=JSON_LIMIT,
        MAX_FORM_MEMORY_SIZE=JSON_LIMIT,
    )
    app.extensions["liaison"] = build_context(bus, revocations, settings, document=document())
    app.before_request(start_request)
    app.before_request(require_known_host)
    app.before_request(authenticate_request)
    app.after_request(add_response_headers)
    app.teardown_request(end_request)
    app.register_error_handler(Refusal, handle_refusal)
    app.register_error_handler(HTTPException, handle_http_error)
    app.register_error_handler(BrokenFraming, handle_broken_framing)
    app.register_error_handler(Exception, handle_unexpected_error)

    for blueprint in routes.BLUEPRINTS:
        app.register_blueprint(blueprint, url_prefix=f"/api/v1{blueprint.url_prefix}")
    app.register_blueprint(routes.docs)
    app.register_blueprint(routes.health)
    # Operators' tools ask at the root or under the API.
    app.register_blueprint(routes.health, url_prefix="/api/v1", name="api_health")
    app.register_blueprint(pages.blueprint)
    return app


def start_request() -> None:
    """Give the request its trace id and its client for the services."""
    g.started = time.perf_counter()
    # A client's X-Request-Id is only logged: as the trace id it would let a client forge trail entries.
    g.trace_id = new_id()
    g.trace_token = logs.trace.set(g.trace_id)
    g.session = None
    g.token = None
    g.client = ServiceClient(app_context().bus, trace_id=g.trace_id)
    if request.endpoint in UPLOAD_ENDPOINTS:
        request.max_content_length = UPLOAD_LIMIT
    if request.endpoint in CARRYING_ENDPOINTS:
        request.max_content_length = request.max_form_memory_size = SEALED_FORM_LIMIT


def require_known_host() -> Response | None:
    """Answer 421 to a request for an unknown host name, before its session is read."""
    if request.endpoint in PROBE_ENDPOINTS or app_context().hosts.allow(request.environ.get("HTTP_HOST") or request.host):
        return None
    code, status, detail = HOST_NOT_OURS
    _count_anonymous_request()
    return _answer_http_error(code, status, detail)


def authenticate_request() -> None:
    """Deny by default: require a session, its acknowledgement and, with a session cookie, a CSRF token.

    :raises SessionRequired, AcknowledgementRequired, FormNotOurs, SessionUncertain, TooManyRefusals:
    """
    if request.endpoint in OPERATOR_ENDPOINTS:
        _require_operator()
    if request.endpoint in PUBLIC_ENDPOINTS:
        return
    context = app_context()
    bearer = bearer_token(request)
    token = bearer or context.cookies.session()
    if token is None:
        _count_anonymous_request()
        raise SessionRequired
    try:
        session = _authenticate(token)
    except Unauthenticated:
        _count_anonymous_request()
        raise
    g.session, g.token = session, token
    g.client.passports = session.passports
    g.client.renew = lambda: context.sessions.refresh(token, trace_id=g.trace_id).passports
    if bearer is None and request.method in CHANGING and request.endpoint not in STREAMED_FORMS:
        given = request.headers.get("X-CSRF-Token") or request.form.get("csrf_token")
        if not is_csrf_token(token, given):
            raise FormNotOurs
    if not session.acknowledged and request.endpoint not in BEFORE_ACKNOWLEDGEMENT:
        raise AcknowledgementRequired
    reject_contact_values()


def handle_refusal(refusal: Refusal) -> Response:
    """Record a refusal, then answer it."""
    refusal = recorded(refusal)
    if _is_page():
        return pages.refusal_page(refusal)
    return problem_of(refusal)


def handle_http_error(error: HTTPException) -> Response:
    """Answer an error of Flask or Werkzeug in the format of the API or as a page."""
    if error.response is not None or (error.code or 500) < 400:
        return error.get_response()  # type: ignore[return-value]  # Flask's response class
    if isinstance(error, MethodNotAllowed):
        if _is_page() and request.method in {"GET", "HEAD"}:
            return pages.redirect_to_page()
        response = _answer_http_error("method-not-allowed", 405, "This address takes other methods; see Allow.")
        response.headers["Allow"] = ", ".join(sorted(error.valid_methods or ()))
        return response
    if isinstance(error, RequestEntityTooLarge):
        return handle_refusal(BodyTooLarge(FORM_TOO_LONG if _is_page() else None))
    if isinstance(error, UnsupportedMediaType):
        return handle_refusal(JsonRequired())
    if error.code == 404:
        return handle_refusal(NoSuchAddress())
    return handle_refusal(UnreadableBody())


def handle_broken_framing(error: BrokenFraming) -> Response:
    """Answer a request whose end is ambiguous, and close its connection."""
    response = problem(error.status, error.code, str(BrokenFraming.__doc__))
    response.headers["Connection"] = "close"
    return response


def handle_unexpected_error(error: Exception) -> Response:
    """Answer an unexpected error with its trace id; log its type and place, never a value."""
    log.error("request.failed", trace_id=g.trace_id, route=request.endpoint, **logs.where(error))
    if _is_page():
        return pages.error_page()
    return problem(500, "internal", "Something went wrong here; it was recorded under this trace id.")


def add_response_headers(response: Response) -> Response:
    """Add the trace id and the security headers, then count and log the response."""
    response.headers["X-Request-Id"] = g.trace_id
    response.headers.extend(SECURITY_HEADERS)
    # Browsers apply it to every port of a host: on this machine it would break other local servers.
    if app_context().cookies.is_secure and not is_this_machine(request.host):
        response.headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
    if request.endpoint != "static":
        response.headers["Cache-Control"] = "no-store"
    client_id = request.headers.get("X-Request-Id", "")
    routes.count(request.endpoint, request.method, response.status_code, time.perf_counter() - g.started)
    log.info(
        "request.answered",
        trace_id=g.trace_id,
        client_request_id=client_id if CLIENT_ID.fullmatch(client_id) else None,
        route=request.endpoint,
        method=request.method,
        status=response.status_code,
    )
    return compress_response(response)


def end_request(_error: BaseException | None) -> None:
    """Reset the trace id of the log."""
    if "trace_token" in g:
        logs.trace.reset(g.trace_token)


def _answer_http_error(code: str, status: int, detail: str) -> Response:
    try:
        record(code, status)
    except Refusal:
        return handle_refusal(TrailUnavailable())
    if _is_page():
        return pages.refusal_page(Refusal(detail, code=code), status=status)
    return problem(status, code, detail)


def _require_operator() -> None:
    token = app_context().settings.metrics_token
    # While the token is replaced, a tool may send the old and the new one.
    sent = [each.encode() for each in parts_of(bearer_token(request) or "")]
    if any(hmac.compare_digest(each, known.encode()) for known in parts_of(token) for each in sent):
        return
    _count_anonymous_request()
    raise MetricsTokenRequired if token else NoSuchAddress


def _authenticate(token: str) -> AuthenticatedSession:
    # A known session is not limited by what others send from the same address.
    context = app_context()
    if context.sessions.is_cached(token) or not context.anonymous.is_exhausted(source()):
        return context.sessions.authenticate(token, trace_id=g.trace_id)
    with context.unknown_tokens:
        return context.sessions.authenticate(token, trace_id=g.trace_id)


def _count_anonymous_request() -> None:
    if not app_context().anonymous.allow(source()):
        raise TooManyRefusals


def _is_page() -> bool:
    """Tell whether to answer with a page: at every address but those for programs, unless a browser navigates there."""
    if not is_for_programs(request.path):
        return True
    navigates = request.headers.get("Sec-Fetch-Mode") == "navigate" or "text/html" in request.headers.get("Accept", "")
    return navigates and not request.path.startswith("/api/")
