"""Sessions by their tokens, the cookies that hold them, and CSRF tokens."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace

from flask import Request, Response, g, request

from gateway.clients import Bus
from gateway.errors import SessionUncertain
from services.access.contract import SessionRequired
from services.access.contract.answers import OpenedSession, SessionAnswer, UserAnswer
from services.chassis.messages import Caller, Unauthenticated, Unavailable
from services.chassis.revocations import Revocations

#: A passport is valid for a minute. The gateway keeps it for half of that.
CACHE_SECONDS = 30.0
#: The cookie that says why a session ended lives this long.
ENDED_SECONDS = 900


@dataclass(frozen=True, slots=True)
class AuthenticatedSession:
    """An open session, as access last described it."""

    details: SessionAnswer
    passports: dict[str, str]
    fetched_at: float
    #: The parts of the caller that can be revoked.
    caller: Caller

    @property
    def session_id(self) -> str:
        """The id of the session, never its token."""
        return self.details["session_id"]

    @property
    def acknowledged(self) -> bool:
        """Whether the user acknowledged the three statements (R103-R110)."""
        return self.details["acknowledged"]


def current_session() -> AuthenticatedSession:
    """Return the session of the request."""
    session: AuthenticatedSession = g.session
    return session


def current_user() -> UserAnswer:
    """Return the signed-in user."""
    return current_session().details["user"]


class SessionCache:
    """Caches sessions by token for half a minute; a session that ends is dropped at once."""

    def __init__(
        self,
        bus: Bus,
        revocations: Revocations,
        *,
        max_sessions: int = 5_000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._bus = bus
        self._revocations = revocations
        self._max_sessions = max_sessions
        self._clock = clock
        self._sessions: OrderedDict[bytes, AuthenticatedSession] = OrderedDict()

    def authenticate(self, token: str, *, trace_id: str) -> AuthenticatedSession:
        """Return the session of a token.

        :raises SessionRequired: the token belongs to no open session.
        :raises SessionUncertain: access does not answer.
        """
        cached = self._sessions.get(_digest(token))
        if cached is not None and self._is_fresh(cached):
            return cached
        return self.refresh(token, trace_id=trace_id)

    def is_cached(self, token: str) -> bool:
        """Tell whether the token belonged to a session when access was last asked."""
        return _digest(token) in self._sessions

    def refresh(self, token: str, *, trace_id: str) -> AuthenticatedSession:
        """Ask access for the session of a token; raises what `authenticate` raises."""
        key = _digest(token)
        self._sessions.pop(key, None)
        try:
            answer: OpenedSession = self._bus.call("access", "open_session", {"token": token}, trace_id=trace_id)
        except Unauthenticated as refusal:
            ended = SessionRequired(refusal.detail, extra=refusal.extra)
            ended.recorded = True  # type: ignore[attr-defined]  # access has recorded it
            raise ended from refusal
        except Unavailable as refusal:
            raise SessionUncertain from refusal
        details = answer["session"]
        nobody = Caller.anonymous(trace_id="")
        session = AuthenticatedSession(
            details=details,
            passports=dict(answer["passports"]),
            fetched_at=self._clock(),
            caller=replace(nobody, session_id=details["session_id"], policy_version=self._revocations.policy_version),
        )
        self._sessions[key] = session
        while len(self._sessions) > self._max_sessions:
            self._sessions.popitem(last=False)
        return session

    def forget(self, token: str) -> None:
        """Drop the cached session of a token that was acknowledged, rotated or signed out."""
        self._sessions.pop(_digest(token), None)

    def _is_fresh(self, cached: AuthenticatedSession) -> bool:
        # Without a heartbeat, revocations may be missing, so access is asked on every request.
        if not self._revocations.is_current or self._clock() - cached.fetched_at >= CACHE_SECONDS:
            return False
        try:
            self._revocations.check(cached.caller)
        except Unauthenticated:
            return False
        return True


class Cookies:
    """Reads and sets the cookies of a browser's session; scripts cannot read them."""

    def __init__(self, *, secure: bool, name: str = "liaison") -> None:
        self._secure = secure
        self._prefix = name

    @property
    def is_secure(self) -> bool:
        """Whether the browser uses HTTPS: by the settings, or as a trusted proxy says of this request."""
        return self._secure or request.scheme == "https"

    def session(self) -> str | None:
        """Return the browser's session token."""
        return request.cookies.get(self._name("session"))

    def visit(self) -> str | None:
        """Return the id of a browser that is not signed in; the sign-in form is bound to it."""
        return request.cookies.get(self._name("visit"))

    def set_session(self, response: Response, token: str) -> None:
        """Set the session cookie."""
        self._set(response, "session", token)
        self._delete(response, "ended")

    def set_visit(self, response: Response, visit: str) -> None:
        """Set the cookie of a browser that is not signed in."""
        self._set(response, "visit", visit)

    def delete_session(self, response: Response) -> None:
        """Delete the session cookie."""
        self._delete(response, "session")

    def ended(self) -> str | None:
        """Return why the last session of this browser ended, for its other tabs."""
        return request.cookies.get(self._name("ended"))

    def set_ended(self, response: Response, reason: str) -> None:
        """Set the cookie that tells the other tabs why the session ended."""
        self._set(response, "ended", reason, max_age=ENDED_SECONDS)

    def _name(self, name: str) -> str:
        # The __Host- prefix makes browsers demand Secure, Path=/ and no Domain.
        return f"{'__Host-' if self.is_secure else ''}{self._prefix}_{name}"

    def _set(self, response: Response, name: str, value: str, *, max_age: int | None = None) -> None:
        response.set_cookie(self._name(name), value, max_age=max_age, path="/", secure=self.is_secure, httponly=True, samesite="Strict")

    def _delete(self, response: Response, name: str) -> None:
        response.delete_cookie(self._name(name), path="/", secure=self.is_secure, httponly=True, samesite="Strict")


def csrf_token(secret: str) -> str:
    """Return the CSRF token of a session, which only this site's pages and the holder of the session token know."""
    digest = hmac.digest(secret.encode(), b"liaison form", hashlib.sha256)
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def is_csrf_token(secret: str, given: str | None) -> bool:
    """Tell whether `given` is the CSRF token of this session, in constant time."""
    return given is not None and hmac.compare_digest(csrf_token(secret).encode(), given.encode())


def bearer_token(request: Request) -> str | None:
    """Return the token of an `Authorization: Bearer` header."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    token = token.strip()
    return token if scheme.lower() == "bearer" and token else None


def _digest(token: str) -> bytes:
    # A memory dump of the cache must not contain tokens.
    return hashlib.sha256(token.encode()).digest()
