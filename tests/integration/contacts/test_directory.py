"""Register, read, change, hand over: the directory layer."""

from __future__ import annotations

from typing import Any

import pytest

from services.chassis.messages import PreconditionMissing, Stale, entity_tag
from services.contacts.contract.refusals import IndividualDuplicate, IndividualUnknown, KindDeclined, OwnerUnsuitable
from services.contacts.usecases import individuals, organizations
from services.lexicon.refusals import ContributorsOnly, OwnerOnly
from tests.cast import AMINA, BRUNO, CHLOE, DOV, EDDA, FARID, GRACE, RENATA
from tests.integration.contacts.conftest import Desk, an_id


@pytest.mark.requirement("R42", "R43", "R26", "R27", "R28", "R29")
def test_whoever_registers_dov_owns_the_record_and_their_component_has_a_relationship(desk: Desk) -> None:
    dov = desk.read(CHLOE, desk.dov())
    assert dov["owner"] == {"user": AMINA.id, "component": "ICE"}
    assert [r["component"] for r in dov["relationships"]] == ["ICE"]
    assert (dov["first_name"], dov["last_name"], dov["title"]) == (DOV.first_name, DOV.last_name, DOV.title)
    assert dov["organization_name"] == DOV.organization
    assert dov["fema_region"] == 6
    assert dov["expires_on"] == "2027-11-23"
    assert dov["expires_because"] == "created"
    (told,) = desk.announced("contacts:individual:registered")
    assert told == {
        "individual_id": dov["id"],
        "organization_id": dov["organization_id"],
        "owner_id": AMINA.id,
        "component": "ICE",
        "state": "TX",
    }


@pytest.mark.requirement("T19")
def test_a_reader_registers_nobody(desk: Desk) -> None:
    with pytest.raises(ContributorsOnly):
        desk.register(RENATA)


@pytest.mark.requirement("R119", "R120", "T8")
def test_reads_and_creates_are_entries_with_ids_and_field_names_and_no_value(desk: Desk) -> None:
    dov = desk.dov()
    desk.read(CHLOE, dov)
    created, read = (next(e for e in desk.entries() if e["action"] == f"contacts:individual:{verb}") for verb in ("create", "read"))
    assert created["subjects"] == read["subjects"] == [dov]
    assert {"cell", "email", "last_name"} <= set(created["fields"])
    assert "cell" not in read["fields"]
    for value in (DOV.last_name, DOV.cell, DOV.email, DOV.organization):
        assert value.lower() not in str(desk.entries()).lower()


@pytest.mark.requirement("R111", "R113", "T2")
def test_any_contributor_corrects_a_field_at_once_if_they_mean_the_present_version(desk: Desk) -> None:
    dov = desk.dov()
    assert desk.change(CHLOE, dov, title="Vice President")["title"] == "Vice President"
    with pytest.raises(Stale):
        desk.do(CHLOE, individuals.change_individual, individual_id=dov, if_match='"other"', title="Clerk")
    with pytest.raises(PreconditionMissing):
        desk.do(CHLOE, individuals.change_individual, individual_id=dov, if_match=None, title="Clerk")
    assert desk.read(AMINA, dov)["title"] == "Vice President"


@pytest.mark.requirement("T17")
def test_a_record_looks_the_same_before_and_after_a_change_of_the_contact_layer(desk: Desk) -> None:
    dov = desk.dov(reached=False)
    before = entity_tag(desk.read(CHLOE, dov))
    desk.later(hours=1)
    desk.add(AMINA, dov, "cell", DOV.cell)
    desk.correct(BRUNO, dov, "email", DOV.email)
    assert entity_tag(desk.read(CHLOE, dov)) == before


@pytest.mark.requirement("R82", "T23")
def test_the_same_name_at_the_same_organization_is_a_duplicate_unless_it_is_meant(desk: Desk) -> None:
    dov = desk.dov(reached=False)
    with pytest.raises(IndividualDuplicate) as refused:
        desk.dov(CHLOE, reached=False, first_name="DOV", last_name="QUILLFEATHER", organization="larkspur freight")
    assert [likely["id"] for likely in refused.value.extra["possible_duplicates"]] == [dov]
    again = desk.register(CHLOE, **DOV.body(organization=DOV.organization, duplicate_ok=True))
    assert again["id"] != dov
    assert [likely["because"] for likely in again["possible_duplicates"]] == [["name"]]


@pytest.mark.requirement("T23")
def test_a_likely_duplicate_by_value_is_told_within_the_component_and_not_across(desk: Desk) -> None:
    dov = desk.dov()
    other: dict[str, Any] = {"last_name": "Elsewhere", "contact_points": [{"kind": "cell", "value": "(956) 555 0142"}]}
    assert [likely["id"] for likely in desk.register(BRUNO, **other)["possible_duplicates"]] == [dov]
    assert "possible_duplicates" not in desk.register(CHLOE, **{**other, "last_name": "Nowhere"})


@pytest.mark.requirement("R163", "T20")
def test_what_somebody_declined_to_give_is_entered_by_nobody(desk: Desk) -> None:
    dov = desk.dov(reached=False, declined=["cell"])
    for somebody in (AMINA, CHLOE):
        with pytest.raises(KindDeclined):
            desk.add(somebody, dov, "cell", DOV.cell)
        with pytest.raises(KindDeclined):
            desk.correct(somebody, dov, "cell", DOV.cell)
    desk.add(AMINA, dov, "email", DOV.email)
    with pytest.raises(KindDeclined):
        desk.register(AMINA, last_name="Shy", declined=["email"], contact_points=[{"kind": "email", "value": DOV.email}])


@pytest.mark.requirement("T18")
def test_a_state_is_proposed_once_from_the_address_and_stands_by_itself(desk: Desk) -> None:
    points = [{"kind": "work_address", "value": "1 Main Street, Santa Fe, NM 87501"}]
    person = desk.register(AMINA, last_name="Adobe", contact_points=points)
    assert person["state"] == "NM"
    assert desk.change(AMINA, person["id"], state=None)["state"] is None


def test_a_record_is_handed_over_by_its_owner_and_contact_points_stay(desk: Desk) -> None:
    dov = desk.dov()
    with pytest.raises(OwnerOnly):
        desk.do(CHLOE, individuals.hand_over, individual_id=dov, owner=CHLOE.id)
    with pytest.raises(OwnerUnsuitable):
        desk.do(AMINA, individuals.hand_over, individual_id=dov, owner=RENATA.id)
    changed = desk.do(AMINA, individuals.hand_over, individual_id=dov, owner=CHLOE.id)
    assert changed["owner"] == {"user": CHLOE.id, "component": "PSO"}
    assert [r["component"] for r in changed["relationships"]] == ["ICE", "PSO"]
    assert desk.values(CHLOE, dov) == []
    assert desk.values(BRUNO, dov) == [DOV.cell, DOV.email]
    history = desk.do(CHLOE, individuals.record_history, individual_id=dov)
    assert [entry["kind"] for entry in history["items"]] == ["handed_over", "registered"]


@pytest.mark.requirement("R20", "R21", "R22", "R142", "R145", "R80")
def test_an_organization_has_offices_of_which_the_first_is_its_address(desk: Desk) -> None:
    made = desk.organization(
        offices=[
            {"label": "Capitol", "address": {"street": "1 Main St", "city": "Austin", "state": "texas"}, "phone": "(512) 555-0100"},
            {"label": "Laredo", "address": {"city": "Laredo", "state": "TX"}},
        ]
    )
    seen = desk.do(CHLOE, organizations.read_organization, organization_id=made["id"])
    assert seen["state"] == "TX"
    assert seen["office_phone"] == "512-555-0100"
    assert seen["address"]["city"] == "Austin"
    changed = desk.do(
        CHLOE,
        organizations.change_organization,
        organization_id=made["id"],
        if_match=entity_tag(seen),
        name="Larkspur Rail",
        offices=[{**seen["offices"][1], "phone": "512 555 0101"}],
    )
    assert changed["offices"][0]["id"] == seen["offices"][1]["id"]
    assert changed["office_phone"] == "512-555-0101"


@pytest.mark.requirement("T14", "T19")
def test_accounts_of_the_trail_and_of_privacy_see_no_directory(desk: Desk) -> None:
    dov = desk.dov()
    for somebody in (EDDA, FARID):
        with pytest.raises(Exception, match=".") as refused:
            desk.read(somebody, dov)
        assert refused.value.branch == "forbidden"  # type: ignore[attr-defined]  # a refusal
    assert desk.read(GRACE, dov)["id"] == dov


def test_an_unknown_id_is_not_found(desk: Desk) -> None:
    with pytest.raises(IndividualUnknown):
        desk.read(AMINA, an_id())
