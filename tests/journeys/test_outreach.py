"""The first story of the PIA's overview: outreach across components, through the real system, from real files."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from tests.journeys.stories import PROMISED, SAID, TEN, Scene, assert_in_the_trail, spoken_to
from tests.support import eventually


@pytest.fixture(scope="module")
def scene(empty_system: Any) -> Scene:
    """Congress and its offices imported by Amina of ICE; ten people whose cell and e-mail only ICE was given."""
    return Scene.set(empty_system)


@pytest.mark.requirement("R73", "R77", "R78", "R35", "R42", "R43")
def test_the_files_become_people_with_an_owner_a_relationship_and_an_issue(scene: Scene) -> None:
    people = list(scene.amina.every("/individuals"))
    assert len(people) == scene.members
    assert {person["owner"]["user"] for person in people} == {scene.amina.user["id"]}
    assert all([r["component"] for r in person["relationships"]] == ["ICE"] for person in people)
    assert all(
        [(i["issue_id"], i["kind"]) for i in person["issues"]] == [(scene.issue, "interested")]
        for person in people
        if person["id"] not in scene.spoken_to
    )
    offices = sum(len(organization["offices"]) for organization in scene.amina.every("/organizations"))
    assert offices >= 1312


@pytest.mark.requirement("R13", "R193")
def test_columns_that_the_system_must_not_hold_are_refused_by_name(scene: Scene) -> None:
    refused = {column["column"]: column for column in scene.congress_import["refused_columns"]}
    assert {"Party", "DOB", "Gender"} <= set(refused)
    assert all(refused[name]["requirement"] and refused[name]["reason"] for name in ("Party", "DOB", "Gender"))
    person = scene.amina.get(f"/individuals/{scene.ten[0]['id']}")
    assert not {"party", "dob", "date_of_birth", "gender"} & set(person)


@pytest.mark.requirement("R154", "R151")
def test_a_colleague_at_ice_sees_all_twenty_values_on_reveal(scene: Scene) -> None:
    for person, (cell, email) in zip(scene.ten, TEN, strict=True):
        shown = scene.bruno.get(f"/individuals/{person['id']}/contact-points")["items"]
        assert {cell, email} <= {point["value"] for point in shown}
        assert {point["component"] for point in shown} == {"ICE"}


@pytest.mark.requirement("R83", "R85", "R88", "R144", "R147", "R55")
def test_chloe_finds_them_by_issue_state_and_name_and_sees_who_holds_the_relationship(scene: Scene) -> None:
    def found(**query: str) -> dict[str, dict[str, Any]]:
        return {item["id"]: item for item in scene.chloe.every("/stakeholders", type="individual", **query)}

    engaged = found(engaged_on=scene.issue)
    assert engaged.keys() == scene.spoken_to
    assert len(found(issue=scene.issue)) == scene.members
    assert found(issue=scene.issue, priority="one_dhs") == {}
    texans = found(state="TX")
    assert {person["state"] for person in texans.values()} == {"TX"}
    assert texans.keys() == found(issue=scene.issue, state="TX").keys()
    assert {person["id"] for person in scene.ten if person["state"] == "TX"} == texans.keys() & scene.spoken_to
    for person in scene.ten:
        for words in (person["last_name"], person["last_name"][:3], f"{person['first_name']} {person['last_name']}"):
            by_name = found(q=words)
            assert person["id"] in by_name, words
            assert len(by_name) < scene.members / 5, words
        line, seen = engaged[person["id"]], scene.chloe.get(f"/individuals/{person['id']}")
        for shown in (line, seen):
            assert shown["owner"] == {"user": scene.amina.user["id"], "component": "ICE"}
            (relationship,) = shown["relationships"]
            assert relationship["component"] == "ICE"
            assert relationship["last_contact_at"].startswith(scene.called_on.isoformat())
        assert (seen["last_contact"]["component"], seen["last_contact"]["mode"]) == ("ICE", "phone")


@pytest.mark.requirement("R52", "R147")
def test_what_was_said_and_promised_is_everybodys_to_read(scene: Scene) -> None:
    for person in scene.ten:
        calls = [call for call in scene.chloe.get("/interactions", individual_id=person["id"])["items"] if call["follow_ups"]]
        assert [(call["component"], call["user"], call["outcome"]) for call in calls] == [("ICE", scene.amina.user["id"], SAID)]
        assert [promise["text"] for call in calls for promise in call["follow_ups"]] == [PROMISED]


@pytest.mark.requirement("R148", "R149", "R150", "R154")
def test_chloe_gets_none_of_the_twenty_values_by_any_route(scene: Scene) -> None:
    values = [value for pair in TEN for value in pair]
    bare = [value.replace("-", "") for value in values] + [value.lower() for value in values]
    for person in scene.ten:
        path = f"/individuals/{person['id']}"
        for asked in (
            path,
            f"{path}/contact-points",
            f"{path}/notes",
            f"{path}/history",
            f"/stakeholders?q={person['last_name']}",
            "/individuals?limit=200",
            f"/interactions?individual_id={person['id']}",
        ):
            answer = scene.chloe.ask("GET", asked, expect=200)
            said = answer.text + str(answer.headers)
            assert not [value for value in values + bare if value in said], asked
    for value in values:
        assert "contact-value-in-address" in scene.chloe.ask("GET", "/stakeholders", expect=422, params={"q": value}).text
        answer = scene.chloe.ask("POST", "/stakeholders/search", expect=200, json={"q": value})
        assert not {p["id"] for p in scene.ten} & {item["id"] for item in answer.json()["items"]}
    held = scene.chloe.get(f"/individuals/{scene.ten[0]['id']}/contact-points")
    assert held["items"] == []
    assert [h["component"] for h in held["held_by"]] == ["ICE"]


@pytest.mark.requirement("R88", "R100", "R101", "R102")
def test_the_counts_show_texas_strong_and_new_mexico_missing(scene: Scene) -> None:
    texans = sum(1 for person in scene.ten if person["state"] == "TX")
    assert texans >= 5
    # Interactions hears of imported people from contacts, some time after the import is committed.
    eventually(
        lambda: spoken_to(scene.chloe, scene.issue, "TX") == {"state": "TX", "spoken_to": texans, "known": 39},
        seconds=60,
        why="interactions knows everybody",
    )
    eventually(
        lambda: spoken_to(scene.chloe, scene.issue, "NM") == {"state": "NM", "spoken_to": 0, "known": 5},
        seconds=60,
        why="interactions knows everybody",
    )


@pytest.mark.requirement("R86", "R87")
def test_rather_than_call_chloe_asks_the_owner_who_calls_and_marks_it_done(scene: Scene) -> None:
    person = scene.ten[1]
    asked = scene.chloe.post(
        "/coordination-requests",
        {
            "individual_id": person["id"],
            "issue_id": scene.issue,
            "message": "Please pass on the new guidance on worksite enforcement.",
            "due_on": (dt.datetime.now(dt.UTC).date() + dt.timedelta(days=14)).isoformat(),
        },
    )
    path = f"/coordination-requests/{asked['id']}"
    assert asked["status"] == "requested"
    tasks = eventually(
        lambda: [t for t in scene.amina.get("/tasks")["items"] if t["subject"]["id"] == asked["id"]],
        why="the owner finds the request among their tasks",
    )
    assert len(tasks) == 1
    scene.chloe.ask(
        "PATCH",
        path,
        json={"status": "accepted"},
        headers={"If-Match": scene.chloe.ask("GET", path).headers["ETag"]},
        expect=403,
    )
    assert scene.amina.patch(path, {"status": "accepted"})["status"] == "accepted"
    scene.amina.post(
        "/interactions",
        {
            "held_at": dt.datetime.now(dt.UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
            "mode": "phone",
            "individual_ids": [person["id"]],
            "issue_ids": [scene.issue],
            "outcome": "Passed on the guidance.",
        },
    )
    assert scene.amina.patch(path, {"status": "done"})["status"] == "done"
    assert scene.chloe.get(path)["status"] == "done"


@pytest.mark.requirement("R62", "R56", "R146")
def test_the_meeting_is_an_event_with_two_attendees_in_everyones_history(scene: Scene) -> None:
    attendees = scene.chloe.get(f"/events/{scene.event}/attendees")["items"]
    assert len(attendees) == 2
    history = eventually(lambda: [h for h in scene.chloe.get(f"/individuals/{scene.ten[0]['id']}/history")["items"] if h["kind"] == "attendance"])
    assert history


@pytest.mark.requirement("R118", "R119", "R120", "R121", "R123", "R128", "T8")
def test_every_step_is_in_the_trail_and_the_trail_holds_no_value(scene: Scene) -> None:
    assert_in_the_trail(scene.system, scene.people(), scene.secrets())
