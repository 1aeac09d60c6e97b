"""The application: every route behind one hook, every refusal through one door, every answer with its trace id."""

from __future__ import annotations

import hmac
import re
import time
from dataclasses import dataclass, field
from typing import Any

import orjson
from eventlet.semaphore import Semaphore
from flask import Flask, Response, current_app, g, request
from flask.json.provider import JSONProvider
from werkzeug.exceptions import HTTPException, MethodNotAllowed, RequestEntityTooLarge, UnsupportedMediaType

from gateway import pages, routes
from gateway.addresses import demand_words_only
from gateway.clients import Bus, ServiceClient
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
from gateway.hosts import Hosts, is_this_machine
from gateway.identity import AuthenticatedSession, Cookies, Sessions, bearer_of, is_form_token
from gateway.limits import FixedWindowRateLimiter, Line
from gateway.openapi import document
from gateway.pages.addresses import is_for_programs
from gateway.pages.kept import Sealer
from gateway.proxies import Proxies
from gateway.trail import record, recorded, source
from services.access.contract import SessionRequired
from services.chassis import logs
from services.chassis.config import Settings
from services.chassis.keyed import Keyed, parts_of
from services.chassis.logs import Log
from services.chassis.messages import Refusal, Unauthenticated, new_id, tag_with
from services.chassis.refusals import AcknowledgementRequired
from services.chassis.revocations import Revocations

log = Log(__name__)

#: Routes that answer without a session. Everything that is not on this list is denied by default (R110, R156).
OPEN_TO_ALL = frozenset(
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
#: Those of them that are told who operates this system instead, and those that look at whatever address a process has.
FOR_OPERATORS = frozenset({"health.metrics", "api_health.metrics"})
PROBES = frozenset({"health.live", "health.ready", "api_health.live", "api_health.ready"})
#: Routes that answer in a session whose statements are not acknowledged yet (R103-R110).
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
#: Uploads are read as they come, so the form's token is checked by the route, from the first part of the body.
READ_THEIR_OWN_FORM = frozenset({"pages.uploading"})
#: A client's own request id is logged when it looks like one: it could be anything, a person's name too.
CLIENT_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{32}", re.IGNORECASE)
JSON_LIMIT = 1 << 20
UPLOAD_LIMIT = (10 << 20) + (64 << 10)
UPLOADS = frozenset({"imports.create_import", "pages.uploading"})
#: A form of any size that is taken in is carried through signing in, sealed and so a third longer.
CARRYING = frozenset({"pages.signing_in", "pages.acknowledging"})
CARRIED_LIMIT = 2 * JSON_LIMIT
TOO_LONG = "What you sent is longer than a form may be (1 MiB), so nothing of it was saved. Go back, shorten it, and send it again."

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


class Orjson(JSONProvider):
    """orjson wherever Flask itself writes JSON."""

    def dumps(self, obj: Any, **_: Any) -> str:
        """Return JSON text."""
        return orjson.dumps(obj).decode()

    def loads(self, s: str | bytes, **_: Any) -> Any:
        """Read JSON text."""
        return orjson.loads(s)


class Application(Flask):
    """Flask, with the client that a trusted proxy names in the place of the proxy."""

    def wsgi_app(self, environ: dict[str, Any], start_response: Any) -> Any:
        """Answer one request."""
        liaison_of(self).proxies.apply(environ)
        return super().wsgi_app(environ, start_response)


@dataclass(slots=True)
class Liaison:
    """What the application is put together from."""

    bus: Bus
    settings: Settings
    revocations: Revocations
    sessions: Sessions
    cookies: Cookies
    sealer: Sealer
    #: Digests of what requests hold.
    keyed: Keyed
    hosts: Hosts
    proxies: Proxies
    sign_ins: Line = field(default_factory=lambda: Line(FixedWindowRateLimiter(30, 300)))
    anonymous: FixedWindowRateLimiter = field(default_factory=lambda: FixedWindowRateLimiter(600, 60))
    #: Tokens that nothing is known of, from networks that sent too much without a session, are asked for a few at a time.
    doubtful: Semaphore = field(default_factory=lambda: Semaphore(4))
    limited_entries: FixedWindowRateLimiter = field(default_factory=lambda: FixedWindowRateLimiter(1, 60))
    document: bytes = b""

    def renew(self, settings: Settings) -> None:
        """Go on under other keys."""
        sealer, keyed = Sealer(settings.form_key), Keyed(settings.form_key, "request")
        tag_with(parts_of(settings.cursor_key), instead_of=parts_of(self.settings.cursor_key))
        self.settings, self.sealer, self.keyed = settings, sealer, keyed


def create_app(bus: Bus, revocations: Revocations, settings: Settings, **given: Any) -> Flask:
    """Put the application together; nothing is connected here."""
    app = Application("gateway", static_folder="pages/static", static_url_path="/static", template_folder="pages/templates")
    app.json = Orjson(app)
    app.url_map.strict_slashes = False
    # Two slashes are no address, instead of a redirection to wherever the host's name says.
    app.url_map.merge_slashes = False
    app.config.update(
        MAX_CONTENT_LENGTH=JSON_LIMIT,
        MAX_FORM_MEMORY_SIZE=JSON_LIMIT,
        SEND_FILE_MAX_AGE_DEFAULT=3600,
    )
    liaison = app.extensions["liaison"] = put_together(bus, revocations, settings, **given)
    app.before_request(begin)
    app.before_request(demand_our_name)
    app.before_request(admit)
    app.after_request(seal)
    app.teardown_request(end)
    app.register_error_handler(Refusal, refused)
    app.register_error_handler(HTTPException, refused_by_http)
    app.register_error_handler(BrokenFraming, broken_off)
    app.register_error_handler(Exception, broken)

    for area in routes.AREAS:
        app.register_blueprint(area, url_prefix=f"/api/v1{area.url_prefix}")
    liaison.document = document()
    for blueprint in (routes.docs, routes.health):
        app.register_blueprint(blueprint)
    # Operators' tools look beside the API or under it; both are answered.
    app.register_blueprint(routes.health, url_prefix="/api/v1", name="api_health")
    app.register_blueprint(pages.blueprint)
    return app


def put_together(bus: Bus, revocations: Revocations, settings: Settings, **given: Any) -> Liaison:
    """Return what an application keeps beside its routes."""
    # In a process of its own, too, it makes the tags that services compare.
    tag_with(parts_of(settings.cursor_key))
    return Liaison(
        bus=bus,
        settings=settings,
        revocations=revocations,
        sessions=Sessions(bus, revocations),
        cookies=Cookies(secure=settings.cookie_secure, name=settings.cookie_name),
        sealer=Sealer(settings.form_key),
        keyed=Keyed(settings.form_key, "request"),
        hosts=Hosts.parse(settings.hosts),
        proxies=Proxies.parse(settings.trusted_proxies, settings.proxy_header),
        **given,
    )


def liaison_of(app: Flask) -> Liaison:
    """Return what the application was put together from."""
    held: Liaison = app.extensions["liaison"]
    return held


def begin() -> None:
    """Give the request its trace id and its conversation."""
    g.begun = time.perf_counter()
    # A client's own X-Request-Id goes into the log; it is never the trace id, or a client could forge a trail.
    g.trace_id = new_id()
    g.traced = logs.trace.set(g.trace_id)
    g.admission = None
    g.token = None
    g.conversation = ServiceClient(_liaison().bus, trace_id=g.trace_id)
    if request.endpoint in UPLOADS:
        request.max_content_length = UPLOAD_LIMIT
    if request.endpoint in CARRYING:
        request.max_content_length = request.max_form_memory_size = CARRIED_LIMIT


def demand_our_name() -> Response | None:
    """Answer 421 to a request for a name that is not ours, before anybody's session is looked at."""
    if request.endpoint in PROBES or _liaison().hosts.allow(request.environ.get("HTTP_HOST") or request.host):
        return None
    code, status, said = HOST_NOT_OURS
    _count_anonymous()
    return _refused_by_http_alone(code, status, said)


def admit() -> None:
    """Deny by default: a session, its acknowledgement, and for a browser's cookie the token of our own pages.

    :raises SessionRequired, AcknowledgementRequired, FormNotOurs, SessionUncertain, TooManyRefusals:
    """
    if request.endpoint in FOR_OPERATORS:
        _demand_operator()
    if request.endpoint in OPEN_TO_ALL:
        return
    liaison = _liaison()
    bearer = bearer_of(request)
    token = bearer or liaison.cookies.session()
    if token is None:
        _count_anonymous()
        raise SessionRequired
    try:
        admission = _admission(token)
    except Unauthenticated:
        _count_anonymous()
        raise
    g.admission, g.token = admission, token
    g.conversation.passports = admission.passports
    g.conversation.renew = lambda: liaison.sessions.admit_anew(token, trace_id=g.trace_id).passports
    if bearer is None and request.method in CHANGING and request.endpoint not in READ_THEIR_OWN_FORM:
        given = request.headers.get("X-CSRF-Token") or request.form.get("csrf_token")
        if not is_form_token(token, given):
            raise FormNotOurs
    if not admission.acknowledged and request.endpoint not in BEFORE_ACKNOWLEDGEMENT:
        raise AcknowledgementRequired
    demand_words_only()


def refused(refusal: Refusal) -> Response:
    """Record a refusal that the gateway made, then answer it."""
    refusal = recorded(refusal)
    if _is_page():
        return pages.refusal_page(refusal)
    return problem_of(refusal, trace_id=g.trace_id)


def refused_by_http(error: HTTPException) -> Response:
    """Answer what Flask and Werkzeug refuse, in our own words."""
    if error.response is not None or (error.code or 500) < 400:
        return error.get_response()  # type: ignore[return-value]  # Flask's response class
    if isinstance(error, MethodNotAllowed):
        if _is_page() and request.method in {"GET", "HEAD"}:
            return pages.instead_of_form()
        response = _refused_by_http_alone("method-not-allowed", 405, "This address takes other methods; see Allow.")
        response.headers["Allow"] = ", ".join(sorted(error.valid_methods or ()))
        return response
    if isinstance(error, RequestEntityTooLarge):
        return refused(BodyTooLarge(TOO_LONG if _is_page() else None))
    if isinstance(error, UnsupportedMediaType):
        return refused(JsonRequired())
    if error.code == 404:
        return refused(NoSuchAddress())
    return refused(UnreadableBody())


def broken_off(error: BrokenFraming) -> Response:
    """Answer a body whose end cannot be told; nothing more is read on its connection."""
    response = problem(error.status, error.code, str(BrokenFraming.__doc__), trace_id=g.trace_id)
    response.headers["Connection"] = "close"
    return response


def broken(error: Exception) -> Response:
    """Answer a fault of our own: the trace id and nothing else; the log gets the kind and the place, never a value."""
    log.error("request.failed", trace_id=g.trace_id, route=request.endpoint, **logs.where(error))
    if _is_page():
        return pages.fault_page()
    return problem(
        500,
        "internal",
        "Something went wrong here; it was recorded under this trace id.",
        trace_id=g.trace_id,
    )


def seal(response: Response) -> Response:
    """Put the trace id and the security headers on every answer."""
    response.headers["X-Request-Id"] = g.trace_id
    response.headers.extend(SECURITY_HEADERS)
    # A browser keeps it by the host's name, for all ports: every other server that somebody tries out there would be shut.
    if _liaison().cookies.is_secure and not is_this_machine(request.host):
        response.headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
    if request.endpoint != "static":
        response.headers["Cache-Control"] = "no-store"
    client_id = request.headers.get("X-Request-Id", "")
    routes.count(request.endpoint, request.method, response.status_code, time.perf_counter() - g.begun)
    log.info(
        "request.answered",
        trace_id=g.trace_id,
        client_request_id=client_id if CLIENT_ID.fullmatch(client_id) else None,
        route=request.endpoint,
        method=request.method,
        status=response.status_code,
    )
    return response


def end(_error: BaseException | None) -> None:
    """Let go of the trace: the next request of this connection has its own."""
    if "traced" in g:
        logs.trace.reset(g.traced)


def _refused_by_http_alone(code: str, status: int, said: str) -> Response:
    try:
        record(code, status)
    except Refusal:
        return refused(TrailUnavailable())
    if _is_page():
        return pages.refusal_page(Refusal(said, code=code), status=status)
    return problem(status, code, said, trace_id=g.trace_id)


def _demand_operator() -> None:
    token = _liaison().settings.metrics_token
    # While it is replaced a tool that reads the file shows several.
    shown = [each.encode() for each in parts_of(bearer_of(request) or "")]
    if any(hmac.compare_digest(each, known.encode()) for known in parts_of(token) for each in shown):
        return
    _count_anonymous()
    raise MetricsTokenRequired if token else NoSuchAddress


def _admission(token: str) -> AuthenticatedSession:
    # A session is let in before anything is counted: what others send from its address is not its fault.
    liaison = _liaison()
    if liaison.sessions.knows(token) or not liaison.anonymous.is_exhausted(source()):
        return liaison.sessions.admit(token, trace_id=g.trace_id)
    with liaison.doubtful:
        return liaison.sessions.admit(token, trace_id=g.trace_id)


def _count_anonymous() -> None:
    if not _liaison().anonymous.admits(source()):
        raise TooManyRefusals


def _liaison() -> Liaison:
    held: Liaison = current_app.extensions["liaison"]
    return held


def _is_page() -> bool:
    """Tell whether a person is answered: every address but those for programs, and those too when a browser goes there."""
    if not is_for_programs(request.path):
        return True
    navigates = request.headers.get("Sec-Fetch-Mode") == "navigate" or "text/html" in request.headers.get("Accept", "")
    return navigates and not request.path.startswith("/api/")


__all__ = ["BEFORE_ACKNOWLEDGEMENT", "OPEN_TO_ALL", "create_app", "liaison_of", "put_together"]
