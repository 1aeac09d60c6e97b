"""An interaction with a person is contact with their organization: the employer of then, and of now (T6, R57)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from services.chassis.messages import Caller
from services.contacts.contract.refusals import OwnerUnchanged, OwnerUnsuitable
from services.contacts.storage import projections
from services.contacts.usecases import individuals, organizations, search
from tests.cast import AMINA, BRUNO, CHLOE, GRACE, RENATA
from tests.integration.contacts.conftest import Desk

CONTACTS = Caller.service("contacts")


def _last(desk: Desk, organization_id: str) -> tuple[Any, ...]:
    """Return an organization's last contact as read, as searched, and by component."""
    shown = desk.do(CHLOE, organizations.read_organization, organization_id=organization_id)
    (line,) = [item for item in desk.search(CHLOE, type="organization")["items"] if item["id"] == organization_id]
    assert line["last_contacted_at"] == shown["last_contacted_at"]
    return shown["last_contacted_at"], (shown["last_contact"] or {}).get("component"), [r["last_contact_at"] for r in shown["relationships"]]


@pytest.mark.requirement("T6", "R57")
@pytest.mark.parametrize("mode", ["phone", "event"])
def test_a_talk_with_a_person_is_contact_with_their_organization(desk: Desk, mode: str) -> None:
    larkspur = desk.organization()["id"]
    dov = desk.dov()
    assert _last(desk, larkspur) == (None, None, [None])
    talk = desk.talked(AMINA, dov, ago=timedelta(days=9), mode=mode)
    when = desk.read(AMINA, dov)["last_contacted_at"]
    assert when is not None
    assert _last(desk, larkspur) == (when, "ICE", [when])
    assert larkspur not in {
        item["id"] for item in desk.search(CHLOE, type="organization", contacted_before=(desk.now - timedelta(days=20)).date())["items"]
    }
    with desk.work(CONTACTS) as work:
        projections.settle_contacts(work, projections.withdraw_engagement(work, talk))
    assert _last(desk, larkspur) == (None, None, [None])


@pytest.mark.requirement("T6", "R46")
def test_who_changes_their_employer_leaves_the_contact_of_then_and_brings_it_along(desk: Desk) -> None:
    larkspur = desk.organization()["id"]
    fairbank = desk.organization(name="Fairbank Growers")["id"]
    dov = desk.dov()
    talk = desk.talked(AMINA, dov, ago=timedelta(days=9))
    then = desk.read(AMINA, dov)["last_contacted_at"]
    desk.change(AMINA, dov, organization_id=fairbank)
    assert _last(desk, larkspur)[0] == then, "he worked there then"
    assert _last(desk, fairbank)[0] == then, "nobody is never spoken to whose people were"
    desk.talked(AMINA, dov, ago=timedelta(days=1))
    now = desk.read(AMINA, dov)["last_contacted_at"]
    assert (_last(desk, larkspur)[0], _last(desk, fairbank)[0]) == (then, now)
    # Told again, corrected: it is still of then.
    desk.talked(AMINA, dov, ago=timedelta(days=9), source_id=talk, revision=2, mode="letter")
    assert (_last(desk, larkspur)[0], _last(desk, fairbank)[0]) == (then, now)
    desk.change(AMINA, dov, organization_id=None)
    assert (_last(desk, larkspur)[0], _last(desk, fairbank)[0]) == (then, now)


@pytest.mark.requirement("T6")
def test_the_latest_of_all_counts_whoever_comes_in_whatever_order(desk: Desk) -> None:
    larkspur = desk.organization()["id"]
    dov = desk.dov()
    ruth = desk.register(AMINA, first_name="Ruth", last_name="Oyelaran", organization_id=larkspur)["id"]
    desk.talked(AMINA, dov, ago=timedelta(days=3))
    desk.talked(CHLOE, ruth, ago=timedelta(days=5))
    desk.talked(CHLOE, organization_ids=[larkspur], ago=timedelta(days=4))
    shown = desk.do(CHLOE, organizations.read_organization, organization_id=larkspur)
    assert shown["last_contacted_at"] == desk.read(AMINA, dov)["last_contacted_at"]
    assert shown["last_contact"]["component"] == "ICE"
    of_pso = next(r["last_contact_at"] for r in shown["relationships"] if r["component"] == "PSO")
    assert desk.read(AMINA, ruth)["last_contacted_at"] < of_pso < shown["last_contacted_at"]


@pytest.mark.requirement("R73", "T18")
def test_an_organization_that_a_card_makes_known_has_the_cards_state(desk: Desk) -> None:
    desk.register(CHLOE, first_name="Ruth", last_name="Oyelaran", organization="Fairbank Growers", state="NM")
    desk.register(CHLOE, first_name="Ann", last_name="Oyelaran", organization="Fairbank Growers", state="TX")
    found = desk.do(CHLOE, search.list_organizations, query={"limit": 50})["items"]
    assert [(one["name"], one["state"]) for one in found] == [("Fairbank Growers", "NM")], "who comes later changes nothing"
    dov = desk.dov()
    desk.change(CHLOE, dov, organization="Tuck Farms", state="OK")
    found = desk.do(CHLOE, search.list_organizations, query={"limit": 50})["items"]
    assert next(one["state"] for one in found if one["name"] == "Tuck Farms") == "OK"


@pytest.mark.requirement("T10")
def test_nobody_hands_over_to_the_owner_and_no_owner_is_their_own_deputy(desk: Desk) -> None:
    dov = desk.dov()
    for by in (AMINA, GRACE):
        with pytest.raises(OwnerUnchanged):
            desk.do(by, individuals.hand_over, individual_id=dov, owner=AMINA.id)
    for deputy in (AMINA, CHLOE, RENATA):
        with pytest.raises(OwnerUnsuitable):
            desk.change(AMINA, dov, deputy=deputy.id)
    desk.change(AMINA, dov, deputy=BRUNO.id)
    assert [(told["owner_id"], told["deputy_id"]) for told in desk.announced("contacts:individual:handed-over")] == [(AMINA.id, BRUNO.id)]
