"""Accounts: create, change, approve; lapsed accounts; integrations; the operator's commands; announcements."""

from __future__ import annotations

from datetime import timedelta

import pytest
from marshmallow import ValidationError

from deploy.users_cli import Accounts
from services.access.contract import (
    AccessSuspended,
    ComponentUnknown,
    NotYourselfToApprove,
    NotYourUsers,
    RolesIncompatible,
    SessionRequired,
    UserChangeSchema,
    UserCreateSchema,
    UsernameTaken,
    UserUnknown,
)
from services.access.contract.schemas import (
    AcceptRulesOfBehavior,
    ChangeUser,
    CreateUser,
    DesignateLicense,
    ListUsers,
    PutComponent,
    RecordRefusal,
    RecordTraining,
)
from services.access.usecases import administration, directory, gateway_refusals, seeding, sessions
from services.chassis.cursors import Cursors
from services.chassis.messages import Caller, Invalid, Stale, entity_tag, new_id
from services.chassis.refusals import CursorInvalid
from services.lexicon.refusals import TextNeedsReview

NEW = {"username": "henrik", "name": "Henrik Dahl", "component": "ICE", "level": "contributor"}


def as_user(office, username):
    """Return the caller of an acknowledged session."""
    return office.caller(office.signed_in(username))


@pytest.mark.requirement("R139", "R140")
def test_the_offices_of_the_pia_are_there_as_a_tree(office):
    items = office.does(directory.list_components)["items"]
    by_code = {item["code"]: item for item in items}
    assert len(items) == 19
    assert {code for code, item in by_code.items() if item["parent_id"] == "POLICY"} == {"HSAC", "PSO", "SLLE", "SCO", "PD"}
    assert by_code["ICE"]["name"] == "Immigration and Customs Enforcement"
    assert all(item["id"] == item["code"] for item in items)


@pytest.mark.requirement("T32")
def test_what_is_typed_of_an_account_or_an_office_holds_nobody_s_number(office):
    olga = as_user(office, "olga")
    with pytest.raises(TextNeedsReview):
        office.does(administration.put_component, by=olga, code="TSA", command=PutComponent(name="TSA, call 202-555-0143"))
    for changes in ({"name": "Henrik 202-555-0143"}, {"justification": "henrik@example.org asked", "contractor": True}):
        with pytest.raises(TextNeedsReview):
            office.does(administration.create_user, by=olga, command=CreateUser(**{**NEW, **changes}))


def test_an_office_is_data_that_a_system_owner_changes_and_the_others_hear_of_it(office):
    olga = as_user(office, "olga")
    office.does(administration.put_component, by=olga, code="TSA", command=PutComponent(name="Transportation Security Administration"))
    office.does(administration.put_component, by=olga, code="GCRO", command=PutComponent(name="Gulf Coast Recovery Office", active=False))
    assert office.announced("access:component:changed") == [
        {"code": "TSA", "parent_code": None, "active": True, "revision": 1},
        {"code": "GCRO", "parent_code": None, "active": False, "revision": 2},
    ]
    with pytest.raises(ComponentUnknown):
        office.does(administration.put_component, by=olga, code="TSA", command=PutComponent(name="TSA", parent_id="PSO"))
    with pytest.raises(NotYourUsers):
        office.does(administration.put_component, by=as_user(office, "grace"), code="TSA", command=PutComponent(name="TSA"))


def test_a_new_user_may_come_in_once_everything_is_there_and_not_before(office):
    grace = as_user(office, "grace")
    user = office.does(administration.create_user, by=grace, command=CreateUser(**NEW))
    assert user["active"] is False
    office.ids["henrik"] = user["id"]
    today = office.now.date()
    steps = [
        (administration.designate_license, {"command": DesignateLicense()}),
        (administration.approve_user, {}),
        (administration.record_training, {"command": RecordTraining("privacy", today)}),
        (administration.record_training, {"command": RecordTraining("computer_security", today)}),
        (administration.accept_rules_of_behavior, {"command": AcceptRulesOfBehavior("1", today + timedelta(days=365))}),
    ]
    for act, given in steps:
        with pytest.raises(AccessSuspended):
            office.sign_in("henrik")
        user = office.does(act, by=grace, user_id=user["id"], **given)
    assert user["active"] is True
    assert office.sign_in("henrik")["token"]
    told = [fields["active"] for fields in office.announced("access:user:changed") if fields["user_id"] == user["id"]]
    assert told[0] is False
    assert told[-1] is True


@pytest.mark.requirement("R177")
@pytest.mark.parametrize("lapse", ["approval", "account"])
def test_whatever_is_taken_away_ends_the_sessions_at_once(office, lapse):
    token = office.signed_in("amina")
    grace = as_user(office, "grace")
    if lapse == "approval":
        office.does(administration.withdraw_approval, by=grace, user_id=office.ids["amina"])
    else:
        office.does(administration.change_user, by=grace, user_id=office.ids["amina"], command=ChangeUser(active=False))
    with pytest.raises(SessionRequired):
        office.open(token)
    assert office.announced("access:user:changed")[-1]["active"] is False


def test_a_training_that_lapses_at_midnight_suspends_without_anybodys_doing(office):
    # Seeded a day ago: computer security and rules of behavior hold through their 365th day.
    office.later(days=364, hours=14, minutes=50)
    token = office.signed_in("amina")
    assert office.open(token)
    office.later(minutes=10, seconds=1)
    with pytest.raises(SessionRequired) as refusal:
        office.open(token)
    assert refusal.value.extra == {"reason": "access-suspended"}


def test_the_sweep_tells_the_others_whose_access_lapsed_and_that_it_came_back(office):
    def suspend(work, now):
        return sessions.suspend_lapsed(work, now=now)[0]

    assert office.does(suspend) == []
    office.later(days=400)
    assert len(office.does(suspend)) == len(office.ids)
    assert office.does(suspend) == []
    assert office.announced("access:user:changed")[-1]["active"] is False
    with office.database.work(Caller.operator("tests")) as work:
        seeding.complete(work, user_id=office.ids["amina"], now=office.now)
    assert office.announced("access:user:changed")[-1] == {
        "user_id": office.ids["amina"],
        "component": "ICE",
        "level": "contributor",
        "roles": [],
        "active": True,
        "revision": 3,
    }


@pytest.mark.requirement("R153")
def test_a_change_of_rights_ends_the_sessions_and_a_change_of_name_does_not(office):
    grace = as_user(office, "grace")
    token = office.signed_in("amina")
    office.does(administration.change_user, by=grace, user_id=office.ids["amina"], command=ChangeUser(name="Amina H. Haddad"))
    assert office.open(token)["session"]["user"]["name"] == "Amina H. Haddad"
    office.does(administration.change_user, by=grace, user_id=office.ids["amina"], command=ChangeUser(level="steward"))
    with pytest.raises(SessionRequired) as refusal:
        office.open(token)
    assert refusal.value.extra == {"reason": "rights-changed"}
    assert office.open(office.signed_in("amina"))["session"]["level"] == "steward"


def test_a_user_who_moves_is_suspended_until_the_receiving_office_approves(office):
    sam = as_user(office, "sam")
    office.does(administration.change_user, by=sam, user_id=office.ids["amina"], command=ChangeUser(component="PSO"))
    with pytest.raises(AccessSuspended) as refusal:
        office.sign_in("amina")
    assert [lapse["code"] for lapse in refusal.value.extra["lapses"]] == ["approval"]
    with pytest.raises(NotYourUsers):
        office.does(administration.approve_user, by=as_user(office, "grace"), user_id=office.ids["amina"])


def test_nobody_approves_or_promotes_themselves(office):
    grace = as_user(office, "grace")
    for act, given in [
        (administration.approve_user, {}),
        (administration.withdraw_approval, {}),
        (administration.designate_license, {"command": DesignateLicense()}),
        (administration.change_user, {"command": ChangeUser(level="reader")}),
        (administration.change_user, {"command": ChangeUser(roles=["system_owner"])}),
    ]:
        with pytest.raises(NotYourselfToApprove):
            office.does(act, by=grace, user_id=grace.id, **given)


@pytest.mark.requirement("R153", "R156")
@pytest.mark.parametrize("username", ["amina", "chloe", "renata", "edda", "farid"])
def test_who_is_no_administrator_administers_nobody(office, username):
    by = as_user(office, username)
    target = office.ids["bruno"]
    today = office.now.date()
    for act, given in [
        (administration.create_user, {"command": CreateUser(**NEW)}),
        (administration.change_user, {"user_id": target, "command": ChangeUser(level="steward")}),
        (administration.approve_user, {"user_id": target}),
        (administration.withdraw_approval, {"user_id": target}),
        (administration.designate_license, {"user_id": target, "command": DesignateLicense()}),
        (administration.record_training, {"user_id": target, "command": RecordTraining("privacy", today)}),
        (administration.accept_rules_of_behavior, {"user_id": target, "command": AcceptRulesOfBehavior("1", today)}),
        (administration.put_component, {"code": "TSA", "command": PutComponent("TSA")}),
        (administration.set_password, {"username": "bruno", "password_hash": "x"}),
    ]:
        with pytest.raises(NotYourUsers):
            office.does(act, by=by, **given)


def test_what_goes_wrong_at_entering_a_user_is_said_by_its_code(office):
    sam = as_user(office, "sam")
    for changes, refusal in [
        ({"component": "TSA"}, ComponentUnknown),
        ({"username": "amina"}, UsernameTaken),
        ({"roles": ["isso"]}, RolesIncompatible),
        ({"roles": ["system_owner"]}, RolesIncompatible),
    ]:
        with pytest.raises(refusal):
            office.does(administration.create_user, by=sam, command=CreateUser(**{**NEW, **changes}))
    with pytest.raises(UserUnknown):
        office.does(administration.change_user, by=sam, user_id=new_id(), command=ChangeUser())
    with pytest.raises(Invalid):
        tomorrow = office.now.date() + timedelta(days=1)
        office.does(administration.record_training, by=sam, user_id=office.ids["amina"], command=RecordTraining("privacy", tomorrow))


@pytest.mark.parametrize(
    "wrong",
    [
        {"username": "A"},
        {"username": "Amina"},
        {"username": "a b"},
        {"username": "-ab"},
        {"name": ""},
        {"name": "x" * 201},
        {"name": "a\x00b"},
        {"component": "ice"},
        {"level": "admin"},
        {"roles": ["root"]},
        {"roles": "isso"},
        {"contractor": True},
        {"contractor": "yes"},
        {"party": "none"},
    ],
)
@pytest.mark.requirement("R13")
def test_a_users_fields_are_a_closed_list(wrong):
    with pytest.raises(ValidationError):
        UserCreateSchema().load({**NEW, **wrong})


def test_a_username_cannot_be_changed():
    with pytest.raises(ValidationError):
        UserChangeSchema().load({"username": "other"})


def test_a_stale_change_is_refused(office):
    grace = as_user(office, "grace")
    seen = office.does(directory.read_user, by=grace, user_id=office.ids["amina"])
    given = {"by": grace, "user_id": office.ids["amina"], "if_match": entity_tag(seen)}
    office.does(administration.change_user, command=ChangeUser(name="Amina H."), **given)
    with pytest.raises(Stale):
        office.does(administration.change_user, command=ChangeUser(name="Amina I."), **given)


def test_people_are_found_by_the_beginnings_of_their_names(office):
    def names(**query):
        given = {"cursors": Cursors("a key", "access"), "query": ListUsers(**query)}
        return [user["username"] for user in office.does(directory.list_users, **given)["items"]]

    assert names(q="am had") == ["amina"]
    assert names(q="martin") == ["chloe"]
    assert names(q="%") == []
    assert names(q="_mina") == []
    assert names(q="\\") == []
    assert names(component="ICE") == ["amina", "bruno", "grace"]
    assert names(ids=[office.ids["chloe"], new_id()]) == ["chloe"]
    assert names(ids=list(office.ids.values()), limit=1) == sorted(office.ids)


def test_pages_of_people_follow_each_other_and_a_cursor_is_nobody_elses(office):
    amina, chloe = (Caller(kind="user", id=office.ids[name], component="ICE") for name in ("amina", "chloe"))
    seen, cursor = [], None
    while True:
        page = office.does(directory.list_users, by=amina, cursors=Cursors("a key", "access"), query=ListUsers(limit=4, cursor=cursor))
        seen += [user["username"] for user in page["items"]]
        assert page["total"] == len(office.ids)
        cursor = page["next"]
        if cursor is None:
            break
        for by, query in ((chloe, {}), (amina, {"q": "a"}), (amina, {"component": "ICE"})):
            with pytest.raises(CursorInvalid):
                asked = ListUsers(limit=4, cursor=cursor, **query)
                office.does(directory.list_users, by=by, cursors=Cursors("a key", "access"), query=asked)
    assert seen == sorted(office.ids)


@pytest.mark.parametrize(
    ("account", "username", "known"),
    [
        ("ice-casework", "amina", True),
        ("ice-casework", "AMINA", True),
        ("ice-casework", "chloe", False),
        ("ice-casework", "nobody", False),
        ("other", "amina", False),
        ("fema-desk", "renata", False),
    ],
)
def test_a_components_system_names_only_a_contributor_of_that_component(office, account, username, known):
    with office.database.work(Caller.operator("tests")) as work:
        seeding.seed_integration(work, "ice-casework", "ICE", "Case work system", now=office.now)
        seeding.seed_integration(work, "fema-desk", "FEMA", "Desk", now=office.now)
    given = {"by": Caller.service("contacts"), "account": account, "username": username}
    if known:
        assert office.does(directory.integration_owner, **given)["user"]["id"] == office.ids["amina"]
    else:
        with pytest.raises(UserUnknown):
            office.does(directory.integration_owner, **given)


def test_an_inactive_contributor_owns_nothing_new(office):
    with office.database.work(Caller.operator("tests")) as work:
        seeding.seed_integration(work, "ice-casework", "ICE", "Case work system", now=office.now)
    Accounts(office.database, Caller.operator("tests"), office.now).change("amina", active=False)
    with pytest.raises(UserUnknown):
        office.does(directory.integration_owner, by=Caller.service("contacts"), account="ice-casework", username="amina")


def test_the_operator_adds_disables_and_sets_passwords_under_their_name(office):
    accounts = Accounts(office.database, Caller.operator("root-on-call"), office.now)
    with pytest.raises(Invalid):
        accounts.add(**NEW, password="short")
    user = accounts.add(**NEW, password="a long enough one", complete=True)
    assert user["active"] is True
    assert [told["active"] for told in office.announced("access:user:changed") if told["user_id"] == user["id"]] == [True]
    office.ids["henrik"] = user["id"]
    token = office.sign_in("henrik")["token"]
    accounts.set_password("henrik", "another long enough one")
    with pytest.raises(SessionRequired):
        office.open(token)
    token = office.sign_in("henrik")["token"]
    assert accounts.change("henrik", active=False)["active"] is False
    with pytest.raises(SessionRequired):
        office.open(token)
    assert accounts.change("henrik", active=True)["active"] is True
    with pytest.raises(UserUnknown):
        accounts.change("nobody", active=False)
    assert len(accounts.list_all()) == 10
    done = {entry["action"] for entry in office.entries() if (entry["actor_kind"], entry["actor"]) == ("operator", "root-on-call")}
    assert {"access:user:create", "access:user:password", "access:user:change", "access:user:list"} <= done


def test_seeding_twice_changes_nothing(office):
    before = office.rows("SELECT * FROM users ORDER BY id")
    with office.database.work(Caller.operator("tests")) as work:
        again = seeding.seed_accounts(work, [seeding.Account("amina", "Other", "PSO", "reader", "x")], now=office.now)
    assert again == {"amina": office.ids["amina"]}
    assert office.rows("SELECT * FROM users ORDER BY id") == before


def test_further_refusals_of_a_minute_make_one_entry_with_their_count(office):
    given = {"by": Caller.anonymous(), "master": "m"}
    for source in ("198.51.100.7", "198.51.100.7", "198.51.100.7", "203.0.113.9"):
        command = RecordRefusal(route="individuals.read", code="session-required", status=401, source=source)
        office.does(gateway_refusals.record_refusal, command=command, **given)
    assert len(office.entries("gateway:request:refuse")) == 2
    assert office.does(gateway_refusals.sum_up_refusals) == 0
    office.later(minutes=1)
    assert office.does(gateway_refusals.sum_up_refusals) == 1
    assert office.does(gateway_refusals.sum_up_refusals) == 0
    [entry] = office.entries("gateway:request:refuse-further")
    assert entry["fields"] == ["further:2"]


def test_the_runtime_role_owns_nothing_and_deletes_no_session_user_or_acknowledgement(office):
    for table in ("sessions", "users", "acknowledgements", "trainings", "approvals", "credentials"):
        [(may,)] = office.rows("SELECT has_table_privilege(:table, 'DELETE') OR has_table_privilege(:table, 'TRUNCATE')", table=table)
        assert may is False, table
    [(may,)] = office.rows("SELECT has_table_privilege('acknowledgements', 'UPDATE')")
    assert may is False
    [(owned,)] = office.rows("SELECT count(*) FROM pg_tables WHERE tableowner = current_user")
    assert owned == 0
