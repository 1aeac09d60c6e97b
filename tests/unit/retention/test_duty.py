"""On whom the duty to erase lies, who may know, and the course of an erasure."""

from datetime import UTC, date, datetime

import pytest

from services.chassis.messages import Caller
from services.chassis.testing import a_caller
from services.retention.domain.duty import duty, is_on, may_know, may_look
from services.retention.domain.saga import COURSES, GATE, SEARCH, SEARCHES, first_step, has_begun, step_after
from tests.cast import AMINA, BRUNO, CHLOE, EDDA, FARID, GRACE

# A Wednesday before Thanksgiving: Thursday is a federal holiday, so two working days later is Monday.
ASKED = datetime(2026, 11, 25, 15, 0, tzinfo=UTC)
MONDAY = date(2026, 11, 30)
WEDNESDAY = date(2026, 12, 2)


def at(day: int, month: int = 11) -> datetime:
    return datetime(2026, month, day, 12, 0, tzinfo=UTC)


@pytest.mark.requirement("R165", "T10")
@pytest.mark.parametrize(
    ("now", "owner_is_active", "has_administrator", "of", "due_on"),
    [
        (ASKED, True, True, "owner", date(2026, 11, 27)),
        (at(27), True, True, "owner", date(2026, 11, 27)),
        (at(28), True, True, "office_administrator", date(2026, 12, 1)),
        (at(28), True, False, "system_owner", date(2026, 11, 28)),
        (at(1, 12), True, True, "office_administrator", date(2026, 12, 1)),
        (at(2, 12), True, True, "system_owner", date(2026, 12, 1)),
        (ASKED, False, True, "office_administrator", date(2026, 11, 27)),
        (ASKED, False, False, "system_owner", date(2026, 11, 27)),
    ],
)
def test_the_duty_passes_from_the_owner_to_the_office_to_the_system_owner(now, owner_is_active, has_administrator, of, due_on):
    # Recorded on Tuesday evening; Wednesday and Friday are the two working days (Thursday is Thanksgiving).
    recorded = datetime(2026, 11, 24, 23, 0, tzinfo=UTC)
    found = duty(recorded_at=recorded, owner_is_active=owner_is_active, office_has_administrator=has_administrator, now=now)
    assert (found.of, found.due_on) == (of, due_on)


def test_weekends_and_holidays_are_no_working_days():
    found = duty(recorded_at=ASKED, owner_is_active=True, office_has_administrator=True, now=ASKED)
    assert found.due_on == MONDAY
    later = duty(recorded_at=ASKED, owner_is_active=True, office_has_administrator=True, now=at(1, 12))
    assert (later.of, later.due_on) == ("office_administrator", WEDNESDAY)


OWNED = {"owner_id": AMINA.id, "owner_component": "ICE"}
OLGA = Caller(kind="user", id="olga", component="WHL", roles=frozenset({"system_owner"}))
PAULA = Caller(kind="user", id="paula", component="PSO", roles=frozenset({"office_administrator"}))


@pytest.mark.parametrize(("of", "whose"), [("owner", AMINA), ("office_administrator", GRACE), ("system_owner", OLGA)])
def test_the_duty_is_one_persons_or_roles(of, whose):
    for by in (AMINA, BRUNO, CHLOE, EDDA, FARID, GRACE, OLGA, PAULA):
        assert is_on(by, of, **OWNED) is (by is whose)


@pytest.mark.requirement("T21")
def test_who_may_know_of_a_request():
    involved = [CHLOE.id]
    assert {by.id for by in (AMINA, BRUNO, CHLOE, EDDA, FARID, GRACE, OLGA, PAULA) if may_know(by, involved=involved, **OWNED)} == {
        by.id for by in (AMINA, CHLOE, FARID, GRACE, OLGA)
    }
    nobodys = {"owner_id": None, "owner_component": None, "involved": [None]}
    assert not may_know(BRUNO, **nobodys)


@pytest.mark.requirement("T27")
def test_contacts_erases_before_every_other_and_only_the_search_waits():
    course = COURSES["individual"]
    assert course[0] == "erase_contacts"
    assert [step for step in course[: course.index(GATE)] if step not in SEARCHES] == ["erase_contacts", "erase_interactions", "erase_retention"]
    assert SEARCH in SEARCHES
    assert course[course.index(GATE) :] == (GATE, "close_contacts", "close")


@pytest.mark.parametrize("subject_type", ["individual", "organization"])
def test_the_steps_lead_from_the_first_to_the_close(subject_type):
    taken = [first_step(subject_type)]
    while taken[-1] != "close":
        taken.append(step_after(subject_type, taken[-1]))
    assert tuple(taken) == COURSES[subject_type]
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
    assert may_look(a_caller("ICE", level, roles=[role] if role else [])) is may


def test_a_service_or_an_operator_asks_for_no_list_of_requests():
    assert not may_look(Caller.service("contacts"))
    assert not may_look(Caller.operator("somebody"))
