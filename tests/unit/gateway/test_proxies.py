"""The client's address behind proxies: which header of whom is trusted, and what counts for an address."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.app import create_app
from gateway.context import context_of
from gateway.errors import TooManySignIns
from gateway.limits import FixedWindowRateLimiter, SignInQueue
from gateway.proxies import Proxies, ProxiesMisnamed, network_of
from services.access.contract import CredentialsWrong
from services.access.contract import SessionRequired as AccessSessionRequired
from services.chassis.config import Settings
from tests.unit.gateway.fakes import TOKEN, FakeBus, heard, opened

OURS = "192.0.2.10"
TRUSTED = "192.0.2.0/28, 2001:db8:f::/48"
X = "X-Forwarded-For"


def told(peer: str, *, header: str = X, trusted: str = TRUSTED, **said: str) -> dict[str, Any]:
    """Return what is left of an environment."""
    environ = {
        "REMOTE_ADDR": peer,
        "wsgi.url_scheme": "http",
        "HTTP_HOST": "inside",
        **{f"HTTP_{name.upper()}": value for name, value in said.items()},
    }
    Proxies.parse(trusted, header).apply(environ)
    return environ


@pytest.mark.parametrize(
    ("said", "client"),
    [
        ("198.51.100.7", "198.51.100.7"),
        # What the client wrote itself stands to the left of what the proxy added.
        ("203.0.113.1, 198.51.100.7", "198.51.100.7"),
        ("192.0.2.11, 198.51.100.7", "198.51.100.7"),
        ("é, 198.51.100.7", "198.51.100.7"),
        # Two proxies of ours, one behind the other.
        ("198.51.100.7, 192.0.2.11", "198.51.100.7"),
        ("198.51.100.7,192.0.2.11 ,192.0.2.12", "198.51.100.7"),
        # One of ours asks for itself.
        ("192.0.2.11", "192.0.2.11"),
        ("198.51.100.7:4711", "198.51.100.7"),
        ("[2001:db8:1::7]:4711", "2001:db8:1::7"),
        ("2001:db8:1::7", "2001:db8:1::7"),
        ("::ffff:198.51.100.7", "198.51.100.7"),
        # Nothing that is an address was said: then it is the proxy's own request.
        ("", OURS),
        ("unknown", OURS),
        ("198.51.100.7, unknown", OURS),
        ("1.2.3.4.5", OURS),
        ("198.51.100.7,", OURS),
    ],
)
def test_the_client_is_the_last_one_from_the_right_whom_a_trusted_proxy_names(said: str, client: str) -> None:
    assert told(OURS, x_forwarded_for=said)["REMOTE_ADDR"] == client


@pytest.mark.parametrize(
    ("said", "client", "scheme", "host"),
    [
        ("for=198.51.100.7;proto=https;host=liaison.example.gov", "198.51.100.7", "https", "liaison.example.gov"),
        ('for="[2001:db8:1::7]:4711";proto=https', "2001:db8:1::7", "https", "inside"),
        ('For="198.51.100.7"; Proto=HTTPS', "198.51.100.7", "https", "inside"),
        ("for=203.0.113.1;host=evil.example, for=198.51.100.7;proto=https", "198.51.100.7", "https", "inside"),
        # A quotation mark that a client left open swallows nothing of what the proxy added.
        ('for="203.0.113.1, for=198.51.100.7', "198.51.100.7", "http", "inside"),
        # The outer of two proxies of ours says what the client used.
        ("for=198.51.100.7;proto=https;host=a.example, for=192.0.2.11;proto=http;host=b.example", "198.51.100.7", "https", "a.example"),
        ("for=_hidden", OURS, "http", "inside"),
        ("for=198.51.100.7;for=203.0.113.1", OURS, "http", "inside"),
        ("nonsense", OURS, "http", "inside"),
    ],
)
def test_forwarded_is_read_as_rfc_7239_writes_it(said: str, client: str, scheme: str, host: str) -> None:
    environ = told(OURS, header="Forwarded", forwarded=said, x_forwarded_for="203.0.113.99", x_forwarded_proto="ftp")
    assert (environ["REMOTE_ADDR"], environ["wsgi.url_scheme"], environ["HTTP_HOST"]) == (client, scheme, host)


def test_of_the_two_headers_only_the_one_that_is_set_is_believed_and_neither_is_left() -> None:
    environ = told(
        OURS, forwarded="for=203.0.113.1;proto=https", x_forwarded_for="198.51.100.7", x_forwarded_proto="http, https", x_forwarded_host="a.example"
    )
    assert (environ["REMOTE_ADDR"], environ["wsgi.url_scheme"], environ["HTTP_HOST"]) == ("198.51.100.7", "https", "a.example")
    assert not [name for name in environ if "FORWARDED" in name]


@pytest.mark.parametrize("trusted", ["", TRUSTED])
def test_nobody_else_is_believed(trusted: str) -> None:
    environ = told("203.0.113.5", trusted=trusted, x_forwarded_for="198.51.100.7", x_forwarded_proto="https", x_forwarded_host="evil.example")
    assert (environ["REMOTE_ADDR"], environ["wsgi.url_scheme"], environ["HTTP_HOST"]) == ("203.0.113.5", "http", "inside")
    assert not [name for name in environ if "FORWARDED" in name]


def test_a_proxy_is_known_by_its_unwrapped_address_and_over_ipv6() -> None:
    assert told("::ffff:192.0.2.10", x_forwarded_for="198.51.100.7")["REMOTE_ADDR"] == "198.51.100.7"
    assert told("2001:db8:f::1", x_forwarded_for="198.51.100.7")["REMOTE_ADDR"] == "198.51.100.7"


@pytest.mark.parametrize(("trusted", "header"), [("proxy.example", X), ("192.0.2.1/28", X), (TRUSTED, "X-Real-IP"), (TRUSTED, "")])
def test_a_setting_that_says_something_else_stops_the_start(trusted: str, header: str) -> None:
    with pytest.raises(ProxiesMisnamed):
        Proxies.parse(trusted, header)


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("198.51.100.7", "198.51.100.7"),
        ("::ffff:198.51.100.7", "198.51.100.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", "unknown"),
        ("@", "unknown"),
    ],
)
def test_an_ipv6_customer_counts_as_one(address: str, network: str) -> None:
    assert network_of(address) == network


@pytest.fixture
def behind() -> tuple[Any, FakeBus]:
    """An application behind a proxy, a bus on which Amina's session is the only one, and low limits."""

    def open_session(token: str) -> Any:
        if token != TOKEN:
            raise AccessSessionRequired
        return opened()

    bus = FakeBus({("access", "open_session"): open_session, ("contacts", "list_individuals"): {"items": [], "next": None, "total": 0}})
    app = create_app(bus, heard(), Settings(service="gateway", cookie_secure=False, hosts="liaison.example.gov", trusted_proxies="127.0.0.1"))
    context_of(app).anonymous.limit = 3
    return app, bus


def ask(app: Any, token: str | None = None, client: str = "198.51.100.7") -> int:
    """Return the status of one request from behind the proxy."""
    headers = {X: client} | ({"Authorization": f"Bearer {token}"} if token else {})
    status: int = app.test_client(use_cookies=False).get("/api/v1/individuals", headers=headers).status_code
    return status


@pytest.mark.parametrize("held_before", [True, False])
@pytest.mark.parametrize("flood", [None, "a-token-of-nobody"])
def test_a_flood_without_a_session_locks_out_nobody_who_has_one(behind: Any, held_before: bool, flood: str | None) -> None:
    app, _ = behind
    if held_before:
        assert ask(app, TOKEN) == 200
    assert [ask(app, flood) for _ in range(5)] == [401, 401, 401, 429, 429]
    assert ask(app, TOKEN) == 200
    browser = app.test_client()
    browser.set_cookie("liaison_session", TOKEN)
    assert browser.get("/api/v1/individuals", headers={X: "198.51.100.7"}).status_code == 200
    # Nor whoever shares nothing with it but the proxy.
    assert ask(app, client="198.51.100.8") == 401


def test_an_ipv6_customer_is_limited_however_many_addresses_they_take(behind: Any) -> None:
    app, bus = behind
    assert [ask(app, client=f"2001:db8:1:2::{n}") for n in range(1, 6)] == [401, 401, 401, 429, 429]
    assert ask(app, client="2001:db8:1:3::1") == 401
    assert {said.kwargs["source"] for said in bus.of("access", "record_refusal")} == {"2001:db8:1:2::/64", "2001:db8:1:3::/64"}


def test_a_network_whose_sign_ins_fail_waits_in_line_and_is_let_in() -> None:
    now, waited = [100.0], []
    failed = FixedWindowRateLimiter(3, 300, clock=lambda: now[0])
    line = SignInQueue(failed, clock=lambda: now[0], sleep=waited.append)
    for _ in range(3):
        line.wait("198.51.100.7")
        failed.allow("198.51.100.7")
    assert waited == []
    for _ in range(3):
        line.wait("198.51.100.7")
    assert waited == pytest.approx([2.0, 2.1, 2.2])
    line.wait("198.51.100.8")
    assert len(waited) == 3, "another network does not wait"
    now[0] += 301
    line.wait("198.51.100.7")
    assert len(waited) == 3, "nor does this one, later"


def test_the_line_has_an_end_and_moves_on() -> None:
    now, waited = [100.0], []
    failed = FixedWindowRateLimiter(0, 300, clock=lambda: now[0])
    line = SignInQueue(failed, clock=lambda: now[0], sleep=waited.append)
    with pytest.raises(TooManySignIns):
        for _ in range(1000):
            line.wait("198.51.100.7")
    assert len(waited) == 61
    assert max(waited) <= SignInQueue.MAX_WAIT
    now[0] += 1
    line.wait("198.51.100.7")
    assert waited[-1] <= SignInQueue.MAX_WAIT


@pytest.mark.parametrize("page", [True, False])
def test_after_many_wrong_names_from_an_address_the_right_password_still_opens_a_session(behind: Any, page: bool) -> None:
    app, bus = behind
    line = context_of(app).sign_ins
    waited: list[float] = []
    line._sleep = waited.append

    def sign_in(username: str, password: str, source: str) -> Any:
        if (username, password, source) != ("amina", "right", "198.51.100.7"):
            raise CredentialsWrong
        return {"token": TOKEN, **opened()["session"]}

    bus.answers[("access", "sign_in")] = sign_in
    client = app.test_client()
    for n in range(40):
        answer = client.post("/api/v1/sessions", json={"username": f"nobody-{n}", "password": "wrong"}, headers={X: "198.51.100.7"})
        assert answer.status_code == 401
    assert len(waited) == 10
    if page:
        form = client.get("/sign-in", headers={X: "198.51.100.7"}).text
        token = form.partition('name="csrf_token" value="')[2].partition('"')[0]
        given = {"username": "amina", "password": "right", "csrf_token": token}
        answer = client.post("/sign-in", data=given, headers={X: "198.51.100.7"})
        assert answer.status_code == 200
        assert "liaison_session=" in str(answer.headers.getlist("Set-Cookie"))
    else:
        answer = client.post("/api/v1/sessions", json={"username": "amina", "password": "right"}, headers={X: "198.51.100.7"})
        assert answer.status_code == 201
    assert len(waited) == 11


@pytest.mark.parametrize(("proto", "secure"), [("https", True), ("http", False), ("gopher", False)])
def test_cookies_and_transport_security_follow_what_the_browser_used(behind: Any, proto: str, secure: bool) -> None:
    app, _ = behind
    answer = app.test_client().get("/sign-in", headers={X: "198.51.100.7", "X-Forwarded-Proto": proto, "Host": "liaison.example.gov"})
    (cookie,) = answer.headers.getlist("Set-Cookie")
    assert cookie.startswith("__Host-liaison_visit=" if secure else "liaison_visit=")
    assert ("Secure" in cookie.split("; ")) is secure
    assert ("Strict-Transport-Security" in answer.headers) is secure


@pytest.mark.parametrize("host", ["localhost", "localhost:8080", "LOCALHOST.", "127.0.0.1:8080", "[::1]:8080"])
def test_who_tries_it_out_on_their_own_machine_is_not_kept_from_its_other_servers(behind: Any, host: str) -> None:
    app, _ = behind
    answer = app.test_client().get("/sign-in", headers={X: "198.51.100.7", "X-Forwarded-Proto": "https", "Host": host})
    assert answer.status_code == 200
    assert "Secure" in answer.headers["Set-Cookie"]
    assert "Strict-Transport-Security" not in answer.headers


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("https://liaison.example.gov", 303),
        ("http://liaison.example.gov", 403),
        ("https://evil.example", 403),
        ("null", 403),
        ("https://localhost", 403),
    ],
)
def test_an_origin_is_ours_if_it_is_the_one_that_the_browser_used(behind: Any, origin: str, status: int) -> None:
    app, _ = behind
    said = {X: "198.51.100.7", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "liaison.example.gov", "Origin": origin}
    answer = app.test_client().post("/sign-out", headers=said, base_url="http://localhost")
    assert answer.status_code == status
    assert "example" not in answer.headers.get("Location", "")
