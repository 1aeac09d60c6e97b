"""The second story of the PIA's overview: somebody asks to be left alone, and is, everywhere and for good."""

from __future__ import annotations

import datetime as dt
import time
from typing import Any

import pytest

from tests.builders import an_interaction
from tests.journeys.client import Person
from tests.journeys.stories import assert_in_the_trail
from tests.support import eventually

CARD = {
    "salutation": "Ms.",
    "first_name": "Ottoline",
    "last_name": "Vantongeren",
    "title": "Head of Public Policy",
    "organization": "Quillfeather Analytics",
    "state": "TX",
    "source": "given_by_stakeholder",
    "contact_points": [
        {"kind": "cell", "value": "956-555-0163"},
        {"kind": "email", "value": "ottoline.vantongeren@example.org"},
    ],
}


@pytest.fixture
def people(system: Any) -> dict[str, Person]:
    """Amina of ICE owns the record, Bruno is her colleague; Chloé and her colleague Denis are of the Private Sector Office."""
    return {
        "amina": Person(system.base).sign_in(system.account("ICE", "contributor")),
        "bruno": Person(system.base).sign_in(system.account("ICE", "contributor", 1)),
        "chloe": Person(system.base).sign_in(system.account("PSO", "contributor")),
        "denis": Person(system.base).sign_in(system.account("PSO", "contributor", 1)),
    }


@pytest.mark.requirement("R164", "R165", "R166", "R167", "R168", "R170", "R122", "R136")
def test_whoever_asks_to_be_left_alone_is_frozen_at_once_and_then_gone(system: Any, people: dict[str, Person]) -> None:
    amina, bruno, chloe, denis = people["amina"], people["bruno"], people["chloe"], people["denis"]
    issue = amina.post("/issues", {"name": "E-Verify outreach", "priority": "immigration"})["id"]
    dov = eventually(lambda: _registered(amina, {**CARD, "issue_ids": [issue]}))
    other = amina.post("/individuals", {"first_name": "Ruprecht", "last_name": "Oyelaran-Smit", "state": "TX"})
    now = dt.datetime.now(dt.UTC)
    talk = amina.post(
        "/interactions",
        {
            "held_at": (now - dt.timedelta(hours=1)).isoformat(timespec="seconds").replace("+00:00", "Z"),
            "mode": "in_person",
            "individual_ids": [dov["id"], other["id"]],
            "issue_ids": [issue],
            "outcome": "Ottoline Vantongeren asked for the guidance in writing.",
        },
    )
    event = amina.post(
        "/events",
        {
            "name": "Conference in Texas",
            "starts_at": (now - dt.timedelta(days=1)).isoformat(timespec="seconds").replace("+00:00", "Z"),
            "issue_ids": [issue],
        },
    )
    amina.post(f"/events/{event['id']}/attendees", {"individual_ids": [dov["id"], other["id"]]})
    eventually(lambda: denis.get("/stakeholders", q="Vantongeren")["items"])
    assert len(bruno.get(f"/individuals/{dov['id']}/contact-points")["items"]) == 2
    asked = eventually(lambda: _asked(chloe, dov["id"]), why="interactions hears of him")

    request = denis.post(
        "/no-contact-requests",
        {"individual_id": dov["id"], "medium": "phone", "received_on": dt.datetime.now(dt.UTC).date().isoformat(), "reason": "Told on the phone."},
    )
    recorded = time.monotonic()
    eventually(lambda: amina.get(f"/coordination-requests/{asked['id']}")["status"] == "declined", why="interactions hears of it")
    for person in (bruno, chloe):
        person.ask("GET", f"/individuals/{dov['id']}", expect=404)
        person.ask("GET", f"/individuals/{dov['id']}/contact-points", expect=404)
    amina.ask("GET", f"/individuals/{dov['id']}/contact-points", expect=409)
    for person in (amina, bruno, chloe, denis):
        assert not person.get("/stakeholders", q="Vantongeren")["items"]
    call = {"held_at": an_interaction()["held_at"], "mode": "phone", "individual_ids": [dov["id"]]}
    assert amina.ask("POST", "/interactions", expect=409, json=call).json()["code"] == "individual-frozen"
    print(f"frozen for everyone, and everybody asked, after {time.monotonic() - recorded:.2f} s; of a second for the first")
    frozen = amina.get(f"/individuals/{dov['id']}")
    assert (frozen["frozen"], frozen["notice"]) == (True, "do not contact")
    denis.ask("POST", f"/no-contact-requests/{request['id']}/erase", expect=403)

    task = eventually(
        lambda: [t for t in amina.get("/tasks")["items"] if t["subject"]["id"] == request["id"]],
        why="the owner finds the task",
    )
    assert len(task) == 1
    erasing = amina.post(f"/no-contact-requests/{request['id']}/erase", expect=202)
    erasure = eventually(
        lambda: (e := amina.get(f"/erasures/{erasing['erasure_id']}"))["state"] == "done" and e,
        seconds=60,
        why="every service answers with its receipt",
    )
    assert {receipt["service"] for receipt in erasure["receipts"]} >= {"contacts", "interactions"}
    assert all(receipt["left"] == 0 for receipt in erasure["receipts"])

    amina.ask("GET", f"/individuals/{dov['id']}", expect=404)
    for person in people.values():
        assert not person.get("/stakeholders", q="Vantongeren")["items"]
    attendees = amina.get(f"/events/{event['id']}/attendees")["items"]
    assert [a["individual_id"] for a in attendees] == [other["id"]]
    left = amina.ask("GET", f"/interactions/{talk['id']}", expect=200)
    assert left.json()["individual_ids"] == [other["id"]]
    assert "Ottoline" not in left.text
    assert "Vantongeren" not in left.text

    for card in (
        CARD,
        {
            **CARD,
            "first_name": "OTTOLINE",
            "last_name": "VANTONGEREN",
            "contact_points": [{"kind": "email", "value": "OTTOLINE.VANTONGEREN@EXAMPLE.ORG"}],
        },
        {**CARD, "first_name": "Anne", "last_name": "Other", "contact_points": [{"kind": "cell", "value": "(956) 555 0163"}]},
    ):
        refused = chloe.ask("POST", "/individuals", expect=409, json=card).json()
        assert refused["code"] == "blocked"
    assert_in_the_trail(
        system,
        people.values(),
        ["Vantongeren", "VANTONGEREN", "956-555-0163", "ottoline.vantongeren", "Ruprecht", "Quillfeather"],
    )


@pytest.mark.requirement("R131", "T9")
def test_a_record_deleted_as_a_mistake_may_be_entered_again(people: dict[str, Person]) -> None:
    amina = people["amina"]
    card = {
        "first_name": "Peregrine",
        "last_name": "Ashgrove-Lindqvist",
        "contact_points": [{"kind": "email", "value": "peregrine@example.org"}],
    }
    mistake = amina.post("/individuals", card)
    path = f"/individuals/{mistake['id']}"
    tag = amina.ask("GET", path, expect=200).headers["ETag"]
    erasing = amina.ask("DELETE", path, expect=202, headers={"If-Match": tag}, json={"reason": "mistake"}).json()
    eventually(lambda: amina.get(f"/erasures/{erasing['erasure_id']}")["state"] == "done", seconds=60)
    amina.ask("GET", path, expect=404)
    again = amina.post("/individuals", card)
    assert again["id"] != mistake["id"]


def _asked(person: Person, individual_id: str) -> dict[str, Any] | None:
    """Ask for coordination; return None while interactions does not know the individual yet."""
    answer = person.ask("POST", "/coordination-requests", json={"individual_id": individual_id, "message": "Please pass on the guidance."})
    assert answer.status_code in {201, 404, 422}, answer.text
    return answer.json() if answer.status_code == 201 else None


def _registered(person: Person, card: dict[str, Any]) -> dict[str, Any] | None:
    """Register; return None while contacts does not know the issue yet."""
    answer = person.ask("POST", "/individuals", json=card)
    assert answer.status_code in {201, 422}, answer.text
    return answer.json() if answer.status_code == 201 else None


@pytest.mark.requirement("R117", "R168", "R170")
def test_a_verification_may_end_in_a_request_for_no_more_contact(people: dict[str, Person]) -> None:
    amina, bruno, chloe = people["amina"], people["bruno"], people["chloe"]
    person = amina.post("/individuals", {"first_name": "Ulrike", "last_name": "Wexelblatt-Oduya", "state": "NM"})
    spoken = dt.datetime.now(dt.UTC) - dt.timedelta(minutes=5)
    verified = bruno.post(f"/individuals/{person['id']}/verifications", {"medium": "phone", "verified_at": spoken.isoformat(timespec="seconds")})
    assert verified["medium"] == "phone"
    asked = {"individual_id": person["id"], "medium": "phone", "received_on": spoken.date().isoformat(), "reason": "Said when called."}
    request = bruno.post("/no-contact-requests", asked)
    assert request["individual_id"] == person["id"]
    chloe.ask("GET", f"/individuals/{person['id']}", expect=404)
    again = {"medium": "phone", "verified_at": spoken.isoformat(timespec="seconds")}
    assert amina.ask("POST", f"/individuals/{person['id']}/verifications", json=again).status_code == 409, "nobody calls again to verify"
    amina.post(f"/no-contact-requests/{request['id']}/erase", expect=202)
