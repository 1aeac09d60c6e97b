"""The desk, and what is done from it: tasks with names, notices, promises, answers; lists that say what they leave out."""

from __future__ import annotations

import re
from typing import Any

import pytest

from services.interactions.contract.refusals import AlreadyAsked
from services.lexicon.refusals import TaskStands
from tests.unit.gateway.browsing import ID, NOTHING, Browser, quiet
from tests.unit.gateway.fakes import AMINA, FakeBus, opened

OTHER = "0197f2a0-0000-7000-8000-0000000000b1"


def _task(kind: str, *, notice: bool = False, link: str = f"/coordination-requests/{ID}", about: str | None = ID) -> dict[str, Any]:
    subject = {"type": "coordination_request", "id": ID, "individual_ids": [about] if about else []}
    return {
        "id": f"{kind}.{ID}",
        "kind": kind,
        "notice": notice,
        "subject": subject,
        "text": "Please pass on the guidance.",
        "issue_id": ID,
        "by": {"user": AMINA, "component": "ICE"},
        "at": "2026-11-20T10:00:00.000Z",
        "due_on": None,
        "link": link,
    }


@pytest.fixture
def bus() -> FakeBus:
    """What the pages ask for, in a quiet system."""
    return quiet()


@pytest.fixture
def asked() -> dict[str, Any]:
    """A request as its addressee sees it."""
    return {
        "id": ID,
        "individual_id": ID,
        "issue_id": None,
        "message": "Please pass on the guidance.",
        "due_on": None,
        "status": "requested",
        "reason": None,
        "requested_by": AMINA,
        "requested_component": "PSO",
        "asked_component": None,
        "owner": {"user": AMINA, "component": "ICE"},
        "closed_because": None,
        "moves": ["accepted", "declined"],
        "created_at": "2026-11-20T10:00:00.000Z",
        "answered_at": None,
        "answered_by": None,
        "done_at": None,
    }


@pytest.mark.requirement("T4", "T19")
def test_an_account_that_sees_no_stakeholders_has_tasks_without_names_and_asks_for_none(aminas: Browser, bus: FakeBus) -> None:
    nobody_sees = opened(roles=["system_owner"])
    nobody_sees["session"]["user"] |= {"level": None, "component": None}
    bus.answers[("access", "open_session")] = nobody_sees
    bus.answers[("interactions", "list_tasks")] = {"items": [_task("answer-coordination-request")], "more": False, "total": 1}
    told = aminas.get("/api/v1/tasks").json
    assert [task["name"] for task in told["items"]] == [None]
    assert [said.method for said in bus.said if said.service == "contacts"] == ["list_tasks"], "a refusal would stand in the trail"


@pytest.mark.requirement("R53", "R87")
def test_a_task_names_whom_it_is_about_who_asks_and_what(aminas: Browser, bus: FakeBus) -> None:
    bus.answers[("interactions", "list_tasks")] = {"items": [_task("answer-coordination-request")], "more": False, "total": 1}
    shown = aminas.get("/").text
    for words in ("Dov Dorn &lt;b&gt;", "Amina Adler (ICE)", "Please pass on the guidance.", "Worksite enforcement", f"/requests/coordination/{ID}"):
        assert words in shown
    assert "Dismiss" not in shown


@pytest.mark.requirement("R87")
def test_a_notice_is_dismissed_from_the_desk_and_leads_nowhere_when_its_person_is_gone(aminas: Browser, bus: FakeBus) -> None:
    gone = _task("coordination-request-erased", notice=True, link="/coordination-requests", about=None)
    bus.answers[("interactions", "list_tasks")] = {"items": [gone], "more": False, "total": 1}
    bus.answers[("interactions", "dismiss_task")] = lambda task_id: None  # noqa: ARG005 - its word
    shown = aminas.get("/").text
    assert "was erased" in shown
    assert f"/requests/coordination/{ID}" not in shown
    (path,) = re.findall(r'action="(/tasks/[^"]+/dismissal)"', shown)
    done = aminas.send(path, {})
    assert (done.status_code, done.headers["Location"]) == (303, "/")
    (call,) = bus.of("interactions", "dismiss_task")
    assert call.kwargs == {"task_id": gone["id"]}
    bus.answers[("interactions", "dismiss_task")] = TaskStands()
    aminas.get("/")
    assert aminas.send(path, {}).status_code == 409


def test_a_desk_that_is_full_says_so_and_leads_to_the_rest(aminas: Browser, bus: FakeBus) -> None:
    many = [{**_task("answer-coordination-request"), "id": f"answer-coordination-request.{ID[:-4]}{n:04d}"} for n in range(60)]
    bus.answers[("interactions", "list_tasks")] = lambda query: {
        "items": [t for t in many if query["after"] is None or t["id"].partition(".")[2] > query["after"][2]][: query["limit"]],
        "more": query["after"] is None,
        "total": 60,
    }
    shown = aminas.get("/").text
    assert "Showing 50 of 60" in shown
    (rest,) = re.findall(r'rel="next" href="([^"]+)"', shown)
    assert "Showing 10 of 60" in aminas.get(rest.replace("&amp;", "&")).text


@pytest.mark.requirement("R86")
@pytest.mark.parametrize("moves", [["accepted", "declined"], ["done", "declined", "requested"], ["withdrawn"], []])
def test_a_request_has_a_form_for_each_move_and_no_other(aminas: Browser, bus: FakeBus, asked: dict[str, Any], moves: list[str]) -> None:
    bus.answers[("interactions", "read_coordination_request")] = {**asked, "moves": moves}
    shown = aminas.get(f"/requests/coordination/{ID}").text
    assert sorted(re.findall(r'name="status" value="(\w+)"', shown)) == sorted(moves)
    assert "Dov Dorn &lt;b&gt;" in shown


def test_a_closed_request_whose_record_is_gone_says_so(aminas: Browser, bus: FakeBus, asked: dict[str, Any]) -> None:
    bus.answers[("contacts", "name_stakeholders")] = {"items": []}
    bus.answers[("interactions", "read_coordination_request")] = {**asked, "status": "declined", "moves": []}
    shown = aminas.get(f"/requests/coordination/{ID}").text
    assert "The record is gone" in shown
    assert f'href="/individuals/{ID}"' not in shown


@pytest.mark.requirement("R86")
def test_the_same_request_again_leads_to_the_open_one(aminas: Browser, bus: FakeBus) -> None:
    bus.answers[("interactions", "create_coordination_request")] = AlreadyAsked(extra={"request_id": OTHER, "requested_by": AMINA})
    aminas.get(f"/requests/coordination/new?individual_id={ID}&component=FEMA")
    again = aminas.send("/requests/coordination/new", {"individual_id": ID, "component": "FEMA", "message": "Please call."})
    assert again.status_code == 409
    assert f"/requests/coordination/{OTHER}" in again.text
    (call,) = bus.of("interactions", "create_coordination_request")
    assert call.kwargs["body"]["component"] == "FEMA"


@pytest.mark.requirement("R53")
def test_a_promise_is_marked_complete_and_given_to_a_colleague_on_its_page(aminas: Browser, bus: FakeBus) -> None:
    promise = {"id": OTHER, "text": "Send it", "due_on": None, "assignee": None, "created_by": AMINA, "done_at": None, "done_by": None}
    talk = {"id": ID, "mode": "phone", "held_at": "2026-11-20T10:00:00.000Z", "user": AMINA, "component": "ICE", "event_id": None, "outcome": None}
    talk |= {"individual_ids": [ID], "organization_ids": [], "issue_ids": [], "follow_ups": [promise]}
    bus.answers |= {("interactions", method): talk for method in ("read_interaction", "complete_follow_up", "change_interaction")}
    assert "Mark complete" in aminas.get(f"/interactions/{ID}").text
    assert aminas.send(f"/interactions/{ID}/follow-ups/{OTHER}/done", {}).status_code == 303
    aminas.get(f"/interactions/{ID}")
    given = {"assignee": AMINA, "due_on": "2026-12-24", "if_match": '"x"'}
    assert aminas.send(f"/interactions/{ID}/follow-ups/{OTHER}", given).status_code == 303
    (call,) = bus.of("interactions", "change_interaction")
    (sent,) = call.kwargs["body"]["follow_ups"]
    assert (sent["assignee"], sent["due_on"], sent["text"]) == (AMINA, "2026-12-24", "Send it")


def test_only_active_contributors_are_offered_as_colleagues(aminas: Browser, bus: FakeBus) -> None:
    user = {"active": True, "level": "contributor", "component": "ICE", "roles": []}
    others = {"Reader": {"level": "reader"}, "Nobody": {"level": None}, "Former": {"active": False}, "Steward": {"level": "steward"}}
    users = [{**user, "id": f"user-{name}", "name": f"{name} of ICE", **other} for name, other in others.items()]
    bus.answers["access", "list_users"] = {"items": users, "next": None, "total": 4}
    shown = aminas.get("/interactions/new").text
    assert [name for name in others if f"{name} of ICE" in shown] == ["Steward"]


def test_every_box_to_choose_an_issue_or_a_colleague_from_is_whole(aminas: Browser, bus: FakeBus) -> None:
    def listed(query: dict[str, Any]) -> dict[str, Any]:
        n = int(query.get("cursor", 0))
        return {"items": [{"id": f"issue-{n}", "name": f"Issue {n}"}], "next": str(n + 1) if n < 4 else None, "total": 5}

    def users(ids: list[str] | None = None, cursor: str = "0", **_: Any) -> dict[str, Any]:
        if ids is not None:
            return {"items": []}
        user = {"id": f"user-{cursor}", "name": f"Colleague {cursor}", "active": True, "level": "contributor", "component": "ICE", "roles": []}
        return {"items": [user], "next": str(int(cursor) + 1) if int(cursor) < 4 else None}

    bus.answers |= {("interactions", "list_issues"): listed, ("access", "list_users"): users}
    shown = aminas.get("/interactions/new").text
    for n in range(5):
        assert f"Issue {n}" in shown
        assert f"Colleague {n}" in shown


@pytest.mark.parametrize("path", ["/requests/coordination", "/requests/no-contact", "/events"])
def test_a_list_that_goes_on_says_how_much_there_is_and_leads_on(aminas: Browser, bus: FakeBus, asked: dict[str, Any], path: str) -> None:
    item = {**asked, "name": "Roundtable", "starts_at": "2026-01-01T00:00:00Z", "component": "ICE", "received_on": "2026-11-20", "medium": "phone"}
    item |= {"state": "open", "recorded_by": AMINA, "recorded_by_component": "ICE"}
    methods = {"/requests/coordination": "list_coordination_requests", "/requests/no-contact": "list_no_contact_requests", "/events": "list_events"}
    service = "retention" if path == "/requests/no-contact" else "interactions"
    bus.answers[(service, methods[path])] = lambda query: {**NOTHING, "items": [item], "next": None if "cursor" in query else "c1", "total": 2}
    first = aminas.get(path).text
    assert "Showing 1 of 2" in first
    (rest,) = re.findall(r'rel="next" href="([^"]+)"', first)
    second = aminas.get(rest.replace("&amp;", "&")).text
    assert "Back to the first" in second
    assert 'rel="next"' not in second


@pytest.mark.requirement("R100", "R97")
def test_the_report_counts_those_without_a_state_and_tells_one_gap_from_the_other(aminas: Browser, bus: FakeBus) -> None:
    counts = {"spoken_to": 0, "known": 5, "organizations_spoken_to": 0, "organizations_known": 0}
    states = [{"state": "NM", "name": "New Mexico", **counts}, {"state": "OK", "name": "Oklahoma", **counts, "known": 0}]
    region = {"fema_region": 6, **counts, "states": states}
    spoken = {"regions": [region], "without_state": {**counts, "known": 41}, "total": {**counts, "known": 46}}
    bus.answers[("interactions", "report_spoken_to")] = spoken
    shown = aminas.get("/reports").text
    for words in ("41 people have no state", "not spoken to", "nobody known", "<td>46</td>"):
        assert words in shown
