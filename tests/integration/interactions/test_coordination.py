"""Coordination requests and tasks against PostgreSQL."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text

from services.access.contract import UserChanged
from services.chassis.messages import Caller, Invalid, NotFound, Stale, entity_tag, new_id
from services.contacts.contract.announcements import IndividualErased, OwnerChanged
from services.interactions.contract.refusals import AlreadyAsked, RecordIsYours, RequestSettled
from services.interactions.usecases import announcement_handlers, coordination, erasure, issues, tasks
from services.lexicon.refusals import ContributorsOnly, IndividualFrozen, OwnerOnly, PreferenceStands, TaskStands
from services.lexicon.tasks import position
from tests.cast import AMINA, BRUNO, CHLOE, DOV, EDDA, FARID, GRACE, RENATA
from tests.integration.interactions.conftest import Office, a_promise
from tests.support import a_caller

#: Chloé's colleague.
DENIS = a_caller("PSO", "contributor", id="01900000-0000-7000-8000-000000000010")


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
        office.answer(AMINA, asked, "done", as_read=asked)
    done = office.answer(AMINA, accepted, "done")
    assert office.do(CHLOE, coordination.read_coordination_request, request_id=asked["id"])["status"] == done["status"] == "done"
    assert office.tasks(AMINA) == []
    assert office.tasks(CHLOE) == [("coordination-request-done", asked["id"])]
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
    office.now += timedelta(days=400)
    assert office.tasks(CHLOE) == [("coordination-request-declined", asked["id"])], "until it is dismissed"


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


@pytest.mark.requirement("T10")
def test_a_request_follows_the_record_to_its_new_owner_and_the_office_administrator_may_answer(office: Office) -> None:
    dov = office.individual()
    asked = office.ask(CHLOE, dov)
    office.hear(announcement_handlers.owner_changed, OwnerChanged(dov, BRUNO.id, "ICE", revision=2))
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


# What became of it, and how it is told


def _dismiss(office: Office, by: Caller, number: int = 0) -> None:
    """Dismiss one of a user's tasks."""
    found = office.do(by, tasks.list_tasks, query={"limit": 200, "after": None})["items"]
    office.do(by, tasks.dismiss_task, task_id=found[number]["id"])


@pytest.mark.requirement("R87")
@pytest.mark.parametrize("status", ["done", "declined"])
def test_whoever_asked_is_told_what_became_of_it_until_they_dismiss_it(office: Office, status: str) -> None:
    asked = office.ask(CHLOE, office.individual())
    accepted = office.answer(AMINA, asked, "accepted")
    office.answer(AMINA, accepted, status, reason="We spoke.")
    assert office.tasks(CHLOE) == [(f"coordination-request-{status}", asked["id"])]
    notice = office.do(CHLOE, tasks.list_tasks, query={"limit": 200, "after": None})["items"][0]
    assert (notice["notice"], notice["link"]) == (True, f"/coordination-requests/{asked['id']}")
    with pytest.raises(NotFound):
        office.do(AMINA, tasks.dismiss_task, task_id=notice["id"])
    office.do(CHLOE, tasks.dismiss_task, task_id=notice["id"])
    assert office.tasks(CHLOE) == []
    with pytest.raises(NotFound):
        office.do(CHLOE, tasks.dismiss_task, task_id=notice["id"])


@pytest.mark.requirement("R87", "R133")
def test_whoever_asked_and_whoever_accepted_learn_that_a_request_went_with_its_issue(office: Office) -> None:
    issue = office.issue()
    below = office.issue(parent_id=issue)
    asked = office.ask(CHLOE, office.individual(), issue_id=issue, message=f"Call {DOV.cell}", keep_reason="The hotline")
    accepted = office.ask(BRUNO, office.individual(CHLOE), issue_id=below)
    office.answer(CHLOE, accepted, "accepted")
    done = office.ask(BRUNO, office.individual(CHLOE), issue_id=issue)
    office.answer(CHLOE, done, "declined")
    for each in (below, issue):
        shown = office.do(AMINA, issues.read_issue, issue_id=each)
        office.do(AMINA, issues.change_issue, issue_id=each, if_match=entity_tag(shown), active=False)
    with office.work(office.heard, role="eraser") as work:
        issues.erase_issue(work, now=office.now, issue_id=issue)
    gone = "coordination-request-issue-erased"
    assert sorted(office.tasks(CHLOE)) == sorted([(gone, asked["id"]), (gone, accepted["id"])])
    assert (gone, accepted["id"]) in office.tasks(BRUNO)
    assert office.tasks(AMINA) == []
    (told, _) = office.do(CHLOE, tasks.list_tasks, query={"limit": 200, "after": None})["items"]
    assert told["link"] == "/coordination-requests", "there is nothing left to be read"
    with office.work(CHLOE) as work:
        assert not work.execute(text("SELECT * FROM kept_texts")).all(), "no text of a request outlives it"
    _dismiss(office, CHLOE)


def test_what_is_to_be_done_is_not_dismissed(office: Office) -> None:
    office.ask(CHLOE, office.individual())
    office.talk(AMINA, individual_ids=[office.individual()], follow_ups=[a_promise()])
    for somebody in (AMINA, CHLOE):
        for task in office.do(somebody, tasks.list_tasks, query={"limit": 200, "after": None})["items"]:
            with pytest.raises(TaskStands):
                office.do(somebody, tasks.dismiss_task, task_id=task["id"])
    for nonsense in ("", "keep-promise", "keep-promise.x", f"made-up.{new_id()}"):
        with pytest.raises(NotFound):
            office.do(AMINA, tasks.dismiss_task, task_id=nonsense)


@pytest.mark.requirement("R87", "T16")
def test_whoever_asked_learns_that_the_person_wants_no_contact_and_is_erased_and_not_who_it_was(office: Office) -> None:
    dov = office.individual()
    asked = office.ask(CHLOE, dov, issue_id=office.issue())
    office.freeze(dov, BRUNO)
    assert office.tasks(CHLOE) == [("coordination-request-no-contact", asked["id"])]
    office.hear(announcement_handlers.individual_erased, IndividualErased(dov, "no_contact"))
    with office.work(Caller.service("retention"), role="eraser") as work:
        erasure.erase(work, now=office.now, erasure_id=new_id(), individual_id=dov, cause="no_contact")
    assert office.tasks(CHLOE) == [("coordination-request-erased", asked["id"])]
    (told,) = office.do(CHLOE, tasks.list_tasks, query={"limit": 200, "after": None})["items"]
    assert dov not in str(told)
    assert asked["message"] not in str(told)
    assert told["link"] == "/coordination-requests", "there is nothing left to be read"
    assert told["issue_id"] == asked["issue_id"]
    _dismiss(office, CHLOE)
    assert office.tasks(CHLOE) == []


@pytest.mark.requirement("R86")
def test_what_the_new_owner_had_asked_the_former_one_has_ended_and_they_are_told(office: Office) -> None:
    dov = office.individual()
    asked = office.ask(CHLOE, dov)
    denis = office.ask(DENIS, dov, issue_id=office.issue())
    office.answer(AMINA, asked, "accepted")
    office.hear(announcement_handlers.owner_changed, OwnerChanged(dov, CHLOE.id, "PSO", revision=2))
    mine = office.do(CHLOE, coordination.read_coordination_request, request_id=asked["id"])
    assert (mine["status"], mine["closed_because"], mine["moves"]) == ("withdrawn", "record_is_yours", [])
    assert office.tasks(CHLOE) == [("answer-coordination-request", denis["id"]), ("coordination-request-yours", asked["id"])]
    assert office.tasks(AMINA) == []
    office.hear(announcement_handlers.owner_changed, OwnerChanged(dov, AMINA.id, "ICE", revision=1))
    assert office.do(CHLOE, coordination.read_coordination_request, request_id=denis["id"])["owner"]["user"] == CHLOE.id, "an old message"


@pytest.mark.requirement("R86")
def test_the_same_is_not_asked_twice_while_it_is_open(office: Office) -> None:
    dov, issue = office.individual(), office.issue()
    asked = office.ask(CHLOE, dov)
    about = office.ask(CHLOE, dov, issue_id=issue)
    for somebody, given, same in ((CHLOE, {}, asked), (DENIS, {}, asked), (CHLOE, {"issue_id": issue, "message": "In other words."}, about)):
        with pytest.raises(AlreadyAsked) as refused:
            office.ask(somebody, dov, **given)
        assert refused.value.extra == {"request_id": same["id"], "requested_by": CHLOE.id}
        assert office.do(somebody, coordination.read_coordination_request, request_id=same["id"]), "they can look at it"
    assert office.ask(BRUNO, dov)["id"], "another component may ask the same"
    office.answer(AMINA, asked, "declined", reason="We spoke yesterday.")
    assert office.ask(DENIS, dov)["id"], "it is settled"


@pytest.mark.requirement("R86")
@pytest.mark.parametrize("accepted_first", [False, True])
def test_whoever_asked_withdraws_and_nobody_else_does(office: Office, accepted_first: bool) -> None:
    asked = office.ask(CHLOE, office.individual())
    if accepted_first:
        office.answer(AMINA, asked, "accepted")
    for somebody in (AMINA, GRACE, DENIS):
        seen = office.do(somebody, coordination.read_coordination_request, request_id=asked["id"])
        assert "withdrawn" not in seen["moves"]
        with pytest.raises(OwnerOnly):
            office.answer(somebody, seen, "withdrawn")
    mine = office.do(CHLOE, coordination.read_coordination_request, request_id=asked["id"])
    assert mine["moves"] == ["withdrawn"]
    assert office.answer(CHLOE, mine, "withdrawn")["status"] == "withdrawn"
    assert office.tasks(CHLOE) == []
    assert office.tasks(AMINA) == ([("coordination-request-withdrawn", asked["id"])] if accepted_first else [])
    with pytest.raises(RequestSettled):
        office.answer(AMINA, office.do(AMINA, coordination.read_coordination_request, request_id=asked["id"]), "accepted")


@pytest.mark.requirement("R86")
def test_an_acceptance_by_mistake_is_taken_back_and_the_request_waits_again(office: Office) -> None:
    asked = office.ask(CHLOE, office.individual())
    assert office.do(AMINA, coordination.read_coordination_request, request_id=asked["id"])["moves"] == ["accepted", "declined"]
    accepted = office.answer(AMINA, asked, "accepted")
    assert accepted["moves"] == ["done", "declined", "requested"]
    again = office.answer(AMINA, accepted, "requested")
    assert (again["status"], again["answered_by"], again["answered_at"]) == ("requested", None, None)
    assert office.tasks(AMINA) == [("answer-coordination-request", asked["id"])]


@pytest.mark.requirement("T5", "R86")
def test_the_owner_asks_another_component_that_has_a_relationship_and_not_themselves(office: Office) -> None:
    dov = office.individual(CHLOE)
    asked = office.ask(CHLOE, dov, component="ICE", holder=AMINA.id)
    assert (asked["owner"], asked["asked_component"]) == ({"user": AMINA.id, "component": "ICE"}, "ICE")
    assert office.tasks(AMINA) == [("answer-coordination-request", asked["id"])]
    office.hear(announcement_handlers.owner_changed, OwnerChanged(dov, DENIS.id, "PSO", revision=2))
    assert office.tasks(AMINA) == [("answer-coordination-request", asked["id"])], "it was not the owner who was asked"
    assert office.answer(GRACE, asked, "accepted")["answered_by"] == GRACE.id
    for given in ({"component": "PSO", "holder": CHLOE.id}, {"component": "FEMA", "holder": None}):
        with pytest.raises((RecordIsYours, Invalid)):
            office.ask(CHLOE, office.individual(CHLOE), **given)


@pytest.mark.requirement("T10")
def test_a_deputy_answers_and_an_office_does_once_the_owner_is_gone_or_silent(office: Office) -> None:
    dov = office.individual()
    asked = office.ask(CHLOE, dov)
    office.hear(announcement_handlers.owner_changed, OwnerChanged(dov, AMINA.id, "ICE", revision=2, deputy_id=BRUNO.id))
    assert office.tasks(BRUNO) == [("answer-coordination-request", asked["id"])]
    assert office.tasks(GRACE) == [], "it is the owner's"
    office.now += timedelta(days=7)
    assert office.tasks(GRACE) == [("answer-coordination-request", asked["id"])]
    office.now -= timedelta(days=7)
    office.hear(announcement_handlers.user_changed, UserChanged(AMINA.id, "ICE", "contributor", (), active=False, revision=2))
    assert office.tasks(GRACE) == [("answer-coordination-request", asked["id"])]


# Nothing is cut off


@pytest.mark.requirement("R53", "R87")
def test_two_hundred_settled_requests_hide_no_new_one(office: Office) -> None:
    dov = office.individual()
    for _ in range(205):
        office.answer(AMINA, office.ask(CHLOE, dov), "declined", reason="No.")
    asked = office.ask(CHLOE, dov)
    assert office.tasks(AMINA) == [("answer-coordination-request", asked["id"])]
    assert ("await-coordination-request", asked["id"]) in office.tasks(CHLOE)


@pytest.mark.requirement("R53")
def test_every_task_comes_page_by_page_the_most_urgent_first(office: Office) -> None:
    dov = office.individual()
    due = [office.now.date() + timedelta(days=days) for days in (3, 1, 2)]
    office.talk(AMINA, individual_ids=[dov], follow_ups=[a_promise(due_on=on) for on in [*due, None, *due]])
    for on in (*due, None):
        office.ask(CHLOE, office.individual(), due_on=on)
    whole = office.do(AMINA, tasks.list_tasks, query={"limit": 200, "after": None})
    assert (len(whole["items"]), whole["total"], whole["more"]) == (11, 11, False)
    assert [position(task) for task in whole["items"]] == sorted(position(task) for task in whole["items"])
    pages, after = [], None
    while True:
        page = office.do(AMINA, tasks.list_tasks, query={"limit": 2, "after": after})
        pages += page["items"]
        if not page["more"]:
            break
        after = list(position(page["items"][-1]))
    assert pages == whole["items"]


@pytest.mark.requirement("R169", "T33")
def test_who_wants_nothing_shared_is_asked_about_by_nobody_and_other_preferences_stop_no_request(office: Office) -> None:
    dov = office.individual()
    with pytest.raises(PreferenceStands) as refused:
        office.ask(CHLOE, dov, use_preferences=["no_phone", "no_sharing"])
    assert refused.value.extra == {"preferences": ["no_sharing"]}
    assert office.ask(CHLOE, dov, use_preferences=["no_phone", "no_email"])["status"] == "requested"
