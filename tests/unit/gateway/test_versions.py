"""Changes since a form was opened are shown, and the same button overwrites nothing unseen; duplicates are named."""

from __future__ import annotations

import re
from typing import Any

import pytest

from services.chassis.messages import Invalid, Stale, entity_tag
from services.contacts.contract.refusals import IndividualDuplicate, OrganizationDuplicate
from tests.unit.gateway.browsing import ID, OWNER, PERSON, Browser, Doorkeeper, come_in, doorkeeper

FACTS = f"/individuals/{ID}/facts"
BEFORE = {**PERSON, "last_name": "Dorn", "title": "Director", "salutation": None}


class Record:
    """A record that refuses a version other than the present one."""

    def __init__(self, bus: Doorkeeper, present: dict[str, Any]) -> None:
        self.bus = bus
        self.written: list[dict[str, Any]] = []
        self.set(present)

    def set(self, present: dict[str, Any]) -> None:
        """Change it."""
        self.present = present
        self.bus.answers[("contacts", "read_individual")] = present
        self.bus.answers[("contacts", "change_individual")] = self.change

    def change(self, *, individual_id: str, if_match: str, body: dict[str, Any]) -> dict[str, Any]:
        """Change it, as contacts does."""
        if if_match != entity_tag(self.present):
            raise Stale
        self.written.append(body)
        return self.present


@pytest.fixture
def bus() -> Doorkeeper:
    """A bus on which people come and go."""
    return doorkeeper()


@pytest.fixture
def record(bus: Doorkeeper) -> Record:
    """Dov's record."""
    return Record(bus, BEFORE)


@pytest.fixture
def browser(app: Any, record: Record) -> Browser:
    """A browser in which Amina has opened the record."""
    browser = Browser(app)
    come_in(browser, "amina")
    browser.get(f"/individuals/{ID}")
    return browser


def fields(browser: Browser, action: str = FACTS) -> dict[str, str]:
    """Return the fields of a form of the page that is open, as a browser would send them."""
    form = browser.page.text.partition(f'action="{action}"')[2].partition("</form>")[0]
    found = dict(re.findall(r'<input[^>]*?name="([^"]+)" (?:type="[^"]+" )?value="([^"]*)"', form))
    found |= {
        name: re.findall(r'value="([^"]*)" selected', rest)[0]
        for name, rest in re.findall(r'<select[^>]*name="([^"]+)"[^>]*>(.*?)</select>', form, re.DOTALL)
        if "selected" in rest
    }
    found.pop("overwrite", None)
    return {name: value.replace("&#34;", '"') for name, value in found.items()}


def test_only_what_was_changed_is_sent(browser: Browser, record: Record) -> None:
    assert browser.send(FACTS, {**fields(browser), "title": "Head"}, hidden=False).status_code == 303
    assert record.written == [{"title": "Head"}]


@pytest.mark.requirement("R111")
def test_where_both_changed_the_same_field_the_button_replaces_nothing_until_the_box_is_ticked(browser: Browser, record: Record) -> None:
    mine = {**fields(browser), "title": "Head of Policy"}
    record.set({**BEFORE, "title": "Chief of Staff", "state": "NM"})
    for _ in range(3):
        answer = browser.send(FACTS, mine, hidden=False)
        assert answer.status_code == 412
        row = re.search(r"<th scope=\"row\">Title</th><td>(.*?)</td><td>(.*?)</td><td>(.*?)</td>", answer.text)
        assert row
        assert row.groups() == ("Director", "Chief of Staff", "Head of Policy")
        assert "<td>Texas</td><td>New Mexico</td>" in answer.text
        mine = fields(browser)
        assert mine["title"] == "Head of Policy"
        assert mine["state"] == "NM", "what one did not touch is as it is now"
    assert not record.written
    assert browser.send(FACTS, {**mine, "overwrite": "yes"}, hidden=False).status_code == 303
    assert record.written[0]["title"] == "Head of Policy"
    assert record.written[0].get("state", "NM") == "NM"


def test_a_further_change_after_the_box_is_noticed_as_well(browser: Browser, record: Record) -> None:
    mine = {**fields(browser), "title": "Head of Policy"}
    record.set({**BEFORE, "title": "Chief of Staff"})
    browser.send(FACTS, mine, hidden=False)
    mine = fields(browser)
    record.set({**BEFORE, "title": "Secretary"})
    answer = browser.send(FACTS, {**mine, "overwrite": "yes"}, hidden=False)
    assert answer.status_code == 412
    assert "<td>Secretary</td>" in answer.text
    assert not record.written


def test_changes_that_do_not_meet_are_put_together_before_ones_eyes(browser: Browser, record: Record) -> None:
    mine = {**fields(browser), "title": "Head of Policy"}
    record.set({**BEFORE, "salutation": "Dr."})
    answer = browser.send(FACTS, mine, hidden=False)
    assert answer.status_code == 412
    assert "<td>(empty)</td><td>Dr.</td>" in answer.text
    again = fields(browser)
    assert (again["title"], again["salutation"]) == ("Head of Policy", "Dr.")
    assert "overwrite" not in answer.text
    assert browser.send(FACTS, again, hidden=False).status_code == 303
    assert record.written == [{"title": "Head of Policy"}]


def test_a_form_that_was_refused_for_something_else_still_means_the_version_that_was_read(browser: Browser, record: Record, bus: Doorkeeper) -> None:
    mine = {**fields(browser), "title": "Head of Policy"}
    bus.answers[("contacts", "change_individual")] = Invalid(errors={"title": ["Too long."]})
    record.present = {**BEFORE, "title": "Chief of Staff"}
    bus.answers[("contacts", "read_individual")] = record.present
    assert browser.send(FACTS, mine, hidden=False).status_code == 422
    record.set(record.present)
    assert browser.send(FACTS, fields(browser), hidden=False).status_code == 412
    assert not record.written


def test_an_erasure_of_a_record_that_changed_asks_again(browser: Browser, record: Record, bus: Doorkeeper) -> None:
    mine = {**BEFORE, "owner": {"user": "0197f2a0-0000-7000-8000-0000000amina", "component": "ICE"}}
    record.set(mine)
    bus.answers[("contacts", "may_erase")] = {"allowed": True}
    action = f"/individuals/{ID}/erase"
    browser.get(action)
    sent = {**fields(browser, action), "confirmed": "yes", "reason": "mistake"}
    record.set({**mine, "last_name": "Dorn-Quill"})
    bus.answers[("retention", "request_erasure")] = Stale()
    answer = browser.send(action, sent, hidden=False)
    assert answer.status_code == 412
    assert "<td>Dorn</td><td>Dorn-Quill</td>" in answer.text
    assert fields(browser, action)["if_match"] == sent["if_match"], "the same button is refused again"
    assert "Erase it as it is now" in answer.text


def test_an_answer_to_a_request_that_changed_asks_again(browser: Browser, bus: Doorkeeper) -> None:
    amina = "0197f2a0-0000-7000-8000-0000000amina"
    asked = {
        "id": ID,
        "status": "requested",
        "individual_id": ID,
        "issue_id": None,
        "requested_by": ID,
        "requested_component": "PSO",
        "created_at": "2026-11-28T19:05:00Z",
        "owner": {"user": amina, "component": "ICE"},
        "due_on": None,
        "message": "Please call.",
        "reason": None,
        "answered_by": None,
        "answered_at": None,
        "done_at": None,
        "closed_because": None,
        "moves": ["accepted", "declined"],
    }
    bus.answers[("interactions", "read_coordination_request")] = asked
    path = f"/requests/coordination/{ID}"
    assert "Accept</button>" in browser.get(path).text
    mine = {**fields(browser, path), "status": "accepted"}
    bus.answers[("interactions", "read_coordination_request")] = {**asked, "message": "Please do not call."}
    bus.answers[("interactions", "change_coordination_request")] = Stale()
    answer = browser.send(path, mine, hidden=False)
    assert answer.status_code == 412
    assert "<td>Please call.</td><td>Please do not call.</td>" in answer.text
    assert fields(browser, path)["if_match"] == mine["if_match"], "the same button is refused again"
    assert 'name="overwrite"' in answer.text


def test_who_is_there_already_is_named_and_linked_and_may_be_somebody_else(app: Any, browser: Browser, bus: Doorkeeper) -> None:
    likely = {"id": ID, "first_name": "Dov", "last_name": "Dorn", "organization_id": ID, "owner": OWNER, "because": ["name"]}
    bus.answers[("contacts", "register_individual")] = IndividualDuplicate(extra={"possible_duplicates": [likely]})
    bus.answers[("contacts", "read_individual")] = {**BEFORE, "organization_name": "Larkspur"}
    browser.get("/individuals/new")
    answer = browser.send("/individuals/new", {"first_name": "Dov", "last_name": "Dorn", "cell": "956-555-0163"})
    assert answer.status_code == 409
    assert (
        f'<a href="/individuals/{ID}" target="_blank" rel="noopener">Dov Dorn</a>, Director, Larkspur, Texas. Owner: Amina Adler (ICE)' in answer.text
    )
    assert 'name="duplicate_ok" value="yes">' in answer.text
    assert "<details open><summary>More" in answer.text, "what was typed into it stays in sight"
    bus.answers[("contacts", "register_individual")] = Invalid(errors={"title": ["Too long."]})
    answer = browser.send("/individuals/new", {"last_name": "Dorn", "duplicate_ok": "yes"})
    assert 'name="duplicate_ok" value="yes" checked>' in answer.text, "what was said stays said"


def test_an_organization_that_is_there_already_is_named_and_linked(browser: Browser, bus: Doorkeeper) -> None:
    likely = {"id": ID, "name": "Larkspur & Co", "state": "TX", "owner": OWNER}
    bus.answers[("contacts", "register_organization")] = OrganizationDuplicate(extra={"possible_duplicates": [likely]})
    browser.get("/organizations/new")
    answer = browser.send("/organizations/new", {"name": "Larkspur & Co"})
    assert f'<a href="/organizations/{ID}" target="_blank" rel="noopener">Larkspur &amp; Co</a>, Texas. Owner: Amina Adler (ICE)' in answer.text
    assert 'name="duplicate_ok" value="yes">' in answer.text


@pytest.mark.parametrize("name", ["salutation", "cell", "personal_phone", "work_address", "state", "issue_ids", "interests", "source"])
def test_more_stays_open_over_what_was_typed(browser: Browser, bus: Doorkeeper, name: str) -> None:
    bus.answers[("contacts", "register_individual")] = IndividualDuplicate()
    browser.get("/individuals/new")
    assert "<details open><summary>More" in browser.send("/individuals/new", {"last_name": "Dorn", name: "TX"}).text
    browser.get("/individuals/new")
    assert "<details><summary>More" in browser.send("/individuals/new", {"last_name": "Dorn"}).text
