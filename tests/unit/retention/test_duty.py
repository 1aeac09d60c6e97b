"""Whose the duty to erase is, who may know, and the steps of an erasure."""

import pytest

from services.chassis.messages import Caller
from services.lexicon.policy import Facts, decide
from services.retention.contract import RequestsWithheld
from services.retention.domain.saga import COURSES, SEARCH, SEARCHES, first_step, has_begun, step_after
from services.retention.usecases.authorization import may_follow, require_request_reader
from tests.cast import AMINA, BRUNO, CHLOE, EDDA, FARID, GRACE
from tests.support import a_caller

OWNED = {"owner_id": AMINA.id, "owner_component": "ICE"}
OLGA = Caller(kind="user", id="olga", component="WHL", roles=frozenset({"system_owner"}))
PAULA = Caller(kind="user", id="paula", component="PSO", roles=frozenset({"office_administrator"}))


@pytest.mark.parametrize(("of", "whose"), [("owner", AMINA), ("office_administrator", GRACE), ("system_owner", OLGA)])
def test_the_duty_is_one_persons_or_roles(of, whose):
    for by in (AMINA, BRUNO, CHLOE, EDDA, FARID, GRACE, OLGA, PAULA):
        assert bool(decide(by, "answer_request", facts=Facts(**OWNED, duty_of=of))) is (by is whose)


@pytest.mark.requirement("T21")
def test_who_may_know_of_a_request():
    facts = Facts(**OWNED, recorded_by=CHLOE.id)
    assert {by.id for by in (AMINA, BRUNO, CHLOE, EDDA, FARID, GRACE, OLGA, PAULA) if may_follow(by, facts)} == {
        by.id for by in (AMINA, CHLOE, FARID, GRACE, OLGA)
    }
    assert not may_follow(BRUNO, Facts())


@pytest.mark.requirement("T27")
def test_contacts_erases_before_every_other_and_only_the_search_waits():
    course = [step.name for step in COURSES["individual"]]
    assert course[0] == "erase_contacts"
    assert [step for step in course[: course.index("decide")] if step not in SEARCHES] == ["erase_contacts", "erase_interactions", "erase_retention"]
    assert SEARCH in SEARCHES
    assert course[course.index("decide") :] == ["decide", "close_contacts", "close"]


@pytest.mark.parametrize("subject_type", ["individual", "organization"])
def test_the_steps_lead_from_the_first_to_the_close(subject_type):
    taken = [first_step(subject_type)]
    while taken[-1] != "close":
        taken.append(step_after(subject_type, taken[-1]))
    assert taken == [step.name for step in COURSES[subject_type]]
    assert [has_begun(subject_type, step) for step in taken] == [False] + [True] * (len(taken) - 1)


def test_of_somebody_nobody_knows_there_is_nothing_to_search_with():
    taken = [first_step("individual")]
    while taken[-1] != "close":
        taken.append(step_after("individual", taken[-1], found_nobody=True))
    assert taken == ["erase_contacts", "erase_interactions", "erase_retention", "close"]


@pytest.mark.requirement("T14", "T19", "T21")
@pytest.mark.parametrize(
    ("level", "role", "may"),
    [
        ("reader", None, True),
        ("contributor", None, True),
        ("steward", "office_administrator", True),
        (None, "office_administrator", True),
        (None, "privacy_officer", True),
        (None, "system_owner", True),
        ("reader", "system_administrator", True),
        (None, "system_administrator", False),
        (None, "isso", False),
        ("reader", "isso", False),
        (None, None, False),
    ],
)
def test_who_has_nothing_to_do_with_requests_is_told_so(level, role, may):
    assert _may_list(a_caller("ICE", level, roles=[role] if role else [])) is may


def test_a_service_or_an_operator_asks_for_no_list_of_requests():
    assert not _may_list(Caller.service("contacts"))
    assert not _may_list(Caller.operator("somebody"))


def _may_list(by: Caller) -> bool:
    try:
        require_request_reader(by)
    except RequestsWithheld:
        return False
    return True
