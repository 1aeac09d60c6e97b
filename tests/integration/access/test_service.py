"""Access over the bus: its answers, and the code of every bad input."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from datetime import UTC, datetime, timedelta

import eventlet
import jwt
import pytest
from argon2 import extract_parameters
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from eventlet import patcher
from sqlalchemy import NullPool, create_engine

from deploy.postgres import as_url
from services.access.contract import AUDIENCES
from services.access.domain import passwords
from services.access.domain.secrets import service_secret
from services.chassis.messages import (
    Caller,
    Forbidden,
    Invalid,
    NotFound,
    Refusal,
    TooMany,
    Unauthenticated,
    entity_tag,
    new_id,
)
from services.chassis.passport import ISSUER, PassportSigner, PassportVerifier
from tests.integration.access.conftest import MASTER, a_key
from tests.support import eventually


def code_of(act, *arguments, **keywords):
    """Return the code of the refusal."""
    with pytest.raises(Refusal) as refusal:
        act(*arguments, **keywords)
    return refusal.value.code


@pytest.mark.requirement("R103", "R104", "R105", "R109", "R110", "R118")
def test_signing_in_acknowledging_and_signing_out(running):
    signed_in = running.sign_in("amina")
    token = signed_in["token"]
    assert code_of(running.call, "list_components", running.passport(token)) == "acknowledgement-required"
    assert running.call("current_session", running.passport(token))["acknowledged"] is False
    running.call("acknowledge", running.passport(token), statements_version="2.4-1", accepted=True)
    passport = running.passport(token)
    assert running.call("current_session", passport)["acknowledged"] is True
    assert len(running.call("list_components", passport)["items"]) == 19
    running.call("sign_out", passport)
    assert code_of(running.call, "open_session", token=token) == "session-required"
    actions = [entry["action"] for entry in running.entries()]
    for action in ("open", "acknowledge", "end"):
        assert f"access:session:{action}" in actions


def test_a_session_that_ended_is_soon_known_everywhere(running):
    token = running.signed_in("amina")
    passport = running.passport(token, "contacts")
    caller = PassportVerifier(running.public_key, "contacts").verify(passport, running.now())
    eventually(lambda: running.heard.is_current)
    running.heard.check(caller)
    running.call("sign_out", running.passport(token))
    begun = time.monotonic()
    eventually(lambda: code_of(running.heard.check, caller) == "session-ended")
    print(f"known after {time.monotonic() - begun:.2f} s of 1 s")


def test_the_heartbeat_comes_every_second(standing):
    eventually(lambda: standing.heard.is_current)
    first = standing.heard.serial
    eventually(lambda: standing.heard.serial > first, seconds=5)
    assert standing.heard.policy_version == "1"


@pytest.mark.requirement("R156")
def test_a_wrong_password_and_an_unknown_name_are_answered_alike_and_the_name_is_nowhere(running, capfd):
    wrong, unknown = [], []
    for username, answers in (("amina", wrong), ("zebulon.nobody", unknown)):
        with pytest.raises(Unauthenticated) as refusal:
            running.sign_in(username, "not the password", source=f"198.51.100.{len(username)}")
        answers.append(refusal.value.to_wire())
    assert wrong == unknown
    assert wrong[0]["code"] == "credentials-wrong"
    aimed = [entry["subjects"] for entry in running.entries() if entry["action"] == "access:credentials:mismatch"]
    assert aimed == [[running.ids["amina"]], []]
    with running.database.system_transaction() as connection:
        # Partitions are read through their parents.
        readable = (
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')"
            " AND has_table_privilege(oid, 'SELECT')"
        )
        tables = connection.exec_driver_sql(readable).scalars().all()
        assert {"users", "sessions", "entries", "outbox", "gateway_refusals"} <= set(tables)
        for table in tables:
            assert "zebulon" not in str(connection.exec_driver_sql(f'SELECT * FROM "{table}"').all()), table
    assert "zebulon" not in "".join(capfd.readouterr())


def test_an_unknown_name_is_hashed_against_as_a_wrong_password_is(running, monkeypatch):
    """Both take equally long: hashing is nine tenths of the time, and the same for both."""
    costs = []
    is_right = passwords.is_right

    def counting(stored, password):
        costs.append(extract_parameters(stored))
        return is_right(stored, password)

    monkeypatch.setattr(passwords, "is_right", counting)
    for username in ("amina", "nobody"):
        assert code_of(running.sign_in, username, "not the password", source="198.51.100.7") == "credentials-wrong"
    assert len(costs) == 2
    assert costs[0] == costs[1]


def test_too_many_failures_are_429_for_names_that_exist_and_for_those_that_do_not(running):
    for username in ("amina", "nobody"):
        source = f"203.0.113.{len(username)}"
        for _ in range(5):
            assert code_of(running.sign_in, username, "not the password", source=source) == "credentials-wrong"
        with pytest.raises(TooMany, match="wait"):
            running.sign_in(username, source=source)
    assert running.sign_in("amina", source="203.0.113.200")["token"]


def test_checking_passwords_does_not_hold_up_others(running, monkeypatch):
    """The event loop turns while a password is checked, and before the check ends."""
    begun, turned = (patcher.original("threading").Event() for _ in range(2))
    is_right = passwords.is_right

    def after_the_loop_turned(stored, password):
        begun.set()
        return turned.wait(20) and is_right(stored, password)

    monkeypatch.setattr(passwords, "is_right", after_the_loop_turned)
    signing_in = eventlet.spawn(running.sign_in, "amina", source="198.51.100.1")
    eventually(begun.is_set, seconds=60)
    turned.set()
    with eventlet.Timeout(60):
        assert signing_in.wait()["token"]


BAD_CALLS = [
    ("sign_in", {"username": "", "password": "x", "source": "s"}, Invalid),
    ("sign_in", {"username": "x" * 201, "password": "x", "source": "s"}, Invalid),
    ("sign_in", {"username": "amina\x00", "password": "x", "source": "s"}, Invalid),
    ("sign_in", {"username": 7, "password": "x", "source": "s"}, Invalid),
    ("sign_in", {"username": "amina", "password": None, "source": "s"}, Invalid),
    ("sign_in", {"username": "amina"}, Invalid),
    ("sign_in", {"username": "amina", "password": "x", "source": "s", "admin": True}, Invalid),
    ("open_session", {}, Invalid),
    ("open_session", {"token": None}, Unauthenticated),
    ("open_session", {"token": {"$ne": ""}}, Unauthenticated),
    ("open_session", {"token": "A" * 100_000}, Unauthenticated),
    ("check_session", {"session_id": "no id"}, Unauthenticated),
    ("check_session", {"session_id": ["x"]}, Unauthenticated),
    ("exchange", {"passport": "x", "audience": "contacts", "service": "x", "secret": "x"}, Unauthenticated),
    ("exchange", {"passport": None, "audience": "contacts", "service": None, "secret": None}, Unauthenticated),
    ("exchange", {"passport": {}, "audience": [], "service": [], "secret": {}}, Unauthenticated),
    ("service_passport", {"service": "contacts", "secret": "wrong", "audience": "access"}, Unauthenticated),
    ("service_passport", {"service": "nobody", "secret": service_secret(MASTER, "nobody"), "audience": "access"}, Unauthenticated),
    ("service_passport", {"service": "contacts", "secret": service_secret(MASTER, "contacts"), "audience": "payroll"}, Unauthenticated),
    ("service_passport", {"service": ["contacts"], "secret": {}, "audience": []}, Unauthenticated),
    ("record_refusal", {"route": "a b?c=d", "code": "not-found", "status": 404, "source": "s"}, Invalid),
    ("record_refusal", {"route": "r", "code": "Not a code!", "status": 404, "source": "s"}, Invalid),
    ("record_refusal", {"route": "r", "code": "c", "status": "404", "source": "s"}, Invalid),
    ("record_refusal", {"route": "r", "code": "c", "status": 200, "source": "s"}, Invalid),
    ("read_user", {"user_id": "x"}, Unauthenticated),
    ("no_such_method", {}, NotFound),
    ("_beat", {}, NotFound),
    ("beat", {}, NotFound),
]


@pytest.mark.parametrize(("method", "given", "branch"), BAD_CALLS)
def test_every_bad_input_is_answered_with_a_code(standing, method, given, branch):
    with pytest.raises(branch) as refusal:
        standing.call(method, **given)
    assert refusal.value.code
    assert standing.sign_in("amina")["token"]


BAD_REQUESTS = [
    ("acknowledge", {"statements_version": "2.4-1", "accepted": False}, Invalid, "statements-not-accepted"),
    ("acknowledge", {"statements_version": "2.4-1", "accepted": "yes"}, Invalid, "invalid"),
    ("acknowledge", {"statements_version": "2.4-1", "accepted": 1}, Invalid, "invalid"),
    ("acknowledge", {"statements_version": "2.4-1"}, Invalid, "bad-call"),
    ("acknowledge", {"statements_version": "9", "accepted": True}, Invalid, "statements-not-accepted"),
    ("read_user", {"user_id": "not-an-id"}, NotFound, "user-unknown"),
    ("read_user", {"user_id": None}, NotFound, "user-unknown"),
    ("list_users", {"ids": ["not-an-id"]}, Invalid, "invalid"),
    ("list_users", {"q": "x" * 101}, Invalid, "invalid"),
    ("list_users", {"sort": "password"}, Invalid, "unknown-field"),
    ("list_users", {"limit": 0}, Invalid, "invalid"),
    ("list_users", {"cursor": "x"}, Invalid, "cursor-invalid"),
    ("read_operation", {"operation_id": "x"}, NotFound, "not-found"),
    ("integration_owner", {"account": "ice", "username": "amina"}, Forbidden, "identity-refused"),
    ("create_user", {"body": {}}, Invalid, "operation-required"),
]


@pytest.mark.parametrize(("method", "given", "branch", "code"), BAD_REQUESTS)
def test_every_bad_request_of_somebody_signed_in_is_answered_with_a_code(standing, method, given, branch, code):
    token = standing.signed_in("amina") if method != "acknowledge" else standing.sign_in("amina")["token"]
    with pytest.raises(branch) as refusal:
        standing.call(method, standing.passport(token), **given)
    assert refusal.value.code == code


NEED_A_PASSPORT = [
    ("current_session", {}),
    ("acknowledge", {"statements_version": "2.4-1", "accepted": True}),
    ("sign_out", {}),
    ("list_components", {}),
    ("list_users", {}),
    ("read_user", {"user_id": new_id()}),
    ("read_operation", {"operation_id": new_id()}),
    ("create_user", {"body": {}}),
    ("change_user", {"user_id": new_id(), "body": {}}),
    ("approve_user", {"user_id": new_id()}),
    ("withdraw_approval", {"user_id": new_id()}),
    ("designate_license", {"user_id": new_id(), "body": {}}),
    ("record_training", {"user_id": new_id(), "body": {}}),
    ("accept_rules_of_behavior", {"user_id": new_id(), "body": {}}),
    ("put_component", {"code": "ICE", "body": {}}),
    ("integration_owner", {"account": "x", "username": "amina"}),
]
BEFORE = {"current_session", "acknowledge", "sign_out"}


def dead_passports(running):
    """Return passports of sessions that may do nothing any more, by reason."""

    def passport_then(username, act):
        token = running.signed_in(username)
        passport = running.passport(token)
        act(token, passport)
        return passport

    sam = running.signed_in("sam")

    def as_sam(method, username, **given):
        running.call(method, running.passport(sam), command=True, user_id=running.ids[username], **given)

    def sign_in_thrice(*_):
        for _ in range(2):
            running.sign_in("chloe")

    dead = {
        "signed out": passport_then("amina", lambda _, passport: running.call("sign_out", passport)),
        "one too many": passport_then("chloe", sign_in_thrice),
        "disabled user": passport_then("bruno", lambda *_: as_sam("change_user", "bruno", body={"active": False})),
        "rights changed": passport_then("renata", lambda *_: as_sam("change_user", "renata", body={"level": "contributor"})),
    }
    # Ended sessions are known to the service through its own heartbeat.
    ended = len(dead)
    with running.database.system_transaction() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM sessions WHERE ended_at IS NOT NULL").scalar_one() == ended
    return dead


@pytest.mark.requirement("R110", "R156")
@pytest.mark.row("P15")
def test_every_method_refuses_every_dead_session_and_whoever_did_not_acknowledge(running):
    """P15 at a twentieth, at the service: states of sessions by methods."""
    dead = dead_passports(running)
    unacknowledged = running.passport(running.sign_in("farid")["token"])
    served = []
    for method, given in NEED_A_PASSPORT:
        for state, passport in {"none": None, "no passport": "x", **dead}.items():
            try:
                eventually(lambda m=method, g=given, p=passport: refused_as_unauthenticated(running, m, p, g), seconds=2)
            except AssertionError:
                served.append((method, state))
        if method not in BEFORE:
            assert code_of(running.call, method, unacknowledged, command=True, **given) in {
                "acknowledgement-required",
                "identity-refused",
            }, method
    assert served == []


def refused_as_unauthenticated(running, method, passport, given):
    """Return whether the method does not accept this passport for any user that it answers."""
    try:
        running.call(method, passport, command=True, **given)
    except Unauthenticated:
        return True
    except Forbidden as refusal:
        return refusal.code == "identity-refused"
    except Refusal:
        return False
    return False


#: The service shows that it is interactions, which asks contacts in users' names.
PROOF = {"service": "interactions", "secret": service_secret(MASTER, "interactions")}


def forged_passports(running, token):
    """Return forged passports by kind: P16's list."""
    now = datetime.now(UTC)
    honest = running.passport(token)
    claims = jwt.decode(honest, options={"verify_signature": False})
    header, payload, signature = honest.split(".")
    key = Ed25519PrivateKey.generate()
    other_private, _ = a_key()
    caller = PassportVerifier(running.public_key, "access").verify(honest, now)

    def b64(value):
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    def hs256(secret):
        signed = f"{b64({'alg': 'HS256', 'typ': 'JWT'})}.{payload}"
        mac = hmac.new(secret.encode(), signed.encode(), hashlib.sha256).digest()
        return f"{signed}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"

    def with_claims(**changes):
        return jwt.encode({**claims, **changes}, running.private_key, algorithm="EdDSA")

    honest_signer = PassportSigner(running.private_key)
    unauthorized = Caller(kind="user", id=running.ids["amina"], component="ICE", level="steward", session_id=new_id())
    return {
        "alg none": f"{b64({'alg': 'none'})}.{payload}.",
        "alg None": f"{b64({'alg': 'None'})}.{payload}.{signature}",
        "no signature": f"{header}.{payload}.",
        "hs256 with the public key": hs256(running.public_key),
        "hs256 with the public key, stripped": hs256(running.public_key.strip()),
        "another key": jwt.encode(claims, key, algorithm="EdDSA"),
        "another key, its own jwk": jwt.encode(claims, key, algorithm="EdDSA", headers={"kid": "x", "jku": "https://example.org"}),
        "another signer": PassportSigner(other_private).issue(caller, "access", now)[0],
        "wrong audience": running.passport(token, "contacts"),
        "wrong issuer": with_claims(iss="liaison/contacts"),
        "no issuer": jwt.encode({k: v for k, v in claims.items() if k != "iss"}, running.private_key, algorithm="EdDSA"),
        "no audience": jwt.encode({k: v for k, v in claims.items() if k != "aud"}, running.private_key, algorithm="EdDSA"),
        "no end": jwt.encode({k: v for k, v in claims.items() if k != "exp"}, running.private_key, algorithm="EdDSA"),
        "expired": honest_signer.issue(caller, "access", now - timedelta(seconds=61))[0],
        "of the future": honest_signer.issue(caller, "access", now + timedelta(seconds=30))[0],
        "too long a life": with_claims(exp=int(now.timestamp()) + 3600),
        "a steward's payload": f"{header}.{b64({**claims, 'level': 'steward'})}.{signature}",
        "another session's": f"{header}.{b64({**claims, 'session': new_id()})}.{signature}",
        "an acknowledgement added": f"{header}.{b64({**claims, 'acknowledgement': new_id()})}.{signature}",
        "truncated": honest[:-5],
        "two parts": f"{header}.{payload}",
        "four parts": f"{honest}.{signature}",
        "header twice": f"{header}.{header}.{signature}",
        "unacknowledged": honest_signer.issue(unauthorized, "access", now)[0],
    }


@pytest.mark.requirement("R156")
@pytest.mark.row("P16")
def test_no_forged_passport_is_accepted(standing):
    """P16's list of forgeries, and 400 mutations (a twentieth of the finished system's)."""
    token = standing.signed_in("amina")
    for forgery, passport in forged_passports(standing, token).items():
        code = code_of(standing.call, "list_components", passport)
        assert code == ("acknowledgement-required" if forgery == "unacknowledged" else "passport-invalid"), forgery
        if forgery != "wrong audience":
            assert code_of(standing.call, "exchange", passport=passport, audience="contacts", **PROOF) == "passport-not-exchangeable", forgery
    honest = standing.passport(token)
    verifier = PassportVerifier(standing.public_key, "access")
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    accepted = []
    for place in range(len(honest)):
        for character in ("A", "_", "=", " ", "!") if place < len(honest) - 1 else alphabet:
            mutated = honest[:place] + character + honest[place + 1 :]
            if mutated != honest:
                try:
                    verifier.verify(mutated, standing.now())
                except Unauthenticated:
                    continue
                accepted.append((place, character))
    assert accepted == []
    assert verifier.verify(honest, standing.now()).id == standing.ids["amina"]


def test_a_passport_names_its_issuer_and_one_audience(standing):
    claims = jwt.decode(standing.passport(standing.signed_in("amina")), options={"verify_signature": False})
    assert claims["iss"] == ISSUER
    assert claims["exp"] - claims["iat"] <= 60
    assert claims["aud"] == "access"


def test_a_service_gets_its_own_passport_for_its_secret(standing):
    for service in ("contacts", "gateway"):
        for audience in AUDIENCES:
            answer = standing.call("service_passport", service=service, secret=service_secret(MASTER, service), audience=audience)
            caller = PassportVerifier(standing.public_key, audience).verify(answer["passport"], standing.now())
            assert (caller.kind, caller.id, caller.session_id) == ("service", service, None)
            assert caller.jti in str([e["subjects"] for e in standing.entries() if e["action"] == "access:passport:issue"])


def test_a_service_may_read_the_directory_and_nothing_of_a_users(standing):
    passport = standing.call("service_passport", service="retention", secret=service_secret(MASTER, "retention"), audience="access")["passport"]
    assert len(standing.call("list_users", passport)["items"]) == 9
    for method in ("current_session", "sign_out"):
        assert code_of(standing.call, method, passport) == "identity-refused"
    assert code_of(standing.call, "change_user", passport, command=True, user_id=standing.ids["amina"], body={"active": False}) == "identity-refused"


def test_a_services_passport_is_not_exchanged_for_another(standing):
    """Contacts, called by retention to erase, has a passport of retention, and cannot call anybody with it."""
    shown = standing.call("service_passport", service="retention", secret=service_secret(MASTER, "retention"), audience="contacts")["passport"]
    for audience in AUDIENCES:
        proof = {"service": "contacts", "secret": service_secret(MASTER, "contacts")}
        assert code_of(standing.call, "exchange", passport=shown, audience=audience, **proof) == "passport-not-exchangeable"


def test_refusals_at_the_gateway_of_a_user_bear_the_user_and_of_the_anonymous_are_counted(running):
    passport = running.passport(running.signed_in("chloe"))
    refusal = {"route": "individuals.reveal", "code": "forbidden", "status": 403, "source": "198.51.100.7"}
    for _ in range(3):
        running.call("record_refusal", passport, **refusal)
        running.call("record_refusal", **{**refusal, "code": "session-required", "status": 401})
    entries = [entry for entry in running.entries() if entry["action"] == "gateway:request:refuse"]
    assert [entry["actor"] for entry in entries if entry["rule"] == "forbidden"] == [running.ids["chloe"]] * 3
    anonymous = [entry for entry in entries if entry["rule"] == "session-required"]
    assert 1 <= len(anonymous) <= 2  # The clock's minute may have turned in between.
    assert anonymous[0]["fields"] == ["route:individuals.reveal", "status:401"]
    assert "198.51.100.7" not in str(running.entries())
    running.skew = timedelta(minutes=2)
    eventually(
        lambda: any(entry["action"] == "gateway:request:refuse-further" for entry in running.entries()) or len(anonymous) == 2,
        seconds=40,
    )


@pytest.mark.requirement("R118", "R119")
def test_without_an_audit_entry_nothing_is_answered(running):
    """P6: while entries cannot be inserted, every method answers only 503, and does nothing."""
    token = running.signed_in("sam")
    passport, unacknowledged = running.passport(token), running.passport(running.sign_in("amina")["token"])
    bruno = running.ids["bruno"]
    reads = [("current_session", {}), ("list_components", {}), ("list_users", {}), ("read_user", {"user_id": bruno})]
    changes = [
        ("change_user", {"user_id": bruno, "body": {"level": "steward"}}),
        ("withdraw_approval", {"user_id": bruno}),
        ("create_user", {"body": {"username": "henrik", "name": "Henrik", "component": "ICE"}}),
        ("put_component", {"code": "TSA", "body": {"name": "TSA"}}),
    ]
    opens = [
        ("sign_in", {"username": "bruno", "password": "correct horse battery", "source": "198.51.100.7"}),
        ("sign_in", {"username": "bruno", "password": "wrong", "source": "198.51.100.7"}),
        ("open_session", {"token": token}),
        ("open_session", {"token": "x"}),
        ("exchange", {"passport": running.passport(token, "interactions"), "audience": "contacts", **PROOF}),
        ("service_passport", {"service": "contacts", "secret": service_secret(MASTER, "contacts"), "audience": "access"}),
        ("check_session", {"session_id": new_id()}),
        ("record_refusal", {"route": "r", "code": "c", "status": 404, "source": "192.0.2.1"}),
    ]
    before = table_contents(running)
    owner = create_engine(as_url(running.addresses.owner), poolclass=NullPool)
    with owner.begin() as connection:
        connection.exec_driver_sql("REVOKE INSERT ON entries FROM liaison_access")
    for method, given in reads + changes:
        assert code_of(running.call, method, passport, command=True, **given) == "unavailable", method
    for method, given in opens:
        assert code_of(running.call, method, **given) == "unavailable", method
    assert code_of(running.call, "acknowledge", unacknowledged, statements_version="2.4-1", accepted=True) == "unavailable"
    assert code_of(running.call, "sign_out", passport) == "unavailable"
    with owner.begin() as connection:
        connection.exec_driver_sql("GRANT INSERT ON entries TO liaison_access")
    owner.dispose()
    assert table_contents(running) == before
    assert running.call("current_session", passport)["acknowledged"] is True


def table_contents(running):
    """Return the rows that may not change without an entry."""
    with running.database.system_transaction() as connection:
        return [
            connection.exec_driver_sql(f"SELECT * FROM {table} ORDER BY 1").all()
            for table in ("users", "approvals", "sessions", "acknowledgements", "components", "gateway_refusals")
        ]


def test_every_answer_left_an_entry_with_its_trace(standing):
    token = standing.signed_in("amina")
    passport = standing.passport(token)
    for method, given in (
        ("current_session", {}),
        ("list_users", {"q": "am"}),
        ("list_components", {}),
        ("read_user", {"user_id": standing.ids["chloe"]}),
    ):
        trace = new_id()
        standing.client.call("access", method, given, passport=passport, trace_id=trace)
        assert [entry["outcome"] for entry in standing.entries() if entry["trace_id"] == trace] == ["allowed"], method
    for method, given in (("read_user", {"user_id": new_id()}), ("create_user", {"body": {}})):
        trace = new_id()
        with pytest.raises(Refusal):
            standing.client.call("access", method, given, passport=passport, trace_id=trace)
        assert [entry["outcome"] for entry in standing.entries() if entry["trace_id"] == trace] == ["refused"], method


@pytest.mark.requirement("T29")
def test_a_user_sets_the_time_zone_of_their_own_pages_and_nobody_elses(running):
    passport = running.passport(running.signed_in("amina"))
    profile = running.call("read_profile", passport)
    assert profile["time_zone"] is None
    changed = running.call("change_profile", passport, command=True, body={"time_zone": "America/Chicago"}, if_match=entity_tag(profile))
    assert changed == {**profile, "time_zone": "America/Chicago"}
    assert running.call("read_profile", passport) == changed
    assert running.call("current_session", passport)["time_zone"] == "America/Chicago"
    assert code_of(running.call, "change_profile", passport, command=True, body={"time_zone": None}, if_match=entity_tag(profile)) == "stale"
    assert running.call("change_profile", passport, command=True, body={"time_zone": None}, if_match=entity_tag(changed))["time_zone"] is None
    entry = next(entry for entry in running.entries() if entry["action"] == "access:profile:change")
    assert entry["fields"] == ["time_zone"]


@pytest.mark.parametrize("wrong", ["Mars/Phobos", "EST5EDT4,M3.2.0", "../etc/passwd", "", "Factory", "localtime", 5, "x" * 100, "America/new_york"])
def test_a_time_zone_that_there_is_not_is_refused(running, wrong):
    passport = running.passport(running.signed_in("amina"))
    with pytest.raises(Invalid) as refusal:
        running.call("change_profile", passport, command=True, body={"time_zone": wrong}, if_match='"any"')
    assert "time_zone" in refusal.value.errors
