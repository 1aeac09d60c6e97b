"""P15: every route of the gateway, with access's own sessions, in each state in which nobody may do anything."""

from __future__ import annotations

import os
import random
from typing import Any

import pytest

from gateway.app import BEFORE_ACKNOWLEDGEMENT, PUBLIC_ENDPOINTS, create_app
from gateway.context import context_of
from services.chassis.config import Settings
from tests.integration.access.test_sessions import TOKEN_CHARACTERS, every_dead_state
from tests.unit.gateway.fakes import FakeBus, heard
from tests.unit.gateway.test_admission import routes

SOAK = bool(os.environ.get("SOAK"))
MUTATED = 10_000 if SOAK else 200


@pytest.fixture
def bus(office: Any) -> FakeBus:
    """A bus with only access on it: calling another service fails the test."""
    return FakeBus({("access", "open_session"): office.open})


@pytest.fixture
def app(bus: FakeBus) -> Any:
    """The gateway, with limits high enough for so many requests."""
    made = create_app(bus, heard(), Settings(service="gateway", cookie_secure=False))
    context_of(made).anonymous.limit = 10**9
    return made


def ask(app: Any, method: str, path: str, token: str | None, *, cookie: bool) -> int:
    """Return the status of one request, from a program or a browser."""
    client = app.test_client(use_cookies=False)
    headers = {} if token is None else {"Cookie": f"liaison_session={token}"} if cookie else {"Authorization": f"Bearer {token}"}
    answer = client.open(path, method=method, headers=headers)
    answer.close()
    status: int = answer.status_code
    return status


@pytest.mark.row("P15")
def test_every_route_refuses_every_session_that_is_none_any_more(office: Any, app: Any, bus: FakeBus) -> None:
    expired = office.signed_in("edda")
    for _ in range(51):
        office.later(minutes=14)
        office.open(expired)
    office.later(minutes=6)
    dead = {"no token": None, "expired": expired, **every_dead_state(office)}
    del dead["not text"], dead["empty"]
    unacknowledged = office.sign_in("grace")["token"]
    bus.said.clear()
    seed = random.SystemRandom().randrange(2**32)
    chance = random.Random(seed)
    asked, served = 0, []
    for endpoint, method, path in routes(app):
        if endpoint in PUBLIC_ENDPOINTS:
            continue
        # One state of each route, drawn anew at every run; all of all in the soak.
        states = dead if SOAK else dict([chance.choice(sorted(dead.items(), key=lambda state: state[0]))])
        for state, token in states.items():
            for cookie in (True, False) if SOAK else (chance.random() < 0.5,):
                asked += 1
                if ask(app, method, path, token, cookie=cookie) != 401:
                    served.append((endpoint, method, state, cookie))
        if endpoint not in BEFORE_ACKNOWLEDGEMENT:
            asked += 1
            if ask(app, method, path, unacknowledged, cookie=False) != 403:
                served.append((endpoint, method, "unacknowledged", False))
    print(f"P15: seed {seed}, {asked} requests of {len(dead) + 1} states, {len({e for e, *_ in routes(app)} - PUBLIC_ENDPOINTS)} routes")
    assert served == []
    assert {(said.service, said.method) for said in bus.said} == {("access", "open_session"), ("access", "record_refusal")}


@pytest.mark.row("P15")
def test_no_mutated_token_is_let_in_by_the_gateway(office: Any, app: Any) -> None:
    seed = random.SystemRandom().randrange(2**32)
    print(f"P15: seed {seed}, {MUTATED} mutated tokens")
    chance = random.Random(seed)
    token = office.signed_in("amina")
    asked = [(method, path) for endpoint, method, path in routes(app) if endpoint not in PUBLIC_ENDPOINTS]
    for _ in range(MUTATED):
        letters = list(token)
        at = chance.randrange(43)
        letters[at : at + chance.randrange(2)] = chance.choice([*TOKEN_CHARACTERS, "", " ", "=", "é", "%00"])
        mutated = "".join(letters).strip()
        if mutated != token:
            assert ask(app, *chance.choice(asked), mutated, cookie=chance.random() < 0.5) == 401, mutated
