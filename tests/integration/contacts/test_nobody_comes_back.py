"""After a request no component registers the person again, in any way or spelling (T25); and what a withdrawal restores (T36)."""

from __future__ import annotations

import dataclasses
import os
import threading
from datetime import timedelta
from typing import Any

import pytest

from services.chassis.messages import Caller, Refusal, entity_tag, new_id
from services.contacts.contract.refusals import (
    FreezeReasonRequired,
    IndividualBlocked,
    IndividualUnknown,
    MarkUnknown,
    TooManyContactPoints,
    TwinDecided,
    TwinUnknown,
)
from services.contacts.storage import ledger
from services.contacts.storage.contact_layer import ContactLayer
from services.contacts.storage.digests import Digests
from services.contacts.storage.vault import Keyring
from services.contacts.usecases import contact_points, freezing, individuals, organizations, search, suppressing, tasks, verifying
from services.lexicon.refusals import IndividualFrozen
from tests.cast import AMINA, BRUNO, CHLOE, EDDA, FARID, GRACE, RENATA
from tests.integration.contacts.conftest import RETENTION, Desk
from tests.spellings import CELL, DESK_LINE, GMAIL, HOPE, OFFICE_MAIL, VALUES

#: PSO's colleague, who hears of it; and FEMA's, who has to do with nobody here.
DENIS = dataclasses.replace(CHLOE, id="01900000-0000-7000-8000-000000000033")
FEMA = dataclasses.replace(CHLOE, id="01900000-0000-7000-8000-000000000034", component="FEMA")
MATCHER = Caller.service("contacts")


def hope(desk: Desk, **body: Any) -> str:
    """Register Hope Erasegard with everything that she gave."""
    return str(desk.register(AMINA, **{**HOPE, **body})["id"])


def card(first: str, last: str, kind: str, value: str, **body: Any) -> dict[str, Any]:
    return {"first_name": first, "last_name": last, "contact_points": [{"kind": kind, "value": value}], **body}


def is_blocked(desk: Desk, by: Caller, **body: Any) -> bool:
    try:
        desk.register(by, duplicate_ok=True, **body)
    except IndividualBlocked:
        return True
    return False


@pytest.mark.requirement("T25", "T9")
def test_what_is_shared_at_work_blocks_only_with_a_like_name(desk: Desk) -> None:
    desk.freeze(DENIS, hope(desk))
    for kind, value in (("work_phone", DESK_LINE), ("email", OFFICE_MAIL), ("email", "hope+x@LARKSPUR.example")):
        assert is_blocked(desk, CHLOE, **card("H.", "Erasegard", kind, value)), value
        assert is_blocked(desk, CHLOE, **card("Erasegard", "Hope", kind, value)), value
    assert not is_blocked(desk, CHLOE, **card("Adam", "Colleague", "work_phone", DESK_LINE, organization="Larkspur Levees"))
    assert not is_blocked(desk, CHLOE, first_name="Hope", last_name="Erasegard", organization="Elsewhere Mills")
    assert not is_blocked(desk, CHLOE, first_name="Hope", last_name="Erasegard")


@pytest.mark.requirement("T25", "T9", "R170")
def test_every_door_to_a_living_record_is_closed_too(desk: Desk) -> None:
    living = desk.register(CHLOE, first_name="Hope", last_name="Other", title="Clerk")["id"]
    namesake = desk.register(CHLOE, first_name="Hope", last_name="Erasegard", state="TX")["id"]
    desk.freeze(DENIS, hope(desk))
    for kind, value in VALUES:
        for by, door in ((AMINA, desk.add), (FEMA, desk.correct)):
            with pytest.raises(IndividualBlocked):
                door(by, living, kind, value)
    for change in ({"organization": "Larkspur Levees LLC"}, {"title": "Counsel, Larkspur Levees"}, {"interests": ["The Larkspur Levees"]}):
        with pytest.raises(IndividualBlocked):
            desk.change(AMINA, namesake, **change)
    desk.change(CHLOE, namesake, title="Clerk")
    desk.change(CHLOE, living, organization="Larkspur Levees")
    with pytest.raises(IndividualBlocked):
        desk.change(CHLOE, living, last_name="Erasegard")


@pytest.mark.requirement("T25")
def test_former_employers_and_an_organization_s_former_and_later_names_are_marked(desk: Desk) -> None:
    person = hope(desk, organization="Former Mills")
    former = desk.read(AMINA, person)["organization_id"]
    desk.do(AMINA, _rename, organization_id=former, name="Renamed Mills")
    desk.change(BRUNO, person, organization="Second Mills")
    second = desk.read(AMINA, person)["organization_id"]
    desk.change(AMINA, person, organization="Present Mills")
    desk.freeze(DENIS, person)
    desk.do(AMINA, _rename, organization_id=second, name="Later Mills")
    for name in ("Former Mills", "Renamed Mills", "Second Mills", "Later Mills", "Present Mills"):
        assert is_blocked(desk, CHLOE, first_name="Hope", last_name="Erasegard", organization=name), name
    assert not is_blocked(desk, CHLOE, first_name="Hope", last_name="Erasegard", organization="Never Mills")


def _rename(work: Any, *, by: Caller, now: Any, layer: ContactLayer, organization_id: str, name: str) -> None:
    tag = entity_tag(organizations.read_organization(work, by=by, organization_id=organization_id))
    organizations.change_organization(work, by=by, now=now, layer=layer, organization_id=organization_id, if_match=tag, name=name)


@pytest.mark.requirement("T25")
def test_values_of_every_component_are_marked(desk: Desk) -> None:
    person = hope(desk)
    desk.add(FEMA, person, "personal_phone", "505-555-0188")
    desk.add(FEMA, person, "email", "hope.private@yahoo.co.uk")
    desk.freeze(DENIS, person)
    for kind, value in (("cell", "505-555-0188"), ("email", "hope.private@yahoo.co.uk")):
        assert is_blocked(desk, BRUNO, **card("Some", "Bodyelse", kind, value))


@pytest.mark.requirement("T25")
def test_what_the_recorder_or_a_correction_added_lately_waits_for_the_privacy_officer(desk: Desk) -> None:
    person = hope(desk)
    desk.add(DENIS, person, "cell", "505-555-0191")
    desk.correct(FEMA, person, "cell", "505-555-0192")
    desk.later(days=31)
    desk.add(DENIS, person, "cell", "505-555-0193")
    desk.correct(FEMA, person, "cell", "505-555-0194")
    desk.correct(FEMA, person, "cell", CELL)
    desk.later(minutes=1)
    desk.add(FEMA, person, "cell", "505-555-0195")
    request = desk.freeze(DENIS, person)
    tried = {n: is_blocked(desk, BRUNO, **card("Some", f"Body{n}", "cell", f"505-555-0{n}")) for n in (142, 191, 192, 193, 194, 195)}
    assert tried == {142: True, 191: True, 192: True, 193: False, 194: False, 195: True}
    listed = desk.do(FARID, suppressing.list_marks, role="caseworker")["items"]
    assert {(item["value"], item["because"], item["component"]) for item in listed} == {
        ("505-555-0193", "recorder", "PSO"),
        ("505-555-0194", "correction", "FEMA"),
    }
    assert {item["request_id"] for item in listed} == {request}
    kept, dropped = sorted(listed, key=lambda item: item["value"])
    desk.do(FARID, suppressing.settle_mark, role="caseworker", mark_id=kept["id"], decision="keep")
    desk.do(FARID, suppressing.settle_mark, role="caseworker", mark_id=dropped["id"], decision="drop")
    assert is_blocked(desk, BRUNO, **card("Some", "Bodyagain", "cell", "505-555-0193"))
    assert not is_blocked(desk, BRUNO, **card("Some", "Bodyagain", "cell", "505-555-0194"))
    with pytest.raises(MarkUnknown):
        desk.do(FARID, suppressing.settle_mark, role="caseworker", mark_id=kept["id"], decision="keep")
    for somebody in (AMINA, DENIS, GRACE):
        with pytest.raises(Refusal):
            desk.do(somebody, suppressing.list_marks, role="caseworker")


def take_back(desk: Desk, request: str, person: str) -> None:
    desk.do(RETENTION, freezing.take_back, role="caseworker", request_id=request, individual_id=person)


@pytest.mark.requirement("T36", "T25")
def test_taken_back_the_record_is_as_it_was_and_its_values_may_be_entered(desk: Desk) -> None:
    person = hope(desk)
    request = desk.freeze(DENIS, person)
    take_back(desk, request, person)
    take_back(desk, request, person)
    assert not desk.read(CHLOE, person)["frozen"]
    assert desk.found(CHLOE, q="Erasegard") == ["Hope Erasegard"]
    assert desk.announced("contacts:individual:unfrozen") == [{"individual_id": person, "request_id": request}]
    assert not is_blocked(desk, CHLOE, **card("Some", "Bodyelse", "cell", CELL))
    desk.freeze(DENIS, person)
    assert is_blocked(desk, CHLOE, **card("Some", "Bodyelse", "cell", CELL))


@pytest.mark.requirement("T25", "T36")
def test_a_value_stays_blocked_while_any_case_holds_it(desk: Desk) -> None:
    person = hope(desk)
    other = desk.register(CHLOE, **card("Hope", "Twin", "cell", CELL))["id"]
    first, second = desk.freeze(DENIS, person), desk.freeze(AMINA, other)
    take_back(desk, first, person)
    assert is_blocked(desk, FEMA, **card("Some", "Bodyelse", "cell", CELL))
    assert not is_blocked(desk, FEMA, **card("Some", "Bodyelse", "email", GMAIL))
    take_back(desk, second, other)
    assert not is_blocked(desk, FEMA, **card("Some", "Bodyelse", "cell", CELL))


@pytest.mark.requirement("T9", "T25")
def test_marks_under_a_retired_key_block_too(desk: Desk) -> None:
    old, fresh = os.urandom(32), os.urandom(32)
    desk.layer = ContactLayer(desk.layer.vault, Digests(Keyring([old])))
    person = hope(desk)
    desk.freeze(DENIS, person)
    desk.erase(person)
    desk.layer = ContactLayer(desk.layer.vault, Digests(Keyring([fresh, old])))
    assert is_blocked(desk, CHLOE, **card("Some", "Bodyelse", "cell", CELL))
    assert is_blocked(desk, CHLOE, **card("Hope", "Erasegard", "work_phone", DESK_LINE))
    assert is_blocked(desk, CHLOE, first_name="Hope", last_name="Erasegard", organization="Larkspur Levees")


@pytest.mark.requirement("T9", "T25")
def test_an_organization_that_is_marked_under_a_retired_key_is_marked_by_its_new_name_too(desk: Desk) -> None:
    old, fresh = os.urandom(32), os.urandom(32)
    desk.layer = ContactLayer(desk.layer.vault, Digests(Keyring([old])))
    person = hope(desk)
    organization = desk.read(AMINA, person)["organization_id"]
    desk.freeze(DENIS, person)
    desk.erase(person)
    desk.layer = ContactLayer(desk.layer.vault, Digests(Keyring([fresh, old])))
    desk.do(AMINA, _rename, organization_id=organization, name="Levees Renamed")
    assert is_blocked(desk, CHLOE, first_name="Hope", last_name="Erasegard", organization="Levees Renamed")


@pytest.mark.requirement("T26", "T23", "T34")
def test_a_twin_is_frozen_for_the_component_that_holds_the_value_and_for_nobody_else(desk: Desk) -> None:
    twin = desk.register(CHLOE, **card("Hope", "Erasegard-Bell", "email", "H.Erase@gmail.com", state="TX"))["id"]
    person = hope(desk)
    before = desk.read(BRUNO, twin)
    found = desk.search(BRUNO, q="Erasegard")
    desk.freeze(DENIS, person)
    assert desk.read(BRUNO, twin) == before, "for everybody else nothing changed, not even the version"
    assert desk.read(FEMA, twin) == before
    after = desk.search(BRUNO, q="Erasegard")
    assert after["total"] == found["total"] - 1, "only the one whom the request is about is gone"
    assert [item["id"] for item in after["items"]] == [twin]
    assert desk.read(CHLOE, twin) == {**desk.read(CHLOE, twin), "frozen": True, "notice": "do not contact"}
    assert desk.found(CHLOE, q="Erasegard") == []
    for door in (lambda: desk.reveal(CHLOE, twin), lambda: desk.add(CHLOE, twin, "cell", "505-555-0111"), lambda: desk.note(CHLOE, twin, "Called.")):
        with pytest.raises(IndividualFrozen):
            door()
    desk.note(BRUNO, twin, "Met her.")
    assert ("possible_no_contact", twin) in desk.tasks(CHLOE)
    assert not [task for task in desk.tasks(AMINA) + desk.tasks(BRUNO) if task[1] == twin]


@pytest.mark.requirement("T26", "T34")
def test_the_privacy_officer_alone_sees_the_queue_and_frees_whoever_is_another(desk: Desk) -> None:
    twin = desk.register(CHLOE, **card("Paula", "Elsewhere", "cell", CELL))["id"]
    request = desk.freeze(DENIS, hope(desk))
    for somebody in (AMINA, CHLOE, GRACE, RENATA):
        with pytest.raises(Refusal):
            desk.do(somebody, suppressing.list_twins, role="caseworker")
    (queued,) = desk.do(FARID, suppressing.list_twins, role="caseworker")["items"]
    assert (queued["request_id"], queued["individual_id"], queued["because"], queued["frozen_for"]) == (request, twin, ["cell"], ["PSO"])
    assert decide(desk, request, twin, "another")["decision"] == "another"
    assert not desk.read(CHLOE, twin)["frozen"]
    assert desk.found(CHLOE, q="Elsewhere") == ["Paula Elsewhere"]
    assert desk.do(FARID, suppressing.list_twins, role="caseworker")["items"] == []
    assert decide(desk, request, twin, "another")["decision"] == "another"
    with pytest.raises(TwinDecided):
        decide(desk, request, twin, "same")
    with pytest.raises(TwinUnknown):
        decide(desk, request, new_id(), "same")


def decide(desk: Desk, case_id: str, twin: str, decision: str) -> dict[str, Any]:
    found: dict[str, Any] = desk.do(
        FARID,
        freezing.decide_twin,
        role="caseworker",
        case_id=case_id,
        request_id=new_id(),
        individual_id=twin,
        decision=decision,
        medium="phone",
        received_on=desk.now.date(),
    )
    return found


@pytest.mark.requirement("T26")
def test_the_same_person_is_frozen_for_everybody(desk: Desk) -> None:
    twin = desk.register(CHLOE, **card("Paula", "Elsewhere", "cell", CELL, organization="Third Mills"))["id"]
    request = desk.freeze(DENIS, hope(desk))
    decided = decide(desk, request, twin, "same")
    assert decided["owner"] == {"user": CHLOE.id, "component": "PSO"}
    assert decide(desk, request, twin, "same")["request_id"] == decided["request_id"]
    with pytest.raises(IndividualUnknown):
        desk.read(BRUNO, twin)
    assert desk.read(CHLOE, twin)["frozen"]
    assert is_blocked(desk, FEMA, first_name="Paula", last_name="Elsewhere", organization="Third Mills")
    assert [told["individual_id"] for told in desk.announced("contacts:individual:frozen")][-1] == twin


@pytest.mark.requirement("T26")
def test_name_and_organization_work_numbers_and_late_values_match_in_the_queue_only(desk: Desk) -> None:
    namesake = desk.register(CHLOE, first_name="Hope", last_name="Erasegard", organization="Larkspur Levees")["id"]
    same_line = desk.register(CHLOE, **card("Erasegard", "Hope", "work_phone", DESK_LINE))["id"]
    late = desk.register(CHLOE, **card("Paula", "Late", "cell", "505-555-0193"))["id"]
    planted = desk.register(CHLOE, first_name="Paula", last_name="Planted")["id"]
    colleague = desk.register(CHLOE, **card("Adam", "Colleague", "work_phone", DESK_LINE))["id"]
    person = hope(desk, duplicate_ok=True)
    desk.later(days=1)
    desk.add(DENIS, person, "cell", "505-555-0193")
    desk.add(DENIS, planted, "cell", CELL)
    desk.freeze(DENIS, person)
    for each in (namesake, same_line, late, planted, colleague):
        assert not desk.read(CHLOE, each)["frozen"], each
    queued = {
        item["individual_id"]: (item["because"], item["frozen_for"]) for item in desk.do(FARID, suppressing.list_twins, role="caseworker")["items"]
    }
    assert queued == {
        namesake: (["organization"], []),
        same_line: (["work_phone"], []),
        late: (["cell"], []),
        planted: (["cell"], []),
    }


@pytest.mark.requirement("T26", "T36")
def test_taking_back_frees_a_twin_that_no_other_case_holds(desk: Desk) -> None:
    twin = desk.register(CHLOE, **card("Paula", "Elsewhere", "cell", CELL))["id"]
    other = desk.register(FEMA, **card("Hope", "Again", "cell", CELL))["id"]
    person = hope(desk)
    first = desk.freeze(DENIS, person)
    second = desk.freeze(AMINA, other)
    take_back(desk, first, person)
    assert desk.read(CHLOE, twin)["frozen"], "the other case holds it still"
    take_back(desk, second, other)
    assert not desk.read(CHLOE, twin)["frozen"]


@pytest.mark.requirement("T16", "T26")
def test_every_component_with_a_relationship_is_told_when_it_is_over_without_the_data(desk: Desk) -> None:
    person = hope(desk)
    desk.talked(CHLOE, person)
    desk.freeze(DENIS, person)
    assert "erased_notice" not in {kind for kind, _ in desk.tasks(CHLOE)}
    desk.erase(person)
    ((notice,), (own,)) = ([each for kind, each in desk.tasks(by) if kind == "erased_notice"] for by in (CHLOE, AMINA))
    assert notice != own
    read = desk.do(CHLOE, freezing.read_notice, notice_id=notice)
    assert person not in str(read)
    assert "Erasegard" not in str(read)
    with pytest.raises(Refusal):
        desk.do(FEMA, freezing.read_notice, notice_id=notice)
    desk.do(CHLOE, tasks.dismiss_task, task_id=f"erased_notice.{notice}")
    assert "erased_notice" not in {kind for kind, _ in desk.tasks(CHLOE)}


@pytest.mark.requirement("T26")
def test_a_person_has_twenty_values_of_a_kind_in_one_component_and_no_more(desk: Desk) -> None:
    person = desk.register(AMINA, last_name="Many")["id"]
    for n in range(20):
        desk.add(AMINA, person, "cell", f"505-555-01{n:02}")
    for door in (desk.add, desk.correct):
        with pytest.raises(TooManyContactPoints):
            door(AMINA, person, "cell", "505-555-0199")
    desk.add(AMINA, person, "cell", "505-555-0100")
    desk.add(AMINA, person, "email", "many@example.org")
    desk.add(CHLOE, person, "cell", "505-555-0199")
    points = [{"kind": "cell", "value": f"505-555-01{n:02}"} for n in range(21)]
    with pytest.raises(TooManyContactPoints) as refused:
        desk.register(AMINA, last_name="More", contact_points=points)
    assert refused.value.errors is not None
    assert list(refused.value.errors) == ["contact_points.20.value"]


@pytest.mark.requirement("T36")
def test_from_the_tenth_of_a_day_a_reason_is_asked_and_the_office_administrator_told(desk: Desk) -> None:
    people = [desk.register(AMINA, last_name=f"Person{n}")["id"] for n in range(11)]
    for person in people[:9]:
        desk.freeze(RENATA, person)
    with pytest.raises(FreezeReasonRequired):
        desk.freeze(RENATA, people[9])
    assert not desk.read(BRUNO, people[9])["frozen"]
    desk.freeze(RENATA, people[9], reason="A letter of their association.")
    assert ("many_freezes", RENATA.id) in desk.tasks(GRACE)
    assert ("many_freezes", RENATA.id) not in desk.tasks(AMINA)
    (told,) = desk.do(GRACE, freezing.list_many_freezes)["items"]
    assert (told["count"], told["reason"]) == (10, "A letter of their association.")
    desk.do(GRACE, tasks.dismiss_task, task_id=f"many_freezes.{RENATA.id}")
    assert ("many_freezes", RENATA.id) not in desk.tasks(GRACE)
    desk.later(days=1)
    desk.freeze(RENATA, people[10])


@pytest.mark.requirement("T21")
def test_whoever_may_find_a_frozen_person_is_led_to_them_by_name(desk: Desk) -> None:
    person = hope(desk)
    desk.freeze(DENIS, person)
    for somebody in (AMINA, DENIS, GRACE, FARID):
        (found,) = desk.do(somebody, freezing.find_frozen, q="erase hope")["items"]
        assert (found["id"], found["notice"]) == (person, "do not contact")
    for somebody in (BRUNO, CHLOE, RENATA, FEMA):
        assert desk.do(somebody, freezing.find_frozen, q="Erasegard")["items"] == []
    assert desk.do(AMINA, freezing.find_frozen, q="'")["items"] == []


@pytest.mark.requirement("T25", "R170")
def test_an_entry_that_races_the_freeze_is_either_blocked_or_found_as_a_twin(desk: Desk) -> None:
    person = hope(desk)
    outcomes: dict[str, Any] = {}

    def enter(n: int) -> None:
        by = dataclasses.replace(CHLOE, id=new_id())
        try:
            outcomes[f"entered {n}"] = desk.register(by, **card("Some", f"Bodyelse{n}", "cell", CELL))["id"]
        except IndividualBlocked:
            outcomes[f"blocked {n}"] = None

    threads = [threading.Thread(target=enter, args=(n,)) for n in range(6)]
    for thread in threads[:3]:
        thread.start()
    freezing_thread = threading.Thread(target=desk.freeze, args=(DENIS, person))
    freezing_thread.start()
    for thread in threads[3:]:
        thread.start()
    for thread in (*threads, freezing_thread):
        thread.join(timeout=30)
    assert len(outcomes) == 6
    for entered in [each for each in outcomes.values() if each]:
        assert desk.read(CHLOE, entered)["frozen"], "whoever came before the marks was found by the freeze"
    assert is_blocked(desk, CHLOE, **card("Some", "Bodyelse", "cell", CELL))


def _verify(desk: Desk, by: Caller, twin: str) -> Any:
    return desk.do(by, verifying.verify, individual_id=twin, medium="phone", verified_at=desk.now)


def _grant(desk: Desk, by: Caller, twin: str) -> Any:
    steward = dataclasses.replace(by, level="steward")
    until = desk.now + timedelta(days=9)
    return desk.do(steward, contact_points.grant, individual_id=twin, component="CBP", reason="A call.", expires_at=until)


#: Doors that are closed to a frozen record.
DOORS = {
    "change": lambda desk, by, twin: desk.do(by, individuals.change_individual, individual_id=twin, if_match="*", title="Clerk"),
    "reveal": lambda desk, by, twin: desk.reveal(by, twin),
    "add": lambda desk, by, twin: desk.add(by, twin, "cell", "505-555-0111"),
    "correct": lambda desk, by, twin: desk.correct(by, twin, "cell", "505-555-0112"),
    "note": lambda desk, by, twin: desk.note(by, twin, "Called."),
    "notes": lambda desk, by, twin: desk.notes(by, twin),
    "verify": _verify,
    "grant": _grant,
    "history": lambda desk, by, twin: desk.do(by, individuals.record_history, individual_id=twin),
}


@pytest.mark.requirement("T26", "T21")
@pytest.mark.parametrize("door", DOORS)
def test_a_twin_is_as_frozen_for_its_component_as_anybody_and_as_before_for_others(desk: Desk, door: str) -> None:
    twin = desk.register(FEMA, **card("Paula", "Elsewhere", "cell", "505-555-0199", title="Clerk"))["id"]
    desk.add(CHLOE, twin, "cell", CELL)
    desk.freeze(DENIS, hope(desk))
    for by in (CHLOE, DENIS):
        with pytest.raises(IndividualFrozen):
            DOORS[door](desk, by, twin)
    if door == "change":
        desk.change(FEMA, twin, title="Head clerk")
    else:
        DOORS[door](desk, FEMA, twin)
    assert not desk.read(FEMA, twin)["frozen"]


def numbers(desk: Desk, by: Caller) -> dict[str, Any]:
    """Return every number in which an individual of New Mexico counts."""
    facets = {"facets": "type,state,component,fema_region"}
    everybody, theirs = desk.search(by, **facets), desk.search(by, state="NM", **facets)
    regions = desk.do(by, search.stakeholders_by_region, query={})
    of_type = desk.do(by, search.stakeholders_by_region, query={"component": "PSO"})
    individuals_there = desk.do(by, search.list_individuals, query={"state": "NM", "limit": 50})
    return {
        "search": (everybody["total"], everybody["facets"]),
        "state": (theirs["total"], theirs["facets"], len(theirs["items"])),
        "words": desk.search(by, q="Elsewhere")["total"],
        "regions": (regions["total"], [one for one in regions["regions"] if one["fema_region"] == 6]),
        "regions of a component": of_type["total"],
        "list": (individuals_there["total"], len(individuals_there["items"])),
    }


@pytest.mark.requirement("T26", "T12", "T23")
def test_numbers_leave_a_twin_out_for_its_component_as_if_it_were_not_there_and_count_it_for_others(desk: Desk) -> None:
    person = hope(desk)
    without = {by.id: numbers(desk, by) for by in (CHLOE, DENIS)}
    twin = desk.register(CHLOE, **card("Paula", "Elsewhere", "cell", CELL, state="NM"))["id"]
    before = {by.id: numbers(desk, by) for by in (BRUNO, FEMA)}
    assert before[BRUNO.id] != without[CHLOE.id]
    request = desk.freeze(DENIS, person)
    for by in (CHLOE, DENIS):
        shown = numbers(desk, by)
        assert shown["state"] == without[by.id]["state"]
        assert shown["words"] == 0
        assert shown["list"] == (0, 0)
        assert shown["search"][0] == without[by.id]["search"][0] - 1, "Hope is gone for everybody, and the twin for PSO"
        assert shown["regions"][0] == without[by.id]["regions"][0] - 1
        assert shown["regions of a component"] == 0
    for by in (BRUNO, FEMA):
        shown = numbers(desk, by)
        assert {name: shown[name] for name in ("state", "words", "list", "regions of a component")} == {
            name: before[by.id][name] for name in ("state", "words", "list", "regions of a component")
        }
    assert desk.announced("contacts:individual:frozen-for") == [{"individual_id": twin, "components": ["PSO"], "revision": 1}]
    decide(desk, request, twin, "another")
    assert numbers(desk, CHLOE)["state"] == before[BRUNO.id]["state"]
    assert desk.announced("contacts:individual:frozen-for")[-1] == {"individual_id": twin, "components": [], "revision": 2}


@pytest.mark.requirement("T26", "T3", "T23")
def test_no_task_of_its_component_names_a_twin_but_the_one_about_it(desk: Desk) -> None:
    twin = desk.register(CHLOE, **card("Paula", "Elsewhere", "cell", CELL))["id"]
    desk.add(CHLOE, twin, "email", "paula@example.org")
    desk.register(CHLOE, **card("Paul", "Elsewhere", "email", "paula@example.org"))
    desk.do(MATCHER, contact_points.match_waiting, role="matcher")
    desk.later(minutes=1)
    desk.correct(AMINA, twin, "cell", "505-555-0119")
    kinds = [kind for kind, _ in desk.tasks(CHLOE)]
    assert sorted(kinds) == ["correction", "duplicate"]
    request = desk.freeze(DENIS, hope(desk))
    assert desk.tasks(CHLOE) == [("possible_no_contact", twin)]
    decide(desk, request, twin, "another")
    assert sorted(kind for kind, _ in desk.tasks(CHLOE)) == kinds


def every(desk: Desk, use_case: Any, *, limit: int, role: str | None = None, by: Caller = FARID, **given: Any) -> list[Any]:
    """Walk a list page by page; every page says the same total."""
    items: list[Any] = []
    cursor = None
    while True:
        found = desk.do(by, use_case, role=role, limit=limit, cursor=cursor, **given)
        items += found["items"]
        cursor = found["next"]
        if cursor is None:
            assert len(items) == found["total"]
            return items


@pytest.mark.requirement("T26", "T25")
def test_the_privacy_officer_s_queues_are_whole_page_by_page(desk: Desk) -> None:
    twins = [desk.register(CHLOE, **card("Paula", f"Elsewhere{n}", "cell", CELL))["id"] for n in range(5)]
    person = hope(desk)
    for n in range(5):
        desk.add(DENIS, person, "cell", f"505-555-019{n}")
    request = desk.freeze(DENIS, person)
    for given in ({}, {"request_id": request}):
        walked = every(desk, suppressing.list_twins, limit=2, role="caseworker", **given)
        assert sorted(item["individual_id"] for item in walked) == sorted(twins)
    marks = every(desk, suppressing.list_marks, limit=2, role="caseworker")
    assert sorted(item["value"] for item in marks) == [f"505-555-019{n}" for n in range(5)]
    first = desk.do(FARID, suppressing.list_twins, role="caseworker", limit=2)
    with pytest.raises(Refusal) as refused:
        desk.do(FARID, suppressing.list_twins, role="caseworker", limit=2, cursor=first["next"], request_id=request)
    assert refused.value.code == "cursor-invalid"


@pytest.mark.requirement("T26", "T25")
def test_the_privacy_officer_s_tasks_are_all_of_them(desk: Desk) -> None:
    for n in range(205):
        desk.register(CHLOE, **card("Paula", f"Elsewhere{n}", "cell", CELL))
    desk.freeze(DENIS, hope(desk))
    waiting = desk.waiting(FARID, role="caseworker")
    assert len({task["subject"]["id"] for task in waiting if task["kind"] == "twin_to_decide"}) == 205


@pytest.mark.requirement("T36", "T9")
def test_the_security_officer_sees_numbers_by_user_and_day_and_no_person(desk: Desk) -> None:
    people = [desk.register(AMINA, last_name=f"Person{n}")["id"] for n in range(3)]
    for person in people[:2]:
        desk.freeze(RENATA, person)
    desk.freeze(DENIS, people[2])
    with desk.work(BRUNO) as work:
        ledger.count_blocked(work, BRUNO.id, desk.now.date())
        ledger.count_blocked(work, RENATA.id, desk.now.date())
    desk.later(days=1)
    desk.freeze(DENIS, hope(desk))
    counted = every(desk, freezing.list_counts, limit=2, by=EDDA)
    assert [item["day"] for item in counted] == ["2026-11-24", "2026-11-23", "2026-11-23", "2026-11-23"]
    assert {(item["user_id"], item["day"][-2:], item["freezes"], item["blocked"]) for item in counted} == {
        (DENIS.id, "24", 1, 0),
        (DENIS.id, "23", 1, 0),
        (RENATA.id, "23", 2, 1),
        (BRUNO.id, "23", 0, 1),
    }
    assert not [person for person in people if person in str(counted)]
    entries = [entry for entry in desk.entries() if entry["action"] == "contacts:count:list"]
    assert {subject for entry in entries for subject in entry["subjects"]} == {DENIS.id, RENATA.id, BRUNO.id}
    for somebody in (AMINA, GRACE, FARID, RENATA):
        with pytest.raises(Refusal):
            desk.do(somebody, freezing.list_counts, limit=2)
