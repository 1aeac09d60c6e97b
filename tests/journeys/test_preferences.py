"""People's own wishes, over HTTP: declined until a verification withdraws it, and binding preferences (T20, T33)."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.lexicon.vocabulary import INTERACTION_MODES, PREFERENCE_AGAINST
from tests.journeys.client import Person
from tests.support import eventually


@pytest.fixture(scope="module")
def amina(system: Any) -> Person:
    """A contributor of ICE, signed in."""
    return Person(system.base).sign_in(system.account("ICE", "contributor", 1))


@pytest.fixture(scope="module")
def chloe(system: Any) -> Person:
    """A contributor of another component, signed in."""
    return Person(system.base).sign_in(system.account("PSO", "contributor"))


@pytest.fixture(scope="module")
def farid(system: Any) -> Person:
    """The privacy officer, signed in."""
    return Person(system.base).sign_in(system.account(role="privacy_officer"))


def now() -> str:
    return datetime.now(UTC).isoformat()


def registered(by: Person, **given: Any) -> str:
    return str(by.post("/individuals", {"first_name": "Vera", "last_name": f"Prefers{uuid.uuid4().hex[:8]}", **given})["id"])


def states(by: Person, individual_id: str, *preferences: str) -> None:
    """Set somebody's preferences; an interaction that is still being processed may change the record meanwhile."""

    def changed() -> bool:
        tag = by.ask("GET", f"/individuals/{individual_id}", expect=200).headers["ETag"]
        body = {"use_preferences": list(preferences)}
        return by.ask("PATCH", f"/individuals/{individual_id}", json=body, headers={"If-Match": tag}).status_code == 200

    eventually(changed, why="the record stands still")


@pytest.mark.requirement("R163", "T20", "T33")
def test_what_was_declined_is_refused_until_a_verification_withdraws_it(amina: Person, chloe: Person) -> None:
    vera = registered(amina, declined=["cell", "email"])
    cell = {"kind": "cell", "value": "202-555-0142"}
    for door in ("contact-points", "contact-points/corrections"):
        for somebody in (amina, chloe):
            assert somebody.post(f"/individuals/{vera}/{door}", cell, expect=409)["code"] == "declined"
    key = {"Idempotency-Key": str(uuid.uuid4())}
    told = {"medium": "phone", "verified_at": now(), "withdraw_declined": ["cell"]}
    first, again = (chloe.post(f"/individuals/{vera}/verifications", told, headers=key) for _ in range(2))
    assert first == again
    assert first["withdrawn"] == ["cell"]
    assert amina.post(f"/individuals/{vera}/contact-points", cell)["value"] == "202-555-0142"
    assert amina.post(f"/individuals/{vera}/contact-points", {"kind": "email", "value": "v@example.org"}, expect=409)["code"] == "declined"
    person = amina.get(f"/individuals/{vera}")
    assert (person["declined"], person["expires_because"]) == (["email"], "verification")
    (entry,) = [item for item in amina.get(f"/individuals/{vera}/history")["items"] if item["kind"] == "verified"]
    assert (entry["user"], entry["medium"], entry["withdrawn"]) == (chloe.user["id"], "phone", ["cell"])


@pytest.mark.requirement("R115", "T29")
@pytest.mark.parametrize(
    "wrong",
    [
        {"verified_at": "2026-11-23T10:00:00"},
        {"verified_at": "9999-12-31T00:00:00Z"},
        {"verified_at": "2199-12-31T00:00:00Z"},
        {"medium": "letter"},
        {"withdraw_declined": ["name"]},
        {"contact_point_ids": [str(uuid.uuid4())]},
    ],
)
def test_a_verification_that_cannot_be_is_refused_by_field(amina: Person, wrong: dict[str, Any]) -> None:
    vera = registered(amina)
    answer = amina.post(f"/individuals/{vera}/verifications", {"medium": "email", "verified_at": now(), **wrong}, expect=422)
    assert list(answer["errors"]) == list(wrong)


@pytest.mark.requirement("R169", "T33")
def test_nobody_is_asked_to_speak_to_somebody_who_wants_nothing_shared_and_talks_are_logged(amina: Person, chloe: Person) -> None:
    vera = registered(amina, use_preferences=["no_sharing", "no_phone"])
    asked = {"individual_id": vera, "message": "Please pass on the guidance."}
    for body in (asked, {**asked, "component": "ICE"}):
        answer = chloe.post("/coordination-requests", body, expect=409)
        assert (answer["code"], answer["preferences"]) == ("preference-stands", ["no_sharing"])
    assert chloe.get("/coordination-requests", individual_id=vera)["items"] == []
    talk = {"held_at": now(), "mode": "phone", "individual_ids": [vera], "initiated_by": "department"}
    assert chloe.post("/interactions", talk)["initiated_by"] == "department", "what happened is logged, whoever began it"
    assert list(chloe.post("/interactions", {**talk, "initiated_by": "somebody"}, expect=422)["errors"]) == ["initiated_by"]
    states(amina, vera, "no_phone")
    key = {"Idempotency-Key": str(uuid.uuid4())}
    first = chloe.post("/coordination-requests", asked, headers=key)
    states(amina, vera, "no_sharing")
    assert chloe.post("/coordination-requests", asked, headers=key)["id"] == first["id"], "the same request again is answered as before"


@pytest.mark.requirement("R169", "T33")
def test_the_privacy_officer_sees_what_the_department_began_against_a_preference_that_stood_then(amina: Person, chloe: Person, farid: Person) -> None:
    """Not what came before, what the stakeholder began, other modes, or what was held after the preference was withdrawn."""
    vera, other = registered(amina, use_preferences=["no_phone", "no_invitations"]), registered(amina)
    before = (datetime.now(UTC) - timedelta(days=1)).isoformat()

    def talk(by: Person, **given: Any) -> str:
        body = {"held_at": now(), "mode": "phone", "individual_ids": [vera], "initiated_by": "department", "outcome": "Private words."}
        return str(by.post("/interactions", {**body, **given})["id"])

    wrong = [talk(chloe), talk(amina, individual_ids=[vera, other]), talk(amina, mode="event")]
    talk(amina, held_at=before)
    talk(amina, initiated_by="stakeholder")
    talk(amina, initiated_by=None)
    talk(amina, mode="email")
    talk(amina, individual_ids=[other])
    corrected = talk(amina)
    amina.patch(f"/interactions/{corrected}", {"initiated_by": "stakeholder"})
    path = "/interactions/against-preferences"

    def listed(**query: Any) -> list[dict[str, Any]]:
        return list(farid.every(path, individual_id=vera, **query))

    eventually(lambda: sorted(one["interaction_id"] for one in listed()) == sorted(wrong), why="contacts announces preferences")
    assert {(one["mode"], one["preference"], one["component"]) for one in listed()} == {
        ("phone", "no_phone", "PSO"),
        ("phone", "no_phone", "ICE"),
        ("event", "no_invitations", "ICE"),
    }
    assert all(set(one) == {"interaction_id", "individual_id", "preference", "stated_at", "held_at", "mode", "component", "user"} for one in listed())
    assert [one["component"] for one in listed(component="PSO")] == ["PSO"]
    assert [one["mode"] for one in listed(preference="no_invitations")] == ["event"]
    assert listed(until=before) == []
    assert len(listed(since=before)) == 3
    first = farid.get(path, individual_id=vera, limit=1)
    assert first["total"] == 3
    assert farid.get(path, individual_id=vera, limit=2, cursor=first["next"])["next"] is None
    for somebody in (amina, chloe):
        assert somebody.ask("GET", path, expect=403).json()["code"] == "forbidden"
    assert farid.ask("GET", path, expect=422, params={"preference": "no_sharing"}).json()["errors"]
    states(amina, vera)
    talk(amina)
    eventually(lambda: sorted(one["interaction_id"] for one in listed()) == sorted(wrong), why="what stood then counts, whatever is said now")
    states(amina, vera, "no_phone")
    again = talk(amina)
    eventually(lambda: again in {one["interaction_id"] for one in listed()}, why="the preference stands anew")


@pytest.mark.requirement("R169", "T33")
def test_whoever_reveals_a_number_and_whoever_reads_the_timeline_is_told(amina: Person) -> None:
    vera = registered(amina, use_preferences=["no_phone"])
    assert amina.get(f"/individuals/{vera}/contact-points")["use_preferences"] == ["no_phone"]
    talk = {"held_at": now(), "mode": "phone", "individual_ids": [vera], "initiated_by": "stakeholder"}
    amina.post("/interactions", talk)
    (told,) = [item for item in amina.get(f"/individuals/{vera}/history")["items"] if item["kind"] == "interaction"]
    assert told["initiated_by"] == "stakeholder"


def answers(by: Person, method: str, path: str, body: Any) -> tuple[int, str | None, list[str]]:
    """Return status, code and preferences of an answer; a patch names the present version."""
    headers = {"Idempotency-Key": str(uuid.uuid4())}
    if method == "PATCH":
        headers["If-Match"] = by.ask("GET", path, expect=200).headers["ETag"]
    answer = by.ask(method, path, json=body, headers=headers)
    said = answer.json()
    return answer.status_code, said.get("code"), said.get("preferences", [])


@pytest.mark.requirement("R169", "T33")
@pytest.mark.parametrize("preference", sorted(PREFERENCE_AGAINST.values()))
def test_every_door_that_plans_is_shut_by_the_preference_against_its_mode_and_by_no_other(amina: Person, chloe: Person, preference: str) -> None:
    vera, other = registered(amina, use_preferences=[preference]), registered(amina)
    plain = {"held_at": now(), "mode": "phone", "individual_ids": [vera], "initiated_by": "department"}
    talk = amina.post("/interactions", {**plain, "follow_ups": [{"text": "Tell them the date."}]})
    (promise,) = talk["follow_ups"]
    wrong = []
    for mode in [*INTERACTION_MODES, None]:
        due = (datetime.now(UTC) + timedelta(days=7)).date().isoformat()
        promised = [{"text": "Tell them the date.", "mode": mode}]
        free = amina.post("/interactions", {**plain, "individual_ids": [other], "follow_ups": promised})
        doors = {
            "asking": (chloe, "POST", "/coordination-requests", {"individual_id": vera, "message": f"Tell them ({mode}).", "mode": mode}),
            "logging with a promise": (amina, "POST", "/interactions", {**plain, "follow_ups": promised}),
            "promising later": (amina, "PATCH", f"/interactions/{talk['id']}", {"follow_ups": [{**promise, "mode": mode, "due_on": due}]}),
            "somebody more": (chloe, "PATCH", f"/interactions/{free['id']}", {"individual_ids": [other, vera]}),
        }
        for name, (by, *asked) in doors.items():
            status, code, told = answers(by, *asked)
            if PREFERENCE_AGAINST.get(mode or "") == preference:
                if (status, code, told) != (409, "preference-stands", [preference]):
                    wrong.append((name, mode, status, code, told))
            elif status not in {200, 201} and code != "already-asked":
                wrong.append((name, mode, status, code, told))
            if name == "asking" and status == 201:
                mine = chloe.get("/coordination-requests", individual_id=vera, side="sent", status="requested")["items"]
                answers(chloe, "PATCH", f"/coordination-requests/{mine[0]['id']}", {"status": "withdrawn"})
    assert wrong == []


@pytest.mark.requirement("R169", "T33")
def test_what_was_planned_before_a_preference_is_neither_accepted_nor_planned_anew_and_is_finished(amina: Person, chloe: Person) -> None:
    vera = registered(amina)
    asked = {"individual_id": vera, "message": "Please call them.", "mode": "phone"}
    request = chloe.post("/coordination-requests", asked)
    due = (datetime.now(UTC) + timedelta(days=3)).date().isoformat()
    promised = [{"text": "Call back.", "mode": "phone", "due_on": due}, {"text": "Call again.", "mode": "phone"}]
    talk = amina.post("/interactions", {"held_at": now(), "mode": "phone", "individual_ids": [vera], "follow_ups": promised})
    states(amina, vera, "no_phone", "no_sharing")
    path = f"/coordination-requests/{request['id']}"
    assert answers(amina, "PATCH", path, {"status": "accepted"}) == (409, "preference-stands", ["no_phone", "no_sharing"])
    assert answers(amina, "PATCH", path, {"status": "declined", "reason": "They want no calls."})[0] == 200
    first, second = talk["follow_ups"]
    path = f"/interactions/{talk['id']}"
    later = (datetime.now(UTC) + timedelta(days=9)).date().isoformat()
    for anew in ({"due_on": later}, {"assignee": amina.user["id"]}):
        assert answers(amina, "PATCH", path, {"follow_ups": [{**first, **anew}, second]}) == (409, "preference-stands", ["no_phone"])
    assert answers(amina, "PATCH", path, {"follow_ups": [{**first, "mode": "email"}, second]})[0] == 200, "what is left as it was stops nothing"
    assert answers(amina, "PATCH", path, {"outcome": "They will write."})[0] == 200
    amina.ask("POST", f"{path}/follow-ups/{second['id']}/done", expect=200, headers={"Idempotency-Key": str(uuid.uuid4())})


@pytest.mark.requirement("R169", "T33", "T3")
def test_nothing_of_who_wants_nothing_shared_is_reported_to_other_components(amina: Person, chloe: Person) -> None:
    vera = registered(amina, use_preferences=["no_sharing"], contact_points=[{"kind": "cell", "value": "202-555-0171"}])
    new = {"kind": "cell", "value": "202-555-0172"}
    assert answers(chloe, "POST", f"/individuals/{vera}/contact-points/corrections", new) == (409, "preference-stands", ["no_sharing"])
    chloe.post(f"/individuals/{vera}/contact-points", new)
    assert [item["value"] for item in amina.get(f"/individuals/{vera}/contact-points")["items"]] == ["202-555-0171"]
    states(amina, vera)
    assert answers(chloe, "POST", f"/individuals/{vera}/contact-points/corrections", new)[0] == 201
    assert len(amina.get(f"/individuals/{vera}/contact-points")["items"]) == 2
