"""The application over a bus with canned answers."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from gateway.app import create_app
from services.chassis.config import Settings
from tests.unit.gateway.fakes import TOKEN, FakeBus, heard, opened


@pytest.fixture
def bus() -> FakeBus:
    """A bus on which Amina's session is open and acknowledged."""
    return FakeBus({("access", "open_session"): opened()})


@pytest.fixture
def app(bus: FakeBus) -> Any:
    """The application, as on loopback."""
    return create_app(bus, heard(), Settings(service="gateway", cookie_secure=False))


@pytest.fixture
def anonymous(app: Any) -> FlaskClient:
    """A client without a session."""
    client: FlaskClient = app.test_client(use_cookies=False)
    return client


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
