"""Who may use the gateway: by default nobody."""

from __future__ import annotations

import io
from typing import Any

import pytest

from gateway.app import BEFORE_ACKNOWLEDGEMENT, PUBLIC_ENDPOINTS, STREAMED_FORMS, create_app
from gateway.identity import SessionCache, csrf_token
from services.access.contract import SessionRequired as AccessSessionRequired
from services.chassis.config import Settings
from services.chassis.messages import Unavailable, new_id
from services.chassis.refusals import PassportStale
from services.chassis.revocations import Revocations
from tests.unit.gateway.fakes import TOKEN, FakeBus, heard, opened


def routes(app: Any) -> list[tuple[str, str, str]]:
    """Return (endpoint, method, a path) of every route."""
    found: list[tuple[str, str, str]] = []
    with app.test_request_context():
        for rule in app.url_map.iter_rules():
            values = {name: _value(rule, name) for name in rule.arguments}
            path = rule.build(values)[1]
            found.extend((rule.endpoint, method, path) for method in sorted(rule.methods - {"OPTIONS", "HEAD"}))
    return found


def _value(rule: Any, name: str) -> str:
    if name == "filename":
        return "liaison.css"
    if name == "step":
        return "commit"
    return new_id()


@pytest.mark.requirement("R156", "R110")
def test_every_route_denies_the_anonymous_but_the_few_that_are_open_to_all(app: Any) -> None:
    client = app.test_client(use_cookies=False)
    seen = set()
    for endpoint, method, path in routes(app):
        answer = client.open(path, method=method)
        answer.close()
        seen.add(endpoint)
        if endpoint not in PUBLIC_ENDPOINTS:
            assert answer.status_code == 401, (endpoint, method)
    assert seen >= PUBLIC_ENDPOINTS


@pytest.mark.requirement("R103", "R104", "R110")
def test_every_route_denies_the_unacknowledged_but_the_acknowledgement_itself(app: Any, bus: FakeBus) -> None:
    bus.answers[("access", "open_session")] = opened(acknowledged=False)
    client = app.test_client(use_cookies=False)
    for endpoint, method, path in routes(app):
        if endpoint in PUBLIC_ENDPOINTS | BEFORE_ACKNOWLEDGEMENT:
            continue
        answer = client.open(path, method=method, headers={"Authorization": f"Bearer {TOKEN}"})
        assert answer.status_code == 403, (endpoint, method)
        if path.startswith("/api/"):
            assert answer.get_json()["code"] == "acknowledgement-required"
    assert {said.service for said in bus.said} == {"access"}, "nothing but access was asked"


@pytest.mark.requirement("R118")
def test_a_refusal_of_the_gateway_is_in_the_trail_before_it_is_answered_without_path_query_or_body(amina: Any, bus: FakeBus) -> None:
    answer = amina.ask("POST", "/individuals?secret=quill", json={"last_name": "Quillfeather", "party": "W"})
    assert answer.status_code == 422
    (entry,) = bus.of("access", "record_refusal")
    assert entry.kwargs == {
        "route": "individuals.create_individual",
        "code": "unknown-field",
        "status": 422,
        "source": "127.0.0.1",
    }
    assert entry.passport == "passport-for-access"
    assert entry.trace_id == answer.headers["X-Request-Id"]


@pytest.mark.requirement("R118")
def test_a_refusal_that_cannot_be_recorded_is_not_answered(amina: Any, bus: FakeBus) -> None:
    bus.answers[("access", "record_refusal")] = Unavailable()
    answer = amina.ask("GET", "/individuals?unheard_of=1")
    assert (answer.status_code, answer.get_json()["code"]) == (503, "audit-unavailable")


def test_an_unknown_address_tells_the_anonymous_nothing(anonymous: Any) -> None:
    assert anonymous.get("/api/v1/no-such-thing").status_code == 401


def test_many_anonymous_requests_are_limited_and_then_no_longer_cost_a_call(app: Any, bus: FakeBus) -> None:
    app.extensions["liaison"].anonymous.limit = 3
    client = app.test_client(use_cookies=False)
    statuses = [client.get("/api/v1/individuals").status_code for _ in range(6)]
    assert statuses == [401, 401, 401, 429, 429, 429]
    assert len(bus.of("access", "record_refusal")) == 4


def test_passports_are_kept_shortly_and_asked_for_anew(bus: FakeBus) -> None:
    now = [100.0]
    revocations = Revocations(monotonic=lambda: 0.0)
    revocations.hear(1, [], "1")
    sessions = SessionCache(bus, revocations, clock=lambda: now[0])
    # A passport lives for a minute, and may wait in a queue for some of it.
    for seconds in (0, 29, 31):
        now[0] = 100.0 + seconds
        sessions.authenticate(TOKEN, trace_id="t")
    assert len(bus.of("access", "open_session")) == 2


def test_a_session_that_the_heartbeat_ends_is_dropped_at_once(bus: FakeBus) -> None:
    revocations = heard()
    sessions = SessionCache(bus, revocations)
    admission = sessions.authenticate(TOKEN, trace_id="t")
    bus.answers[("access", "open_session")] = AccessSessionRequired()
    assert sessions.authenticate(TOKEN, trace_id="t") is admission
    revocations.hear(2, [admission.session_id], "1")
    with pytest.raises(AccessSessionRequired):
        sessions.authenticate(TOKEN, trace_id="t")


def test_without_a_heartbeat_access_is_asked_every_time_and_its_silence_is_503(bus: FakeBus) -> None:
    app = create_app(bus, Revocations(), Settings(service="gateway", cookie_secure=False))
    bus.answers[("contacts", "list_individuals")] = {"items": [], "next": None, "total": 0}
    client = app.test_client(use_cookies=False)
    headers = {"Authorization": f"Bearer {TOKEN}"}
    assert [client.get("/api/v1/individuals", headers=headers).status_code for _ in range(2)] == [200, 200]
    assert len(bus.of("access", "open_session")) == 2
    bus.answers[("access", "open_session")] = Unavailable()
    answer = client.get("/api/v1/individuals", headers=headers)
    assert (answer.status_code, answer.get_json()["code"]) == (503, "session-uncertain")


def test_a_change_of_policy_drops_what_was_kept(bus: FakeBus) -> None:
    revocations = heard()
    sessions = SessionCache(bus, revocations)
    sessions.authenticate(TOKEN, trace_id="t")
    revocations.hear(2, [], "2")
    sessions.authenticate(TOKEN, trace_id="t")
    assert len(bus.of("access", "open_session")) == 2


def test_a_stale_passport_is_renewed_once_and_the_request_goes_on(amina: Any, bus: FakeBus) -> None:
    answers = iter([PassportStale(), {"items": [], "next": None, "total": 0}])

    def answer(**_: Any) -> Any:
        said = next(answers)
        if isinstance(said, Exception):
            raise said
        return said

    bus.answers[("contacts", "list_individuals")] = answer
    assert amina.ask("GET", "/individuals").status_code == 200
    assert len(bus.of("access", "open_session")) == 2


def test_a_browser_has_to_show_the_token_of_our_own_pages(app: Any, bus: FakeBus) -> None:
    bus.answers[("interactions", "create_issue")] = {"id": new_id()}
    client = app.test_client()
    client.set_cookie("liaison_session", TOKEN)
    body = {"name": "Worksite enforcement", "priority": "immigration"}
    for headers in ({}, {"X-CSRF-Token": csrf_token("a-token-of-bruno")}):
        refused = client.post("/api/v1/issues", json=body, headers=headers)
        assert (refused.status_code, refused.get_json()["code"]) == (403, "csrf-token-required")
    assert not bus.of("interactions", "create_issue")
    assert client.post("/api/v1/issues", json=body, headers={"X-CSRF-Token": csrf_token(TOKEN)}).status_code == 201


@pytest.mark.parametrize("given", [{}, {"X-CSRF-Token": ""}, {"X-CSRF-Token": csrf_token("a-token-of-bruno")}, {"X-CSRF-Token": TOKEN}])
def test_no_address_changes_anything_for_a_browser_without_the_token_of_its_session(app: Any, bus: FakeBus, given: dict[str, str]) -> None:
    """Every address, with every method that is not for reading alone; sign-in has a check of its own."""
    client = app.test_client()
    client.set_cookie("liaison_session", TOKEN)
    tried = [route for route in routes(app) if route[1] not in {"GET", "HEAD"} and route[0] not in PUBLIC_ENDPOINTS]
    assert {method for _, method, _ in tried} >= {"POST", "PUT", "PATCH", "DELETE"}
    for endpoint, method, path in tried:
        bus.said.clear()
        form = {"data": {"file": (io.BytesIO(b"Last name\nDorn\n"), "cards.csv")}} if endpoint in STREAMED_FORMS else {}
        answer = client.open(path, method=method, headers=given, **form)
        asked = {(said.service, said.method) for said in bus.said}
        if path.startswith("/api/"):
            assert (answer.status_code, answer.get_json()["code"]) == (403, "csrf-token-required"), (endpoint, method)
        else:
            # A page says so, or leads back to the page that the form belongs to.
            assert answer.status_code in {303, 403}, (endpoint, method, answer.status_code)
        assert asked <= {("access", "open_session"), ("access", "record_refusal")}, (endpoint, method)


def test_the_cookie_is_for_this_site_alone_and_no_script(bus: FakeBus) -> None:
    app = create_app(bus, heard(), Settings(service="gateway", cookie_secure=True))
    bus.answers[("access", "sign_in")] = {"token": TOKEN, **opened()["session"]}
    answer = app.test_client().post("/api/v1/sessions", json={"username": "amina", "password": "x"})
    assert answer.status_code == 201
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-liaison_session=")
    assert {"Secure", "HttpOnly", "SameSite=Strict", "Path=/"} <= set(cookie.split("; "))
    assert answer.get_json()["csrf_token"] == csrf_token(TOKEN)
