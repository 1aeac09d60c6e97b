"""Nothing that another site sends, by a form or by a link, is shown to a user as what they typed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest

from gateway.app import create_app
from tests.unit.gateway.browsing import ID, Browser, Doorkeeper, come_in, doorkeeper
from tests.unit.gateway.conftest import SETTINGS
from tests.unit.gateway.fakes import FakeBus, heard

WORDS = "Plantedelsewhere"
NOTES = f"/individuals/{ID}/notes"
#: Forms that look something up: the words of an address are their filters, and what they show nobody typed for a record.
LOOKS_UP = re.compile(r'<form (?=[^>]*(?:method="get"|action="/search"|/find"))[^>]*>.*?</form>', re.DOTALL)


@pytest.fixture
def bus() -> Doorkeeper:
    """A bus on which people come and go."""
    return doorkeeper()


def _addresses(method: str) -> Iterator[str]:
    """Yield every page's address for this method, with an id wherever one belongs."""
    app = create_app(FakeBus(), heard(), SETTINGS)
    for rule in app.url_map.iter_rules():
        if rule.endpoint.startswith("pages.") and method in (rule.methods or ()):
            given: dict[str, Any] = dict.fromkeys(rule.arguments, ID)
            given |= {name: value for name, value in {"step": "commit", "n": "1"}.items() if name in rule.arguments}
            with app.test_request_context():
                yield app.url_map.bind("").build(rule.endpoint, given, method=method)


def _names() -> list[str]:
    """Return the name of every field of every form."""
    app = create_app(FakeBus(), heard(), SETTINGS)
    environment = app.jinja_env
    assert environment.loader
    found = set()
    for template in environment.list_templates():
        source, *_ = environment.loader.get_source(environment, template)
        found |= set(re.findall(r'name="(\w+)"|f\.\w+\("(\w+)"', source))
    return sorted({name for pair in found for name in pair if name})


NAMES = _names()


def _told(browser: Browser) -> str:
    """Return the page that is open, and the cookies that came with it."""
    text: str = browser.page.text
    return text + str(browser.page.headers.getlist("Set-Cookie"))


def _as_another_site_sends_it(browser: Browser, path: str, fields: dict[str, str]) -> Any:
    """Send a form as a browser does for another site: without our cookies, which are strict."""
    jar, browser.client._cookies = browser.client._cookies, {}
    try:
        return browser.send(path, fields, ours=False, hidden=False)
    finally:
        browser.client._cookies = {**jar, **browser.client._cookies}


def test_fields_are_found() -> None:
    assert {"last_name", "cell", "message", "keep_reason", "medium", "text", "username", "onward", "kept", "idempotency_key", "author"} <= set(NAMES)


@pytest.mark.parametrize("path", sorted(_addresses("POST")))
def test_a_form_that_another_site_sent_comes_back_nowhere_before_or_after_signing_in(browser: Browser, bus: Doorkeeper, path: str) -> None:
    come_in(browser, "amina")
    mark = browser.get("/individuals/new") and browser.hidden("author")
    bus.said.clear()
    forged = {**dict.fromkeys(NAMES, WORDS), "individual_id": ID, "onward": f"/individuals/new?{urlencode({'last_name': WORDS})}"}
    answer = _as_another_site_sends_it(browser, path, {**forged, "author": mark})
    assert answer.status_code in {302, 303, 400, 401, 403, 415}, path
    assert WORDS not in _told(browser)
    assert mark not in _told(browser)
    if browser.find("onward") is not None:
        for signed_in in (come_in(browser, "amina", at=None), browser.get(browser.page.headers.get("Location", "/"))):
            assert WORDS not in signed_in.text
            assert "last_name" not in signed_in.headers.get("Location", "")
    assert [said.operation for said in bus.said if said.operation and said.service != "access"] == []


def test_words_for_the_sign_in_form_are_taken_from_its_own_page_alone(browser: Browser) -> None:
    _as_another_site_sends_it(browser, "/sign-in", {"username": WORDS, "password": "x", "onward": "/privacy", "idempotency_key": WORDS})
    assert WORDS not in browser.page.text
    assert "/privacy" not in browser.page.text.partition("<main")[2].partition("</main")[0]
    browser.get("/sign-in")
    browser.send("/sign-in", {"username": "amina", "password": ""})
    assert 'value="amina"' in browser.page.text


def test_a_mark_is_good_for_the_forms_of_its_own_session_alone(app: Any, browser: Browser, bus: Doorkeeper) -> None:
    """Who copied the mark of an author off one page has nothing for another page's form, not even from our own origin."""
    come_in(browser, "amina")
    browser.get(f"/individuals/{ID}")
    mark, token = browser.hidden("author"), browser.hidden("csrf_token")
    browser.send("/sign-out", {})
    come_in(browser, "amina")
    browser.get(f"/individuals/{ID}")
    others = browser.hidden("csrf_token")
    assert token != others
    for given in ({}, {"csrf_token": WORDS}, {"csrf_token": "é"}, {"csrf_token": others}):
        browser.send("/sign-out", {})
        answer = browser.send(NOTES, {"text": WORDS, "author": mark, **given}, hidden=False)
        assert answer.status_code == 401
        assert browser.find("kept") is None
    answer = browser.send(NOTES, {"text": WORDS, "author": mark, "csrf_token": token}, hidden=False)
    assert browser.find("kept"), "it is the form of that session"


def test_what_one_browser_carries_is_no_good_in_another(app: Any, browser: Browser, bus: Doorkeeper) -> None:
    """Somebody copies what waits sealed on a sign-in page, and has Amina's browser send it later."""
    come_in(browser, "amina")
    browser.get(f"/individuals/{ID}")
    left_open = {name: browser.hidden(name) for name in Browser.FRAME}
    browser.send("/sign-out", {})
    browser.send(NOTES, {**left_open, "text": WORDS}, hidden=False)
    kept = browser.hidden("kept")
    other = Browser(app)
    answer = come_in(other, "amina", kept=kept)
    assert answer.headers["Location"] == "/"
    assert WORDS not in answer.text
    # Nor in its own browser, when another site sends it.
    _as_another_site_sends_it(browser, "/sign-in", {"kept": kept, "username": "", "password": ""})
    assert browser.find("kept") is None
    _as_another_site_sends_it(browser, NOTES, {"kept": kept})
    assert browser.find("kept") is None
    # What it carries is still its own.
    browser.send("/sign-in", {"kept": kept, "username": "", "password": ""}, hidden=False)
    assert browser.find("kept")
    assert WORDS in come_in(browser, "amina", at=None).text


@pytest.mark.parametrize("path", sorted(_addresses("GET")))
def test_a_link_fills_no_form(browser: Browser, path: str) -> None:
    come_in(browser, "amina")
    taken = [name for name in NAMES if name not in {"cursor", "csrf_token"}]
    browser.get(f"{path}?{urlencode(dict.fromkeys(taken, WORDS))}")
    shown = LOOKS_UP.sub("", browser.page.text).partition("<main")[2]
    fields = re.findall(r"<(?:input|textarea|option)[^>]*>[^<]*|<h1>[^<]*", shown)
    assert [field for field in fields if WORDS in field] == [], path


def test_a_link_names_what_a_form_is_about_by_its_id_and_the_page_says_whom(browser: Browser, bus: Doorkeeper) -> None:
    come_in(browser, "amina")
    for path, field in (("/individuals", "organization_id"), ("/requests/coordination", "individual_id"), ("/requests/no-contact", "individual_id")):
        browser.get(f"{path}/new?{field}={ID}")
        assert browser.hidden(field) == ID
        assert "Dov" in browser.page.text.partition("<main")[2], path
