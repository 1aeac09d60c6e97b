"""Sessions against the database: open, use, acknowledge, end, and their audit entries."""

from __future__ import annotations

import random
from types import SimpleNamespace

import eventlet
import pytest
from eventlet.event import Event

from services.access.contract import AUDIENCES, AccessSuspended, SessionRequired, StatementsNotAccepted
from services.access.contract.schemas import ChangeUser
from services.access.domain.secrets import service_secret
from services.access.domain.sessions import new_token, token_digest
from services.access.service import AccessService
from services.access.storage import directory as stored
from services.access.usecases import administration, exchange, sessions
from services.chassis.messages import Caller, new_id
from services.chassis.refusals import PassportInvalid
from services.chassis.signals import reset_stop_check, set_stop_check
from tests.integration.access.conftest import MASTER
from tests.rows import figure
from tests.support import eventually

TOKEN_CHARACTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


@pytest.mark.requirement("R118")
def test_a_sign_in_gives_a_token_once_and_stores_only_its_digest(office):
    signed_in = office.sign_in("amina")
    assert signed_in["user"] == {
        "id": office.ids["amina"],
        "username": "amina",
        "name": "Amina Haddad",
        "component": "ICE",
        "level": "contributor",
        "roles": [],
        "active": True,
    }
    assert signed_in["acknowledged"] is False
    assert len(signed_in["statements"]) == 3
    [(digest,)] = office.rows("SELECT token_digest FROM sessions")
    assert bytes(digest) == token_digest(signed_in["token"])
    [entry] = office.entries("access:session:open")
    assert entry["subjects"] == [signed_in["session_id"], office.ids["amina"]]
    assert entry["actor"] == office.ids["amina"]
    assert signed_in["token"] not in str(office.entries())


@pytest.mark.requirement("R103", "R104", "R110")
def test_before_the_acknowledgement_there_is_a_passport_for_access_alone(office):
    token = office.sign_in("amina")["token"]
    opened = office.open(token)
    assert set(opened["passports"]) == {"access"}
    assert not office.read(opened["passports"]["access"]).acknowledged
    office.acknowledge(token)
    opened = office.open(token)
    assert set(opened["passports"]) == set(AUDIENCES)
    for audience in AUDIENCES:
        caller = office.read(opened["passports"][audience], audience)
        assert caller.acknowledged
        assert (caller.id, caller.component, caller.level) == (office.ids["amina"], "ICE", "contributor")


@pytest.mark.requirement("R103")
def test_each_session_is_acknowledged_by_itself(office):
    office.signed_in("amina")
    second = office.sign_in("amina")
    assert second["acknowledged"] is False
    assert set(office.open(second["token"])["passports"]) == {"access"}


@pytest.mark.requirement("R109")
def test_the_acknowledgement_is_kept_with_who_when_and_which_text(office):
    token = office.sign_in("amina")["token"]
    acknowledged = office.acknowledge(token)
    [row] = office.rows("SELECT * FROM acknowledgements")
    assert str(row.id) == acknowledged["acknowledgement_id"]
    assert (str(row.user_id), row.statements_version, row.acknowledged_at) == (office.ids["amina"], "2.4-1", office.now)
    [entry] = office.entries("access:session:acknowledge")
    assert entry["acknowledgement"] == acknowledged["acknowledgement_id"]


@pytest.mark.requirement("R105")
@pytest.mark.parametrize("given", [{"statements_version": "1"}, {"accepted": False}])
def test_a_wrong_version_or_a_no_changes_nothing(office, given):
    token = office.sign_in("amina")["token"]
    with pytest.raises(StatementsNotAccepted):
        office.acknowledge(token, **given)
    assert office.rows("SELECT * FROM acknowledgements") == []
    assert office.open(token)["session"]["acknowledged"] is False


def test_acknowledging_twice_is_one_acknowledgement(office):
    token = office.sign_in("amina")["token"]
    first = office.acknowledge(token)
    assert office.acknowledge(token)["acknowledgement_id"] == first["acknowledgement_id"]
    assert len(office.rows("SELECT * FROM acknowledgements")) == 1


def test_a_browsers_token_is_rotated_at_the_acknowledgement_and_the_old_one_is_dead(office):
    old = office.sign_in("amina")["token"]
    new = office.acknowledge(old, rotate=True)["token"]
    assert new
    assert new != old
    assert office.open(new)["session"]["acknowledged"] is True
    with pytest.raises(SessionRequired):
        office.open(old)


def test_an_api_clients_token_stays(office):
    token = office.sign_in("amina")["token"]
    assert office.acknowledge(token)["token"] is None
    assert office.open(token)["session"]["acknowledged"] is True


def test_every_passport_that_was_issued_is_in_the_trail_by_its_number(office):
    token = office.signed_in("amina")
    opened = office.open(token)
    numbers = {office.read(passport, audience).jti for audience, passport in opened["passports"].items()}
    assert set(office.entries("access:passport:issue")[-1]["subjects"]) == numbers


def test_a_session_ends_when_idle_and_its_end_is_recorded(office):
    token = office.signed_in("amina")
    office.later(minutes=14)
    assert office.open(token)
    office.later(minutes=15)
    with pytest.raises(SessionRequired) as refusal:
        office.open(token)
    assert refusal.value.extra == {"reason": "idle"}
    assert office.entries("access:session:end")[-1]["rule"] == "idle"


def test_a_busy_session_ends_after_twelve_hours(office):
    token = office.signed_in("amina")
    for _ in range(12 * 6 - 1):
        office.later(minutes=10)
        office.open(token)
    office.later(minutes=10)
    with pytest.raises(SessionRequired) as refusal:
        office.open(token)
    assert refusal.value.extra == {"reason": "expired"}


def test_the_sweep_ends_what_nobody_came_back_to(office):
    office.sign_in("amina")
    office.sign_in("chloe")
    office.later(minutes=15)
    assert office.does(sessions.sweep) == 2
    assert office.does(sessions.sweep) == 0
    assert len(office.does(sessions.recently_ended)) == 2


def test_asked_to_stop_the_sweep_ends_behind_its_page(office, monkeypatch):
    monkeypatch.setattr("services.access.usecases.sessions._PAGE", 3)
    service = AccessService()
    service.database, service.dependencies = office.database, SimpleNamespace(clock=lambda: office.now)
    service._beat = lambda _caller: None

    def suspended():
        return [told["user_id"] for told in office.announced("access:user:changed") if not told["active"]]

    office.later(days=400)
    token = set_stop_check(lambda: True)
    service.sweep(Caller.service("access"))
    reset_stop_check(token)
    assert len(suspended()) == 3
    service.sweep(Caller.service("access"))
    assert sorted(suspended()) == sorted(office.ids.values()), "the others are reached by the next one, and nobody twice"


@pytest.mark.parametrize(("username", "most"), [("amina", 2), ("grace", 3), ("sam", 3), ("edda", 2)])
def test_one_sign_in_too_many_ends_the_oldest_and_tells_both(office, username, most):
    tokens = []
    for _ in range(most):
        tokens.append(office.sign_in(username)["token"])
        office.later(seconds=1)
    latest = office.sign_in(username)
    assert len(latest["ended_sessions"]) == 1
    with pytest.raises(SessionRequired, match="newer sign-in"):
        office.open(tokens[0])
    for token in [*tokens[1:], latest["token"]]:
        office.open(token)
    assert [entry["rule"] for entry in office.entries("access:session:end")] == ["newer-sign-in"]


def test_signing_out_ends_the_session_everywhere_and_twice_is_no_error(office):
    token = office.signed_in("amina")
    by = office.caller(token)
    office.does(sessions.sign_out, by=by)
    office.does(sessions.sign_out, by=by)
    with pytest.raises(SessionRequired):
        office.open(token)
    assert office.does(sessions.recently_ended) == [by.session_id]


def test_nobody_ends_or_reads_or_acknowledges_anothers_session(office):
    amina, chloe = office.caller(office.sign_in("amina")["token"]), office.caller(office.sign_in("chloe")["token"])
    crossed = Caller(kind="user", id=chloe.id, component="PSO", session_id=amina.session_id)
    office.does(sessions.sign_out, by=crossed)
    with pytest.raises(SessionRequired):
        office.does(sessions.acknowledge, by=crossed, statements_version="2.4-1", accepted=True)
    with pytest.raises(SessionRequired):
        office.does(sessions.read_session, by=crossed)
    assert office.does(sessions.read_session, by=amina)["acknowledged"] is False


def test_only_live_sessions_pass_the_check_of_a_service_that_missed_the_heartbeat(office):
    token = office.signed_in("amina")
    session = office.caller(token).session_id
    assert office.does(sessions.check_session, session_id=session)["lives"] is True
    assert office.does(sessions.check_session, session_id=new_id())["lives"] is False
    office.later(minutes=15)
    assert office.does(sessions.check_session, session_id=session)["lives"] is False


@pytest.mark.requirement("R156")
@pytest.mark.row("P15")
def test_of_mutated_tokens_none_opens_anything(office):
    """P15, at the service."""
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    token = office.signed_in("amina")
    ended = office.signed_in("bruno")
    office.does(sessions.sign_out, by=office.caller(ended))
    with office.database.work(Caller.anonymous()) as work:
        for _ in range(figure(10_000)):
            letters = list(chance.choice([token, token, ended, new_token()]))
            match chance.randrange(4):
                case 0:
                    letters[chance.randrange(43)] = chance.choice(TOKEN_CHARACTERS)
                case 1:
                    del letters[chance.randrange(43)]
                case 2:
                    letters.insert(chance.randrange(44), chance.choice(TOKEN_CHARACTERS + " \n\x00é="))
                case _:
                    chance.shuffle(letters)
            mutated = "".join(letters)
            if mutated == token:
                continue
            outcome = sessions.open_session(work, token=mutated, now=office.now, sign=office.sign, policy_version="1")
            assert isinstance(outcome, SessionRequired), mutated
    assert office.open(token)


def every_dead_state(office):
    """Return tokens of sessions in each state that may do nothing, by name of the state."""
    tokens = {"none": new_token(), "empty": "", "not text": None}
    tokens["idle"] = office.signed_in("farid")
    office.later(minutes=15)
    tokens["signed out"] = office.signed_in("amina")
    office.does(sessions.sign_out, by=office.caller(tokens["signed out"]))
    tokens["one too many"] = office.signed_in("chloe")
    office.later(seconds=1)
    office.signed_in("chloe"), office.signed_in("chloe")
    tokens["rotated"] = office.sign_in("amina")["token"]
    office.acknowledge(tokens["rotated"], rotate=True)
    tokens["disabled user"] = office.signed_in("bruno")
    sam = office.caller(office.signed_in("sam"))
    office.does(administration.change_user, by=sam, user_id=office.ids["bruno"], command=ChangeUser(active=False))
    tokens["rights changed"] = office.signed_in("renata")
    office.does(administration.change_user, by=sam, user_id=office.ids["renata"], command=ChangeUser(level="contributor"))
    return tokens


@pytest.mark.requirement("R156", "R177")
def test_no_token_of_a_dead_session_gets_a_passport_or_an_onward_one(office):
    tokens = every_dead_state(office)
    for state, token in tokens.items():
        with pytest.raises(SessionRequired):
            office.open(token)
            pytest.fail(state)


def exchanged(office, bearer, service, audience):
    """Exchange as the service that the passport was issued to."""
    proof = {"service": service, "secret": service_secret(MASTER, service), "master": MASTER, "shown_to": service}
    return office.does(exchange.exchange, bearer=bearer, audience=audience, sign=office.sign, policy_version="1", **proof)


def test_a_passport_outlives_its_session_nowhere_in_access(office):
    token = office.signed_in("amina")
    bearer = office.caller(token, "interactions")
    own = office.caller(token)
    office.does(sessions.sign_out, by=own)
    with pytest.raises(SessionRequired):
        office.does(sessions.read_session, by=own)
    with pytest.raises(exchange.PassportNotExchangeable):
        exchanged(office, bearer, "interactions", "contacts")


def test_a_passport_is_exchanged_for_the_same_user_and_session_elsewhere(office):
    bearer = office.caller(office.signed_in("amina"), "interactions")
    passports = exchanged(office, bearer, "interactions", "contacts")
    there = office.read(passports["contacts"], "contacts")
    assert (there.id, there.session_id, there.acknowledgement_id) == (bearer.id, bearer.session_id, bearer.acknowledgement_id)
    with pytest.raises(PassportInvalid):
        office.read(passports["contacts"], "retention")


def test_an_unacknowledged_passport_is_exchanged_for_nothing(office):
    bearer = office.caller(office.sign_in("amina")["token"])
    with pytest.raises(exchange.PassportNotExchangeable):
        exchanged(office, bearer, "interactions", "contacts")


def test_there_is_no_passport_for_a_service_that_does_not_exist(office):
    bearer = office.caller(office.signed_in("amina"), "interactions")
    with pytest.raises(exchange.PassportNotExchangeable):
        exchanged(office, bearer, "interactions", "payroll")


def test_what_lapsed_is_told_at_the_sign_in_and_recorded_with_its_rule(office):
    office.later(days=400)
    with pytest.raises(AccessSuspended) as refusal:
        office.sign_in("amina")
    assert [lapse["code"] for lapse in refusal.value.extra["lapses"]] == ["training-computer-security", "rules-of-behavior"]
    entry = office.entries("access:session:open")[-1]
    assert (entry["outcome"], entry["subjects"]) == ("refused", [office.ids["amina"]])


def test_acknowledging_in_the_oldest_session_and_signing_in_once_more_do_not_wait_for_each_other(office):
    oldest = office.sign_in("amina")
    office.later(seconds=1)
    office.sign_in("amina")
    by = office.caller(oldest["token"])
    locked, done = Event(), []

    def sign_in_once_more():
        with office.database.work(Caller.anonymous()) as work:
            stored.find_user(work, office.ids["amina"], lock=True)
            locked.send()
            eventually(lambda: waits(office, "sessions") or "acknowledged" in done, seconds=5)
            done.append(sessions.sign_in(work, user_id=office.ids["amina"], now=office.now)["ended_sessions"])

    signing_in = eventlet.spawn(sign_in_once_more)
    locked.wait()
    with office.database.work(by) as work:
        sessions.acknowledge(work, by=by, now=office.now, statements_version="2.4-1", accepted=True)
    done.append("acknowledged")
    signing_in.wait()
    assert done == ["acknowledged", [by.session_id]]


def waits(office, table):
    """Return whether a transaction waits for a row lock of this table."""
    return bool(office.rows("SELECT 1 FROM pg_locks l JOIN pg_class c ON c.oid = l.relation WHERE NOT l.granted AND c.relname = :t", t=table))
