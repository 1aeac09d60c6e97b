"""What people said of themselves, over HTTP: declined until a verification withdraws it, and preferences that bind (T20, T33)."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.journeys.client import Person


@pytest.fixture(scope="module")
def amina(system: Any) -> Person:
    """A contributor of ICE, signed in."""
    return Person(system.base).sign_in(system.account("ICE", "contributor", 1))


@pytest.fixture(scope="module")
def chloe(system: Any) -> Person:
    """A contributor of another component, signed in."""
    return Person(system.base).sign_in(system.account("PSO", "contributor"))


def now() -> str:
    return datetime.now(UTC).isoformat()


def registered(by: Person, **given: Any) -> str:
    return str(by.post("/individuals", {"first_name": "Vera", "last_name": f"Prefers{uuid.uuid4().hex[:8]}", **given})["id"])


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
    amina.patch(f"/individuals/{vera}", {"use_preferences": ["no_phone"]})
    key = {"Idempotency-Key": str(uuid.uuid4())}
    first = chloe.post("/coordination-requests", asked, headers=key)
    amina.patch(f"/individuals/{vera}", {"use_preferences": ["no_sharing"]})
    assert chloe.post("/coordination-requests", asked, headers=key)["id"] == first["id"], "the same request again is answered as before"
