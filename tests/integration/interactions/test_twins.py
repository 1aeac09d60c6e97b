"""A possible twin is as frozen as anybody for the components that see it so, and as before for everybody else (T26)."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

from services.chassis.messages import Caller, NotFound, Refusal
from services.contacts.contract.announcements import IndividualFrozenFor
from services.interactions.usecases import announcement_handlers, coordination, events, reading
from tests.cast import AMINA, BRUNO, CHLOE, FARID
from tests.integration.interactions.conftest import Office

#: PSO's colleague, who owns nothing.
DENIS = dataclasses.replace(CHLOE, id="01900000-0000-7000-8000-000000000033")

Door = Callable[[Office, Caller, dict[str, Any]], Any]

#: Doors that a frozen person is refused at; each is given a person, an earlier talk with somebody else, and a request.
REFUSING: dict[str, Door] = {
    "log an interaction": lambda office, by, at: office.talk(by, individual_ids=[at["person"]]),
    "log it with others": lambda office, by, at: office.talk(by, individual_ids=[at["other"], at["person"]]),
    "log a promise": lambda office, by, at: office.talk(by, individual_ids=[at["person"]], follow_ups=[_promise()]),
    "add to an interaction": lambda office, by, at: office.correct(by, at["talk"], individual_ids=[at["other"], at["person"]]),
    "record attendance": lambda office, by, at: office.attend(by, at["event"], at["person"]),
    "ask the owner to coordinate": lambda office, by, at: office.ask(by, at["person"]),
}
#: Doors that lists and pages are; each returns what of the person is found.
SHOWING: dict[str, Door] = {
    "interactions": lambda office, by, at: [talk["id"] for talk in office.talks(by, individual_id=at["person"])["items"]],
    "all interactions": lambda office, by, at: [each["id"] for each in office.talks(by)["items"] if each["id"] == at["theirs"]["id"]],
    "total of interactions": lambda office, by, at: office.talks(by, individual_id=at["person"])["total"],
    "history": lambda office, by, at: [
        each["id"] for each in office.do(by, reading.list_history, query={"individual_id": at["person"], "limit": 50})["items"]
    ],
    "events": lambda office, by, at: [
        each["id"] for each in office.do(by, events.list_events, query={"individual_id": at["person"], "limit": 50})["items"]
    ],
    "attendees": lambda office, by, at: [
        each["individual_id"]
        for each in office.do(by, events.list_attendees, event_id=at["event"], query={"limit": 50})["items"]
        if each["individual_id"] == at["person"]
    ],
    "who is known": lambda office, by, _: office.state(by, "NM")["known"],
    "who was spoken to": lambda office, by, _: office.state(by, "NM")["spoken_to"],
}


def _promise() -> dict[str, Any]:
    return {"text": "Send the guidance", "due_on": None, "assignee": None, "done_at": None}


def told(office: Office, person: str, *components: str, revision: int = 1) -> None:
    office.hear(announcement_handlers.individual_frozen_for, IndividualFrozenFor(person, list(components), revision))


@pytest.fixture
def at(office: Office) -> dict[str, Any]:
    """A person of ICE in New Mexico whom everybody has spoken to, and another person."""
    person, other = office.individual(AMINA, state="NM"), office.individual(AMINA, state="TX")
    event = office.event(AMINA)
    theirs = office.talk(AMINA, individual_ids=[person])
    office.attend(AMINA, event, person, other)
    talk = office.talk(DENIS, individual_ids=[other])
    return {"person": person, "other": other, "event": event, "talk": talk, "theirs": theirs}


@pytest.mark.requirement("T26", "T21")
@pytest.mark.parametrize("door", REFUSING)
def test_a_twin_is_refused_to_its_component_and_to_no_other(office: Office, at: dict[str, Any], door: str) -> None:
    told(office, at["person"], "PSO")
    for by in (CHLOE, DENIS):
        with pytest.raises(Refusal) as refused:
            REFUSING[door](office, by, at)
        assert refused.value.code == "individual-frozen"
    told(office, at["person"], revision=2)
    REFUSING[door](office, DENIS, at)


@pytest.mark.requirement("T26", "T21")
@pytest.mark.parametrize("door", [door for door in REFUSING if door != "ask the owner to coordinate"])
def test_others_go_on_with_a_twin_as_before(office: Office, at: dict[str, Any], door: str) -> None:
    told(office, at["person"], "PSO")
    REFUSING[door](office, BRUNO, at)


@pytest.mark.requirement("T26", "T21", "T12")
@pytest.mark.parametrize("door", SHOWING)
def test_a_twin_is_in_no_list_and_no_number_of_its_component_and_in_all_of_others(office: Office, at: dict[str, Any], door: str) -> None:
    before = {by.id: SHOWING[door](office, by, at) for by in (BRUNO, DENIS, FARID)}
    assert before[DENIS.id], "it is there to be found"
    told(office, at["person"], "PSO")
    assert not SHOWING[door](office, DENIS, at)
    for by in (BRUNO, *([FARID] if "who" not in door else [])):
        assert SHOWING[door](office, by, at) == before[by.id]
    told(office, at["person"], revision=2)
    assert SHOWING[door](office, DENIS, at) == before[DENIS.id]


@pytest.mark.requirement("T26", "R86", "T17")
def test_requests_about_a_twin_stay_for_others_and_are_hidden_from_its_component(office: Office) -> None:
    person = office.individual(CHLOE, state="NM")
    asked = office.ask(BRUNO, person)
    sent = office.ask(DENIS, person)
    told(office, person, "PSO")
    assert ("await-coordination-request", sent["id"]) not in office.tasks(DENIS)
    with pytest.raises(NotFound):
        office.do(DENIS, coordination.read_coordination_request, request_id=sent["id"])
    assert office.do(BRUNO, coordination.read_coordination_request, request_id=asked["id"]) == asked, "whoever asked sees no difference"
    assert office.tasks(BRUNO) == [("await-coordination-request", asked["id"])]
    with pytest.raises(Refusal) as refused:
        office.answer(CHLOE, asked, "accepted")
    assert refused.value.code == "individual-frozen"
    mine = office.do(CHLOE, coordination.read_coordination_request, request_id=asked["id"])
    assert "accepted" not in mine["moves"]
    told(office, person, revision=2)
    assert office.answer(CHLOE, asked, "accepted")["status"] == "accepted"


@pytest.mark.requirement("T26", "T12")
def test_gaps_and_numbers_of_others_are_the_same_while_a_twin_is_frozen(office: Office, at: dict[str, Any]) -> None:
    asked = (reading.report_spoken_to, reading.report_coverage_gaps)
    before = [office.do(BRUNO, report, query={}) for report in asked]
    told(office, at["person"], "PSO")
    assert [office.do(BRUNO, report, query={}) for report in asked] == before
    gaps = {row["state"]: row["gap"] for row in office.do(DENIS, reading.report_coverage_gaps, query={})["items"]}
    assert gaps["NM"] == "nobody_known"
