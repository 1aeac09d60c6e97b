"""Every address outside the API answers a browser with a page, for every kind of user and method."""

from __future__ import annotations

from typing import Any

import pytest

from services.chassis.messages import NotFound
from tests.unit.gateway.browsing import Browser, come_in, doorkeeper
from tests.unit.gateway.test_admission import routes

AS_A_BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8", "Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate"}
STRANGE = (
    "/no-such-page",
    "/individuals/not-an-id",
    "/individuals//",
    "/%00",
    "/favicon.ico",
    "/index.php",
    "/api",
    "/individuals/%ff",
    "/ä",
    "/.",
    "/a/../b",
)


@pytest.fixture
def bus() -> Any:
    """A system in which nothing is found."""
    bus = doorkeeper()
    kept = {("interactions", "list_issues"), ("access", "list_users")}
    bus.answers = {name: answer for name, answer in bus.answers.items() if name in kept}
    plain = bus.call

    def call(service: str, method: str, kwargs: Any, **said: Any) -> Any:
        try:
            return plain(service, method, kwargs, **said)
        except AssertionError:
            raise NotFound from None

    bus.call = call  # type: ignore[method-assign]  # whatever else is asked for is not there
    return bus


def page_addresses(app: Any) -> list[str]:
    """Return every address outside the API, those that only take forms too, and some that are none."""
    found = {path for endpoint, _, path in routes(app) if not path.startswith(("/api/", "/static/", "/health", "/metrics"))}
    return sorted(found | {f"{path}/" for path in found if path != "/"}) + list(STRANGE)


def who(app: Any, browser: Browser, state: str) -> None:
    """Be somebody in this state."""
    if state != "signed out":
        browser.get("/sign-in")
        browser.send("/sign-in", {"username": "amina", "password": "x"})
    if state == "signed in":
        come_in(browser, "amina")


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("state", ["signed out", "unacknowledged", "signed in"])
def test_every_address_answers_a_page(app: Any, state: str, method: str) -> None:
    browser = Browser(app)
    who(app, browser, state)
    for path in page_addresses(app):
        answer = browser.client.open(path, method=method, headers=AS_A_BROWSER)
        assert answer.mimetype == "text/html", (path, answer.status_code, answer.mimetype)
        assert answer.status_code not in {405, 415, 500}, (path, answer.status_code)
        if method == "GET" and answer.status_code not in {302, 303, 308}:
            assert "<h1>" in answer.text, path
        if answer.status_code in {302, 303}:
            shown = browser.client.open(answer.headers["Location"], headers=AS_A_BROWSER)
            assert shown.mimetype == "text/html", path
            assert shown.status_code in {200, 404, 503}, (path, answer.headers["Location"], shown.status_code)


def test_an_address_that_only_takes_forms_leads_to_the_page_of_the_thing(app: Any) -> None:
    browser = Browser(app)
    come_in(browser, "amina")
    forms = [path for endpoint, method, path in routes(app) if endpoint.startswith("pages.") and method == "POST"]
    for path in forms:
        answer = browser.client.get(path, headers=AS_A_BROWSER)
        if answer.status_code == 303 and path != "/sign-in":
            assert path.startswith(answer.headers["Location"]), path
            assert answer.headers["Location"] != path


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "POST"])
@pytest.mark.parametrize("state", ["signed out", "signed in"])
def test_a_method_that_an_address_does_not_take_is_refused_on_a_page(app: Any, state: str, method: str) -> None:
    browser = Browser(app)
    who(app, browser, state)
    token = browser.get("/issues") and browser.hidden("csrf_token")
    for path in ("/reports", "/privacy", "/no-such-page", "/audit"):
        answer = browser.client.open(path, method=method, headers={**AS_A_BROWSER, "X-CSRF-Token": token, "Sec-Fetch-Site": "same-origin"})
        assert answer.mimetype == "text/html", path
        assert answer.status_code in {401, 404, 405}, (path, answer.status_code)
        if answer.status_code == 405:
            assert "GET" in answer.headers["Allow"]


def test_a_body_that_nobody_can_read_is_refused_on_a_page(app: Any) -> None:
    browser = Browser(app)
    come_in(browser, "amina")
    token = browser.get("/issues") and browser.hidden("csrf_token")
    for content_type, body in (
        ("application/x-www-form-urlencoded", b"a=" + b"x" * (2 << 20)),
        ("application/x-www-form-urlencoded", b"%ff%fe=%00&" * 2000),
        ("multipart/form-data", b"--nothing"),
        ("multipart/form-data; boundary=x", b"--x\r\nno header\r\n\r\n"),
        ("application/json", b"{"),
        ("text/plain", b"a=b"),
    ):
        for path in ("/individuals/new", "/sign-in", "/sign-out", "/acknowledgement", "/imports"):
            answer = browser.client.post(
                path, data=body, content_type=content_type, headers={**AS_A_BROWSER, "X-CSRF-Token": token, "Sec-Fetch-Site": "same-origin"}
            )
            assert answer.mimetype == "text/html", (path, content_type)
            assert answer.status_code != 500, (path, content_type)
            if path == "/sign-out":
                come_in(browser, "amina")
                token = browser.get("/issues") and browser.hidden("csrf_token")


def test_too_many_requests_without_a_session_are_refused_on_a_page(app: Any) -> None:
    app.extensions["liaison"].anonymous.limit = 2
    browser = Browser(app)
    answers = [browser.client.get("/issues", headers=AS_A_BROWSER) for _ in range(5)]
    assert answers[-1].status_code == 429
    assert {answer.mimetype for answer in answers} == {"text/html"}


def test_a_fault_of_ours_is_a_page_and_shows_what_was_typed(app: Any, bus: Any) -> None:
    browser = Browser(app)
    come_in(browser, "amina")
    bus.answers[("interactions", "list_issues")] = {"items": []}
    browser.get("/individuals/new")
    bus.answers[("contacts", "register_individual")] = lambda **_: 1 / 0
    answer = browser.send("/individuals/new", {"last_name": "Vantongeren"})
    assert (answer.status_code, answer.mimetype) == (500, "text/html")
    assert "Vantongeren" in answer.text


def test_the_addresses_of_programs_show_a_browser_a_page_too(app: Any) -> None:
    browser = Browser(app)
    come_in(browser, "amina")
    assert browser.client.get("/static/no-such-file.css", headers=AS_A_BROWSER).mimetype == "text/html"
    assert browser.client.get("/static/no-such-file.css").mimetype == "application/problem+json"
    assert browser.client.get("/api/v1/no-such-thing", headers=AS_A_BROWSER).mimetype == "application/problem+json"
