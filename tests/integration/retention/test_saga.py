"""The erasure saga: its order, its receipts, killed at every step, and what it waits for."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import eventlet
import pytest
from eventlet.event import Event

from services.chassis.cursors import Cursors
from services.chassis.messages import Caller, NotFound, Unavailable, new_id
from services.chassis.transport.rpc_client import InternalError
from services.lexicon.mentions import FormerValues
from services.retention.contract import ErasureUnderWay, ErasureUnknown, HoldUnknown, PrivacyOfficerOnly
from services.retention.contract.schemas import RegisterQuery
from services.retention.domain.saga import COURSES
from services.retention.service.saga import SEARCHES_AT_ONCE, Saga
from services.retention.storage import erasures
from services.retention.storage import requests as stored
from services.retention.usecases import erasing, saga_steps
from tests.cast import AMINA, BRUNO, CHLOE, EDDA, FARID, GRACE
from tests.integration.retention.conftest import DENIS, Killed

CALLS = [
    "contacts.erase",
    "interactions.erase",
    "contacts.unseal_key",
    "interactions.seek",
    "contacts.unseal_key",
    "contacts.seek",
    "contacts.close_erasure",
]


@pytest.mark.requirement("R165", "R166", "N3")
def test_an_erasure_reaches_every_service_and_contacts_first(case):
    erasure_id = case.ask()
    case.saga().drive(erasure_id)
    assert case.others.asked == CALLS
    erasure = case.read(erasure_id)
    assert erasure["state"] == "done"
    assert {receipt["service"] for receipt in erasure["receipts"]} == {"contacts", "interactions", "retention"}
    assert all(receipt["left"] == 0 for receipt in erasure["receipts"])
    assert (erasure["decide_by"], erasure["undecided"], erasure["hits"]) == (None, None, [])
    assert case.others.rows == {}
    assert case.others.key is None
    assert case.announced() == [{"erasure_id": erasure_id, "individual_id": case.others.person, "cause": "no_contact"}]


@pytest.mark.requirement("R165")
def test_who_is_not_erased_yet_comes_before_all_who_are_searched_for_again(case):
    waiting = [case.ask(subject=new_id(), cause="mistake") for _ in range(25)]
    with case.database.work(AMINA) as work:
        for erasure_id in waiting:
            erasures.change(work, erasure_id, waiting=True, next_at=case.now - timedelta(hours=1))
    fresh = case.ask()
    with case.database.work(AMINA) as work:
        assert saga_steps.due(work, now=case.now)[0] == fresh


@pytest.mark.requirement("R165")
def test_whom_a_fault_put_off_is_erased_before_anybody_is_searched_for(case):
    asked = []
    answers = {"erase": {"sealed": "sealed"}, "unseal_key": {"key": "a key"}, "seek": {"hits": [], "carried_out": []}, "close_erasure": {}}

    def answer(service: str, method: str, *_: Any, **_given: Any) -> Any:
        asked.append((service, method))
        return {"receipts": [], **answers[method]}

    many = [case.ask(subject=new_id(), cause="mistake") for _ in range(25)]
    saga = Saga(case.database, answer, clock=lambda: case.now)
    saga.drive(many[0])
    with case.database.work(AMINA) as work:
        # The first is searched for again, and has waited longest.
        erasures.change(work, many[0], completed_at=None, step="seek_interactions", sealed="sealed", next_at=case.now - timedelta(hours=1))
    asked.clear()
    saga.drive_all()
    first_search = asked.index(("interactions", "seek"))
    assert asked[:first_search].count(("contacts", "erase")) == 20


@pytest.mark.requirement("R165")
def test_of_many_erasures_that_are_woken_two_search_at_once_and_no_erasure_waits_for_them(case):
    going: dict[str, int] = {}
    most: dict[str, int] = {}
    answers = {"erase": {"sealed": "sealed"}, "unseal_key": {"key": "a key"}, "seek": {"hits": [], "carried_out": []}, "close_erasure": {}}

    many = Event()

    def slow(_service: str, method: str, *_: Any, **_given: Any) -> Any:
        going[method] = going.get(method, 0) + 1
        most[method] = max(most.get(method, 0), going[method])
        if method == "erase":
            # The first ones go on when more are erased at once than may search at once.
            if going[method] > SEARCHES_AT_ONCE and not many.ready():
                many.send()
            with eventlet.Timeout(10, exception=False):
                many.wait()
        else:
            eventlet.sleep(0.2 if method == "seek" else 0.02)
        going[method] -= 1
        return {"receipts": [], **answers[method]}

    spawned = []
    saga = Saga(case.database, slow, clock=lambda: case.now, spawn=lambda act: spawned.append(eventlet.spawn(act)))
    for _ in range(8):
        saga.wake(case.ask(subject=new_id(), cause="mistake"))
    for each in spawned:
        each.wait()
    assert most["seek"] == SEARCHES_AT_ONCE
    assert most["erase"] > SEARCHES_AT_ONCE


def test_the_certificate_says_what_was_reached_and_what_is_not(case):
    erasure_id = case.ask()
    case.later(seconds=3)
    case.saga().drive(erasure_id)
    certificate = case.read(erasure_id, by=FARID)["certificate"]
    reached = {line["store"]: (line["found"], line["removed"], line["left"]) for line in certificate["reached"]}
    assert reached["contacts.contact_points"] == (2, 2, 0)
    assert reached["interactions.interactions"] == (3, 3, 0)
    assert reached["retention.individuals"] == (1, 1, 0)
    assert any("Backups" in sentence for sentence in certificate["not_reached"])
    assert len(certificate["sha256"]) == 64
    [row] = case.rows("SELECT * FROM destructions")
    assert (str(row.erasure_id), str(row.subject_id), row.cause, row.destroyed_at) == (erasure_id, case.others.person, "no_contact", case.now)


@pytest.mark.requirement("T34", "T17", "N3")
def test_nobody_but_the_privacy_officer_reads_how_much_there_was_and_where(case):
    """The owner's answer is the same, whatever other components held and whatever was found in texts that others may not see."""
    erasure_id = case.ask()
    case.saga().drive(erasure_id)
    told, whole = case.read(erasure_id, by=AMINA), case.read(erasure_id, by=FARID)
    assert {line["store"]: line["found"] for line in whole["receipts"]}["contacts.contact_points"] == 2
    with case.database.work(AMINA) as work:
        step = next(line["step"] for line in whole["receipts"] if line["store"] == "contacts.contact_points")
        receipts = [{**line, "found": 7, "removed": 7} for line in whole["receipts"] if line["step"] == step]
        more = {"store": "contacts.notes", "found": 3, "removed": 0, "left": 3, "method": "searched"}
        erasures.put_receipts(work, erasure_id, step, "contacts", [*receipts, more], at=case.now)
        reached = [{**line, "found": 7, "removed": 7} for line in whole["certificate"]["reached"]]
        decided = [{"service": "contacts", "store": "contacts.notes", "record_id": new_id(), "decision": "another_person"}]
        said = {name: value for name, value in whole["certificate"].items() if name != "sha256"}
        erasures.change(work, erasure_id, certificate=erasing.hashed({**said, "reached": reached, "decided": decided}))
    assert case.read(erasure_id, by=FARID)["receipts"] != whole["receipts"]
    assert case.read(erasure_id, by=AMINA) == told
    assert {(line["found"], line["removed"], line["left"]) for line in told["receipts"]} == {(None, None, 0)}


@pytest.mark.parametrize("cause", ["no_contact", "mistake", "no_longer_needed", "expired", "import_undone"])
def test_contacts_is_told_the_cause_so_that_only_a_request_is_remembered(case, cause):
    case.saga().drive(case.ask(cause=cause))
    assert case.others.erased_for == [cause]


def test_nothing_of_the_person_is_left_in_retention_but_ids(case):
    case.open()
    erasure_id = case.ask(reason="Entered Ottoline Vantongeren twice")
    case.saga().drive(erasure_id)
    [said] = [line for line in case.read(erasure_id, by=FARID)["certificate"]["reached"] if line["store"] == "retention.erasures.reason"]
    assert (said["found"], said["removed"]) == (1, 1)
    [row] = case.rows("SELECT reason, sealed, claim FROM erasures")
    assert tuple(row) == (None, None, None)
    assert case.rows("SELECT * FROM individuals") == []
    everything = str([case.rows(f"SELECT * FROM {table}") for table in ("erasures", "no_contact_requests", "receipts", "hits")])
    assert "Vantongeren" not in everything + str(case.entries())


@pytest.mark.requirement("N3", "T27")
def test_a_reason_that_names_the_person_goes_whoevers_case_it_was_given_in(case, monkeypatch):
    values = FormerValues("Ottoline", "Vantongeren", phones=("+19565550142",))
    monkeypatch.setattr(saga_steps, "open_seal", lambda _sealed, key, **_: values if key == "a one-time key" else None)
    person, another, third = case.others.person, new_id(), new_id()
    with case.database.work(AMINA) as work:
        for individual_id in (another, third):
            stored.upsert_individual_projection(work, individual_id, owner_id=AMINA.id, component="ICE")
    given = {
        another: "Ottoline Vantongeren asked, not her sister",
        third: "It was Vantongeren, Ottoline, at (956) 555-0142",
        person: "She took it back on the phone",
    }
    for individual_id, reason in given.items():
        request_id = case.open(individual_id=individual_id)
        with case.database.work(DENIS) as work:
            stored.change_request(work, request_id, proposed_by=DENIS.id, proposed_at=case.now, proposal_reason=reason)
    kept = case.open(individual_id=new_id())
    with case.database.work(DENIS) as work:
        stored.change_request(work, kept, proposed_by=DENIS.id, proposed_at=case.now, proposal_reason="Another Vantongeren, of Ohio")
    case.ask(subject=third, cause="mistake", reason="This was O. T. Vantongeren, or Ottoline Vantongeren")
    erasure_id = case.ask()
    case.saga().drive(erasure_id)
    reached = case.read(erasure_id, by=FARID)["certificate"]["reached"]
    receipts = {line["store"]: line["removed"] for line in reached if line["service"] == "retention"}
    assert (receipts["retention.erasures.reason"], receipts["retention.no_contact_requests.proposal_reason"]) == (1, 3)
    left = case.rows("SELECT proposal_reason AS reason FROM no_contact_requests UNION ALL SELECT reason FROM erasures")
    assert [row.reason for row in left if row.reason] == ["Another Vantongeren, of Ohio"]


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("place", range(len(CALLS)))
@pytest.mark.row("P11")
def test_killed_around_any_call_it_is_finished_by_another_process_and_done_once(case, place, moment):
    """P11 at a twentieth: a crash at every step, before and after the effect at the other service."""
    erasure_id = case.ask()
    count = 0

    def kill(_name):
        nonlocal count
        count += 1
        if count == place + 1:
            raise Killed

    setattr(case.others, moment, kill)
    with pytest.raises(Killed):
        case.saga().drive(erasure_id)
    assert case.read(erasure_id)["state"] == "in_progress"
    setattr(case.others, moment, lambda _: None)
    survivor = case.saga()
    survivor.drive_all()
    assert case.read(erasure_id)["state"] == "in_progress", "the claim of the dead is respected until it lapses"
    case.later(seconds=saga_steps.LEASE.total_seconds() + 1)
    survivor.drive_all()
    assert_done_once(case, erasure_id)


@pytest.mark.parametrize("kept", ["received", "erase_here", "pass_gate", "close"])
@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.row("P11")
def test_killed_around_any_commit_of_its_own_it_is_finished_and_done_once(case, monkeypatch, kept, moment):
    erasure_id = case.ask()
    honest = getattr(saga_steps, kept)

    def dying(work, *arguments, **given):
        if moment == "after":
            honest(work, *arguments, **given)
            # The commit itself happens, and then nothing more.
            work._commit(work.connection)
        raise Killed

    monkeypatch.setattr(saga_steps, kept, dying)
    with pytest.raises(Killed):
        case.saga().drive(erasure_id)
    monkeypatch.setattr(saga_steps, kept, honest)
    case.later(seconds=saga_steps.LEASE.total_seconds() + 1)
    case.saga().drive_all()
    assert_done_once(case, erasure_id)


#: What there was of the person, and how much of it was removed; a hit that is kept is found, and not removed.
REACHED = {
    "contacts.individuals": 1,
    "contacts.contact_points": 2,
    "contacts.texts": 1,
    "interactions.interactions": 3,
    "interactions.texts": 2,
    "keys.seal_keys": 1,
    "retention.individuals": 1,
    "retention.erasures.reason": 0,
    "retention.no_contact_requests.proposal_reason": 0,
}


def assert_done_once(case, erasure_id, **more):
    """Hold a finished erasure to what it has to be, however often it was interrupted."""
    reached = case.read(erasure_id, by=FARID)["certificate"]["reached"]
    assert {line["store"]: line["removed"] for line in reached} == {**REACHED, **more}
    assert case.read(erasure_id)["state"] == "done"
    assert case.others.erased_for == ["no_contact"]
    assert (case.others.rows, case.others.talks, case.others.key, case.others.sealed) == ({}, 0, None, None)
    assert [told["erasure_id"] for told in case.announced()] == [erasure_id]
    assert len(case.rows("SELECT * FROM destructions")) == 1
    assert [line["erasure_id"] for line in case.erased.read()] == [erasure_id]
    assert len(case.entries("retention:erasure:complete")) == 1


def test_two_processes_at_once_take_every_step_once(case):
    erasure_id = case.ask()
    first, second = case.saga(), case.saga()
    case.others.before = lambda _: second.drive(erasure_id)
    first.drive(erasure_id)
    assert case.others.asked == CALLS
    assert_done_once(case, erasure_id)


def test_a_process_that_was_too_slow_does_not_overwrite_what_another_did(case):
    erasure_id = case.ask()
    saga = case.saga()
    slow = []

    def overtaken(name):
        if name == "interactions.erase" and not slow:
            slow.append(name)
            case.later(seconds=saga_steps.LEASE.total_seconds() + 1)
            case.saga().drive(erasure_id)

    case.others.after = overtaken
    saga.drive(erasure_id)
    assert_done_once(case, erasure_id)


@pytest.mark.parametrize("error", [Unavailable(), InternalError(None)])
def test_a_service_that_is_away_is_asked_again_with_growing_pauses(case, error):
    erasure_id = case.ask()

    def away(name):
        if name == "contacts.erase":
            raise error

    case.others.before = away
    saga = case.saga()
    saga.drive(erasure_id)
    pauses = []
    for _ in range(9):
        [(next_at,)] = case.rows("SELECT next_at FROM erasures")
        pauses.append((next_at - case.now).total_seconds())
        before = len(case.others.asked)
        saga.drive_all()
        assert len(case.others.asked) == before, "nothing is asked before the pause is over"
        case.now = next_at
        saga.drive_all()
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    case.others.before = lambda _: None
    case.later(minutes=2)
    saga.drive_all()
    assert_done_once(case, erasure_id)
    assert {entry["outcome"] for entry in case.entries("retention:erasure:put-off")} == {"failed"}


def test_a_person_whom_contacts_does_not_know_is_still_erased_from_the_others(case):
    nobody = new_id()
    erasure_id = case.ask(subject=nobody)
    case.saga().drive(erasure_id)
    assert case.others.asked == ["contacts.erase", "interactions.erase"]
    assert case.read(erasure_id)["state"] == "done"


def test_an_organization_is_erased_by_contacts_which_tells_the_others(case):
    erasure_id = case.ask(subject=new_id(), kind="organization", cause="mistake")
    case.saga().drive(erasure_id)
    assert case.others.asked == ["contacts.erase_organization"]
    assert case.read(erasure_id)["state"] == "done"
    assert case.announced() == []


def test_an_organization_that_is_gone_already_is_no_obstacle(case):
    def gone(name):
        raise NotFound

    case.others.before = gone
    erasure_id = case.ask(subject=new_id(), kind="organization", cause="mistake")
    case.saga().drive(erasure_id)
    assert case.read(erasure_id)["state"] == "done"


def test_a_hold_keeps_the_erasure_from_beginning_and_only_the_privacy_officer_sees_why(case):
    hold = case.does(erasing.place_hold, by=FARID, subject_id=case.others.person, until=None)
    erasure_id = case.ask()
    case.saga().drive(erasure_id)
    case.saga().drive_all()
    assert case.others.asked == []
    seen = case.read(erasure_id)
    assert seen["state"] == "in_progress"
    assert "hold" not in str(seen)
    for by in (AMINA, EDDA, GRACE):
        assert case.refused(case.does, act=erasing.list_holds, by=by) == "privacy-officer-only"
        assert case.refused(case.does, act=erasing.lift_hold, by=by, hold_id=hold["id"]) == "privacy-officer-only"
        assert case.refused(case.does, act=erasing.place_hold, by=by, subject_id=new_id(), until=None) == "privacy-officer-only"
    assert [item["id"] for item in case.does(erasing.list_holds, by=FARID)["items"]] == [hold["id"]]
    case.does(erasing.lift_hold, by=FARID, hold_id=hold["id"])
    with pytest.raises(HoldUnknown):
        case.does(erasing.lift_hold, by=FARID, hold_id=hold["id"])
    case.saga().drive_all()
    assert_done_once(case, erasure_id)


def held(case):
    """Return which of two people of an undone import a hold keeps."""
    with case.database.work(Caller.service("retention")) as work:
        return stored.held(work, [case.others.person, new_id()], today=case.now.date())


def test_a_hold_ends_with_its_last_day(case):
    case.does(erasing.place_hold, by=FARID, subject_id=case.others.person, until=case.now.date() + timedelta(days=1))
    erasure_id = case.ask()
    for _ in range(2):
        case.saga().drive_all()
        assert case.others.asked == []
        assert held(case) == [case.others.person]
        case.later(days=1)
    case.saga().drive_all()
    assert held(case) == []
    assert_done_once(case, erasure_id)


def test_what_has_begun_cannot_be_held_up(case):
    def away(name):
        if name == "interactions.erase":
            raise Unavailable

    case.others.before = away
    case.saga().drive(case.ask())
    with pytest.raises(ErasureUnderWay):
        case.does(erasing.place_hold, by=FARID, subject_id=case.others.person, until=None)


def test_a_hold_cannot_slip_in_while_the_first_step_is_taken(case):
    refused = []

    def meanwhile(name):
        if name == "contacts.erase":
            refused.append(case.refused(case.does, act=erasing.place_hold, by=FARID, subject_id=case.others.person, until=None))

    case.others.before = meanwhile
    case.saga().drive(case.ask())
    assert refused == ["erasure-under-way"]


@pytest.mark.requirement("N3")
@pytest.mark.row("P11")
def test_a_late_message_does_not_bring_the_person_back(case):
    erasure_id = case.ask()
    case.saga().drive(erasure_id)
    with case.database.work(Caller.service("retention")) as work:
        stored.upsert_individual_projection(work, case.others.person, owner_id=AMINA.id, component="ICE")
    assert case.rows("SELECT * FROM individuals") == []


def test_asking_twice_is_one_erasure(case):
    assert case.ask() == case.ask(by=GRACE, cause="mistake")
    assert len(case.rows("SELECT * FROM erasures")) == 1


@pytest.mark.requirement("T21")
def test_who_may_know_how_far_an_erasure_is(case):
    case.open()
    erasure_id = case.ask()
    for by in (AMINA, DENIS, GRACE, FARID):
        assert case.read(erasure_id, by=by)["id"] == erasure_id
    for by in (BRUNO, CHLOE, EDDA):
        with pytest.raises(ErasureUnknown):
            case.read(erasure_id, by=by)
    with pytest.raises(ErasureUnknown):
        case.read(new_id())


def test_every_step_is_in_the_trail_under_retentions_own_name(case):
    erasure_id = case.ask()
    case.saga().drive(erasure_id)
    steps = case.entries("retention:erasure:step")
    # The gate is passed like any step; the close has an entry of its own.
    assert [step["fields"] for step in steps] == [[step.name] for step in COURSES["individual"][:-1]]
    assert {(step["actor_kind"], step["actor"]) for step in steps} == {("service", "retention")}
    [asked] = case.entries("retention:erasure:request")
    assert {step["trace_id"] for step in steps} == {asked["trace_id"]}


def test_the_register_is_whole_page_by_page(case):
    asked = []
    for _ in range(5):
        asked.append(case.ask(subject=new_id()))
        case.saga().drive(asked[-1])
    walked, cursor = [], None
    while True:
        with case.database.work(FARID) as work:
            page = erasing.list_destructions(work, by=FARID, given=RegisterQuery(2, cursor), cursors=Cursors("a key of tests", "retention"))
        walked += [row["erasure_id"] for row in page["items"]]
        assert page["total"] == 5
        if (cursor := page["next"]) is None:
            break
    assert sorted(walked) == sorted(asked)


def test_the_register_is_for_the_privacy_officer_and_system_owners(case):
    erasure_id = case.ask()
    case.saga().drive(erasure_id)

    def register(by):
        with case.database.work(by) as work:
            return erasing.list_destructions(work, by=by, given=RegisterQuery(50, None), cursors=Cursors("a key of tests", "retention"))["items"]

    assert [row["erasure_id"] for row in register(FARID)] == [erasure_id]
    for by in (AMINA, GRACE, EDDA):
        with pytest.raises(PrivacyOfficerOnly):
            register(by)
