"""Who is calling: the session behind a token, its passports for at most 30 seconds, cookies and their forms."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from flask import Request, Response, request

from gateway.clients import Bus
from gateway.errors import SessionUncertain
from services.access.contract import SessionRequired
from services.chassis.messages import Caller, Unauthenticated, Unavailable
from services.chassis.revocations import Revocations

#: Passports live for a minute; the gateway keeps one for half of that.
KEPT_SECONDS = 30.0
#: A browser is told for this long why its session ended.
ENDED_SECONDS = 900


@dataclass(frozen=True, slots=True)
class AuthenticatedSession:
    """One open session, as access last told."""

    session: dict[str, Any]
    passports: dict[str, str]
    asked_at: float
    #: As much of the caller as can be revoked.
    caller: Caller

    @property
    def session_id(self) -> str:
        """The session's id; never its token."""
        return str(self.session["session_id"])

    @property
    def acknowledged(self) -> bool:
        """Whether the three statements were acknowledged (R103-R110)."""
        return bool(self.session.get("acknowledged"))


class Sessions:
    """Admissions by token: kept shortly, dropped at once when the session ends, never trusted blindly."""

    def __init__(
        self,
        bus: Bus,
        revocations: Revocations,
        *,
        remembered: int = 5_000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._bus = bus
        self._revocations = revocations
        self._remembered = remembered
        self._clock = clock
        self._admissions: OrderedDict[bytes, AuthenticatedSession] = OrderedDict()

    def admit(self, token: str, *, trace_id: str) -> AuthenticatedSession:
        """Return the session of a token.

        :raises SessionRequired: the token is not, or no longer, that of a session.
        :raises SessionUncertain: access cannot be asked; nobody is let in on a guess.
        """
        key = _digest(token)
        kept = self._admissions.get(key)
        if kept is not None and self._holds(kept):
            return kept
        return self.admit_anew(token, trace_id=trace_id)

    def knows(self, token: str) -> bool:
        """Tell whether the token was that of a session when access was last asked."""
        return _digest(token) in self._admissions

    def admit_anew(self, token: str, *, trace_id: str) -> AuthenticatedSession:
        """Return the session of a token as access tells it now; raises as `admit` does."""
        key = _digest(token)
        self._admissions.pop(key, None)
        try:
            answer = self._bus.call("access", "open_session", {"token": token}, trace_id=trace_id)
        except Unauthenticated as refusal:
            ended = SessionRequired(refusal.detail, extra=refusal.extra)
            ended.recorded = True  # type: ignore[attr-defined]  # access has it in the trail already
            raise ended from refusal
        except Unavailable as refusal:
            raise SessionUncertain from refusal
        session = answer["session"]
        nobody = Caller.anonymous(trace_id="")
        admission = AuthenticatedSession(
            session=session,
            passports=dict(answer["passports"]),
            asked_at=self._clock(),
            caller=replace(nobody, session_id=str(session["session_id"]), policy_version=self._revocations.policy_version),
        )
        self._admissions[key] = admission
        while len(self._admissions) > self._remembered:
            self._admissions.popitem(last=False)
        return admission

    def forget(self, token: str) -> None:
        """Drop what is kept of a token: it was acknowledged, rotated or signed out."""
        self._admissions.pop(_digest(token), None)

    def _holds(self, kept: AuthenticatedSession) -> bool:
        # Without a heartbeat nothing that is kept can be trusted: access is asked on every request.
        if not self._revocations.is_current or self._clock() - kept.asked_at >= KEPT_SECONDS:
            return False
        try:
            self._revocations.check(kept.caller)
        except Unauthenticated:
            return False
        return True


class Cookies:
    """The browser's side of a session: one cookie that no script reads, and a token for forms that proves its page."""

    def __init__(self, *, secure: bool, name: str = "liaison") -> None:
        self._secure = secure
        self._prefix = name

    @property
    def is_secure(self) -> bool:
        """Whether the browser's way to us is encrypted: always, or as a trusted proxy says of this request."""
        return self._secure or request.scheme == "https"

    @property
    def session_name(self) -> str:
        """The cookie that holds the session."""
        return self._name("session")

    @property
    def visit_name(self) -> str:
        """The cookie of a browser that has not signed in."""
        return self._name("visit")

    @property
    def ended_name(self) -> str:
        """The cookie that says why a session ended."""
        return self._name("ended")

    def session(self) -> str | None:
        """Return the session token that the browser holds."""
        return request.cookies.get(self.session_name)

    def visit(self) -> str | None:
        """Return the mark of a browser that has not signed in, for the sign-in form."""
        return request.cookies.get(self.visit_name)

    def keep_session(self, response: Response, token: str) -> None:
        """Hand the session to the browser."""
        self._set(response, self.session_name, token)
        self._drop(response, self.ended_name)

    def keep_visit(self, response: Response, mark: str) -> None:
        """Mark a browser before it signs in."""
        self._set(response, self.visit_name, mark)

    def drop_session(self, response: Response) -> None:
        """Take the session from the browser."""
        self._drop(response, self.session_name)

    def ended(self) -> str | None:
        """Return why the last session of this browser ended, for its other tabs."""
        return request.cookies.get(self.ended_name)

    def keep_ended(self, response: Response, reason: str) -> None:
        """Keep why the session ended, for the other tabs."""
        self._set(response, self.ended_name, reason, max_age=ENDED_SECONDS)

    def _name(self, what: str) -> str:
        # The __Host- prefix makes browsers demand Secure, Path=/ and no Domain.
        return f"{'__Host-' if self.is_secure else ''}{self._prefix}_{what}"

    def _set(self, response: Response, name: str, value: str, *, max_age: int | None = None) -> None:
        response.set_cookie(name, value, max_age=max_age, path="/", secure=self.is_secure, httponly=True, samesite="Strict")

    def _drop(self, response: Response, name: str) -> None:
        response.delete_cookie(name, path="/", secure=self.is_secure, httponly=True, samesite="Strict")


def form_token(secret: str) -> str:
    """Return the CSRF token of a session: only who can read this site's pages, or holds the token, knows it."""
    digest = hmac.digest(secret.encode(), b"liaison form", hashlib.sha256)
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def is_form_token(secret: str, given: str | None) -> bool:
    """Tell whether `given` is the CSRF token of this session."""
    return given is not None and hmac.compare_digest(form_token(secret).encode(), given.encode())


def bearer_of(request: Request) -> str | None:
    """Return the token of an `Authorization: Bearer` header."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    token = token.strip()
    return token if scheme.lower() == "bearer" and token else None


def _digest(token: str) -> bytes:
    # The token itself is not kept as a key: a memory dump of the cache then gives no session away.
    return hashlib.sha256(token.encode()).digest()
