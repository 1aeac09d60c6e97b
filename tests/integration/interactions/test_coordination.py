"""Coordination requests and tasks against PostgreSQL."""

from __future__ import annotations

from datetime import timedelta

import pytest

from services.chassis.messages import Invalid, NotFound, Stale
from services.contacts.contract import OwnerChanged
from services.contacts.contract.refusals import ContributorsOnly, IndividualFrozen, OwnerOnly
from services.interactions.contract.refusals import RecordIsYours, RequestSettled
from services.interactions.usecases import coordination, hearing
from tests.cast import AMINA, BRUNO, CHLOE, DOV, EDDA, FARID, GRACE, RENATA
from tests.integration.interactions.conftest import Office


@pytest.mark.requirement("R86", "R87")
def test_chloe_asks_the_owner_who_accepts_and_marks_it_done(office: Office) -> None:
    dov, issue = office.individual(), office.issue()
    asked = office.ask(CHLOE, dov, issue_id=issue, due_on=office.now.date() + timedelta(days=7))
    assert (asked["status"], asked["owner"]) == ("requested", {"user": AMINA.id, "component": "ICE"})
    assert office.tasks(AMINA) == [("answer-coordination-request", asked["id"])]
    assert office.tasks(CHLOE) == [("await-coordination-request", asked["id"])]
    with pytest.raises(OwnerOnly):
        office.answer(CHLOE, asked, "accepted")
    accepted = office.answer(AMINA, asked, "accepted")
    assert accepted["answered_by"] == AMINA.id
    assert office.tasks(AMINA) == [("carry-out-coordination-request", asked["id"])]
    with pytest.raises(Stale):
        office.answer(AMINA, asked, "done")
    done = office.answer(AMINA, accepted, "done")
    assert office.do(CHLOE, coordination.read_coordination_request, request_id=asked["id"]) == done
    assert office.tasks(AMINA) == office.tasks(CHLOE) == []
    with pytest.raises(RequestSettled):
        office.answer(AMINA, done, "accepted")


@pytest.mark.requirement("R86")
def test_a_refusal_reaches_whoever_asked_with_its_reason(office: Office) -> None:
    dov = office.individual()
    asked = office.ask(CHLOE, dov)
    with pytest.raises(RequestSettled):
        office.answer(AMINA, asked, "done")
    office.answer(AMINA, asked, "declined", reason="We spoke yesterday.")
    assert office.tasks(CHLOE) == [("coordination-request-declined", asked["id"])]
    assert office.do(CHLOE, coordination.read_coordination_request, request_id=asked["id"])["reason"] == "We spoke yesterday."
    office.now += timedelta(days=15)
    assert office.tasks(CHLOE) == []


def test_a_request_exists_for_those_it_concerns_only(office: Office) -> None:
    asked = office.ask(CHLOE, office.individual())
    for somebody in (AMINA, CHLOE, GRACE):
        assert office.do(somebody, coordination.read_coordination_request, request_id=asked["id"])
    for somebody in (BRUNO, RENATA, FARID):
        with pytest.raises(NotFound):
            office.do(somebody, coordination.read_coordination_request, request_id=asked["id"])
        assert office.do(somebody, coordination.list_coordination_requests, query={"limit": 50})["items"] == []
    with pytest.raises(ContributorsOnly):
        office.ask(RENATA, office.individual())
    with pytest.raises(ContributorsOnly):
        office.ask(EDDA, office.individual())


@pytest.mark.requirement("R45", "T10")
def test_a_request_follows_the_record_to_its_new_owner_and_the_office_administrator_may_answer(office: Office) -> None:
    dov = office.individual()
    asked = office.ask(CHLOE, dov)
    office.hear(hearing.owner_changed, OwnerChanged(dov, BRUNO.id, "ICE"))
    with pytest.raises(NotFound):
        office.answer(AMINA, asked, "accepted")
    moved = office.do(BRUNO, coordination.read_coordination_request, request_id=asked["id"])
    assert moved["owner"]["user"] == BRUNO.id
    assert office.answer(GRACE, moved, "accepted")["answered_by"] == GRACE.id


def test_nobody_asks_themselves_or_for_yesterday(office: Office) -> None:
    dov = office.individual()
    with pytest.raises(RecordIsYours):
        office.ask(AMINA, dov)
    with pytest.raises(Invalid):
        office.ask(CHLOE, dov, due_on=office.now.date() - timedelta(days=1))


@pytest.mark.requirement("T21", "R170")
def test_freezing_declines_what_is_open_and_nothing_new_is_asked(office: Office) -> None:
    dov = office.individual()
    asked = office.ask(CHLOE, dov)
    other = office.ask(CHLOE, office.individual())
    office.freeze(dov, BRUNO)
    with pytest.raises(IndividualFrozen):
        office.ask(CHLOE, dov)
    with pytest.raises(NotFound):
        office.do(CHLOE, coordination.read_coordination_request, request_id=asked["id"])
    assert office.do(AMINA, coordination.read_coordination_request, request_id=asked["id"])["status"] == "declined"
    assert office.tasks(AMINA) == [("answer-coordination-request", other["id"])]


@pytest.mark.requirement("T15")
def test_a_message_kept_against_a_finding_does_not_reach_the_other_component(office: Office) -> None:
    asked = office.ask(CHLOE, office.individual(), message=f"Call {DOV.cell}", keep_reason="Needed")
    assert office.do(CHLOE, coordination.read_coordination_request, request_id=asked["id"])["message"] == f"Call {DOV.cell}"
    assert office.do(AMINA, coordination.read_coordination_request, request_id=asked["id"])["message"] is None


def test_lists_go_by_side_and_state(office: Office) -> None:
    first, second = office.ask(CHLOE, office.individual()), office.ask(CHLOE, office.individual())
    office.answer(AMINA, first, "accepted")

    def listed(somebody: object, **query: object) -> list[str]:
        found = office.do(somebody, coordination.list_coordination_requests, query={"limit": 50, **query})  # type: ignore[arg-type]
        return [item["id"] for item in found["items"]]

    assert listed(CHLOE, side="sent") == [second["id"], first["id"]]
    assert listed(CHLOE, side="received") == []
    assert listed(AMINA, side="received", status="accepted") == [first["id"]]
