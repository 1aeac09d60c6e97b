"""Text typed when a session ended is given back to its author only, who can change it."""

from __future__ import annotations

import base64
import secrets
from typing import Any

import orjson
import pytest

from gateway.sealer import Sealer
from services.chassis.messages import NotFound
from services.lexicon.refusals import IndividualFrozen
from tests.unit.gateway.browsing import ID, PERSON, Browser, Doorkeeper, come_in, doorkeeper

CELL = "956-555-0163"
ICE = f"/individuals/{ID}/contact-points"


@pytest.fixture
def bus() -> Doorkeeper:
    """A bus on which people come and go."""
    return doorkeeper()


def too_late(app: Any, browser: Browser, bus: Doorkeeper, path: str, fields: dict[str, str], *, page: str = f"/individuals/{ID}") -> Any:
    """Type into a form, and send it after the session has ended."""
    browser.get(page)
    cookie = browser.client.get_cookie("liaison_session")
    assert cookie
    bus.end(cookie.value, "idle")
    app.extensions["liaison"].sessions.forget(cookie.value)
    return browser.send(path, fields)


def test_what_was_typed_comes_back_in_its_own_form_to_be_changed_and_nothing_is_sent(app: Any, browser: Browser, bus: Doorkeeper) -> None:
    come_in(browser, "amina")
    answer = too_late(app, browser, bus, ICE, {"kind": "cell", "value": CELL})
    assert "What you typed is kept" in answer.text
    assert CELL not in answer.text, "the browser carries it sealed"
    answer = come_in(browser, "amina", at=None)
    assert answer.status_code == 200
    assert "Nothing was sent yet" in answer.text
    assert f'id="contact-point-value" name="value" type="text" value="{CELL}"' in answer.text
    assert "<details open><summary>Add a contact point" in answer.text
    assert f'action="{ICE}"' in answer.text
    assert not bus.of("contacts", "add_contact_point")
    bus.answers[("contacts", "add_contact_point")] = {}
    assert browser.send(ICE, {"kind": "cell", "value": "956-555-0164"}).status_code == 303
    (said,) = bus.of("contacts", "add_contact_point")
    assert said.kwargs["body"]["value"] == "956-555-0164"


@pytest.mark.parametrize("other", ["chloe", "bruno"])
@pytest.mark.requirement("R148")
def test_whoever_else_signs_in_on_the_same_browser_gets_nothing_of_it(app: Any, browser: Browser, bus: Doorkeeper, other: str) -> None:
    come_in(browser, "amina")
    answers = [too_late(app, browser, bus, ICE, {"kind": "cell", "value": CELL})]
    kept = browser.hidden("kept")
    answers.append(come_in(browser, other, at=None))
    assert answers[-1].headers["Location"] == "/"
    answers.append(browser.get("/"))
    ticks = {"statements_version": "2.4-1", **{f"statement_{n}": "yes" for n in (1, 2, 3)}}
    answers.append(browser.send("/acknowledgement", {"kept": kept, **ticks}))
    for answer in answers:
        assert CELL not in answer.text
    assert not bus.of("contacts", "add_contact_point")


def test_a_page_that_somebody_else_left_open_gives_its_text_to_nobody(browser: Browser, bus: Doorkeeper) -> None:
    come_in(browser, "amina")
    browser.get(f"/individuals/{ID}")
    left_open = {name: browser.hidden(name) for name in Browser.FRAME}
    browser.send("/sign-out", {})
    come_in(browser, "chloe")
    answer = browser.send(ICE, {**left_open, "kind": "cell", "value": CELL}, hidden=False)
    assert answer.status_code == 403
    assert CELL not in answer.text
    assert not bus.of("contacts", "add_contact_point")


def test_a_page_of_an_earlier_session_of_the_same_user_gives_the_form_back(browser: Browser, bus: Doorkeeper) -> None:
    come_in(browser, "amina")
    browser.get(f"/individuals/{ID}")
    left_open = {name: browser.hidden(name) for name in Browser.FRAME}
    browser.send("/sign-out", {})
    come_in(browser, "amina")
    answer = browser.send(ICE, {**left_open, "kind": "cell", "value": CELL}, hidden=False)
    assert answer.status_code == 403
    assert f'value="{CELL}"' in answer.text
    assert not bus.of("contacts", "add_contact_point")


def test_after_a_move_to_another_component_what_was_typed_for_the_former_one_is_gone(app: Any, browser: Browser, bus: Doorkeeper) -> None:
    come_in(browser, "amina")
    too_late(app, browser, bus, ICE, {"kind": "cell", "value": CELL})
    bus.people["amina"] = {"component": "PSO"}
    answer = come_in(browser, "amina", at=None)
    assert CELL not in answer.text
    assert answer.headers["Location"] == "/"


def test_after_a_change_of_level_the_text_comes_back_and_the_service_decides(app: Any, browser: Browser, bus: Doorkeeper) -> None:
    come_in(browser, "amina")
    too_late(app, browser, bus, f"/individuals/{ID}/notes", {"text": "Met in Houston."})
    bus.people["amina"] = {"level": "reader"}
    assert "Met in Houston." in come_in(browser, "amina", at=None).text


@pytest.mark.parametrize(
    "forged",
    [
        orjson.dumps({"path": "/requests/no-contact/new", "fields": [["individual_id", ID], ["medium", "phone"]]}).decode(),
        base64.urlsafe_b64encode(secrets.token_bytes(200)).decode(),
        "é",
        "x" * 5000,
    ],
)
def test_what_another_site_sends_as_kept_is_never_offered(browser: Browser, bus: Doorkeeper, forged: str) -> None:
    sent = browser.send("/sign-in", {"kept": forged, "onward": "/", "username": "", "password": ""}, hidden=False, ours=False)
    assert browser.find("kept") is None
    assert forged not in sent.text
    answer = come_in(browser, "amina", kept=forged)
    assert answer.headers["Location"] == "/"
    assert not bus.of("retention", "open_no_contact_request")


def test_a_form_without_its_author_is_not_kept(browser: Browser) -> None:
    answer = browser.send("/individuals/new", {"last_name": "Forged"}, hidden=False)
    assert answer.status_code == 401
    assert browser.find("kept") is None
    come_in(browser, "amina", at=None)
    assert "Forged" not in browser.get("/individuals/new").text


def test_one_users_seal_is_no_good_for_another_purpose_or_process(app: Any, browser: Browser) -> None:
    sealer = app.extensions["liaison"].sealer
    assert sealer.unseal("kept", sealer.seal("author", ["a", "ICE"])) is None
    assert sealer.unseal("author", sealer.seal("author", ["a", "ICE"])) == ["a", "ICE"]
    sealed = sealer.seal("author", ["a", "ICE"])
    assert sealer.unseal("author", sealed[:-5] + ("A" if sealed[-5] != "A" else "B") + sealed[-4:]) is None


def test_what_was_sealed_under_a_former_key_is_read_until_the_key_is_dropped() -> None:
    old, both, new = Sealer("old"), Sealer("new,old"), Sealer("new")
    kept = old.seal("author", ["a", "ICE"])
    assert both.unseal("author", kept) == ["a", "ICE"]
    assert new.unseal("author", kept) is None
    assert new.unseal("author", both.seal("author", ["a", "ICE"])) == ["a", "ICE"]
    assert both.keys("draft", "a") == [*new.keys("draft", "a"), *old.keys("draft", "a")]


@pytest.mark.parametrize("length", [70_000, 200_000, 600_000])
def test_a_long_text_is_kept_whole(app: Any, browser: Browser, bus: Doorkeeper, length: int) -> None:
    come_in(browser, "amina")
    text = secrets.token_urlsafe(length)[:length]
    answer = too_late(app, browser, bus, f"/individuals/{ID}/notes", {"text": text})
    assert "What you typed is kept" in answer.text
    assert text in come_in(browser, "amina", at=None).text


def test_a_text_that_is_too_long_for_any_form_is_said_not_to_be_saved(app: Any, browser: Browser, bus: Doorkeeper) -> None:
    come_in(browser, "amina")
    browser.get(f"/individuals/{ID}")
    answer = browser.send(f"/individuals/{ID}/notes", {"text": "x" * (1 << 20)})
    assert answer.status_code == 413
    assert answer.mimetype == "text/html"
    assert "nothing of it was saved" in answer.text


@pytest.mark.parametrize("gone", [NotFound(), IndividualFrozen(), {**PERSON, "frozen": True, "notice": "Do not contact."}])
@pytest.mark.parametrize("ended", [True, False])
def test_a_note_typed_while_the_record_freezes_can_be_copied(app: Any, browser: Browser, bus: Doorkeeper, gone: Any, *, ended: bool) -> None:
    come_in(browser, "amina")
    browser.get(f"/individuals/{ID}")
    bus.answers[("contacts", "add_note")] = IndividualFrozen()
    fields = {"text": "Asked how the guidance affects employers.", "provenance": "by phone"}
    if ended:
        too_late(app, browser, bus, f"/individuals/{ID}/notes", fields)
        bus.answers[("contacts", "read_individual")] = gone
        answer = come_in(browser, "amina", at=None)
    else:
        bus.answers[("contacts", "read_individual")] = gone
        answer = browser.send(f"/individuals/{ID}/notes", fields)
    assert "Asked how the guidance affects employers." in answer.text
    assert "by phone" in answer.text
    assert "readonly" in answer.text


def test_no_id_is_shown_where_what_was_typed_is_shown_to_be_copied(app: Any, browser: Browser, bus: Doorkeeper) -> None:
    come_in(browser, "amina")
    bus.answers[("interactions", "create_coordination_request")] = NotFound()
    bus.answers[("interactions", "list_issues")] = {"items": []}
    browser.get("/individuals/new")
    bus.answers[("interactions", "list_issues")] = NotFound()
    answer = browser.send("/requests/coordination/new", {"individual_id": ID, "message": "Please pass it on."})
    assert "Please pass it on." in answer.text
    assert ID not in answer.text.partition("<main")[2]
