"""Signing in and out: no redirect loop, nobody signed out unasked, and every end with its reason."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.gateway.browsing import ID, Browser, Doorkeeper, come_in, doorkeeper

SAME_SITE = {"Origin": "http://localhost"}


@pytest.fixture
def bus() -> Doorkeeper:
    """A bus on which people come and go."""
    return doorkeeper()


def token_of(browser: Browser) -> str | None:
    """Return the session that the browser holds."""
    cookie = browser.client.get_cookie("liaison_session")
    return cookie.value if cookie else None


@pytest.mark.requirement("R103")
def test_signing_out_and_in_again_leads_to_the_desk(browser: Browser) -> None:
    for start in ("/", "/sign-in"):
        assert come_in(browser, "amina", at=start).headers["Location"] == "/"
        assert browser.get("/").status_code == 200
        left = browser.send("/sign-out", {})
        assert left.headers["Location"].startswith("/sign-in")
        browser.get(left.headers["Location"])
        assert "You signed out." in browser.page.text
        assert come_in(browser, "amina", at=None).headers["Location"] == "/"
        assert browser.get("/").status_code == 200
        browser.send("/sign-out", {})


@pytest.mark.parametrize(
    "onward",
    [
        "/sign-in",
        "/sign-in/",
        "/sign-in?ended=idle",
        "/sign-in#main",
        "/SIGN-IN",
        "/%73ign-in",
        "/sign%2din",
        "/./sign-in",
        "/x/../sign-in",
        "/x/%2e%2e/sign-in",
        "/acknowledgement",
        "/sign-out",
        "//elsewhere.example",
        "/%5c/elsewhere.example",
        "/x/..//elsewhere.example",
        "/\\elsewhere.example",
        "https://elsewhere.example",
        "javascript:alert(1)",
        "/api/v1/individuals",
        "/static/liaison.css",
        "",
    ],
)
def test_nobody_is_led_to_a_door_or_elsewhere(browser: Browser, onward: str) -> None:
    browser.get("/sign-in")
    assert come_in(browser, "amina", at=None, onward=onward).headers["Location"] == "/"


@pytest.mark.parametrize("deep", [f"/individuals/{ID}", f"/individuals/{ID}/", "/search?q=dorn", "/individuals/new?organization_id=1"])
def test_a_deep_link_is_reached_after_signing_in(browser: Browser, deep: str) -> None:
    assert come_in(browser, "amina", at=deep).headers["Location"] == deep


def test_whoever_is_signed_in_and_opens_the_sign_in_page_goes_to_the_desk_and_stays_signed_in(browser: Browser) -> None:
    come_in(browser, "amina")
    held = token_of(browser)
    for path in ("/sign-in", "/sign-in/", "/sign-in?onward=/sign-in", "/acknowledgement"):
        answer = browser.get(path)
        assert (answer.status_code, answer.headers["Location"]) == (303, "/"), path
        assert token_of(browser) == held
    assert browser.get("/").status_code == 200


def test_whoever_has_not_acknowledged_yet_is_led_there_from_the_sign_in_page(browser: Browser) -> None:
    browser.get("/sign-in")
    browser.send("/sign-in", {"username": "amina", "password": "x"})
    assert browser.get("/sign-in").headers["Location"] == "/acknowledgement"
    assert browser.get("/acknowledgement").text.count('type="checkbox"') == 3


def test_the_other_tab_that_acknowledges_later_goes_on_as_well(app: Any, browser: Browser) -> None:
    browser.get("/")
    browser.send("/sign-in", {"username": "amina", "password": "x"})
    ticks = {"statements_version": "2.4-1", "onward": "/issues", **{f"statement_{n}": "yes" for n in (1, 2, 3)}}
    stale = {name: browser.hidden(name) for name in ("csrf_token", "idempotency_key")}
    assert browser.send("/acknowledgement", ticks).status_code == 303
    answer = browser.send("/acknowledgement", {**stale, **ticks}, hidden=False)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/issues")
    assert browser.get("/").status_code == 200


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("idle", "fifteen minutes without a request"),
        ("expired", "after twelve hours"),
        ("signed-out", "You signed out."),
        ("newer-sign-in", "newer sign-in of yours"),
        ("rights-changed", "Your rights were changed"),
        ("access-suspended", "Your access is suspended"),
    ],
)
def test_why_a_session_ended_is_said_in_every_tab(app: Any, browser: Browser, bus: Doorkeeper, reason: str, said: str) -> None:
    come_in(browser, "amina")
    token = token_of(browser)
    assert token
    bus.end(token, reason)
    app.extensions["liaison"].sessions.forget(token)
    for path in ("/issues", f"/individuals/{ID}", "/sign-in"):
        assert said in browser.get(path).text, path
    come_in(browser, "amina", at=None)
    browser.client.delete_cookie("liaison_session")
    assert said not in browser.get("/sign-in").text, "a new session has begun since"


def test_an_address_says_no_sentence_but_ours(browser: Browser) -> None:
    assert "Call 956" not in browser.get("/sign-in?ended=Call%20956").text
    browser.client.set_cookie("liaison_ended", "Call 956")
    assert "Call 956" not in browser.get("/sign-in").text


def test_a_stale_tab_signs_out(browser: Browser, bus: Doorkeeper) -> None:
    come_in(browser, "amina")
    browser.get("/issues")
    stale = browser.hidden("csrf_token")
    browser.send("/sign-out", {})
    come_in(browser, "amina")
    held = token_of(browser)
    answer = browser.send("/sign-out", {"csrf_token": stale}, hidden=False)
    assert answer.status_code == 303
    assert token_of(browser) is None
    assert held not in bus.alive


def test_signing_out_of_a_session_that_ended_is_no_error(browser: Browser, bus: Doorkeeper, app: Any) -> None:
    come_in(browser, "amina")
    token = str(token_of(browser))
    bus.end(token, "idle")
    app.extensions["liaison"].sessions.forget(token)
    assert browser.send("/sign-out", {}, hidden=False).headers["Location"].startswith("/sign-in")
    assert browser.send("/sign-out", {}, hidden=False).headers["Location"].startswith("/sign-in")


@pytest.mark.parametrize("headers", [{"Origin": "http://elsewhere.example"}, {"Sec-Fetch-Site": "cross-site", **SAME_SITE}, {"Origin": "null"}, {}])
def test_another_site_signs_nobody_out(browser: Browser, bus: Doorkeeper, headers: dict[str, str]) -> None:
    come_in(browser, "amina")
    assert browser.client.post("/sign-out", headers=headers).status_code == 403
    assert token_of(browser) in bus.alive


def test_a_link_from_elsewhere_to_the_sign_in_page_signs_nobody_out(browser: Browser, bus: Doorkeeper) -> None:
    come_in(browser, "amina")
    held = token_of(browser)
    answer = browser.client.get("/sign-in", headers={"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"})
    assert answer.status_code in {200, 303}
    assert token_of(browser) == held
    assert held in bus.alive


def test_a_reveal_after_the_session_ended_leads_back_to_the_record(app: Any, browser: Browser, bus: Doorkeeper) -> None:
    come_in(browser, "amina")
    browser.get(f"/individuals/{ID}")
    token = str(token_of(browser))
    bus.end(token, "idle")
    app.extensions["liaison"].sessions.forget(token)
    assert browser.send(f"/individuals/{ID}/reveal", {}).status_code == 401
    assert come_in(browser, "amina", at=None).headers["Location"] == f"/individuals/{ID}"
