"""Two records with one value: who is told, who decides, and what disappears when it holds no longer (T34)."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from threading import Thread
from typing import Any

import pytest
from sqlalchemy import text

from services.chassis.messages import Caller, Forbidden, Invalid, Refusal
from services.contacts.contract.refusals import PairUnknown
from services.contacts.storage.contact_layer import ContactPoint
from services.contacts.storage.imports import undoing as import_undoing
from services.contacts.usecases import contact_points, freezing, individuals, likenesses
from services.contacts.usecases import tasks as waiting
from services.lexicon.refusals import ContributorsOnly, IndividualFrozen
from tests.cast import AMINA, BRUNO, CHLOE, EDDA, FARID, GRACE, RENATA
from tests.integration.contacts.conftest import Desk, open_desk
from tests.integration.contacts.test_imports import Porter
from tests.support import Databases, a_caller

MATCHER = Caller.service("contacts")
EVERYBODY_ELSE = (BRUNO, GRACE, RENATA, EDDA)
CELLS = itertools.count(1000)


@pytest.fixture(scope="module")
def desk(databases: Databases) -> Iterator[Desk]:
    """One for all tests here; each has its own people and numbers."""
    yield from open_desk(databases)


@pytest.fixture
def cell() -> str:
    """Return an unused number."""
    return f"956-555-{next(CELLS)}"


another_cell = cell


def someone(desk: Desk, by: Caller, name: str, *cells: str) -> str:
    """Register somebody with these cells."""
    return str(desk.register(by, last_name=name, contact_points=[{"kind": "cell", "value": cell} for cell in cells])["id"])


def match(desk: Desk) -> None:
    """Run the matcher over everybody who waits."""
    desk.do(MATCHER, contact_points.match_waiting, role="matcher")


def role_of(by: Caller) -> str | None:
    """Return the role in which the service runs a user's request."""
    return "caseworker" if "privacy_officer" in by.roles else None


def tasks(desk: Desk, by: Caller, *about: str) -> list[tuple[str, list[str]]]:
    """Return kinds and people of a user's tasks about these people."""
    waiting = [(task["kind"], task["subject"]["individual_ids"]) for task in desk.waiting(by, role=role_of(by))]
    return [(kind, ids) for kind, ids in waiting if set(ids) & set(about)]


def pair(desk: Desk, by: Caller, *ids: str) -> dict[str, Any]:
    """Read two records as a user."""
    found: dict[str, Any] = desk.do(by, likenesses.read_pair, role=role_of(by), individual_id=ids[0], other_id=ids[1])
    return found


def say(desk: Desk, by: Caller, decision: str, *ids: str) -> None:
    """Decide about two records."""
    desk.do(by, likenesses.decide_pair, role=role_of(by), individual_id=ids[0], other_id=ids[1], decision=decision)


def refused(desk: Desk, by: Caller, *ids: str, decision: str | None = None) -> dict[str, Any]:
    """Return the code with which a user is refused two records."""
    with pytest.raises(Refusal) as error:
        say(desk, by, decision, *ids) if decision else pair(desk, by, *ids)
    return error.value.to_wire()


@pytest.mark.requirement("T34", "T17")
def test_who_is_not_told_of_a_likeness_is_answered_as_if_there_were_none(desk: Desk, cell: str) -> None:
    one, twin, stranger = someone(desk, AMINA, "Dorn", cell), someone(desk, CHLOE, "Quill", cell), someone(desk, CHLOE, "Other")
    match(desk)
    for by in (AMINA, CHLOE, *EVERYBODY_ELSE):
        assert tasks(desk, by, one, twin) == []
        assert refused(desk, by, one, twin) == refused(desk, by, one, stranger)
        for decision in ("same", "different", "propose"):
            assert refused(desk, by, one, twin, decision=decision) == refused(desk, by, one, stranger, decision=decision)
    assert tasks(desk, FARID, one, twin) == [("same_value", sorted([one, twin]))]
    assert pair(desk, FARID, twin, one)["because"] == ["same_value"]
    assert pair(desk, FARID, twin, stranger)["because"] == []


@pytest.mark.requirement("T34", "T19")
def test_within_a_component_only_those_are_told_who_may_see_its_values(desk: Desk, cell: str) -> None:
    ids = sorted([someone(desk, AMINA, "Dorn", cell), someone(desk, BRUNO, "Quill", cell)])
    match(desk)
    for by in (AMINA, BRUNO, GRACE):
        assert tasks(desk, by, *ids) == [("duplicate", ids)]
        assert pair(desk, by, *ids)["because"] == ["same_value"]
    moved = a_caller("PSO", "contributor", id=AMINA.id)
    fallen = replace(AMINA, level="reader")
    administrator = replace(AMINA, roles=frozenset({"system_administrator"}))
    for by in (CHLOE, RENATA, EDDA, moved, fallen, administrator):
        assert tasks(desk, by, *ids) == []
        assert refused(desk, by, *ids)["code"] == "pair-unknown"


@pytest.mark.requirement("T3", "T19")
def test_who_may_see_no_values_any_more_is_told_of_no_report(desk: Desk, cell: str, another_cell: str) -> None:
    dov = someone(desk, AMINA, "Dorn", cell)
    desk.later(hours=1)
    desk.correct(CHLOE, dov, "cell", another_cell)
    assert tasks(desk, AMINA, dov) == [("correction", [dov])]
    assert tasks(desk, replace(AMINA, level="reader"), dov) == []
    assert tasks(desk, replace(AMINA, roles=frozenset({"system_owner"})), dov) == []


@pytest.mark.requirement("T34")
def test_who_says_that_two_are_different_people_is_asked_no_more_and_settles_it_for_the_component_alone(
    desk: Desk, cell: str, another_cell: str
) -> None:
    ids = sorted([someone(desk, AMINA, "Dorn", cell), someone(desk, BRUNO, "Quill", cell)])
    desk.add(CHLOE, ids[0], "cell", cell)
    match(desk)
    assert refused(desk, BRUNO, *ids, decision="same")["code"] == "invalid"
    say(desk, BRUNO, "different", *ids)
    for by in (AMINA, BRUNO, GRACE):
        assert tasks(desk, by, *ids) == []
        assert refused(desk, by, *ids, decision="different")["code"] == "pair-unknown"
    desk.add(AMINA, ids[0], "cell", another_cell)
    desk.add(AMINA, ids[1], "cell", another_cell)
    match(desk)
    assert tasks(desk, GRACE, *ids) == [], "what is settled stays settled"
    assert tasks(desk, FARID, *ids) == [("same_value", ids)], "the officer's question is another"


@pytest.mark.requirement("T34")
def test_the_privacy_officer_asks_both_owners_who_see_two_directory_records_and_no_cause(desk: Desk, cell: str) -> None:
    one, twin = someone(desk, AMINA, "Dorn", cell), someone(desk, CHLOE, "Quill", cell)
    unlike, stranger = someone(desk, AMINA, "Plain"), someone(desk, CHLOE, "Other")
    match(desk)
    for ids in ((one, twin), (unlike, stranger)):
        say(desk, FARID, "propose", *ids)
    assert tasks(desk, FARID, one, twin, unlike, stranger) == []
    asked = sorted([("merge_proposed", sorted([one, twin])), ("merge_proposed", sorted([unlike, stranger]))])
    for by in (AMINA, CHLOE):
        assert sorted(tasks(desk, by, one, twin, unlike, stranger)) == asked
        seen = [pair(desk, by, *ids) for ids in ((one, twin), (unlike, stranger))]
        for found in seen:
            assert {name: found[name] for name in found if name != "individuals"} == {
                "because": ["proposed"],
                "decisions": ["same", "different"],
                "proposal": None,
            }
            assert not [word for word in ("956", "cell", "contact_points") if word in str(found)]
        directory = [desk.do(by, individuals.read_individual, individual_id=each) for each in sorted([one, twin])]
        assert seen[0]["individuals"] == directory
    for by in EVERYBODY_ELSE:
        assert tasks(desk, by, one, twin, unlike, stranger) == []
        assert refused(desk, by, one, twin)["code"] == "pair-unknown"


@pytest.mark.requirement("T34")
def test_each_owner_answers_for_their_record_and_only_the_officer_sees_it(desk: Desk, cell: str) -> None:
    one, twin = someone(desk, AMINA, "Dorn", cell), someone(desk, CHLOE, "Quill", cell)
    match(desk)
    say(desk, FARID, "propose", twin, one)
    say(desk, AMINA, "same", one, twin)
    assert tasks(desk, AMINA, one, twin) == []
    assert pair(desk, CHLOE, one, twin)["proposal"] is None
    say(desk, CHLOE, "same", one, twin)
    assert tasks(desk, CHLOE, one, twin) == []
    proposal = pair(desk, FARID, one, twin)["proposal"]
    assert {answer["individual_id"]: (answer["answer"], answer["by"]) for answer in proposal["answers"]} == {
        one: ("same", AMINA.id),
        twin: ("same", CHLOE.id),
    }


@pytest.mark.requirement("T34")
@pytest.mark.parametrize("by", [AMINA, CHLOE, FARID])
def test_a_proposal_ends_for_both_when_somebody_says_that_they_are_different(desk: Desk, cell: str, by: Caller) -> None:
    one, twin = someone(desk, AMINA, "Dorn", cell), someone(desk, CHLOE, "Quill", cell)
    match(desk)
    say(desk, FARID, "propose", one, twin)
    say(desk, by, "different", one, twin)
    for somebody in (AMINA, CHLOE, FARID):
        assert tasks(desk, somebody, one, twin) == []
    for somebody in (AMINA, CHLOE):
        assert refused(desk, somebody, one, twin, decision="same")["code"] == "pair-unknown"


@pytest.mark.requirement("T34")
def test_one_who_owns_both_answers_once(desk: Desk) -> None:
    ids = sorted([someone(desk, AMINA, "Dorn"), someone(desk, AMINA, "Quill")])
    say(desk, FARID, "propose", *ids)
    say(desk, AMINA, "same", *ids)
    assert tasks(desk, AMINA, *ids) == []
    assert {answer["answer"] for answer in pair(desk, FARID, *ids)["proposal"]["answers"]} == {"same"}


@pytest.mark.requirement("T34", "T2")
def test_whoever_the_record_is_handed_over_to_is_asked_instead(desk: Desk, cell: str) -> None:
    one, twin = someone(desk, AMINA, "Dorn", cell), someone(desk, BRUNO, "Quill", cell)
    match(desk)
    say(desk, FARID, "propose", one, twin)
    desk.do(AMINA, individuals.hand_over, individual_id=one, owner=CHLOE.id)
    assert tasks(desk, CHLOE, one, twin) == [("merge_proposed", sorted([one, twin]))]
    assert tasks(desk, AMINA, one, twin) == []
    assert pair(desk, CHLOE, one, twin)["because"] == ["proposed"], "another component's values are no cause for her"


@pytest.mark.requirement("T34", "T19")
def test_only_the_officer_proposes_and_only_contributors_answer(desk: Desk, cell: str) -> None:
    one, twin = someone(desk, AMINA, "Dorn", cell), someone(desk, CHLOE, "Quill", cell)
    for by in (AMINA, GRACE, EDDA):
        with pytest.raises(Forbidden):
            say(desk, by, "propose", one, twin)
    with pytest.raises(Invalid):
        say(desk, FARID, "same", one, twin)
    with pytest.raises(PairUnknown):
        say(desk, FARID, "propose", one, one)
    with pytest.raises(PairUnknown):
        say(desk, FARID, "different", one, twin)
    say(desk, FARID, "propose", one, twin)
    with pytest.raises(ContributorsOnly):
        say(desk, replace(AMINA, level="reader"), "same", one, twin)


@pytest.mark.requirement("T34", "T21", "T26")
def test_nobody_is_asked_about_somebody_frozen_and_everybody_again_when_it_is_taken_back(desk: Desk, cell: str) -> None:
    one, twin = someone(desk, AMINA, "Dorn", cell), someone(desk, CHLOE, "Quill")
    say(desk, FARID, "propose", one, twin)
    request = desk.freeze(BRUNO, twin)
    for by in (AMINA, CHLOE, FARID):
        assert "merge_proposed" not in [kind for kind, _ in tasks(desk, by, one, twin)]
        assert refused(desk, by, one, twin)["code"] == "pair-unknown"
    with pytest.raises(IndividualFrozen):
        say(desk, FARID, "propose", one, twin)
    desk.do(Caller.service("retention"), freezing.take_back, role="caseworker", request_id=request, individual_id=twin)
    for by in (AMINA, CHLOE):
        assert tasks(desk, by, one, twin) == [("merge_proposed", sorted([one, twin]))]


@pytest.mark.requirement("T34", "T26")
def test_a_twin_is_out_of_sight_of_its_component_alone(desk: Desk, another_cell: str) -> None:
    one, twin, asked = someone(desk, AMINA, "Dorn"), someone(desk, CHLOE, "Quill", another_cell), someone(desk, BRUNO, "Hope", another_cell)
    say(desk, FARID, "propose", one, twin)
    before = pair(desk, AMINA, one, twin)
    desk.freeze(RENATA, asked)
    assert tasks(desk, CHLOE, one, twin) == [("possible_no_contact", [twin])]
    assert refused(desk, CHLOE, one, twin)["code"] == "pair-unknown"
    assert tasks(desk, AMINA, one, twin) == [("merge_proposed", sorted([one, twin]))]
    assert pair(desk, AMINA, one, twin) == before


@pytest.mark.requirement("T34", "T36", "T21")
@pytest.mark.parametrize("other", [BRUNO, CHLOE], ids=["within a component", "across"])
@pytest.mark.parametrize("held_first", [True, False], ids=["who is frozen held it first", "who is frozen held it last"])
def test_a_likeness_is_not_missed_because_somebody_was_frozen_when_the_matcher_came_by(
    desk: Desk, cell: str, other: Caller, held_first: bool
) -> None:
    # As an unverified correction the value makes no mark, so that it can be entered again while they are frozen.
    frozen = someone(desk, AMINA, "Dorn")
    free = None if held_first else someone(desk, other, "Quill", cell)
    desk.later(minutes=1)
    desk.add(AMINA, frozen, "cell", cell)
    request = desk.freeze(AMINA, frozen)
    free = free or someone(desk, other, "Quill", cell)
    match(desk)
    for by in (AMINA, BRUNO, CHLOE, GRACE, FARID):
        assert {kind for kind, _ in tasks(desk, by, frozen, free)} <= {"twin_to_decide", "value_to_decide"}
    desk.do(Caller.service("retention"), freezing.take_back, role="caseworker", request_id=request, individual_id=frozen)
    told = GRACE if other is BRUNO else FARID
    assert [ids for kind, ids in tasks(desk, told, frozen, free) if kind in {"duplicate", "same_value"}] == [sorted([frozen, free])]


@pytest.mark.requirement("T34")
def test_a_pair_is_found_whichever_of_two_transactions_ends_first(desk: Desk, cell: str) -> None:
    """The transaction that began first may commit last, after the later one was compared."""
    first = someone(desk, AMINA, "Dorn")
    entered: list[str] = []

    def meanwhile() -> None:
        entered.append(someone(desk, BRUNO, "Quill", cell))
        match(desk)

    with desk.work(AMINA) as slow:
        desk.layer.add(slow, [ContactPoint(first, "ICE", "cell", cell)], by_user=AMINA.id, now=desk.now)
        other = Thread(target=meanwhile)
        other.start()
        other.join(30)
    match(desk)
    (second,) = entered
    assert tasks(desk, GRACE, first, second) == [("duplicate", sorted([first, second]))]


@pytest.mark.requirement("T34")
def test_a_pair_is_told_once_however_many_values_they_share_and_whoever_had_which_first(desk: Desk, cell: str, another_cell: str) -> None:
    ids = sorted([someone(desk, AMINA, "Dorn", cell), someone(desk, BRUNO, "Quill", another_cell)])
    desk.add(AMINA, ids[0], "cell", another_cell)
    desk.add(BRUNO, ids[1], "cell", cell)
    match(desk)
    assert tasks(desk, GRACE, *ids) == [("duplicate", ids)]


@pytest.mark.requirement("T34", "N3")
def test_whatever_is_known_of_a_pair_goes_with_either_of_them(desk: Desk, cell: str) -> None:
    one, twin = someone(desk, AMINA, "Dorn", cell), someone(desk, BRUNO, "Quill", cell)
    match(desk)
    say(desk, FARID, "propose", one, twin)
    desk.erase(twin)
    for by in (AMINA, GRACE, FARID):
        assert tasks(desk, by, one, twin) == []
        assert refused(desk, by, one, twin)["code"] == "pair-unknown"
    with desk.work(Caller.service("retention"), role="eraser") as work:
        assert work.execute(_COUNT, {"id": twin}).scalar_one() == 0


_COUNT = text(
    "SELECT (SELECT count(*) FROM likenesses WHERE CAST(:id AS uuid) IN (held_id, other_id))"
    " + (SELECT count(*) FROM merge_proposals WHERE CAST(:id AS uuid) IN (held_id, other_id))"
)


@pytest.mark.requirement("T34", "T17", "N16")
def test_an_undo_leaves_no_likeness_to_which_its_values_alone_gave_rise(desk: Desk, cell: str) -> None:
    porter = Porter(desk)
    rivka = str(desk.register(AMINA, first_name="Rivka", last_name="Levi", organization="Larkspur Freight", state="TX")["id"])
    alike, by_another, across = (someone(desk, by, name, cell) for by, name in ((BRUNO, "Quill"), (BRUNO, "Feather"), (CHLOE, "Hope")))
    for person in (rivka, by_another):
        desk.add(BRUNO, person, "email", "rivka@example.org")
    match(desk)
    before = [tasks(desk, by, rivka) for by in (GRACE, AMINA, FARID)]
    assert [len(waiting) for waiting in before] == [1, 1, 0]
    done = porter.bring(f"Last name,First name,Company,State,Mobile phone\nLevi,Rivka,Larkspur Freight,TX,{cell}\n")
    assert done["counts"] == {"update": 1}
    match(desk)
    assert sorted(ids for _, ids in tasks(desk, GRACE, rivka)) == sorted([sorted([rivka, alike]), sorted([rivka, by_another])])
    assert tasks(desk, FARID, rivka) == [("same_value", sorted([rivka, across]))]
    porter.undo(done["id"])
    assert [tasks(desk, by, rivka) for by in (GRACE, AMINA)] == before[:2], "those of the importer's component go with the undo"
    match(desk)
    assert [tasks(desk, by, rivka) for by in (GRACE, AMINA, FARID)] == before
    with desk.work(MATCHER, role="matcher") as work:
        left = work.execute(text("SELECT held_id, other_id FROM likenesses WHERE CAST(:id AS uuid) IN (held_id, other_id)"), {"id": rivka}).all()
    assert [sorted(map(str, pair)) for pair in left] == [sorted([rivka, by_another])]


@pytest.mark.requirement("T34", "N16")
def test_a_likeness_that_is_found_while_an_undo_goes_on_does_not_stay(desk: Desk, cell: str) -> None:
    porter = Porter(desk)
    rivka = str(desk.register(AMINA, first_name="Shira", last_name="Levi", organization="Larkspur Freight", state="TX")["id"])
    alike = someone(desk, BRUNO, "Quill", cell)
    done = porter.bring(f"Last name,First name,Company,State,Mobile phone\nLevi,Shira,Larkspur Freight,TX,{cell}\n")
    with desk.work(AMINA, role="eraser") as undoing:
        # The undo has taken the value away and not said so yet; the matcher sees it still.
        points = undoing.execute(text("SELECT id FROM contact_points WHERE individual_id = CAST(:id AS uuid)"), {"id": rivka}).scalars().all()
        import_undoing.delete_points(undoing, [(rivka, str(point)) for point in points], component="ICE")
        matcher = Thread(target=match, args=(desk,))
        matcher.start()
        matcher.join(30)
    assert done["counts"] == {"update": 1}
    match(desk)
    assert tasks(desk, GRACE, rivka, alike) == []


@pytest.mark.requirement("T34", "R154")
def test_the_database_lets_nobody_settle_or_see_what_is_not_their_component_s(desk: Desk, cell: str) -> None:
    ids = sorted(someone(desk, by, "Dorn", cell) for by in (AMINA, BRUNO, CHLOE))
    match(desk)
    mine = " FROM likenesses WHERE held_id = ANY(CAST(:ids AS uuid[])) AND other_id = ANY(CAST(:ids AS uuid[]))"
    for by, theirs in ((AMINA, 1), (CHLOE, 0), (EDDA, 0), (MATCHER, 0)):
        with desk.work(by) as work:
            assert work.execute(text(f"SELECT count(*){mine}"), {"ids": ids}).scalar_one() == theirs
            settled = text(f"UPDATE likenesses SET settled_at = now(){mine.replace(' FROM likenesses', '')}")
            assert work.execute(settled, {"ids": ids}).rowcount == theirs
    assert len(tasks(desk, FARID, *ids)) == 2


@pytest.mark.requirement("T34")
@pytest.mark.parametrize("by", [(AMINA, BRUNO), (AMINA, CHLOE)], ids=["within", "across"])
def test_a_value_that_many_hold_is_a_shared_line_and_makes_no_crowd_of_pairs(
    desk: Desk, cell: str, another_cell: str, by: tuple[Caller, Caller]
) -> None:
    """Ten people who share a value make 45 pairs; one more makes none, whoever came first."""

    def pairs(ids: list[str]) -> int:
        with desk.work(FARID, "caseworker") as work:
            found = work.execute(text("SELECT count(*) FROM likenesses WHERE held_id = ANY(CAST(:ids AS uuid[]))"), {"ids": ids})
            return int(found.scalar_one())

    ids = [someone(desk, by[n % 2], f"Sharer{n}", cell, *([another_cell] if n < 2 else [])) for n in range(10)]
    match(desk)
    told = [task for somebody in (*by, FARID) for task in tasks(desk, somebody, *ids)]
    assert (pairs(ids), len({tuple(pair) for _, pair in told})) == (45, 45)
    ids.append(someone(desk, by[0], "Eleventh", cell))
    match(desk)
    within = by[1] is BRUNO
    left = {tuple(pair) for kind, pair in tasks(desk, FARID, *ids) if kind == "same_value"}
    # What is shared within neither component still tells within each; another value that two hold still tells.
    assert left == (set() if within else {tuple(sorted(ids[:2]))})
    assert pairs(ids) == (1 if within else 1 + 15 + 10)
    ids += [someone(desk, one, f"Further{n}", cell) for n in range(12) for one in by]
    match(desk)
    assert pairs(ids) == 1
    fresh = [someone(desk, by[n % 2], f"Together{n}", f"956-555-{next(CELLS)}") for n in range(2)]
    match(desk)
    assert pairs(fresh) == 0


@pytest.mark.requirement("T34", "T26")
def test_tasks_are_read_a_page_at_a_time_and_each_once(desk: Desk) -> None:
    people = [
        (someone(desk, AMINA, f"First{n}", cell), someone(desk, BRUNO, f"Second{n}", cell))
        for n, cell in enumerate(f"956-556-{m}" for m in range(2000, 2015))
    ]
    match(desk)
    expected = {tuple(sorted(pair)) for pair in people}
    for limit in (1, 4, 200):
        found = [task for task in desk.waiting(AMINA, limit=limit) if tuple(task["subject"]["individual_ids"]) in expected]
        assert [tuple(task["subject"]["individual_ids"]) for task in found] == sorted(expected)
    with desk.work(AMINA) as work:
        listed = waiting.list_tasks(work, by=AMINA, after=None, limit=3)
    assert (len(listed["items"]), listed["more"]) == (3, True)
