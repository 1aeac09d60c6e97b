"""People and organizations are chosen by name, in the form that needs them; nobody types an id."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.unit.gateway.browsing import ID, Browser, quiet
from tests.unit.gateway.fakes import FakeBus

OTHER = "0197f2a0-0000-7000-8000-0000000000b1"
LINE: dict[str, Any] = {"id": ID, "type": "individual", "name": "Dov Dorn <b>", "organization_name": "Larkspur", "state": "TX"}
FIRM: dict[str, Any] = {"id": OTHER, "type": "organization", "name": "Larkspur", "organization_name": "Larkspur", "state": None}
TALK = {"held_at": "2026-01-20T10:00", "mode": "phone", "outcome": "Talked about ports."}


@pytest.fixture
def bus() -> FakeBus:
    """A system with one person and one organization."""
    bus = quiet()
    names = [{"id": ID, "type": "individual", "name": "Dov Dorn <b>"}, {"id": OTHER, "type": "organization", "name": "Larkspur"}]
    bus.answers["contacts", "name_stakeholders"] = lambda ids: {"items": [one for one in names if one["id"] in ids]}
    bus.answers["contacts", "search_stakeholders"] = {"items": [LINE, FIRM], "next": None, "total": 2, "facets": {}}
    bus.answers["interactions", "create_interaction"] = {"id": ID}
    bus.answers["interactions", "add_attendees"] = {}
    return bus


def boxes(page: str) -> list[tuple[str, str, bool]]:
    """Return (name, value, checked) of the boxes of a picker."""
    found = re.findall(r'<input type="checkbox" name="(individual_ids|organization_ids)" value="([^"]+)"( checked)?>', page)
    return [(name, value, bool(checked)) for name, value, checked in found]


@pytest.mark.requirement("R48")
def test_a_search_in_the_form_saves_nothing_and_keeps_the_rest_of_it(aminas: Browser, bus: FakeBus) -> None:
    aminas.get("/interactions/new")
    page = aminas.send("/interactions/new", {**TALK, "find": "dorn", "organization_ids": [OTHER]}).text
    assert not bus.of("interactions", "create_interaction")
    assert bus.of("contacts", "search_stakeholders")[-1].kwargs["query"]["q"] == "dorn"
    # Who was chosen stays chosen, and is not offered again.
    assert boxes(page) == [("organization_ids", OTHER, True), ("individual_ids", ID, False)]
    assert "Dov Dorn &lt;b&gt;, Larkspur, TX" in page
    assert 'value="2026-01-20T10:00"' in page
    assert "Talked about ports." in page
    assert 'role="alert"' not in page
    assert re.search(r'id="find" name="find"[^>]* value="">', page), "the next button saves"
    answer = aminas.send("/interactions/new", {**TALK, "find": "", "organization_ids": [OTHER], "individual_ids": [ID]})
    assert answer.status_code == 303
    body = bus.of("interactions", "create_interaction")[-1].kwargs["body"]
    assert (body["individual_ids"], body["organization_ids"]) == ([ID], [OTHER])


@pytest.mark.requirement("R62")
def test_who_attended_is_found_by_name_people_and_organizations_alike(aminas: Browser, bus: FakeBus) -> None:
    aminas.get(f"/events/{ID}")
    page = aminas.send(f"/events/{ID}/attendees", {"find": "lark"}).text
    assert not bus.of("interactions", "add_attendees")
    assert boxes(page) == [("individual_ids", ID, False), ("organization_ids", OTHER, False)]
    assert aminas.send(f"/events/{ID}/attendees", {"find": "", "individual_ids": [ID], "organization_ids": [OTHER]}).status_code == 303
    assert bus.of("interactions", "add_attendees")[-1].kwargs["body"] == {"individual_ids": [ID], "organization_ids": [OTHER]}


def test_nobody_of_that_name_is_said_and_a_card_can_be_added(aminas: Browser, bus: FakeBus) -> None:
    bus.answers["contacts", "search_stakeholders"] = {"items": [], "next": None, "total": 0, "facets": {}}
    aminas.get("/interactions/new")
    page = aminas.send("/interactions/new", {**TALK, "find": "<zq>"}).text
    assert "No results for “&lt;zq&gt;”." in page
    assert 'href="/individuals/new" target="_blank"' in page


def test_from_a_record_its_person_is_chosen(aminas: Browser) -> None:
    assert boxes(aminas.get(f"/interactions/new?individual_id={ID}").text) == [("individual_ids", ID, True)]
    assert boxes(aminas.get("/interactions/new?individual_id=Dov").text) == []


def test_a_wrong_form_keeps_whom_it_chose(aminas: Browser, bus: FakeBus) -> None:
    aminas.get("/interactions/new")
    answer = aminas.send("/interactions/new", {"mode": "phone", "individual_ids": [ID], "find": ""})
    assert answer.status_code == 422
    assert boxes(answer.text) == [("individual_ids", ID, True)]
    assert not bus.of("interactions", "create_interaction")


def test_while_one_types_the_first_are_answered_as_json(aminas: Browser, bus: FakeBus) -> None:
    def pick(**fields: str) -> Any:
        aminas.get("/interactions/new")
        return aminas.send("/pick", fields)

    answer = pick(find="dorn")
    assert answer.get_json() == [
        {"id": ID, "type": "individual", "name": "Dov Dorn <b>, Larkspur, TX"},
        {"id": OTHER, "type": "organization", "name": "Larkspur"},
    ]
    asked = len(bus.of("contacts", "search_stakeholders"))
    assert pick(find="d").get_json() == []
    assert len(bus.of("contacts", "search_stakeholders")) == asked
    pick(find="dorn", single="yes")
    assert bus.of("contacts", "search_stakeholders")[-1].kwargs["query"]["type"] == "individual"
    assert aminas.send("/pick", {"find": "dorn"}, hidden=False).status_code == 403


@pytest.mark.parametrize("path", ["/requests/coordination/new", "/requests/no-contact/new"])
def test_a_request_is_about_one_person_who_is_found_by_name(aminas: Browser, bus: FakeBus, path: str) -> None:
    assert 'name="individual_id"' not in aminas.get(path).text
    page = aminas.send(path, {"find": "dorn", "message": "Pass it on.", "medium": "phone"}).text
    assert not [said for said in bus.said if said.operation and said.service != "access"]
    assert f'<input type="radio" name="individual_id" value="{ID}">' in page
    assert "Pass it on." in page or "no-contact" in path
    # Without anybody, the field that lacks is named.
    answer = aminas.send(path, {"message": "Pass it on.", "medium": "phone", "received_on": "2026-01-20", "find": ""})
    assert answer.status_code == 422
    assert 'href="#individual_id"' in answer.text
    assert 'id="individual_id"' in answer.text


def test_no_page_asks_for_an_id() -> None:
    templates = Path(__file__).parents[3] / "gateway" / "pages" / "templates"
    asking = re.compile(r'f\.text\("\w*_ids?"|\bthe ids? of\b|their ids, with', re.IGNORECASE)
    # The security officer's filters name users and records as the trail does: by their ids.
    others = [path for path in templates.glob("*.html") if path.name != "audit.html"]
    assert [path.name for path in others if asking.search(re.sub(r"{#.*?#}", "", path.read_text(), flags=re.DOTALL))] == []
