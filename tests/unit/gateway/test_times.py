"""Times on pages: in the user's zone, named, with the instant beside them; typed in that zone too (T29)."""

from __future__ import annotations

import re
from typing import Any

import pytest

from services.chassis.messages import Stale
from tests.unit.gateway.browsing import ID, Browser, Doorkeeper, come_in, doorkeeper

LATER = {"id": ID, "mode": "phone"}


@pytest.fixture
def bus() -> Doorkeeper:
    """A bus on which people come and go, and interactions are taken in."""
    bus = doorkeeper()
    bus.answers[("interactions", "create_interaction")] = LATER
    bus.answers[("interactions", "create_event")] = {"id": ID}
    return bus


@pytest.fixture
def browser(app: Any) -> Browser:
    """A browser in which Amina is signed in."""
    browser = Browser(app)
    come_in(browser, "amina")
    return browser


def log(browser: Browser, held_at: str, **more: str) -> Any:
    """Log an interaction, held at what was typed."""
    browser.get("/interactions/new")
    zone = {"held_at_zone": browser.hidden("held_at_zone")}
    return browser.send("/interactions/new", {"individual_ids": ID, "mode": "phone", "held_at": held_at, **zone, **more})


def held_at(bus: Doorkeeper) -> str:
    """Return the instant of the last call to interactions."""
    return str(bus.of("interactions", "create_interaction")[-1].kwargs["body"]["held_at"])


@pytest.mark.requirement("T29")
def test_a_user_in_washington_reads_and_types_washingtons_time(browser: Browser, bus: Doorkeeper) -> None:
    page = browser.get("/interactions/new").text
    assert "When (Eastern Time)" in page
    assert "UTC)</label>" not in page
    assert log(browser, "2026-11-28T14:05").status_code == 303
    assert held_at(bus) == "2026-11-28T14:05:00-05:00"
    assert log(browser, "2026-07-04T14:05").status_code == 303
    assert held_at(bus) == "2026-07-04T14:05:00-04:00"


@pytest.mark.requirement("T29")
@pytest.mark.parametrize("path", [f"/events/{ID}", "/events", f"/individuals/{ID}"])
def test_an_instant_is_shown_in_the_zone_with_utc_on_hover(browser: Browser, bus: Doorkeeper, path: str) -> None:
    event = {"id": ID, "name": "Roundtable", "starts_at": "2026-11-28T19:05:00Z", "issue_ids": [], "component": "ICE"}
    bus.answers[("interactions", "read_event")] = event
    bus.answers[("interactions", "list_events")] = {"items": [event], "next": None}
    bus.answers[("contacts", "list_notes")] = {"items": [{"text": "x", "author": ID, "component": "ICE", "created_at": "2026-11-28T19:05:00Z"}]}
    page = browser.get(path).text
    assert ">November 28, 2026, 2:05 p.m. EST</time>" in page
    assert '<time datetime="2026-11-28T19:05+00:00" title="2026-11-28 19:05 UTC" data-utc="2026-11-28 19:05 UTC">' in page
    assert not re.search(r'="[^"]*<time', page), "no element within an attribute"


@pytest.mark.requirement("T29")
def test_the_profile_comes_before_the_browser_and_the_browser_before_washington(browser: Browser, bus: Doorkeeper, app: Any) -> None:
    browser.client.set_cookie("liaison_zone", "America/Denver")
    assert "When (Mountain Time)" in browser.get("/interactions/new").text
    browser.client.set_cookie("liaison_zone", "America%2FLos_Angeles")
    bus.people["amina"] = {"time_zone": "Pacific/Guam"}
    app.extensions["liaison"].sessions.forget(browser.client.get_cookie("liaison_session").value)
    assert "When (Chamorro Time" in browser.get("/interactions/new").text
    log(browser, "2026-11-28T09:00")
    assert held_at(bus) == "2026-11-28T09:00:00+10:00"


@pytest.mark.parametrize("cookie", ["../../etc/passwd", "Mars/Phobos", "x" * 4000, "localtime", "%3Cscript%3E"])
def test_a_zone_that_there_is_not_is_washington(browser: Browser, cookie: str) -> None:
    browser.client.set_cookie("liaison_zone", cookie)
    assert "When (Eastern Time)" in browser.get("/interactions/new").text


def test_a_form_is_read_in_the_zone_that_it_named(browser: Browser, bus: Doorkeeper) -> None:
    log(browser, "2026-11-28T14:05", held_at_zone="America/Chicago")
    assert held_at(bus) == "2026-11-28T14:05:00-06:00"
    log(browser, "2026-11-28T14:05", held_at_zone="../etc/passwd")
    assert held_at(bus) == "2026-11-28T14:05:00-05:00"


@pytest.mark.requirement("T29")
def test_a_time_that_clocks_jump_over_is_refused_in_words(browser: Browser, bus: Doorkeeper) -> None:
    answer = log(browser, "2026-03-08T02:30")
    assert answer.status_code == 422
    assert "This time does not exist: clocks go from 2:00 a.m. to 3:00 a.m. on this day." in answer.text
    assert 'value="2026-03-08T02:30"' in answer.text
    assert not bus.of("interactions", "create_interaction")


@pytest.mark.requirement("T29")
def test_of_a_time_that_comes_twice_it_is_asked_which(browser: Browser, bus: Doorkeeper) -> None:
    answer = log(browser, "2026-11-01T01:30")
    assert answer.status_code == 422
    assert "this time comes twice" in answer.text
    assert re.findall(r'<option value="[01]">([^<]+)<', answer.text.partition("held_at_fold")[2])[:2] == [
        "1:30 a.m. EDT, the first",
        "1:30 a.m. EST, an hour later",
    ]
    for fold, offset in (("0", "-04:00"), ("1", "-05:00")):
        assert log(browser, "2026-11-01T01:30", held_at_fold=fold).status_code == 303
        assert held_at(bus) == f"2026-11-01T01:30:00{offset}"


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "yesterday",
        "2026-11-28",
        "2026-11-28T25:00",
        "2026-02-30T10:00",
        "0001-01-01T00:00",
        "9999-12-31T23:59",
        "99999-01-01T00:00",
        "2026-11-28T10",
    ],
)
def test_what_is_no_time_never_breaks_a_page(browser: Browser, typed: str) -> None:
    assert log(browser, typed).status_code in {303, 422}
    browser.get("/events")
    assert browser.send("/events", {"name": "x", "starts_at": typed, "ends_at": typed}).status_code in {303, 422}


def test_the_profile_sets_the_zone(browser: Browser, bus: Doorkeeper) -> None:
    page = browser.get("/profile").text
    assert "Eastern Time (America/New_York)" in page
    bus.answers[("access", "change_profile")] = {}
    sent = {"time_zone": "America/Chicago", "if_match": browser.hidden("if_match")}
    assert browser.send("/profile", sent).headers["Location"] == "/profile?done=changed"
    assert bus.of("access", "change_profile")[0].kwargs["body"] == {"time_zone": "America/Chicago"}
    assert browser.send("/profile", {"time_zone": "Mars/Phobos"}, hidden=False).status_code in {403, 422}
    browser.get("/profile")
    assert browser.send("/profile", {"time_zone": "Mars/Phobos"}).status_code == 422
    bus.answers[("access", "change_profile")] = Stale()
    browser.get("/profile")
    assert browser.send("/profile", {**sent, "time_zone": ""}).status_code == 412


def test_when_the_session_ends_is_said_without_a_script(browser: Browser) -> None:
    page = browser.get("/issues").text
    assert re.search(r"Your session ends at \w+ \d+, 20\d\d, \d+:\d\d [ap]\.m\. E[SD]T unless you open or send something", page)
    assert 89 * 10 <= int(re.search(r'data-ends-in="(\d+)"', page)[1]) <= 900  # type: ignore[index]  # the page says it


def test_staying_signed_in_asks_access_and_says_until_when(browser: Browser, bus: Doorkeeper) -> None:
    browser.get("/issues")
    before = len(bus.of("access", "open_session"))
    answer = browser.send("/session/stay", {})
    assert len(bus.of("access", "open_session")) == before + 1
    assert answer.get_json()["seconds"] > 890
    assert not answer.get_json()["final"]
    assert browser.client.post("/session/stay", headers={"Origin": "http://localhost"}).status_code == 403
