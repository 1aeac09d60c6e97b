"""Who may administer whom, as the field policy decides."""

from contextlib import nullcontext
from dataclasses import replace

import pytest

from services.access.contract import NotYourselfToApprove, NotYourUsers
from services.access.domain.users import User
from services.access.usecases.authorization import (
    is_administrator,
    may_own,
    require_approver,
    require_component_manager,
    require_password_setter,
    require_user_changer,
    require_user_manager,
)
from services.chassis.messages import Caller
from tests.support.callers import a_caller

AMINA = User(id="amina", username="amina", name="Amina", component="ICE", level="contributor", roles=frozenset(), active=True)
GRACE = a_caller("ICE", "contributor", roles=["office_administrator"])
OWNER = a_caller("WHL", None, roles=["system_owner"])
OPERATOR = Caller.operator("set-up")
SERVICE = Caller.service("retention")


def refused(refusal=NotYourUsers, rule=None):
    """Expect a refusal, by this rule if one is given."""
    return pytest.raises(refusal, check=lambda raised: rule is None or raised.extra == {"rule": rule})


@pytest.mark.parametrize(
    ("by", "component", "roles", "outcome"),
    [
        (GRACE, "ICE", [], nullcontext()),
        (GRACE, "PSO", [], refused(rule="T19")),
        (GRACE, "ICE", ["office_administrator"], refused(rule="R180")),
        (GRACE, "ICE", ["isso"], refused(rule="R180")),
        (OWNER, "PSO", ["office_administrator"], nullcontext()),
        (a_caller("ICE", "steward"), "ICE", [], refused(rule="T19")),
        (a_caller(None, None, roles=["isso"]), "ICE", [], refused(rule="T14")),
        (SERVICE, "ICE", [], refused(rule="T13")),
        (OPERATOR, "ICE", [], nullcontext()),
        (OPERATOR, "PSO", ["system_owner"], nullcontext()),
    ],
)
def test_who_may_administer_which_accounts(by, component, roles, outcome):
    with outcome:
        require_user_manager(by, replace(AMINA, component=component, roles=frozenset(roles)))


def test_nobody_approves_themselves_and_administrators_are_approved_from_above():
    require_approver(GRACE, AMINA)
    require_approver(OPERATOR, AMINA)
    for by in (a_caller("PSO", "contributor", roles=["office_administrator"]), OWNER, SERVICE):
        with refused():
            require_approver(by, AMINA)
    grace = replace(AMINA, id=GRACE.id, roles=frozenset({"office_administrator"}))
    with refused(NotYourselfToApprove, "T19"):
        require_approver(GRACE, grace)
    with refused(rule="R180"):
        require_approver(GRACE, replace(grace, id="another"))
    require_approver(OWNER, replace(grace, id="another"))
    bruno = a_caller("ICE", "contributor")
    with refused(NotYourselfToApprove):
        require_approver(bruno, replace(AMINA, id=bruno.id))


def test_nobody_promotes_or_moves_themselves():
    grace = replace(AMINA, id=GRACE.id, roles=frozenset({"office_administrator"}))
    with refused(NotYourselfToApprove):
        require_user_changer(GRACE, grace, replace(grace, level="steward"))
    owner = replace(AMINA, id=OWNER.id, component="WHL", level=None, roles=frozenset({"system_owner"}))
    with refused(NotYourselfToApprove):
        require_user_changer(OWNER, owner, replace(owner, level="reader"))
    require_user_changer(OWNER, owner, replace(owner, name="Olga B."))
    with refused(rule="R180"):
        require_user_changer(GRACE, grace, replace(grace, name="Grace O."))


def test_an_office_administrator_neither_takes_a_user_from_another_office_nor_gives_one_away():
    chloe = replace(AMINA, component="PSO")
    for before, after in [(chloe, AMINA), (AMINA, chloe), (AMINA, replace(AMINA, roles=frozenset({"isso"})))]:
        with refused():
            require_user_changer(GRACE, before, after)
    require_user_changer(GRACE, AMINA, replace(AMINA, level="steward"))


def test_offices_are_for_the_system_s_administrators_and_passwords_for_operators():
    for by in (OWNER, OPERATOR):
        require_component_manager(by)
    require_password_setter(OPERATOR)
    for by in (GRACE, SERVICE):
        with refused(rule="T19"):
            require_component_manager(by)
    for by in (GRACE, OWNER, SERVICE):
        with refused():
            require_password_setter(by)


@pytest.mark.parametrize(
    ("role", "administers"),
    [("privacy_officer", False), ("isso", False), ("office_administrator", True), ("system_owner", True), ("system_administrator", True)],
)
def test_who_is_an_administrator(role, administers):
    assert is_administrator(replace(AMINA, roles=frozenset({role}))) is administers
    assert not is_administrator(AMINA)


@pytest.mark.parametrize(("level", "owns"), [(None, False), ("reader", False), ("contributor", True), ("steward", True)])
def test_who_may_own_records(level, owns):
    assert may_own(replace(AMINA, level=level)) is owns
