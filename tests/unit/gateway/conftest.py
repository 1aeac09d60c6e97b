"""The application over a bus with canned answers."""

from __future__ import annotations

from copy import copy
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from gateway.app import create_app
from gateway.context import build_context, context_of
from services.chassis.config import Settings
from tests.unit.gateway.browsing import Browser
from tests.unit.gateway.fakes import TOKEN, FakeBus, heard, opened

SETTINGS = Settings(service="gateway", cookie_secure=False)


@pytest.fixture
def bus() -> FakeBus:
    """A bus on which Amina's session is open and acknowledged."""
    return FakeBus({("access", "open_session"): opened()})


@pytest.fixture(scope="session")
def routed() -> Flask:
    """The application with its routes and templates, as on loopback: making them takes most of the time of a test."""
    app = create_app(FakeBus(), heard(), SETTINGS)
    assert app.jinja_env is not None, "made now, and not for each test"
    return app


@pytest.fixture
def app(routed: Flask, bus: FakeBus) -> Flask:
    """The application of this test alone: its own bus, sessions and counts behind the routes that all tests share."""
    app = copy(routed)
    app.config = copy(routed.config)
    app.extensions = {**routed.extensions, "liaison": build_context(bus, heard(), SETTINGS, document=context_of(routed).document)}
    return app


@pytest.fixture
def anonymous(app: Any) -> FlaskClient:
    """A client without a session."""
    client: FlaskClient = app.test_client(use_cookies=False)
    return client


@pytest.fixture
def browser(app: Any) -> Browser:
    """A browser that is not signed in."""
    return Browser(app)


@pytest.fixture
def aminas(browser: Browser) -> Browser:
    """A browser with a session: Amina's, unless the test says whose."""
    browser.client.set_cookie("liaison_session", TOKEN)
    return browser


class Bearer:
    """A client that sends Amina's token."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client

    def ask(self, method: str, path: str, **given: Any) -> Any:
        """Send one request under /api/v1."""
        headers = {"Authorization": f"Bearer {TOKEN}", **given.pop("headers", {})}
        return self.client.open(f"/api/v1{path}", method=method, headers=headers, **given)


@pytest.fixture
def amina(anonymous: FlaskClient) -> Bearer:
    """Amina, by API."""
    return Bearer(anonymous)
