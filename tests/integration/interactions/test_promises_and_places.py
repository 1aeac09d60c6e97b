"""Promises, the employers of people spoken to, and issues of the same name, against PostgreSQL."""

from __future__ import annotations

from datetime import timedelta

import pytest

from services.access.contract import UserChanged
from services.chassis.messages import Invalid, entity_tag, new_id
from services.contacts.contract.announcements import IndividualChanged
from services.interactions.contract.refusals import IssueExists
from services.interactions.usecases import announcement_handlers, events, interactions, issues, reading
from tests.cast import AMINA, BRUNO, CHLOE, DOV, GRACE
from tests.integration.interactions.conftest import Office, a_promise
from tests.support import a_caller


@pytest.mark.requirement("R53")
def test_a_promise_without_an_assignee_is_whoevers_who_logged_it(office: Office) -> None:
    talk = office.talk(BRUNO, individual_ids=[office.individual()], user=AMINA.id, follow_ups=[a_promise()])
    assert office.tasks(BRUNO) == [("keep-promise", talk["follow_ups"][0]["id"])]
    assert office.tasks(AMINA) == []
    handed = {**talk["follow_ups"][0], "assignee": AMINA.id, "done_at": None, "due_on": None}
    talk = office.correct(BRUNO, talk, follow_ups=[handed])
    assert (office.tasks(BRUNO), [kind for kind, _ in office.tasks(AMINA)]) == ([], ["keep-promise"])
    office.do(AMINA, interactions.complete_follow_up, interaction_id=talk["id"], follow_up_id=handed["id"])
    assert office.tasks(AMINA) == []


@pytest.mark.requirement("R53")
def test_what_somebody_promised_who_has_left_is_their_offices(office: Office) -> None:
    office.talk(AMINA, individual_ids=[office.individual()], follow_ups=[a_promise()])
    office.talk(CHLOE, individual_ids=[office.individual()], follow_ups=[a_promise()])
    assert office.tasks(GRACE) == []
    for somebody in (AMINA, CHLOE):
        office.hear(announcement_handlers.user_changed, UserChanged(somebody.id, somebody.component, "contributor", (), active=False, revision=2))
    assert [kind for kind, _ in office.tasks(GRACE)] == ["keep-promise"], "of her own office alone"


@pytest.mark.requirement("R53")
def test_a_promise_is_given_to_an_active_colleague_and_is_not_due_before_it_was_made(office: Office) -> None:
    dov, gone = office.individual(), a_caller("ICE", "contributor", id=new_id())
    office.hear(announcement_handlers.user_changed, UserChanged(gone.id, "ICE", "contributor", (), active=False))
    for wrong in ({"assignee": CHLOE.id}, {"assignee": gone.id}, {"assignee": new_id()}, {"due_on": office.now.date() - timedelta(days=2)}):
        with pytest.raises(Invalid) as refused:
            office.talk(AMINA, individual_ids=[dov], follow_ups=[a_promise(**wrong)])
        assert list(refused.value.errors or {}) == ["follow_ups"]
    talk = office.talk(AMINA, individual_ids=[dov], follow_ups=[a_promise(assignee=BRUNO.id, due_on=office.now.date())])
    with pytest.raises(Invalid):
        office.correct(AMINA, talk, follow_ups=[{**talk["follow_ups"][0], "assignee": CHLOE.id, "due_on": None, "done_at": None}])
    # Somebody else's component may correct the rest, and whoever had the promise keeps it.
    kept = {**talk["follow_ups"][0], "text": "Send the new guidance", "due_on": office.now.date(), "done_at": None}
    assert office.correct(CHLOE, talk, follow_ups=[kept])["follow_ups"][0]["assignee"] == BRUNO.id


@pytest.mark.requirement("R57", "T6", "R46")
def test_an_organizations_history_has_the_talks_of_who_worked_there_then_and_of_who_does_now(office: Office) -> None:
    larkspur, fairbank = office.organization(), office.organization()
    dov = office.individual(organization_id=larkspur)
    talk, meeting = office.talk(individual_ids=[dov]), office.event()
    office.attend(AMINA, meeting, dov)
    office.hear(announcement_handlers.individual_changed, IndividualChanged(dov, fairbank, "TX", revision=2))
    for organization in (larkspur, fairbank):
        found = office.do(CHLOE, reading.list_history, query={"organization_id": organization, "limit": 50})
        assert [item["kind"] for item in found["items"]] == ["interaction", "attendance"]
        assert [item["id"] for item in office.talks(CHLOE, organization_id=organization)["items"]] == [talk["id"]]
        assert [item["id"] for item in office.do(CHLOE, events.list_events, query={"organization_id": organization, "limit": 50})["items"]] == [
            meeting
        ]
    office.talk(individual_ids=[dov])
    assert len(office.talks(CHLOE, organization_id=larkspur)["items"]) == 1
    assert len(office.talks(CHLOE, organization_id=fairbank)["items"]) == 2


@pytest.mark.requirement("R65", "R71")
@pytest.mark.parametrize("spelling", ["Worksite Enforcement", "  worksite   enforcement ", "WORKSITE-ENFORCEMENT", "Worksité enforcement."])
def test_no_two_issues_in_one_place_are_called_the_same(office: Office, spelling: str) -> None:
    first = office.issue(name="Worksite enforcement")
    with pytest.raises(IssueExists) as refused:
        office.issue(CHLOE, name=spelling)
    assert refused.value.extra == {"issue_id": first}
    below = office.issue(name=spelling, parent_id=first)
    with pytest.raises(IssueExists):
        office.issue(name=spelling, parent_id=first)
    elsewhere = office.issue(name=spelling, priority="one_dhs")
    other = office.issue(name="Another")
    for changes in ({"name": spelling}, {"parent_id": first, "name": spelling}):
        with pytest.raises(IssueExists):
            office.do(AMINA, issues.change_issue, issue_id=other, if_match=entity_tag(office.do(AMINA, issues.read_issue, issue_id=other)), **changes)
    # Moved to where one of its name is.
    for moved, changes in ((elsewhere, {"priority": "immigration"}), (below, {"parent_id": None})):
        with pytest.raises(IssueExists):
            office.do(AMINA, issues.change_issue, issue_id=moved, if_match=entity_tag(office.do(AMINA, issues.read_issue, issue_id=moved)), **changes)
    same = entity_tag(office.do(AMINA, issues.read_issue, issue_id=first))
    assert office.do(AMINA, issues.change_issue, issue_id=first, if_match=same, name=spelling, summary="Its own name.")["summary"] == "Its own name."


@pytest.mark.requirement("T15", "T17")
def test_a_name_that_a_component_keeps_for_itself_is_compared_by_nobody(office: Office) -> None:
    office.issue(AMINA, name=f"Call {DOV.cell}", keep_reason="Needed")
    assert office.issue(CHLOE, name=f"Call {DOV.cell}", keep_reason="Needed")
