"""Anyone freezes a person at once; then the owner must erase (T10, T21)."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

from services.chassis.messages import Caller, entity_tag, new_id
from services.contacts.contract.refusals import IndividualBlocked, IndividualUnknown
from services.contacts.usecases import contact_points, erasing, freezing, individuals, notes, organizations
from services.lexicon.refusals import IndividualFrozen
from tests.cast import AMINA, BRUNO, CHLOE, DOV, FARID, GRACE, RENATA
from tests.integration.contacts.conftest import RETENTION, Desk

DENIS = dataclasses.replace(CHLOE, id="01900000-0000-7000-8000-000000000033")


@pytest.mark.requirement("R164", "R167", "R170", "T21")
def test_a_frozen_record_is_found_by_owner_administrator_privacy_and_recorder_alone(desk: Desk) -> None:
    dov = desk.dov()
    desk.freeze(DENIS, dov)
    for somebody in (AMINA, GRACE, FARID, DENIS):
        seen = desk.read(somebody, dov)
        assert seen["frozen"]
        assert seen["notice"] == "do not contact"
        assert (seen["first_name"], seen["last_name"]) == (DOV.first_name, DOV.last_name)
        assert not {"title", "state", "organization_id", "relationships", "issues"} & set(seen)
    for somebody in (BRUNO, CHLOE, RENATA):
        with pytest.raises(IndividualUnknown):
            desk.read(somebody, dov)


@pytest.mark.requirement("T21")
def test_nothing_is_revealed_or_done_with_a_frozen_record(desk: Desk) -> None:
    dov = desk.dov()
    desk.freeze(DENIS, dov)
    doors: list[tuple[Any, dict[str, Any]]] = [
        (contact_points.reveal, {}),
        (contact_points.add_contact_point, {"kind": "cell", "value": "956-555-0199"}),
        (contact_points.correct_contact_point, {"kind": "cell", "value": "956-555-0199"}),
        (notes.add_note, {"text": "Called."}),
        (notes.list_notes, {"limit": 50}),
        (individuals.change_individual, {"if_match": '"x"', "title": "x"}),
        (individuals.record_history, {}),
    ]
    for door, given in doors:
        with pytest.raises(IndividualFrozen):
            desk.do(AMINA, door, individual_id=dov, **given)
        with pytest.raises(IndividualUnknown):
            desk.do(CHLOE, door, individual_id=dov, **given)


def _renamed(desk: Desk, organization_id: str, **changes: Any) -> None:
    tag = entity_tag(desk.do(AMINA, organizations.read_organization, organization_id=organization_id))
    desk.do(AMINA, organizations.change_organization, organization_id=organization_id, if_match=tag, **changes)


def _mention_written_over(desk: Desk, organization_id: str) -> None:
    """Take a mention of another, erased person out of the organization's name."""
    erased = desk.erase(desk.register(AMINA, first_name="Ines", last_name="Overwrite")["id"])
    (hit,) = [hit for hit in erased["sought"]["hits"] if hit["id"] == organization_id]
    desk.seek(erased, redact_in=[[hit["store"], hit["id"], hit["field"]]])


def _organization_erased(desk: Desk, organization_id: str) -> None:
    desk.do(RETENTION, erasing.erase_organization, role="eraser", erasure_id=new_id(), organization_id=organization_id, cause="mistake")


#: Whatever writes the lines of an organization's people anew.
_INDEXED_AGAIN: dict[str, Callable[[Desk, str], None]] = {
    "another name": lambda desk, id_: _renamed(desk, id_, name="Larkspur Renamed"),
    "another sector": lambda desk, id_: _renamed(desk, id_, sector="private"),
    "another state": lambda desk, id_: _renamed(desk, id_, state="NM"),
    "a mention is written over": _mention_written_over,
    "the organization is erased": _organization_erased,
}


@pytest.mark.requirement("T21", "R170")
@pytest.mark.parametrize("how", _INDEXED_AGAIN)
def test_whatever_is_indexed_again_a_frozen_person_is_found_by_nobody(desk: Desk, how: str) -> None:
    dov = desk.dov(organization="Office of Ines Overwrite")
    ruth = desk.register(AMINA, first_name="Ruth", last_name="Living", organization="Office of Ines Overwrite")
    desk.freeze(DENIS, dov)
    _INDEXED_AGAIN[how](desk, ruth["organization_id"])
    for somebody in (AMINA, BRUNO, CHLOE, GRACE, RENATA, DENIS):
        assert desk.found(somebody, q="Quillfeather") == []
        assert desk.found(somebody, type="individual") == ["Ruth Living"], "and whoever is not frozen still is"
        assert desk.found(somebody, q="Renamed", type="individual") == (["Ruth Living"] if how == "another name" else [])
    assert desk.rows("SELECT 1 FROM directory WHERE stakeholder_id = CAST(:id AS uuid)", id=dov) == []


@pytest.mark.requirement("R168", "T10")
def test_freezing_is_announced_once_and_the_same_request_again_changes_nothing(desk: Desk) -> None:
    dov = desk.dov()
    request = desk.freeze(RENATA, dov)
    desk.freeze(AMINA, dov)
    (told,) = desk.announced("contacts:individual:frozen")
    assert told == {
        "individual_id": dov,
        "request_id": request,
        "medium": "phone",
        "received_on": "2026-11-23",
        "recorded_by": RENATA.id,
        "recorded_by_component": "ICE",
    }
    with pytest.raises(IndividualUnknown):
        desk.freeze(CHLOE, dov)


@pytest.mark.requirement("T9", "T25", "R170")
def test_a_frozen_person_is_entered_by_nobody_in_whichever_component(desk: Desk) -> None:
    dov = desk.dov()
    desk.freeze(DENIS, dov)
    with pytest.raises(IndividualBlocked):
        desk.dov(CHLOE, reached=False, duplicate_ok=True)
    card = {"last_name": "Other", "contact_points": [{"kind": "personal_phone", "value": DOV.cell}]}
    for somebody in (BRUNO, CHLOE):
        with pytest.raises(IndividualBlocked):
            desk.register(somebody, **card)


@pytest.mark.requirement("R165", "T10")
def test_the_duty_to_erase_is_the_owners_and_passes_after_two_working_days_or_when_they_are_gone(desk: Desk) -> None:
    dov = desk.dov()
    desk.freeze(DENIS, dov)
    assert may(desk, AMINA, dov)
    assert not may(desk, GRACE, dov)
    assert not may(desk, DENIS, dov)
    # Monday; Thursday is Thanksgiving, so the second working day is Wednesday.
    desk.later(days=2)
    assert not may(desk, GRACE, dov)
    desk.later(days=1)
    assert may(desk, GRACE, dov)
    assert may(desk, AMINA, dov)


@pytest.mark.requirement("T10")
def test_the_duty_passes_at_once_from_an_owner_who_is_gone(desk: Desk) -> None:
    dov = desk.dov()
    desk.freeze(DENIS, dov)
    desk.know(AMINA, active=False)
    assert may(desk, GRACE, dov)


def may(desk: Desk, somebody: Any, individual_id: str) -> bool:
    """Ask whether a user may erase."""
    return bool(desk.do(somebody, freezing.may_erase, individual_id=individual_id)["allowed"])


def _walked(desk: Desk, by: Caller, use_case: Any, **query: Any) -> list[Any]:
    """Return a list one by one; check that each page knows the total."""
    items: list[Any] = []
    cursor = None
    while True:
        page = desk.do(by, use_case, limit=1, cursor=cursor, **query)
        items += page["items"]
        cursor = page["next"]
        assert len(page["items"]) == 1
        if cursor is None:
            assert page["total"] == len(items)
            return items


@pytest.mark.requirement("T21", "T36")
def test_frozen_people_and_many_freezes_are_listed_page_by_page(desk: Desk) -> None:
    people = [desk.register(AMINA, first_name=name, last_name="Erasegard")["id"] for name in ("Hope", "Faith", "Hope", "Grace", "Joy")]
    people += [desk.register(AMINA, last_name=f"Person{n}")["id"] for n in range(8)]
    for n, person in enumerate(people):
        desk.freeze(RENATA, person, **({"reason": f"Letter {n}."} if n >= 9 else {}))
    named = _walked(desk, AMINA, freezing.find_frozen, q="erasegard")
    assert [one["first_name"] for one in named] == ["Faith", "Grace", "Hope", "Hope", "Joy"]
    assert {one["id"] for one in named} == set(people[:5])
    told = _walked(desk, GRACE, freezing.list_many_freezes)
    assert [one["reason"] for one in told] == [f"Letter {n}." for n in range(9, 13)]


@pytest.mark.requirement("R37", "T15")
def test_notes_are_listed_page_by_page_and_what_is_another_s_is_counted_by_nobody(desk: Desk) -> None:
    dov = desk.dov()
    for n in range(3):
        desk.note(AMINA, dov, f"Met at forum {n}.")
        desk.note(AMINA, dov, f"Call {DOV.cell}", keep_reason="The hotline")
    assert len(_walked(desk, AMINA, notes.list_notes, individual_id=dov)) == 6
    seen = _walked(desk, CHLOE, notes.list_notes, individual_id=dov)
    assert [note["text"] for note in seen] == ["Met at forum 2.", "Met at forum 1.", "Met at forum 0."]
