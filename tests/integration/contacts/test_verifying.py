"""Verifying a person's details with them, as callers do it (R115, T6, T20)."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest

from services.chassis.messages import Caller, Forbidden, Invalid, NotFound
from services.contacts.contract.refusals import KindDeclined
from services.contacts.contract.schemas.individuals import VerificationCreateSchema
from services.contacts.usecases import individuals, verifying
from services.lexicon.refusals import ContributorsOnly, IndividualFrozen
from tests.cast import AMINA, BRUNO, CHLOE, DOV
from tests.integration.contacts.conftest import NOW, Desk

HOLDER_TOLD = "Contact points of this person that were given to your component."


def verify(desk: Desk, by: Caller, individual_id: str, **body: Any) -> Any:
    command = VerificationCreateSchema().load({"medium": "phone", "verified_at": desk.now.isoformat(), **body})
    return desk.do(by, verifying.verify, individual_id=individual_id, **command)


@pytest.mark.requirement("R163", "T20", "T33")
def test_a_verification_by_anyone_withdraws_a_declined_mark_and_the_kind_is_entered_again(desk: Desk) -> None:
    dov = desk.dov(reached=False, declined=["cell", "email"])
    with pytest.raises(KindDeclined):
        desk.add(AMINA, dov, "cell", DOV.cell)
    assert verify(desk, CHLOE, dov, withdraw_declined=["cell", "work_phone"])["withdrawn"] == ["cell"]
    assert desk.read(AMINA, dov)["declined"] == ["email"]
    desk.add(AMINA, dov, "cell", DOV.cell)
    with pytest.raises(KindDeclined):
        desk.add(AMINA, dov, "email", DOV.email)
    told = desk.do(BRUNO, individuals.record_history, individual_id=dov)
    (entry,) = [entry for entry in told["items"] if entry["kind"] == "verified"]
    assert (entry["by"], entry["component"], entry["medium"], entry["withdrawn"]) == (CHLOE.id, CHLOE.component, "phone", ["cell"])
    assert verify(desk, AMINA, dov, withdraw_declined=["cell"])["withdrawn"] == [], "it is gone already"


@pytest.mark.requirement("R115", "T6")
def test_a_verification_starts_the_year_anew_and_an_earlier_one_does_not_take_it_back(desk: Desk) -> None:
    dov = desk.dov()
    before = desk.read(AMINA, dov)
    desk.later(days=100)
    verify(desk, AMINA, dov)
    after = desk.read(AMINA, dov)
    assert (after["expires_on"] > before["expires_on"], after["expires_because"]) == (True, "verification")
    assert before["verified_at"] is None
    verify(desk, AMINA, dov, verified_at=(desk.now - timedelta(days=50)).isoformat())
    again = desk.read(AMINA, dov)
    assert (again["verified_at"], again["expires_on"]) == (after["verified_at"], after["expires_on"])


@pytest.mark.requirement("R115")
def test_only_contact_points_of_ones_own_component_are_verified_and_nobody_learns_of_others(desk: Desk) -> None:
    dov = desk.dov()
    other = desk.register(AMINA, last_name="Other", contact_points=[{"kind": "cell", "value": "202-555-0177"}])["id"]
    points = {item["kind"]: item["id"] for item in desk.reveal(AMINA, dov)["items"]}
    (elsewhere,) = [item["id"] for item in desk.reveal(AMINA, other)["items"]]
    verify(desk, AMINA, dov, contact_point_ids=[points["cell"]])
    assert {item["kind"]: bool(item["verified_at"]) for item in desk.reveal(AMINA, dov)["items"]} == {"cell": True, "email": False}
    for by, ids in ((CHLOE, [points["cell"]]), (CHLOE, [str(uuid.uuid4())]), (AMINA, [elsewhere]), (AMINA, [points["email"], elsewhere])):
        with pytest.raises(Invalid) as refused:
            verify(desk, by, dov, contact_point_ids=ids, withdraw_declined=["cell"])
        assert refused.value.errors == {"contact_point_ids": [HOLDER_TOLD]}
    assert not any(item["verified_at"] for item in desk.reveal(AMINA, dov)["items"] if item["kind"] == "email"), "all or nothing"


@pytest.mark.requirement("R115", "T19")
def test_a_reader_the_future_and_somebody_frozen_or_unknown_are_refused(desk: Desk) -> None:
    dov = desk.dov()
    reader = Caller(**{**{name: getattr(AMINA, name) for name in AMINA.__dataclass_fields__}, "level": "reader"})
    with pytest.raises((ContributorsOnly, Forbidden)):
        verify(desk, reader, dov)
    for at in (NOW + timedelta(hours=1), NOW.replace(year=1999)):
        with pytest.raises(Invalid):
            verify(desk, AMINA, dov, verified_at=at.isoformat())
    with pytest.raises(NotFound):
        verify(desk, AMINA, str(uuid.uuid4()))
    desk.freeze(AMINA, dov)
    with pytest.raises(IndividualFrozen):
        verify(desk, AMINA, dov)


@pytest.mark.requirement("T25")
def test_a_verification_by_the_recorder_or_by_who_added_the_value_makes_no_mark_certain(desk: Desk) -> None:
    waiting = {}
    for n, verifier in enumerate((AMINA, BRUNO)):
        person = desk.register(CHLOE, last_name=f"Wary{n}")["id"]
        desk.later(days=31)
        desk.add(AMINA, person, "cell", f"505-555-019{n}")
        desk.later(minutes=1)
        verify(desk, verifier, person)
        desk.freeze(AMINA, person)
        waiting[verifier.id] = len(desk.rows("SELECT 1 FROM suppressions WHERE individual_id = CAST(:id AS uuid) AND NOT stands", id=person))
    assert waiting == {AMINA.id: 1, BRUNO.id: 0}


@pytest.mark.requirement("N3")
def test_verifications_go_with_their_person(desk: Desk) -> None:
    dov = desk.dov()
    verify(desk, AMINA, dov)
    receipts = {receipt["store"]: receipt for receipt in desk.erase(dov)["receipts"]}
    assert (receipts["contacts.verifications"]["removed"], receipts["contacts.verifications"]["left"]) == (1, 0)
