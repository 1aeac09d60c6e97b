"""No page stops at a number silently: at one more than it shows it says so, and leads to the rest."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest

from tests.unit.gateway.browsing import ID, NOTHING, OWNER, PERSON, Browser, quiet
from tests.unit.gateway.fakes import AMINA, FakeBus

AT = "2026-11-28T19:05:00.000Z"
ORGANIZATION = {"id": ID, "name": "Dorn & Sons", "offices": [], "issues": [], "relationships": [], "owner": OWNER, "created_at": AT}
NOTE = {"id": ID, "text": "x", "author": AMINA, "component": "ICE", "created_at": AT}
TALK = {"id": ID, "kind": "interaction", "at": AT, "mode": "phone", "component": "ICE", "user": AMINA, "issue_ids": [], "event_id": None}
EVENT = {"id": ID, "name": "Roundtable", "starts_at": AT, "issue_ids": [], "component": "ICE"}
COORDINATION = {"id": ID, "individual_id": ID, "message": "x", "requested_by": AMINA, "requested_component": "ICE", "owner": OWNER}
NO_CONTACT = {"id": ID, "individual_id": ID, "received_on": "2026-11-28", "medium": "phone", "recorded_by": AMINA, "owner": OWNER, "state": "open"}
FREEZE = {"user_id": AMINA, "day": "2026-11-28", "count": 10, "individual_id": ID, "reason": "x"}
IMPORT = {"id": ID, "filename": "cards.vcf", "state": "checked", "created_at": AT}
#: Page → whom it asks for which list, one of its items, and the parameter of the address that goes on in it.
LISTS: dict[tuple[str, str], tuple[tuple[str, str], dict[str, Any], str]] = {
    ("notes", f"/individuals/{ID}"): (("contacts", "list_notes"), NOTE, "notes"),
    ("people", f"/organizations/{ID}"): (("contacts", "list_individuals"), PERSON, "people"),
    ("events", "/events"): (("interactions", "list_events"), EVENT, "cursor"),
    ("attendees", f"/events/{ID}"): (("interactions", "list_attendees"), {"id": ID, "individual_id": ID, "organization_id": None}, "cursor"),
    ("coordination", "/requests/coordination"): (("interactions", "list_coordination_requests"), COORDINATION, "cursor"),
    ("no contact", "/requests/no-contact"): (("retention", "list_no_contact_requests"), NO_CONTACT, "cursor"),
    ("many freezes", "/requests/no-contact/many"): (("contacts", "list_many_freezes"), FREEZE, "cursor"),
    ("imports", "/imports"): (("contacts", "list_imports"), IMPORT, "cursor"),
}


@pytest.fixture
def bus() -> FakeBus:
    """What the pages ask for, in a quiet system."""
    bus = quiet()
    bus.answers |= {("contacts", "read_organization"): ORGANIZATION, ("contacts", "list_individuals"): NOTHING}
    return bus


@pytest.mark.parametrize(("called", "path"), LISTS)
@pytest.mark.parametrize("many", [50, 51])
def test_a_page_says_when_there_is_one_more_than_it_shows(aminas: Browser, bus: FakeBus, called: str, path: str, many: int) -> None:
    asked, item, parameter = LISTS[called, path]
    seen: list[str | None] = []

    def listed(query: dict[str, Any], **_: Any) -> dict[str, Any]:
        seen.append(query.get("cursor"))
        limit = int(query["limit"])
        shown, following = ([item], None) if query.get("cursor") else ([item] * min(many, limit), "the-rest" if many > limit else None)
        return {"items": shown, "next": following, "total": many}

    bus.answers[asked] = listed
    first = aminas.get(path)
    assert first.status_code == 200, first.text
    said = re.search(r"Showing (\d+) of (\d+)", first.text)
    if many == 50:
        assert said is None
        assert 'rel="next"' not in first.text
        return
    assert said is not None, f"{called}: stops silently"
    assert said.groups() == ("50", "51")
    (rest,) = re.findall(r'rel="next" href="([^"]+)"', first.text)
    assert f"{parameter}=the-rest" in rest
    second = aminas.get(html.unescape(rest))
    assert seen[-1] == "the-rest"
    assert "Showing 1 of 51" in second.text
    assert "Back to the first" in second.text


@pytest.mark.parametrize(("kind", "reader"), [("individuals", "record_history"), ("organizations", "read_organization")])
def test_a_history_says_when_there_is_one_more_than_it_shows(aminas: Browser, bus: FakeBus, kind: str, reader: str) -> None:
    talks = [{**TALK, "position": [AT.replace("Z", "+00:00"), f"{ID[:-4]}{n:04d}"]} for n in range(50, 0, -1)]
    registered = {"at": "2026-01-01T00:00:00.000Z", "kind": "registered", "by": AMINA, "component": "ICE"}
    bus.answers[("interactions", "list_history")] = lambda query: {"items": [] if query["after"] else talks, "more": False, "total": 50}
    if reader == "record_history":
        registered["position"] = ["2026-01-01T00:00:00+00:00", ID]
        bus.answers[("contacts", reader)] = {"items": [registered], "more": False, "total": 1}
    else:
        bus.answers[("contacts", reader)] = {**ORGANIZATION, "created_at": registered["at"]}
    first = aminas.get(f"/{kind}/{ID}").text
    assert "Showing 50 of 51" in first
    (rest,) = re.findall(r'rel="next" href="([^"]+)"', first)
    second = aminas.get(html.unescape(rest)).text
    assert "Showing 1 of 51" in second
    assert "Registered" in second


@pytest.mark.requirement("T21")
def test_a_search_says_how_many_more_of_that_name_asked_not_to_be_contacted(aminas: Browser, bus: FakeBus) -> None:
    person = {"id": ID, "first_name": "Hope", "last_name": "Erasegard", "request_id": ID}
    bus.answers[("contacts", "find_frozen")] = {"items": [person] * 50, "next": "the-rest", "total": 51}
    assert "There are 51 of that name who asked; 50 are shown." in aminas.get("/search?q=erasegard").text


def test_a_form_offers_every_issue_and_every_colleague_whatever_their_number(aminas: Browser, bus: FakeBus) -> None:
    issues = [{"id": f"{ID[:-4]}{n:04d}", "name": f"Issue number {n}.", "priority": "immigration", "active": True} for n in range(201)]
    users = [
        {"id": f"{ID[:-4]}{n:04d}", "name": f"Colleague number {n}.", "active": True, "level": "contributor", "component": "ICE", "roles": []}
        for n in range(201)
    ]

    def paged(items: list[dict[str, Any]], asked: dict[str, Any]) -> dict[str, Any]:
        begin, limit = int(asked.get("cursor") or 0), int(asked.get("limit", 50))
        return {"items": items[begin : begin + limit], "next": str(begin + limit) if begin + limit < len(items) else None, "total": len(items)}

    bus.answers[("interactions", "list_issues")] = lambda query: paged(issues, query)
    bus.answers[("interactions", "report_spoken_to")] = {"regions": [{"fema_region": 6, "spoken_to": 0, "known": 0, "states": []}], "total": {}}
    bus.answers[("access", "list_users")] = lambda **asked: paged(users, asked)
    for path in ("/individuals/new", "/organizations/new", "/interactions/new", "/events", "/issues", "/reports"):
        assert aminas.get(path).text.count("Issue number 200.") >= 1, path
    for path in ("/interactions/new", f"/individuals/{ID}"):
        assert "Colleague number 200." in aminas.get(path).text, path
