"""Users: when access is in effect, and who may administer them."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from services.access.domain.users import Grounds, Term, User, go_together, lapses, may_administer, may_approve, may_change
from services.chassis.messages import Caller
from tests.support.callers import a_caller

TODAY = date(2026, 11, 23)
AMINA = User(id="amina", username="amina", name="Amina", component="ICE", level="contributor", roles=frozenset(), active=True)
COMPLETE = Grounds(
    license=Term(TODAY),
    approved_for=frozenset({"ICE"}),
    trainings=(("privacy", Term(TODAY)), ("computer_security", Term(TODAY, TODAY + timedelta(days=30)))),
    rules_of_behavior=Term(TODAY, TODAY + timedelta(days=60)),
)
GRACE = a_caller("ICE", "contributor", roles=["office_administrator"])
OWNER = a_caller("WHL", None, roles=["system_owner"])


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


@pytest.mark.parametrize(
    ("component", "level", "roles", "fits"),
    [
        ("ICE", "contributor", [], True),
        ("ICE", "steward", ["office_administrator"], True),
        ("PRIV", None, ["privacy_officer"], True),
        ("PRIV", "reader", ["privacy_officer"], False),
        ("PRIV", None, ["isso", "privacy_officer"], False),
        ("WHL", None, ["system_owner"], True),
        ("ICE", None, ["system_owner"], False),
        ("WHL", "contributor", ["system_administrator"], False),
        ("WHL", "reader", ["system_administrator"], True),
    ],
)
def test_which_level_goes_with_which_roles(component, level, roles, fits):
    assert bool(go_together(component=component, level=level, roles=roles)) is fits


@pytest.mark.parametrize(
    ("by", "component", "roles", "allowed"),
    [
        (GRACE, "ICE", [], True),
        (GRACE, "PSO", [], False),
        (GRACE, "ICE", ["office_administrator"], False),
        (GRACE, "ICE", ["isso"], False),
        (OWNER, "PSO", ["office_administrator"], True),
        (a_caller("ICE", "steward"), "ICE", [], False),
        (a_caller(None, None, roles=["isso"]), "ICE", [], False),
        (Caller.service("retention"), "ICE", [], False),
        (Caller.operator("set-up"), "ICE", [], True),
    ],
)
def test_who_may_administer_which_accounts(by, component, roles, allowed):
    assert bool(may_administer(by, component=component, roles=roles)) is allowed


def test_nobody_approves_themselves_and_administrators_are_approved_from_above():
    assert may_approve(GRACE, AMINA)
    assert not may_approve(a_caller("PSO", "contributor", roles=["office_administrator"]), AMINA)
    assert not may_approve(OWNER, AMINA)
    grace = replace(AMINA, id=GRACE.id, roles=frozenset({"office_administrator"}))
    assert may_approve(GRACE, grace).code == "not-yourself"
    assert not may_approve(GRACE, replace(grace, id="another"))
    assert may_approve(OWNER, replace(grace, id="another"))


def test_nobody_promotes_or_moves_themselves():
    grace = replace(AMINA, id=GRACE.id, roles=frozenset({"office_administrator"}))
    assert may_change(GRACE, grace, component="ICE", level="steward", roles=grace.roles).code == "not-yourself"
    owner = replace(AMINA, id=OWNER.id, component="WHL", level=None, roles=frozenset({"system_owner"}))
    assert may_change(OWNER, owner, component="WHL", level="reader", roles=owner.roles).code == "not-yourself"


def test_an_office_administrator_neither_takes_a_user_from_another_office_nor_gives_one_away():
    chloe = replace(AMINA, component="PSO")
    assert not may_change(GRACE, chloe, component="ICE", level="contributor", roles=())
    assert not may_change(GRACE, AMINA, component="PSO", level="contributor", roles=())
    assert may_change(GRACE, AMINA, component="ICE", level="steward", roles=())
