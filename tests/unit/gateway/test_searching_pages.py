"""Search: words become part of the address; a number or an e-mail address never does (T31)."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, quote_plus, urlsplit

import pytest

from tests.unit.gateway.browsing import ID, NOTHING, OWNER, Browser, Doorkeeper, come_in, doorkeeper

CELL = "956-555-0163"
EMAIL = "dov@example.org"
FOUND = {
    "items": [{"id": ID, "type": "individual", "name": "Dov Dorn", "state": "TX", "owner": OWNER}],
    "next": "further",
    "total": 60,
    "facets": {"state": [{"value": "TX", "count": 60}], "component": [{"value": "ICE", "count": 2}]},
}


@pytest.fixture
def bus() -> Doorkeeper:
    """A bus on which people come and go, and a search finds somebody."""
    bus = doorkeeper()
    bus.answers[("contacts", "search_stakeholders")] = FOUND
    return bus


@pytest.fixture
def browser(app: Any) -> Browser:
    """A browser in which Amina is signed in, at the search."""
    browser = Browser(app)
    come_in(browser, "amina")
    browser.get("/search")
    return browser


def asked(bus: Doorkeeper) -> dict[str, Any]:
    """Return the last query that contacts was asked."""
    return dict(bus.of("contacts", "search_stakeholders")[-1].kwargs["query"])


@pytest.mark.requirement("T31")
def test_words_and_filters_become_an_address_that_can_be_kept(browser: Browser, bus: Doorkeeper) -> None:
    answer = browser.send("/search", {"q": "  O'Connor & Söhne ", "state": "TX", "sector": "", "contacted_after": "2026-01-20"})
    assert answer.status_code == 303
    address = urlsplit(answer.headers["Location"])
    assert (address.path, parse_qs(address.query)) == ("/search", {"q": ["O'Connor & Söhne"], "state": ["TX"], "contacted_after": ["2026-01-20"]})
    assert browser.get(answer.headers["Location"]).status_code == 200
    assert asked(bus)["q"] == "O'Connor & Söhne"
    assert 'rel="next"' in browser.page.text
    assert 'href="/search?q=O%27Connor+%26+S%C3%B6hne&amp;state=TX&amp;contacted_after=2026-01-20&amp;cursor=further"' in browser.page.text


@pytest.mark.requirement("T31", "R148")
@pytest.mark.parametrize("value", [CELL, EMAIL, f"dorn {CELL}", "dov (at) example.org", "100 Main Street"])
def test_a_value_is_searched_for_without_an_address_and_paging_and_filters_go_on(browser: Browser, bus: Doorkeeper, value: str) -> None:
    answer = browser.send("/search", {"q": value})
    assert answer.status_code == 200
    assert "Location" not in answer.headers
    assert asked(bus)["q"] == value
    assert "Dov Dorn" in answer.text
    title = answer.text.partition("<title>")[2].partition("</title>")[0]
    assert value not in title
    for part in answer.text.split("href=")[1:]:
        assert value not in part[:200].partition(">")[0]
        assert quote_plus(value) not in part[:300].partition(">")[0]
    assert 'name="cursor" value="further"' in answer.text
    answer = browser.send("/search", {"q": value, "state": "TX", "cursor": "further"})
    assert answer.status_code == 200
    assert (asked(bus)["state"], asked(bus)["cursor"]) == ("TX", "further")


@pytest.mark.requirement("T31", "R148")
@pytest.mark.parametrize("value", [CELL, "9565550163", EMAIL, "dov%40example.org", "DOV(at)example.org"])
@pytest.mark.parametrize("path", ["/search?q=", "/search?state=TX&q=", f"/events/{ID}?find="])
def test_a_value_in_the_address_of_a_page_is_refused_and_not_repeated(browser: Browser, bus: Doorkeeper, path: str, value: str) -> None:
    before = len(bus.of("contacts", "search_stakeholders"))
    answer = browser.get(path + value)
    assert answer.status_code == 422
    assert value not in answer.text
    assert "must not stand in an address" in answer.text
    assert len(bus.of("contacts", "search_stakeholders")) == before
    refusal = bus.of("access", "record_refusal")[-1].kwargs
    assert refusal["code"] == "contact-value-in-address"
    assert value not in str(refusal)


@pytest.mark.requirement("T31")
def test_a_value_in_an_address_is_not_carried_through_signing_in(app: Any) -> None:
    browser = Browser(app)
    answer = browser.get(f"/search?q={CELL}")
    assert CELL not in answer.text
    assert come_in(browser, "amina", at=None).headers["Location"] == "/search"


@pytest.mark.requirement("T31", "R148")
@pytest.mark.parametrize("value", [CELL, EMAIL])
def test_the_api_takes_a_value_by_post_and_refuses_it_by_get(amina: Any, bus: Doorkeeper, value: str) -> None:
    bus.alive["a-token-of-amina"] = ("amina", True)
    refused = amina.ask("GET", "/stakeholders", query_string={"q": value})
    assert (refused.status_code, refused.get_json()["code"]) == (422, "contact-value-in-address")
    assert list(refused.get_json()["errors"]) == ["q"]
    assert value not in refused.text
    assert not bus.of("contacts", "search_stakeholders")
    taken = amina.ask("POST", "/stakeholders/search", json={"q": value, "limit": 20, "facets": ["state"]})
    assert taken.status_code == 200
    assert taken.get_json()["items"] == FOUND["items"]
    assert asked(bus)["q"] == value
    assert amina.ask("POST", "/stakeholders/search", json={"qq": value}).status_code == 422
    assert amina.ask("GET", "/stakeholders", query_string={"q": "dorn", "contacted_after": "2026-01-20", "owner": ID}).status_code == 200


@pytest.mark.parametrize("path", ["/individuals?last_name=", "/organizations?name=", "/users?q="])
def test_no_other_address_of_the_api_takes_one_either(amina: Any, bus: Doorkeeper, path: str) -> None:
    bus.alive["a-token-of-amina"] = ("amina", True)
    bus.answers |= {("contacts", "list_individuals"): NOTHING, ("contacts", "list_organizations"): NOTHING}
    assert amina.ask("GET", path + CELL).get_json()["code"] == "contact-value-in-address"


@pytest.mark.requirement("T21")
def test_whoever_may_find_a_frozen_person_is_led_to_them_and_not_to_a_business_card(browser: Browser, bus: Doorkeeper) -> None:
    bus.answers[("contacts", "search_stakeholders")] = {"items": [], "next": None, "total": 0, "facets": {}}
    browser.get("/search?q=erasegard")
    assert "add a business card" in browser.page.text
    person = {"id": ID, "first_name": "Hope", "last_name": "Erasegard", "request_id": ID}
    bus.answers[("contacts", "find_frozen")] = {"items": [person], "next": None, "total": 1}
    browser.get("/search?q=erasegard")
    assert f'href="/individuals/{ID}">Hope Erasegard</a> asked not to be contacted' in browser.page.text
    assert f'href="/requests/no-contact/{ID}"' in browser.page.text
    assert '/individuals/new">add a business card' not in browser.page.text
