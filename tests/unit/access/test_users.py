"""Users: when access is in effect."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from services.access.domain.users import Grounds, Term, User, lapses

TODAY = date(2026, 11, 23)
AMINA = User(id="amina", username="amina", name="Amina", component="ICE", level="contributor", roles=frozenset(), active=True)
COMPLETE = Grounds(
    license=Term(TODAY),
    approved_for=frozenset({"ICE"}),
    trainings=(("privacy", Term(TODAY)), ("computer_security", Term(TODAY, TODAY + timedelta(days=30)))),
    rules_of_behavior=Term(TODAY, TODAY + timedelta(days=60)),
)


@pytest.mark.requirement("R177")
def test_access_with_everything_in_place_is_in_effect():
    assert lapses(AMINA, COMPLETE, today=TODAY) == []


@pytest.mark.parametrize(
    ("user", "grounds", "code"),
    [
        (replace(AMINA, active=False), COMPLETE, "account-closed"),
        (AMINA, replace(COMPLETE, license=None), "license"),
        (AMINA, replace(COMPLETE, license=Term(TODAY - timedelta(9), TODAY - timedelta(1))), "license"),
        (AMINA, replace(COMPLETE, approved_for=frozenset()), "approval"),
        (replace(AMINA, component="PSO"), COMPLETE, "approval"),
        (AMINA, replace(COMPLETE, trainings=COMPLETE.trainings[1:]), "training-privacy"),
        (AMINA, replace(COMPLETE, trainings=COMPLETE.trainings[:1]), "training-computer-security"),
        (AMINA, replace(COMPLETE, rules_of_behavior=None), "rules-of-behavior"),
    ],
)
@pytest.mark.requirement("R177")
def test_any_one_thing_that_lapsed_suspends_and_is_named(user, grounds, code):
    assert [lapse.code for lapse in lapses(user, grounds, today=TODAY)] == [code]


def test_a_training_holds_through_its_last_day_and_not_beyond():
    assert lapses(AMINA, COMPLETE, today=TODAY + timedelta(days=30)) == []
    assert [lapse.code for lapse in lapses(AMINA, COMPLETE, today=TODAY + timedelta(days=31))] == ["training-computer-security"]
