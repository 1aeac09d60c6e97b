"""What the application is built from, for the routes and pages of the current request."""

from __future__ import annotations

from dataclasses import dataclass, field

from eventlet.semaphore import Semaphore
from flask import Flask, current_app

from gateway.clients import Bus
from gateway.hosts import Hosts
from gateway.identity import Cookies, SessionCache
from gateway.limits import FixedWindowRateLimiter, SignInQueue
from gateway.proxies import Proxies
from gateway.sealer import Sealer
from services.chassis.config import Settings
from services.chassis.keyed import Keyed, parts_of
from services.chassis.messages import tag_with
from services.chassis.revocations import Revocations


@dataclass(slots=True)
class AppContext:
    """Everything that the application keeps beside its routes."""

    bus: Bus
    settings: Settings
    revocations: Revocations
    sessions: SessionCache
    cookies: Cookies
    sealer: Sealer
    #: Makes digests of what requests contain.
    keyed: Keyed
    hosts: Hosts
    proxies: Proxies
    #: The OpenAPI document.
    document: bytes
    sign_ins: SignInQueue = field(default_factory=lambda: SignInQueue(FixedWindowRateLimiter(30, 300)))
    anonymous: FixedWindowRateLimiter = field(default_factory=lambda: FixedWindowRateLimiter(600, 60))
    #: Limits how many unknown tokens are checked at once, from networks that sent too many requests without a session.
    unknown_tokens: Semaphore = field(default_factory=lambda: Semaphore(4))
    limited_entries: FixedWindowRateLimiter = field(default_factory=lambda: FixedWindowRateLimiter(1, 60))

    def renew(self, settings: Settings) -> None:
        """Replace the keys with those of new settings."""
        sealer, keyed = Sealer(settings.form_key), Keyed(settings.form_key, "request")
        tag_with(parts_of(settings.cursor_key), instead_of=parts_of(self.settings.cursor_key))
        self.settings, self.sealer, self.keyed = settings, sealer, keyed


def build_context(bus: Bus, revocations: Revocations, settings: Settings, *, document: bytes) -> AppContext:
    """Build the context of an application from its settings."""
    # Alone in its process, the gateway makes the tags that services compare.
    tag_with(parts_of(settings.cursor_key))
    return AppContext(
        bus=bus,
        settings=settings,
        revocations=revocations,
        sessions=SessionCache(bus, revocations),
        cookies=Cookies(secure=settings.cookie_secure, name=settings.cookie_name),
        sealer=Sealer(settings.form_key),
        keyed=Keyed(settings.form_key, "request"),
        hosts=Hosts.parse(settings.hosts),
        proxies=Proxies.parse(settings.trusted_proxies, settings.proxy_header),
        document=document,
    )


def context_of(app: Flask) -> AppContext:
    """Return the context of an application."""
    context: AppContext = app.extensions["liaison"]
    return context


def app_context() -> AppContext:
    """Return the context of the current application."""
    return context_of(current_app)
