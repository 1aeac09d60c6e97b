"""The names by which the system answers, its counters, and its cookies."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.app import PUBLIC_ENDPOINTS, create_app
from gateway.context import context_of
from gateway.hosts import Hosts
from services.chassis.config import Settings
from services.chassis.messages import Unavailable
from tests.unit.gateway.fakes import TOKEN, FakeBus, heard, opened
from tests.unit.gateway.test_admission import routes


def front(bus: FakeBus | None = None, **settings: Any) -> Any:
    """Return an application with these settings."""
    return create_app(
        bus or FakeBus({("access", "open_session"): opened()}), heard(), Settings(service="gateway", **{"cookie_secure": False, **settings})
    )


@pytest.mark.parametrize(
    "host",
    [
        "liaison.example.gov",
        "LIAISON.example.gov:8443",
        "liaison.example.gov.",
        "other.example.gov",
        "localhost:1",
        "127.0.0.1",
        "127.9.9.9:80",
        "[::1]:8080",
    ],
)
def test_a_name_that_is_set_is_ours_and_so_is_loopback(host: str) -> None:
    assert Hosts.parse("liaison.example.gov, Other.Example.gov").allow(host)


@pytest.mark.parametrize(
    "host",
    [
        "",
        "evil.example",
        "liaison.example.gov.evil.example",
        "evil-liaison.example.gov",
        "evil.example@liaison.example.gov",
        "liaison.example.gov@evil.example",
        "liaison.example.gov/evil.example",
        "liaison.example.gov evil.example",
        "liaison.example.gov,evil.example",
        "liaison.example.gov:80:80",
        "liaison.example.gov:",
        "liaison.example.gov:99999999",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "10.0.0.1",
        "0.0.0.0",
        "[::]",
        "[::1",
        "::1",
        "2130706433",
        "ļiaison.example.gov",
        "*",
    ],
)
def test_no_other_name_is_ours(host: str) -> None:
    assert not Hosts.parse("liaison.example.gov").allow(host)


def test_any_name_is_ours_where_an_operator_says_so() -> None:
    assert Hosts.parse("*").allow("evil.example")


def test_every_route_refuses_another_name_with_its_code_whoever_asks(app: Any, bus: FakeBus) -> None:
    context_of(app).anonymous.limit = 10_000
    client = app.test_client(use_cookies=False)
    asked = [(path, method) for endpoint, method, path in routes(app) if "health" not in path]
    malformed = ["evil.example:80", "a b", "[::1", "é", "a:b:c", "@", "localhost/evil.example"]
    for host, path, method in [*(("evil.example", *one) for one in asked), *((host, *one) for host in malformed for one in asked[::40])]:
        headers = {"Authorization": f"Bearer {TOKEN}", "Accept": "*/*"}
        answer = client.open(path, method=method, environ_overrides={"HTTP_HOST": host}, headers=headers)
        answer.close()
        assert answer.status_code == 421, (path, method, host)
        assert "evil" not in str(answer.headers), path
        if path.startswith("/api/"):
            assert answer.get_json()["code"] == "host-not-ours"
    assert {said.method for said in bus.said} == {"record_refusal"}, "nobody's session was looked at"


def test_requests_for_another_name_are_limited_as_those_without_a_session_and_not_answered_unrecorded(app: Any, bus: FakeBus) -> None:
    bus.answers[("access", "record_refusal")] = Unavailable()
    context_of(app).anonymous.limit = 2
    client = app.test_client(use_cookies=False)
    ask = {"path": "/api/v1/individuals", "headers": {"Host": "evil.example"}}
    assert client.get(**ask).get_json()["code"] == "audit-unavailable"
    bus.answers.clear()
    assert [client.get(**ask).status_code for _ in range(3)] == [421, 429, 429]


def test_probes_ask_whatever_address_a_process_has(anonymous: Any) -> None:
    for path in ("/health/live", "/health/ready", "/api/v1/health/live", "/api/v1/health/ready"):
        assert anonymous.get(path, headers={"Host": "10.1.2.3:8080"}).status_code == 200


@pytest.mark.parametrize("path", ["//evil.example", "//evil.example/..", "/individuals//", "/api//v1/individuals", "/sign-in//"])
def test_no_address_leads_anywhere_by_two_slashes(anonymous: Any, path: str) -> None:
    # Given apart: the client of the tests would read a host out of it.
    answer = anonymous.get("/", environ_overrides={"PATH_INFO": path})
    assert answer.status_code in {401, 404}
    assert "Location" not in answer.headers


@pytest.mark.parametrize("path", ["/metrics", "/api/v1/metrics"])
def test_counters_are_for_who_has_the_operators_token(path: str) -> None:
    app = front(metrics_token="a-token-of-operators")
    client = app.test_client(use_cookies=False)
    for headers in (
        {},
        {"Authorization": f"Bearer {TOKEN}"},
        {"Authorization": "Bearer "},
        {"Authorization": "Basic a-token-of-operators"},
        {"Authorization": "Bearer é"},
    ):
        refused = client.get(path, headers={"Accept": "*/*", **headers})
        assert (refused.status_code, refused.get_json()["code"]) == (401, "metrics-token-required")
    counted = client.get(path, headers={"Authorization": "Bearer a-token-of-operators"})
    assert counted.status_code == 200
    assert "liaison_http_requests_total" in counted.text


def test_without_a_token_nobody_reads_the_counters_and_asking_is_limited(app: Any) -> None:
    context_of(app).anonymous.limit = 3
    client = app.test_client(use_cookies=False)
    statuses = [client.get("/metrics", headers={"Authorization": f"Bearer {token}"}).status_code for token in ("", "None", TOKEN, "a", "b")]
    assert statuses == [404, 404, 404, 429, 429]
    assert "health.metrics" in PUBLIC_ENDPOINTS, "no session is asked for"


def test_two_systems_on_two_ports_share_a_jar_and_sign_nobody_out() -> None:
    jar: dict[str, str] = {}
    for port in (8080, 8081):
        bus = FakeBus({("access", "sign_in"): {"token": f"token-{port}", **opened()["session"]}})
        answer = front(bus, cookie_name=f"liaison_{port}").test_client().post("/api/v1/sessions", json={"username": "amina", "password": "x"})
        jar |= dict([answer.headers["Set-Cookie"].partition(";")[0].split("=", 1)])
    assert jar == {"liaison_8080_session": "token-8080", "liaison_8081_session": "token-8081"}
