"""Interactions, follow-ups, issues and events against PostgreSQL."""

from __future__ import annotations

import json
from datetime import timedelta

import orjson
import pytest
from sqlalchemy import text

from services.access.contract import UserChanged
from services.chassis.messages import Conflict, Forbidden, Invalid, NotFound, PreconditionMissing, Stale, entity_tag, new_id
from services.chassis.refusals import CursorInvalid
from services.interactions.contract.refusals import EventNotBegun, IssueActive
from services.interactions.usecases import announcement_handlers, events, interactions, issues, reading
from services.lexicon.refusals import ContributorsOnly, IndividualFrozen, TextNeedsReview
from tests.cast import AMINA, BRUNO, CHLOE, DOV, EDDA, FARID, GRACE, RENATA
from tests.integration.interactions.conftest import Office


@pytest.mark.requirement("R48", "R49", "R50", "R51", "R52", "R147")
def test_a_call_that_amina_logs_is_read_by_chloe_of_another_component(office: Office) -> None:
    dov, issue = office.individual(), office.issue()
    logged = office.talk(individual_ids=[dov], issue_ids=[issue], outcome="Asked for the guidance.")
    seen = office.read(CHLOE, logged["id"])
    assert seen == logged
    assert (seen["component"], seen["user"], seen["mode"]) == ("ICE", AMINA.id, "phone")
    assert seen["outcome"] == "Asked for the guidance."
    (told,) = office.announced("interactions:interaction:logged")
    assert told["individual_ids"] == [dov]
    assert "guidance" not in json.dumps(office.announced("interactions:interaction:logged"))


@pytest.mark.requirement("R51")
def test_a_colleague_may_be_named_and_nobody_from_elsewhere(office: Office) -> None:
    dov = office.individual()
    assert office.talk(individual_ids=[dov], user=BRUNO.id)["user"] == BRUNO.id
    with pytest.raises(Invalid):
        office.talk(individual_ids=[dov], user=CHLOE.id)
    with pytest.raises(Invalid):
        office.talk(individual_ids=[dov], component="PSO")


def test_a_users_latest_state_counts_in_whatever_order_it_was_told(office: Office) -> None:
    dov = office.individual()
    for revision, active in ((2, False), (1, True)):
        office.hear(announcement_handlers.user_changed, UserChanged(BRUNO.id, "ICE", "contributor", (), active, revision))
    with pytest.raises(Invalid):
        office.talk(individual_ids=[dov], user=BRUNO.id)


@pytest.mark.requirement("R48", "T6")
def test_what_was_not_held_yet_is_not_logged(office: Office) -> None:
    dov = office.individual()
    office.talk(individual_ids=[dov], ago=timedelta(minutes=-1))
    with pytest.raises(Invalid) as refused:
        office.talk(individual_ids=[dov], ago=timedelta(minutes=-10))
    assert "held_at" in (refused.value.errors or {})


def test_whoever_or_whatever_is_named_must_exist(office: Office) -> None:
    dov = office.individual()
    for given in (
        {"individual_ids": [new_id()]},
        {"individual_ids": [dov], "organization_ids": [new_id()]},
        {"individual_ids": [dov], "issue_ids": [new_id()]},
        {"individual_ids": [dov], "event_id": new_id()},
    ):
        with pytest.raises(Invalid):
            office.talk(**given)


@pytest.mark.requirement("R153", "T19")
def test_readers_read_and_do_not_log_and_the_security_officer_does_neither(office: Office) -> None:
    dov = office.individual()
    talk = office.talk(individual_ids=[dov])
    assert office.read(RENATA, talk["id"])
    with pytest.raises(ContributorsOnly):
        office.talk(RENATA, individual_ids=[dov])
    for refused in (lambda: office.read(EDDA, talk["id"]), lambda: office.talk(EDDA, individual_ids=[dov])):
        with pytest.raises(Forbidden):
            refused()


@pytest.mark.requirement("R113", "T2")
def test_any_contributor_corrects_at_once_but_not_whose_it_was(office: Office) -> None:
    dov = office.individual()
    talk = office.talk(individual_ids=[dov], outcome="A misspeling")
    corrected = office.correct(CHLOE, talk, outcome="A misspelling")
    assert corrected["outcome"] == "A misspelling"
    assert (corrected["component"], corrected["user"]) == ("ICE", AMINA.id)
    with pytest.raises(Forbidden):
        office.correct(CHLOE, corrected, user=CHLOE.id)
    with pytest.raises(Stale):
        office.correct(CHLOE, talk, mode="email")
    with pytest.raises(PreconditionMissing):
        office.do(CHLOE, interactions.change_interaction, interaction_id=talk["id"], if_match=None, mode="email")


def test_a_correction_is_announced_when_listeners_reckon_with_it(office: Office) -> None:
    dov, other = office.individual(), office.individual()
    talk = office.talk(individual_ids=[dov])
    talk = office.correct(AMINA, talk, outcome="Reworded")
    talk = office.correct(AMINA, talk, individual_ids=[dov, other], held_at=office.now - timedelta(days=2))
    told = office.announced("interactions:interaction:logged")
    assert [sorted(one["individual_ids"]) for one in told] == [[dov], sorted([dov, other])]
    assert told[1]["revision"] > told[0]["revision"]


@pytest.mark.requirement("R52")
def test_a_promise_is_a_task_until_it_is_kept(office: Office) -> None:
    dov = office.individual()
    talk = office.talk(
        individual_ids=[dov],
        follow_ups=[{"text": "Send the guidance", "due_on": None, "assignee": BRUNO.id, "done_at": None}],
    )
    (promise,) = talk["follow_ups"]
    assert office.tasks(BRUNO) == [("keep-promise", promise["id"])]
    assert office.tasks(CHLOE) == []
    done = office.do(BRUNO, interactions.complete_follow_up, interaction_id=talk["id"], follow_up_id=promise["id"])
    assert (done["follow_ups"][0]["done_by"], bool(done["follow_ups"][0]["done_at"])) == (BRUNO.id, True)
    assert office.tasks(BRUNO) == []


def test_follow_ups_sent_back_as_read_keep_their_ids_and_text(office: Office) -> None:
    dov = office.individual()
    first = {"text": "Call back", "due_on": None, "assignee": None, "done_at": None}
    talk = office.talk(individual_ids=[dov], follow_ups=[first, {**first, "text": "Write"}])
    call, write = talk["follow_ups"]
    given = [{name: value for name, value in write.items() if name != "done_by"}, {**first, "text": "Visit"}]
    changed = office.correct(AMINA, talk, follow_ups=given)
    assert [promise["text"] for promise in changed["follow_ups"]] == ["Write", "Visit"]
    assert changed["follow_ups"][0]["id"] == write["id"]
    with pytest.raises(Invalid):
        office.correct(AMINA, changed, follow_ups=[{**first, "id": call["id"]}])


@pytest.mark.requirement("T15", "R148")
def test_text_that_quotes_a_number_is_asked_about_and_kept_for_its_authors_component_alone(office: Office) -> None:
    dov = office.individual()
    quoted = f"Call him on {DOV.cell}."
    promise = {"text": f"Mail {DOV.email}", "due_on": None, "assignee": None, "done_at": None}
    with pytest.raises(TextNeedsReview) as asked:
        office.talk(individual_ids=[dov], outcome=quoted, follow_ups=[promise])
    spans = asked.value.extra["findings"]
    assert {(span["field"], span["class"]) for span in spans} == {("outcome", "phone"), ("follow_ups.0.text", "email")}
    assert quoted[spans[0]["start"] : spans[0]["end"]].strip() == DOV.cell
    assert DOV.cell not in str(asked.value.to_wire())

    kept = office.talk(individual_ids=[dov], outcome=quoted, follow_ups=[promise], keep_reason="He asked for it")
    assert office.read(BRUNO, kept["id"])["outcome"] == quoted
    assert office.read(BRUNO, kept["id"])["follow_ups"][0]["text"] == promise["text"]
    for other in (CHLOE, FARID, RENATA):
        history = office.do(other, reading.list_history, query={"individual_id": dov, "limit": 50})
        told = json.dumps([office.read(other, kept["id"]), office.talks(other), history])
        assert DOV.cell not in told
        assert DOV.email not in told


@pytest.mark.requirement("T15", "T17")
def test_what_a_component_keeps_for_itself_moves_nothing_that_another_sees(office: Office) -> None:
    dov = office.individual()
    talk = office.talk(individual_ids=[dov])
    before = office.read(CHLOE, talk["id"])
    office.now += timedelta(hours=1)
    office.correct(AMINA, talk, outcome=f"Call him on {DOV.cell}.", keep_reason="He asked for it")
    assert office.read(CHLOE, talk["id"]) == before
    assert office.read(AMINA, talk["id"])["outcome"] == f"Call him on {DOV.cell}."


@pytest.mark.requirement("T15", "R154")
def test_the_database_alone_hides_kept_text_from_another_component(office: Office) -> None:
    dov = office.individual()
    office.talk(individual_ids=[dov], outcome=f"Call him on {DOV.cell}.", keep_reason="He asked for it")
    for somebody, rows in ((AMINA, 1), (CHLOE, 0), (office.heard, 0)):
        with office.work(somebody) as work:
            assert len(work.execute(text("SELECT * FROM kept_texts")).all()) == rows


@pytest.mark.requirement("R55")
def test_lists_are_most_recent_first_and_paged_by_a_cursor_of_ones_own(office: Office) -> None:
    dov, other = office.individual(), office.individual()
    ids = [office.talk(individual_ids=[dov], ago=timedelta(hours=n))["id"] for n in range(1, 6)]
    office.talk(individual_ids=[other])
    page = office.talks(AMINA, individual_id=dov, limit=2)
    seen = [item["id"] for item in page["items"]]
    assert page["total"] == 5
    while page["next"]:
        page = office.talks(AMINA, individual_id=dov, limit=2, cursor=page["next"])
        seen += [item["id"] for item in page["items"]]
    assert seen == ids
    cursor = office.talks(AMINA, individual_id=dov, limit=2)["next"]
    for somebody, query in ((CHLOE, {"individual_id": dov}), (AMINA, {"individual_id": other}), (AMINA, {})):
        with pytest.raises(CursorInvalid):
            office.talks(somebody, **query, limit=2, cursor=cursor)
    with pytest.raises(CursorInvalid):
        office.talks(AMINA, individual_id=dov, limit=2, cursor=cursor[:-2] + "AA")


@pytest.mark.requirement("R57", "R71")
def test_an_organizations_talks_are_those_with_its_people_and_an_issues_those_below_it(office: Office) -> None:
    larkspur = office.organization()
    dov = office.individual(organization_id=larkspur)
    top = office.issue(name="Immigration at work")
    below = office.issue(parent_id=top)
    talk = office.talk(individual_ids=[dov], issue_ids=[below])
    direct = office.talk(organization_ids=[larkspur], ago=timedelta(hours=3))
    office.talk(individual_ids=[office.individual()])
    assert [item["id"] for item in office.talks(CHLOE, organization_id=larkspur)["items"]] == [talk["id"], direct["id"]]
    assert [item["id"] for item in office.talks(CHLOE, issue_id=top)["items"]] == [talk["id"]]


@pytest.mark.requirement("T21", "R170")
def test_a_frozen_person_is_out_of_lists_and_only_their_request_may_be_talked_about(office: Office) -> None:
    dov, other = office.individual(), office.individual()
    alone = office.talk(individual_ids=[dov])
    together = office.talk(individual_ids=[dov, other], ago=timedelta(hours=2))
    event = office.event()
    office.attend(AMINA, event, dov, other)
    request = office.freeze(dov, CHLOE)

    assert [item["id"] for item in office.talks(BRUNO)["items"]] == [together["id"]]
    assert office.read(BRUNO, together["id"])["individual_ids"] == [other]
    with pytest.raises(NotFound):
        office.read(BRUNO, alone["id"])
    assert office.talks(BRUNO, individual_id=dov)["items"] == []
    assert office.do(BRUNO, reading.list_history, query={"individual_id": dov, "limit": 50})["items"] == []
    attendees = office.do(BRUNO, events.list_attendees, event_id=event, query={"limit": 50})["items"]
    assert [one["individual_id"] for one in attendees] == [other]
    assert office.do(BRUNO, events.list_events, query={"individual_id": dov, "limit": 50})["items"] == []
    # Who has to deal with the request still finds them.
    for somebody in (AMINA, CHLOE, GRACE, FARID):
        assert {alone["id"], together["id"]} == {item["id"] for item in office.talks(somebody)["items"]}

    for given in ({}, {"no_contact_request_id": new_id()}):
        with pytest.raises(IndividualFrozen):
            office.talk(AMINA, individual_ids=[dov], **given)
    with pytest.raises(IndividualFrozen):
        office.attend(AMINA, event, dov)
    assert office.talk(AMINA, individual_ids=[dov], no_contact_request_id=request)


@pytest.mark.requirement("T21")
def test_correcting_a_talk_does_not_lose_the_frozen_person_one_cannot_see(office: Office) -> None:
    dov, other, third = office.individual(), office.individual(), office.individual()
    talk = office.talk(individual_ids=[dov, other])
    office.freeze(dov, CHLOE)
    office.correct(BRUNO, office.read(BRUNO, talk["id"]), individual_ids=[other, third])
    assert set(office.read(AMINA, talk["id"])["individual_ids"]) == {dov, other, third}


def test_a_talk_logged_by_mistake_is_withdrawn_by_its_own_component(office: Office) -> None:
    dov = office.individual()
    talk = office.talk(individual_ids=[dov])
    with pytest.raises(Forbidden):
        office.do(CHLOE, interactions.withdraw_interaction, interaction_id=talk["id"], if_match=entity_tag(talk))
    office.do(BRUNO, interactions.withdraw_interaction, interaction_id=talk["id"], if_match=entity_tag(talk))
    with pytest.raises(NotFound):
        office.read(AMINA, talk["id"])
    assert office.announced("interactions:interaction:withdrawn") == [{"interaction_id": talk["id"]}]


@pytest.mark.requirement("R56", "R58", "R60", "R61", "R62", "R146")
def test_an_event_has_attendees_whose_history_tells_of_it(office: Office) -> None:
    issue, dov, edda = office.issue(), office.individual(), office.individual()
    event = office.event(issue_ids=[issue], place="Houston", agenda="The new guidance")
    office.attend(AMINA, event, dov)
    found = office.attend(CHLOE, event, dov, edda)
    assert [one["individual_id"] for one in found["items"]] == [dov, edda]
    told = office.announced("interactions:attendance:recorded")
    assert [sorted(one["individual_ids"]) for one in told] == [[dov], sorted([dov, edda])]
    assert [one["revision"] for one in told] == [1, 2]
    assert {(one["component"], one["user_id"]) for one in told} == {("ICE", AMINA.id)}
    (item,) = office.do(CHLOE, reading.list_history, query={"individual_id": dov, "limit": 50})["items"]
    assert (item["kind"], item["event_id"], item["event_name"], item["issue_ids"]) == ("attendance", event, "Roundtable", [issue])
    office.do(AMINA, events.remove_attendee, event_id=event, attendee_id=edda)
    assert office.do(CHLOE, events.list_attendees, event_id=event, query={"limit": 50})["total"] == 1
    with pytest.raises(EventNotBegun):
        office.attend(AMINA, office.event(ago=timedelta(days=-1)), dov)


@pytest.mark.requirement("R55", "R57")
def test_a_history_mixes_talks_and_attendance_most_recent_first_over_pages(office: Office) -> None:
    dov = office.individual()
    expected = []
    for day in range(1, 7):
        if day % 2:
            expected.append(office.talk(individual_ids=[dov], ago=timedelta(days=day))["id"])
        else:
            event = office.event(ago=timedelta(days=day))
            expected.append(office.attend(AMINA, event, dov)["items"][0]["id"])
    seen: list[str] = []
    after: list[str] | None = None
    while True:
        page = office.do(CHLOE, reading.list_history, query={"individual_id": dov, "limit": 2, "after": after})
        seen += [item["id"] for item in page["items"]]
        if not page["more"]:
            break
        after = page["items"][-1]["position"]
    assert seen == expected


@pytest.mark.requirement("R65", "R70", "R71")
def test_issues_stand_in_a_tree_below_the_five_priorities(office: Office) -> None:
    top = office.issue(name="Immigration at work")
    below = office.issue(name="Worksite enforcement", priority=None, parent_id=top)
    tree = office.do(CHLOE, issues.read_issue_tree)["items"]
    assert [branch["priority"] for branch in tree] == [
        "immigration",
        "secure_borders",
        "disaster_response",
        "counterterrorism",
        "one_dhs",
    ]
    assert tree[0]["issues"][0]["issues"][0]["id"] == below
    issue = office.do(CHLOE, issues.read_issue, issue_id=top)
    with pytest.raises(Invalid):
        office.do(CHLOE, issues.change_issue, issue_id=top, if_match=entity_tag(issue), parent_id=below)
    with pytest.raises(Invalid):
        office.issue(priority="one_dhs", parent_id=top)
    office.do(CHLOE, issues.change_issue, issue_id=top, if_match=entity_tag(issue), priority="one_dhs")
    assert {one["priority"] for one in office.do(CHLOE, issues.list_issues, query={"limit": 50})["items"]} == {"one_dhs"}
    assert {one["issue_id"] for one in office.announced("interactions:issue:changed")} == {top, below}


@pytest.mark.requirement("R66", "R67", "R68")
def test_an_issue_takes_its_updates_and_talking_points_with_it_when_it_goes(office: Office) -> None:
    dov = office.individual()
    issue = office.issue()
    office.do(AMINA, issues.add_issue_update, issue_id=issue, kind="policy", text="New guidance is out.")
    office.do(CHLOE, issues.add_talking_point, issue_id=issue, text=f"Call {DOV.cell}", keep_reason="The hotline")
    assert office.do(CHLOE, issues.list_talking_points, issue_id=issue, query={"limit": 50})["items"][0]["text"] == f"Call {DOV.cell}"
    assert office.do(AMINA, issues.list_talking_points, issue_id=issue, query={"limit": 50})["items"][0]["text"] is None
    assert office.do(BRUNO, issues.list_issue_updates, issue_id=issue, query={"limit": 50})["items"][0]["kind"] == "policy"
    talk = office.talk(individual_ids=[dov], issue_ids=[issue])

    def erase() -> None:
        with office.work(office.heard, role="eraser") as work:
            issues.erase_issue(work, now=office.now, issue_id=issue)

    with pytest.raises(IssueActive):
        erase()
    shown = office.do(AMINA, issues.read_issue, issue_id=issue)
    office.do(AMINA, issues.change_issue, issue_id=issue, if_match=entity_tag(shown), active=False)
    erase()
    assert office.read(AMINA, talk["id"])["issue_ids"] == []
    with office.work(CHLOE) as work:
        assert not work.execute(text("SELECT * FROM kept_texts")).all()
    assert office.announced("interactions:issue:erased") == [{"issue_id": issue}]


@pytest.mark.requirement("R119", "R120", "R121", "T8")
def test_every_call_leaves_entries_of_ids_and_field_names_without_a_value(office: Office) -> None:
    dov, issue = office.individual(), office.issue()
    talk = office.talk(individual_ids=[dov], issue_ids=[issue], outcome="Dov asked for the guidance.")
    office.read(CHLOE, talk["id"])
    office.talks(CHLOE, individual_id=dov)
    office.correct(CHLOE, talk, outcome="Dov asked twice.")
    entries = [entry for entry in office.entries() if entry["actor_kind"] == "user"]
    assert [entry["action"].partition(":")[2] for entry in entries] == [
        "issue:register",
        "interaction:log",
        "interaction:read",
        "interaction:list",
        "interaction:change",
    ]
    assert all({dov, talk["id"]} <= set(entry["subjects"]) for entry in entries[1:])
    assert "Dov" not in json.dumps(entries)


def test_a_withdrawal_waits_while_somebody_in_the_talk_is_frozen(office: Office) -> None:
    dov, other = office.individual(), office.individual()
    talk = office.talk(individual_ids=[dov, other])
    office.freeze(dov, CHLOE)
    seen = office.read(BRUNO, talk["id"])
    with pytest.raises(Conflict):
        office.do(BRUNO, interactions.withdraw_interaction, interaction_id=talk["id"], if_match=entity_tag(seen))


@pytest.mark.requirement("T33")
def test_who_began_a_talk_is_kept_where_somebody_said_and_can_be_corrected(office: Office) -> None:
    dov = office.individual()
    unknown = office.talk(individual_ids=[dov])
    assert unknown["initiated_by"] is None
    ours = office.talk(individual_ids=[dov], initiated_by="department")
    assert office.read(AMINA, ours["id"])["initiated_by"] == "department"
    assert office.correct(AMINA, ours, initiated_by="stakeholder")["initiated_by"] == "stakeholder"
    assert office.correct(AMINA, unknown, initiated_by="department")["initiated_by"] == "department"


@pytest.mark.requirement("R66", "R67", "R68")
def test_updates_and_talking_points_are_listed_page_by_page(office: Office) -> None:
    issue, other = office.issue(), office.issue(name="Another")
    for n in range(3):
        office.do(AMINA, issues.add_issue_update, issue_id=issue, kind="policy", text=f"Update {n}.")
        office.do(AMINA, issues.add_talking_point, issue_id=issue, text=f"Point {n}.")
        office.do(AMINA, issues.add_talking_point, issue_id=other, text="Another's.")
    for listing, texts in (
        (issues.list_issue_updates, ["Update 2.", "Update 1.", "Update 0."]),
        (issues.list_talking_points, ["Point 0.", "Point 1.", "Point 2."]),
    ):
        seen: list[str] = []
        cursor = None
        while True:
            page = office.do(CHLOE, listing, issue_id=issue, query={"limit": 1, "cursor": cursor})
            assert (len(page["items"]), page["total"]) == (1, 3)
            assert orjson.loads(orjson.dumps(page)) == page, "it goes over the wire as it is"
            seen += [item["text"] for item in page["items"]]
            cursor = page["next"]
            if cursor is None:
                break
            with pytest.raises(CursorInvalid):
                office.do(CHLOE, listing, issue_id=other, query={"limit": 1, "cursor": cursor})
        assert seen == texts
