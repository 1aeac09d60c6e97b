"""The first story of the PIA's overview: outreach across components, through the real system, from real files."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from services.chassis.testing import eventually
from tests.journeys.stories import TEN, Scene, assert_in_the_trail, spoken_to


@pytest.fixture(scope="module")
def scene(system: Any) -> Scene:
    """Congress and its offices imported by Amina of ICE; ten people whose cell and e-mail only ICE was given."""
    return Scene.set(system)


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
    texan = scene.ten[0]
    for query in (
        {"issue": scene.issue, "state": "TX"},
        {"q": texan["last_name"]},
        {"q": texan["last_name"][:3]},
        {"q": f"{texan['first_name']} {texan['last_name']}"},
        {"engaged_on": scene.issue},
    ):
        found = {item["id"] for item in scene.chloe.get("/stakeholders", **query, limit=200)["items"]}
        assert texan["id"] in found, query
    seen = scene.chloe.get(f"/individuals/{texan['id']}")
    assert seen["owner"] == {**seen["owner"], "user": scene.amina.user["id"], "component": "ICE"}
    assert [r["component"] for r in seen["relationships"]] == ["ICE"]
    assert seen["last_contact"]["component"] == "ICE"
    assert seen["last_contact"]["mode"] == "phone"
    assert seen["last_contacted_at"].startswith(scene.called_on.isoformat())


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
        answer = scene.chloe.ask("GET", "/stakeholders", expect=200, params={"q": value})
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
