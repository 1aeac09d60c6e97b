"""Hits of a search in texts about others: decided by the privacy officer, decided by nobody in time, or settled by editing (T27)."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from marshmallow import ValidationError

from services.chassis.cursors import Cursors
from services.chassis.messages import Unavailable, new_id
from services.retention.contract import DecisionsSchema, ErasureUnderWay
from services.retention.contract.schemas import HitQuery, SampleQuery
from services.retention.domain import saga as rules
from services.retention.usecases import erasing, requests, saga_steps
from tests.cast import AMINA, BRUNO, CHLOE, EDDA, FARID, GRACE
from tests.integration.retention.conftest import Case, Killed
from tests.integration.retention.test_saga import assert_done_once

#: The fifth federal working day after Monday, November 23: Thanksgiving and the weekend do not count.
LAST_DAY = date(2026, 12, 1)
CURSORS = Cursors("a key", "retention")


def begun(case: Case, *, contacts: int = 1, interactions: int = 0, cause: str = "no_contact") -> str:
    """Begin an erasure that hits the name in so many texts; return its id."""
    case.others.named = {"contacts": {new_id() for _ in range(contacts)}, "interactions": {new_id() for _ in range(interactions)}}
    erasure_id = case.ask(cause=cause)
    case.saga().drive(erasure_id)
    return erasure_id


def texts(case: Case) -> list[str]:
    """Return the texts that name the person."""
    return sorted(case.others.named["contacts"] | case.others.named["interactions"])


@pytest.mark.requirement("T27", "R165", "R166")
def test_nothing_of_the_person_waits_and_the_sealed_values_wait_for_the_privacy_officer(case):
    erasure_id = begun(case, contacts=1, interactions=1)
    assert case.others.rows == {}
    assert case.others.erased_for == ["no_contact"]
    seen = case.read(erasure_id)
    assert (seen["state"], seen["decide_by"]) == ("waiting_for_decision", LAST_DAY.isoformat())
    assert (seen["hits"], seen["undecided"]) == ([], None), "the owner is not shown where"
    assert case.read(erasure_id, by=FARID)["undecided"] == 2
    assert set(case.hits(erasure_id)) == set(texts(case))
    case.saga().drive_all()
    assert case.read(erasure_id)["state"] == "waiting_for_decision"
    assert case.others.key is not None
    [task] = [task for task in case.does(requests.list_tasks, by=FARID) if task["kind"] == "erasure"]
    assert (task["subject"]["id"], task["due_on"]) == (erasure_id, LAST_DAY.isoformat())


@pytest.mark.requirement("T27")
def test_what_is_to_be_redacted_is_and_the_erasure_ends_with_the_last_decision(case):
    erasure_id = begun(case, contacts=1, interactions=1)
    note, talk = (next(iter(case.others.named[service])) for service in ("contacts", "interactions"))
    hits = case.hits(erasure_id)
    seen = case.decide(erasure_id, hit_id=hits[note]["id"], decision="redact")
    assert (seen["state"], seen["undecided"]) == ("waiting_for_decision", 1)
    case.saga().drive_all()
    assert case.others.redacted == {note}, "at once, whatever else is left to decide"
    assert case.read(erasure_id)["state"] == "waiting_for_decision"
    case.decide(erasure_id, hit_id=hits[talk]["id"], decision="another_person")
    case.saga().drive_all()
    assert (case.others.redacted, texts(case)) == ({note}, [talk])
    assert_done_once(case, erasure_id, **{"contacts.texts": 2})
    certificate = case.read(erasure_id, by=FARID)["certificate"]
    decided = {line["record_id"]: (line["decision"], line["decided_by"]) for line in certificate["decided"]}
    assert decided == {note: ("redact", FARID.id), talk: ("another_person", FARID.id)}
    [line] = [line for line in certificate["reached"] if line["store"] == "contacts.texts"]
    assert (line["found"], line["removed"], line["left"]) == (2, 2, 0), "what two looks find is found once"


@pytest.mark.requirement("T27")
@pytest.mark.parametrize("decision", ["redact", "another_person"])
def test_several_and_all_alike_are_decided_at_once(case, decision):
    erasure_id = begun(case, contacts=3, interactions=2)
    named = set(texts(case))
    first, second, *_ = case.hits(erasure_id).values()
    case.decide(erasure_id, decisions=[{"hit_id": hit["id"], "decision": decision} for hit in (first, second)])
    case.decide(erasure_id, all=True, decision=decision)
    case.saga().drive_all()
    assert case.read(erasure_id)["state"] == "done"
    assert case.others.redacted == (named if decision == "redact" else set())
    entries = case.entries("retention:erasure:decide")
    assert [(entry["actor"], entry["fields"], entry["rule"]) for entry in entries] == [(FARID.id, [decision], "T27")] * 2
    for hit in case.hits(erasure_id).values():
        assert any(hit["id"] in entry["subjects"] and hit["record_id"] in entry["subjects"] for entry in entries)


@pytest.mark.requirement("T27")
def test_only_the_privacy_officer_decides_and_only_what_there_is_to_decide(case):
    erasure_id = begun(case, contacts=2)
    one, other = (hit["id"] for hit in case.hits(erasure_id).values())
    for by in (AMINA, BRUNO, CHLOE, EDDA, GRACE):
        assert case.refused(case.decide, erasure_id=erasure_id, by=by, hit_id=one, decision="redact") == "privacy-officer-only"
        assert case.refused(case.decide, erasure_id=new_id(), by=by, all=True, decision="redact") == "privacy-officer-only"
    assert case.refused(case.decide, erasure_id=new_id(), hit_id=one, decision="redact") == "erasure-unknown"
    assert case.refused(case.decide, erasure_id=erasure_id, hit_id=new_id(), decision="redact") == "hit-unknown"
    both = [{"hit_id": one, "decision": "redact"}, {"hit_id": new_id(), "decision": "redact"}]
    assert case.refused(case.decide, erasure_id=erasure_id, decisions=both) == "hit-unknown"
    assert case.read(erasure_id, by=FARID)["undecided"] == 2, "all of it or nothing"
    case.decide(erasure_id, hit_id=one, decision="another_person")
    for decision in ("another_person", "redact"):
        assert case.refused(case.decide, erasure_id=erasure_id, hit_id=one, decision=decision) == "hit-decided"
    case.decide(erasure_id, hit_id=other, decision="another_person")
    assert case.refused(case.decide, erasure_id=erasure_id, all=True, decision="redact") == "erasure-not-waiting"
    case.saga().drive_all()
    assert case.refused(case.decide, erasure_id=erasure_id, hit_id=one, decision="redact") == "erasure-not-waiting"


@pytest.mark.requirement("T27")
@pytest.mark.parametrize(
    "body",
    [
        {},
        {"decision": "redact"},
        {"hit_id": new_id()},
        {"hit_id": "x", "decision": "redact"},
        {"hit_id": new_id(), "decision": "keep"},
        {"all": False, "decision": "redact"},
        {"all": True},
        {"all": True, "hit_id": new_id(), "decision": "redact"},
        {"decisions": []},
        {"decisions": [{"hit_id": new_id()}]},
        {"decisions": [{"hit_id": new_id(), "decision": "redact"}], "decision": "redact"},
        {"decisions": [{"hit_id": (hit := new_id()), "decision": "redact"}, {"hit_id": hit, "decision": "another_person"}]},
        {"all": True, "decision": "redact", "why": "x"},
    ],
)
def test_what_is_no_decision_is_refused(body):
    with pytest.raises(ValidationError):
        DecisionsSchema().load(body)


@pytest.mark.requirement("T27")
def test_five_federal_working_days_end_with_the_fifth_whatever_weekend_or_holiday_lies_between():
    monday = datetime(2026, 11, 23, 9, tzinfo=UTC)
    assert rules.decide_by(monday) == LAST_DAY
    assert rules.decide_by(datetime(2026, 11, 24, 4, 59, tzinfo=UTC)) == date(2026, 12, 2)
    assert rules.decide_by(datetime(2026, 12, 31, 23, tzinfo=UTC)) == date(2027, 1, 8), "New Year's Day"
    assert rules.decide_by(datetime(2026, 7, 2, 12, tzinfo=UTC)) == date(2026, 7, 10), "July 4 is a Saturday: the Friday before it"
    assert rules.deadline(LAST_DAY) == datetime(2026, 12, 2, tzinfo=UTC)


@pytest.mark.requirement("T27")
def test_it_waits_until_the_last_day_is_over_and_no_longer(case):
    erasure_id = begun(case)
    for now in (datetime(2026, 11, 30, 12, tzinfo=UTC), datetime(2026, 12, 1, 23, 59, tzinfo=UTC)):
        case.now = now
        case.saga().drive_all()
        assert case.read(erasure_id)["state"] == "waiting_for_decision"
    case.now = datetime(2026, 12, 2, 0, 0, 1, tzinfo=UTC)
    case.saga().drive_all()
    assert_done_once(case, erasure_id, **{"contacts.texts": 2})
    [hit] = case.hits(erasure_id).values()
    assert (hit["decision"], hit["decided_by"], hit["stays_because"]) == ("redact", "rule", None)
    assert case.does(erasing.list_sample, by=FARID, cursors=CURSORS, given=SampleQuery(None, 50, None))["items"] == []


@pytest.mark.requirement("T27")
@pytest.mark.parametrize("cause", ["no_contact", "mistake", "no_longer_needed", "expired", "import_undone"])
@pytest.mark.parametrize("living", [False, True])
@pytest.mark.parametrize("count", [1, 20, 21])
def test_what_is_undecided_then_is_redacted_in_a_no_contact_case_without_a_namesake_and_in_few_texts_alone(case, cause, living, count):
    case.others.living_namesake = living
    erasure_id = begun(case, contacts=count - count // 2, interactions=count // 2, cause=cause)
    named = set(texts(case))
    case.now = datetime(2026, 12, 2, 9, tzinfo=UTC)
    case.saga().drive_all()
    assert case.read(erasure_id)["state"] == "done"
    assert case.others.key is None
    redacts = cause == "no_contact" and not living and count <= 20
    assert case.others.redacted == (named if redacts else set())
    sampled = case.does(erasing.list_sample, by=FARID, cursors=CURSORS, given=SampleQuery(None, 50, None))
    assert {item["record_id"] for item in sampled["items"]} == (set() if redacts else named)
    because = "other-cause" if cause != "no_contact" else "living-namesake" if living else "too-many-texts"
    assert {item["stays_because"] for item in sampled["items"]} <= {because}
    decided = {(line["decision"], line["decided_by"]) for line in case.read(erasure_id, by=FARID)["certificate"]["decided"]}
    assert decided == {("redact" if redacts else "another_person", "rule")}


@pytest.mark.requirement("T27")
def test_what_is_not_sure_stays_and_is_listed_and_what_was_decided_in_time_counts_among_the_texts(case):
    erasure_id = begun(case, contacts=21)
    hits = case.hits(erasure_id)
    first, second, *rest = sorted(hits)
    case.decide(erasure_id, hit_id=hits[first]["id"], decision="another_person")
    case.others.named["contacts"] -= {second}
    case.others.unsure |= set(rest[:3])
    case.later(days=9)
    case.saga().drive_all()
    # 21 were hit; one was edited before the deadline, so that 20 are left.
    assert case.read(erasure_id)["state"] == "done"
    assert case.others.redacted == set(rest[3:])
    sampled = case.does(erasing.list_sample, by=FARID, cursors=CURSORS, given=SampleQuery(None, 50, None))["items"]
    assert {item["record_id"]: item["stays_because"] for item in sampled} == dict.fromkeys(rest[:3], "not-sure")
    assert case.hits(erasure_id)[second]["decision"] == "gone"


@pytest.mark.requirement("T27")
def test_the_weekly_sample_is_the_privacy_officers_page_by_page(case):
    begun(case, contacts=5, cause="mistake")
    case.later(days=9)
    case.saga().drive_all()

    def page(by=FARID, since=None, cursor=None):
        return case.does(erasing.list_sample, by=by, cursors=CURSORS, given=SampleQuery(since, 2, cursor))

    for by in (AMINA, BRUNO, CHLOE, EDDA, GRACE):
        assert case.refused(page, by=by) == "privacy-officer-only"
    found, cursor = [], None
    while True:
        answer = page(cursor=cursor)
        assert answer["total"] == 5
        found += [item["record_id"] for item in answer["items"]]
        cursor = answer["next"]
        if cursor is None:
            break
    assert sorted(found) == texts(case)
    assert page(since=case.now.date())["total"] == 5
    assert page(since=date(2026, 12, 24))["items"] == []
    assert case.refused(page, cursor="x") == "cursor-invalid"


@pytest.mark.requirement("T27")
def test_editing_or_deleting_the_text_settles_its_hit_at_the_next_look(case):
    erasure_id = begun(case, contacts=1)
    case.others.named["contacts"].clear()
    case.saga().drive_all()
    assert case.read(erasure_id)["state"] == "waiting_for_decision"
    case.later(seconds=rules.LOOK_AGAIN.total_seconds())
    case.saga().drive_all()
    assert_done_once(case, erasure_id)
    assert [line["decision"] for line in case.read(erasure_id, by=FARID)["certificate"]["decided"]] == ["gone"]


@pytest.mark.requirement("T27")
def test_whoever_asks_how_far_it_is_has_the_search_made_again_and_no_oftener_than_every_ten_seconds(case):
    erasure_id = begun(case, contacts=1)
    case.others.named["contacts"].clear()
    for state in ("waiting_for_decision", "done"):
        case.read(erasure_id)
        case.saga().drive_all()
        assert case.read(erasure_id)["state"] == state
        case.later(seconds=rules.LOOK_WHEN_ASKED.total_seconds())


@pytest.mark.requirement("T27")
def test_a_text_that_goes_with_its_own_persons_erasure_settles_its_hit_at_once(case):
    erasure_id = begun(case, contacts=1)
    case.others.named["contacts"].clear()
    case.saga().drive(case.ask(subject=new_id(), cause="mistake"))
    case.saga().drive_all()
    assert case.read(erasure_id)["state"] == "done"


@pytest.mark.requirement("T27")
def test_what_is_shown_and_gone_has_the_search_made_again(case):
    erasure_id = begun(case, contacts=2)
    page, sealed, hits = case.does(erasing.list_hits, by=FARID, cursors=CURSORS, erasure_id=erasure_id, given=HitQuery(True, 50, None))
    assert (page["total"], len(hits)) == (2, 2)
    gone = case.others.named["contacts"].pop()
    shown = case.saga().mentions(erasure_id, sealed, hits, trace_id=None)
    assert set(shown) == {hit.id for hit in hits if hit.record_id != gone}
    case.does(erasing.found_gone, erasure_id=erasure_id)
    case.saga().drive_all()
    assert case.hits(erasure_id)[gone]["decision"] == "gone"
    assert case.read(erasure_id, by=FARID)["undecided"] == 1
    for by in (AMINA, BRUNO, CHLOE, EDDA, GRACE):
        given = {"cursors": CURSORS, "erasure_id": erasure_id, "given": HitQuery(True, 50, None)}
        assert case.refused(case.does, act=erasing.list_hits, by=by, **given) == "privacy-officer-only"


@pytest.mark.requirement("T27")
def test_a_mention_that_is_written_while_it_waits_is_found_and_waits_no_longer_than_the_others(case):
    erasure_id = begun(case, contacts=1)
    [first] = texts(case)
    late = new_id()
    case.others.named["interactions"] = {late}
    case.later(hours=1)
    case.saga().drive_all()
    assert set(case.hits(erasure_id)) == {first, late}
    assert case.read(erasure_id)["decide_by"] == LAST_DAY.isoformat()
    case.now = datetime(2026, 12, 2, 9, tzinfo=UTC)
    case.saga().drive_all()
    assert case.others.redacted == {first, late}
    assert case.read(erasure_id)["state"] == "done"


@pytest.mark.requirement("T27")
def test_an_erasure_that_waits_cannot_be_held_up(case):
    begun(case)
    with pytest.raises(ErasureUnderWay):
        case.does(erasing.place_hold, by=FARID, subject_id=case.others.person, until=None)


@pytest.mark.requirement("T27", "N3")
@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("place", range(10))
def test_killed_around_any_call_after_the_deadline_it_ends_all_the_same(case, place, moment):
    erasure_id = begun(case, contacts=1, interactions=1)
    case.now = datetime(2026, 12, 2, 9, tzinfo=UTC)
    count = 0

    def kill(_name):
        nonlocal count
        count += 1
        if count == place + 1:
            raise Killed

    setattr(case.others, moment, kill)
    try:
        case.saga().drive_all()
    except Killed:
        assert case.read(erasure_id)["state"] != "done"
        setattr(case.others, moment, lambda _: None)
        case.later(seconds=saga_steps.LEASE.total_seconds() + 1)
        case.saga().drive_all()
    assert_done_once(case, erasure_id, **{"contacts.texts": 2, "interactions.texts": 3})


@pytest.mark.requirement("T27", "N3", "R165")
@pytest.mark.parametrize("decision", ["redact", "another_person"])
@pytest.mark.parametrize("service", ["contacts", "interactions"])
def test_what_is_decided_while_a_search_without_it_is_interrupted_is_carried_out_by_the_next(case, service, decision):
    erasure_id = begun(case, **{"contacts": 0, "interactions": 0, service: 1})
    [text] = texts(case)
    case.does(erasing.found_gone, erasure_id=erasure_id)

    def decide_and_kill(name):
        if name == f"{service}.seek":
            # The search is over in its service, and its answer is lost; meanwhile the privacy officer decided.
            case.others.after = lambda _: None
            case.decide(erasure_id, all=True, decision=decision)
            raise Killed

    case.others.after = decide_and_kill
    with pytest.raises(Killed):
        case.saga().drive_all()
    case.later(seconds=saga_steps.LEASE.total_seconds() + 1)
    case.saga().drive_all()
    assert case.read(erasure_id)["state"] == "done"
    assert case.others.redacted == ({text} if decision == "redact" else set())
    lines = {line["store"]: line["left"] for line in case.read(erasure_id, by=FARID)["certificate"]["reached"]}
    assert lines[f"{service}.texts"] == 0


@pytest.mark.requirement("T27")
def test_a_service_that_is_away_at_the_deadline_keeps_the_end_and_loses_nothing(case):
    erasure_id = begun(case)

    def away(name):
        if name == "contacts.namesake":
            raise Unavailable

    case.others.before = away
    case.now = datetime(2026, 12, 2, 9, tzinfo=UTC)
    case.saga().drive_all()
    assert case.read(erasure_id, by=FARID)["undecided"] == 1
    case.others.before = lambda _: None
    case.later(minutes=2)
    case.saga().drive_all()
    assert_done_once(case, erasure_id, **{"contacts.texts": 2})
