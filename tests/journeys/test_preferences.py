"""What people said of themselves, over HTTP: declined until a verification withdraws it, and preferences that bind (T20, T33)."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.chassis.testing import eventually
from tests.journeys.client import Person


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
    """State somebody's preferences; a talk that is still being noted changes the record beneath."""

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
    """What came before, what the stakeholder began, other modes, and what was held after it was taken back: none of it."""
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
    assert sorted(one["interaction_id"] for one in listed()) == sorted(wrong), "what stood then counts, whatever is said now"
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
