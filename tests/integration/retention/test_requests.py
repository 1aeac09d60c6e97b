"""Requests for no more contact against the database; the list of erased ids."""

from __future__ import annotations

import json

import eventlet
import pytest

from services.chassis.cursors import Cursors
from services.chassis.messages import Caller, new_id
from services.chassis.refusals import CursorInvalid
from services.retention.contract import RequestsWithheld, RequestUnknown
from services.retention.contract.schemas import RequestQuery
from services.retention.storage import requests as stored
from services.retention.storage.erased_ids import ErasedIds, ListDamaged
from services.retention.usecases import erasing, requests
from tests.cast import AMINA, BRUNO, CHLOE, EDDA, FARID, GRACE
from tests.integration.retention.conftest import DENIS


def listed(case, by, **given):
    """Return the page that this caller sees."""
    query = RequestQuery(**{"state": None, "limit": 50, "cursor": None, **given})
    return case.does(requests.list_requests, by=by, cursors=Cursors("a key", "retention"), given=query)


@pytest.mark.requirement("R164", "R167", "R168")
def test_a_request_is_known_to_whoever_it_concerns_and_to_nobody_else(case):
    request_id = case.open()
    for by in (AMINA, DENIS, GRACE, FARID):
        seen = case.does(requests.read_request, by=by, request_id=request_id)
        assert (seen["id"], seen["medium"], seen["recorded_by"], seen["state"]) == (request_id, "phone", DENIS.id, "open")
        assert seen["owner"] == {"user": AMINA.id, "component": "ICE"}
        assert [item["id"] for item in listed(case, by)["items"]] == [request_id]
    for by in (BRUNO, CHLOE, EDDA):
        with pytest.raises(RequestUnknown):
            case.does(requests.read_request, by=by, request_id=request_id)
    for by in (BRUNO, CHLOE):
        assert listed(case, by) == {"items": [], "next": None, "total": 0}
    with pytest.raises(RequestsWithheld):
        listed(case, EDDA)


def test_opened_by_the_call_and_by_the_announcement_it_is_one_request(case):
    first = case.open()
    assert case.open(recorded_by=CHLOE) == first
    with case.database.work(Caller.service("retention")) as work:
        again = requests.open_request(
            work,
            now=case.now,
            request_id=first,
            individual_id=case.others.person,
            medium="letter",
            received_on=case.now.date(),
            recorded_by=CHLOE.id,
            recorded_by_component="PSO",
        )
    assert (again.id, again.medium, again.recorded_by) == (first, "phone", DENIS.id)


@pytest.mark.requirement("R165", "R167", "T10")
def test_the_owner_has_the_task_and_then_the_office_administrator(case):
    request_id = case.open()

    def tasks(by):
        return [task["subject"]["id"] for task in case.does(requests.list_tasks, by=by)]

    assert tasks(AMINA) == [request_id]
    assert tasks(GRACE) == tasks(DENIS) == tasks(BRUNO) == tasks(FARID) == []
    case.later(days=3)
    assert tasks(AMINA) == []
    assert tasks(GRACE) == [request_id]
    erasure_id = case.ask(by=GRACE)
    assert tasks(GRACE) == []
    assert case.does(requests.read_request, request_id=request_id)["state"] == "erasing"
    case.saga().drive(erasure_id)
    assert case.does(requests.read_request, request_id=request_id)["state"] == "done"


@pytest.mark.requirement("T10")
def test_the_duty_passes_at_once_from_an_owner_who_left(case):
    request_id = case.open()
    with case.database.work(Caller.service("retention")) as work:
        gone = {"component": "ICE", "level": "contributor", "roles": [], "active": False}
        stored.upsert_user_projection(work, AMINA.id, **gone, revision=2)
    seen = case.does(requests.read_request, by=GRACE, request_id=request_id)
    assert seen["duty_of"] == "office_administrator"
    assert [task["subject"]["id"] for task in case.does(requests.list_tasks, by=GRACE)] == [request_id]


def test_whoever_takes_the_record_over_takes_the_request_over(case):
    request_id = case.open()
    with case.database.work(Caller.service("retention")) as work:
        stored.upsert_individual_projection(work, case.others.person, owner_id=BRUNO.id, component="ICE")
    assert [task["subject"]["id"] for task in case.does(requests.list_tasks, by=BRUNO)] == [request_id]
    with pytest.raises(RequestUnknown):
        case.does(requests.read_request, by=AMINA, request_id=request_id)


def test_what_was_told_of_a_user_before_and_comes_later_is_old(case):
    case.open()
    gone = {"component": "ICE", "level": "contributor", "roles": [], "active": False}
    with case.database.work(Caller.service("retention")) as work:
        stored.upsert_user_projection(work, AMINA.id, **gone, revision=3)
        stored.upsert_user_projection(work, AMINA.id, **{**gone, "active": True}, revision=2)
        assert stored.is_active(work, AMINA.id) is False
        stored.upsert_user_projection(work, AMINA.id, **{**gone, "active": True}, revision=4)
        assert stored.is_active(work, AMINA.id) is True


@pytest.mark.requirement("N3")
def test_whoever_went_with_an_import_that_was_undone_is_not_brought_back_by_a_late_message(case):
    somebody, others = new_id(), [new_id() for _ in range(3)]
    with case.database.work(Caller.service("retention")) as work:
        stored.upsert_individual_projections(work, [(others[0], AMINA.id, "ICE")])
        stored.insert_tombstone(work, somebody)
        for _ in ("as it comes", "and again"):
            stored.insert_tombstones(work, others)
        for each in (somebody, *others):
            stored.upsert_individual_projection(work, each, owner_id=AMINA.id, component="ICE", revision=9)
            stored.upsert_individual_projections(work, [(each, AMINA.id, "ICE")])
            assert stored.owner_of(work, each) == (None, None)


@pytest.mark.requirement("R77", "R165")
def test_imported_people_are_known_but_for_who_is_erased_and_what_was_told_later_stays(case):
    handed, early, fresh, buried = (new_id() for _ in range(4))
    erased = case.others.person
    request_id = case.open(individual_id=early)
    case.saga().drive(case.ask())
    everybody = [handed, early, fresh, buried, erased]
    with case.database.work(Caller.service("retention")) as work:
        stored.upsert_individual_projection(work, handed, owner_id=BRUNO.id, component="ICE", revision=2)
        stored.insert_tombstone(work, buried)
        for _ in ("as it comes", "and again"):
            stored.upsert_individual_projections(work, [(each, AMINA.id, "ICE") for each in everybody])
        assert [stored.owner_of(work, each)[0] for each in everybody] == [BRUNO.id, AMINA.id, AMINA.id, None, None]
    assert case.does(requests.read_request, by=DENIS, request_id=request_id)["owner"]["user"] == AMINA.id


def test_a_request_that_is_told_of_after_the_erasure_is_answered_by_it(case):
    erasure_id = case.ask(cause="mistake")
    case.saga().drive(erasure_id)
    request_id = case.open()
    seen = case.does(requests.read_request, by=DENIS, request_id=request_id)
    assert (seen["state"], seen["erasure_id"]) == ("done", erasure_id)
    assert case.does(requests.list_tasks, by=GRACE) == []


def test_a_request_and_an_erasure_that_begin_at_the_same_moment_find_each_other(case):
    with case.database.work(AMINA) as work:
        accepted = erasing.request_erasure(
            work,
            by=AMINA,
            now=case.now,
            subject_type="individual",
            subject_id=case.others.person,
            cause="mistake",
            reason=None,
            owner=(AMINA.id, "ICE"),
        )
        opened = eventlet.spawn(case.open)
        with eventlet.Timeout(0.3, exception=False):
            opened.wait()
        assert not opened.dead
    assert case.does(requests.read_request, by=DENIS, request_id=opened.wait())["erasure_id"] == accepted["erasure_id"]


@pytest.mark.parametrize("order", [(2, 5), (5, 2)])
def test_the_latest_hand_over_counts_in_whatever_order_they_are_told(case, order):
    request_id = case.open()
    for revision in order:
        owner = BRUNO if revision == max(order) else AMINA
        with case.database.work(Caller.service("retention")) as work:
            stored.upsert_individual_projection(work, case.others.person, owner_id=owner.id, component="ICE", revision=revision)
    assert case.does(requests.read_request, by=DENIS, request_id=request_id)["owner"]["user"] == BRUNO.id


def test_where_somebody_was_registered_says_nothing_after_a_hand_over(case):
    somebody = new_id()
    with case.database.work(Caller.service("retention")) as work:
        stored.upsert_individual_projection(work, somebody, owner_id=BRUNO.id, component="ICE")
        stored.upsert_individual_projection(work, somebody, owner_id=AMINA.id, component="ICE", first=True)
        assert stored.owner_of(work, somebody) == (BRUNO.id, "ICE")


def test_a_request_heard_of_before_the_individual_finds_its_owner_later(case):
    early = new_id()
    request_id = case.open(individual_id=early)
    assert case.does(requests.read_request, by=DENIS, request_id=request_id)["owner"]["user"] is None
    with case.database.work(Caller.service("retention")) as work:
        stored.upsert_individual_projection(work, early, owner_id=AMINA.id, component="ICE")
    assert case.does(requests.read_request, by=DENIS, request_id=request_id)["owner"]["user"] == AMINA.id


def test_the_privacy_officer_has_a_task_for_what_an_erasure_waits_for(case):
    case.others.named["contacts"] = {new_id()}
    erasure_id = case.ask()
    case.saga().drive(erasure_id)
    [task] = case.does(requests.list_tasks, by=FARID)
    assert (task["kind"], task["subject"]) == ("erasure", {"type": "erasure", "id": erasure_id})
    assert case.does(requests.list_tasks, by=AMINA) == []


def test_pages_follow_each_other_and_a_cursor_is_nobody_elses(case):
    opened = []
    for _ in range(7):
        case.later(seconds=1)
        opened.append(case.open(individual_id=new_id()))
    seen, cursor = [], None
    while True:
        page = listed(case, DENIS, limit=3, cursor=cursor)
        seen += [item["id"] for item in page["items"]]
        assert page["total"] == 7
        cursor = page["next"]
        if cursor is None:
            break
        with pytest.raises(CursorInvalid):
            listed(case, CHLOE, limit=3, cursor=cursor)
        with pytest.raises(CursorInvalid):
            listed(case, DENIS, limit=3, cursor=cursor, state="open")
    assert seen == opened[::-1]


def test_the_list_of_erased_ids_shows_what_was_changed(tmp_path):
    path = tmp_path / "erased-ids"
    erased = ErasedIds(str(path), "key")
    for n in range(3):
        given = {"erasure_id": f"e{n}", "subject_type": "individual", "subject_ids": [f"s{n}"], "at": "2026-11-23T09:00:00Z"}
        assert erased.append(**given) == 1
        assert erased.append(**given) == 0
    assert [line["subject_id"] for line in erased.read()] == ["s0", "s1", "s2"]
    assert path.stat().st_mode & 0o077 == 0
    # Those of an import that is undone are told of in parts, and each part perhaps twice.
    given = {"erasure_id": "an import", "subject_type": "individual", "at": "2026-11-23T09:00:00Z"}
    assert [erased.append(subject_ids=ids, **given) for ids in (["a", "b"], ["a", "b"], ["b", "c"])] == [2, 0, 1]
    assert [line["subject_id"] for line in erased.read()[3:]] == ["a", "b", "c"]
    lines = path.read_text().splitlines()[:3]
    changed = {**json.loads(lines[1]), "subject_id": "other"}
    for damaged in ([lines[0], lines[2]], [lines[1], lines[2]], [lines[0], json.dumps(changed), lines[2]], [lines[0], "{}", lines[2]]):
        path.write_text("\n".join(damaged) + "\n")
        with pytest.raises(ListDamaged):
            erased.read()
        with pytest.raises(ListDamaged):
            erased.append(erasure_id="e9", subject_type="individual", subject_ids=["s9"], at="2026-11-23T09:00:00Z")
    path.write_text("\n".join(lines) + "\n")
    with pytest.raises(ListDamaged):
        ErasedIds(str(path), "another key").read()


def test_half_a_line_of_a_machine_that_died_is_written_again(tmp_path):
    path = tmp_path / "erased-ids"
    erased = ErasedIds(str(path), "key")
    erased.append(erasure_id="e0", subject_type="individual", subject_ids=["s0"], at="2026-11-23T09:00:00Z")
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"at":"2026-11-2')
    erased.append(erasure_id="e1", subject_type="individual", subject_ids=["s1"], at="2026-11-23T09:00:00Z")
    assert [line["erasure_id"] for line in erased.read()] == ["e0", "e1"]
