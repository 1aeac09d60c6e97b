"""Around every call: passport, acknowledgement, audit, and the parts of an error that may cross."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import eventlet
import orjson
import pytest
from marshmallow import Schema, fields
from sqlalchemy import text

from services.chassis.database import CommandCall, DatabaseUnavailable, UnitOfWork
from services.chassis.entrypoints import BusProvider, DatabaseProvider, rpc
from services.chassis.entrypoints.rpc import RpcConsumer
from services.chassis.messages import Caller, Forbidden, Invalid, NotFound, OutcomeUnknown, Refusal, Unauthenticated, Unavailable, new_id
from services.chassis.outbox.backlog import Backlog
from services.chassis.passport import PassportSigner
from services.chassis.runtime.process import Services
from services.chassis.transport.publisher import PublishResult
from services.chassis.transport.rpc_client import InternalError, RpcClient
from tests.integration.bus.conftest import Keys, World
from tests.support import a_caller, a_command, eventually, lines_logged

SECRET = "Dov's cell is (202) 555-0199"
THING = "0192f0c1-0000-7000-8000-000000000001"


class _Body(Schema):
    title = fields.String(required=True)


class Probe:
    """Answers, and fails in every way."""

    name = "probe"
    database = DatabaseProvider()
    bus = BusProvider()
    ran: ClassVar[list[str]] = []

    def _audited(self, caller: Caller, action: str) -> dict[str, Any]:
        self.ran.append(action)
        with self.database.work(caller) as work:
            work.record(action)
        return {"caller": caller.id, "kind": caller.kind}

    @rpc("probe:thing:read", subject="thing_id")
    def read(self, caller: Caller, thing_id: str) -> dict[str, Any]:
        return self._audited(caller, "probe:thing:read")

    @rpc("probe:thing:leak")
    def leak(self, caller: Caller) -> dict[str, Any]:
        return {"phone": SECRET}

    @rpc("probe:thing:roll-back")
    def roll_back(self, caller: Caller) -> dict[str, Any]:
        try:
            with self.database.work(caller) as work:
                work.record("probe:thing:roll-back")
                return {"never": 1 // 0}
        except ZeroDivisionError:
            return {"phone": SECRET}

    @rpc("probe:thing:break")
    def break_down(self, caller: Caller) -> dict[str, Any]:
        raise RuntimeError(SECRET)

    @rpc("probe:thing:odd")
    def odd(self, caller: Caller) -> object:
        self._audited(caller, "probe:thing:odd")
        return object()

    @rpc("probe:thing:create", command=True)
    def create(self, call: CommandCall, body: dict[str, Any]) -> dict[str, Any]:
        _Body().load(body)
        self.ran.append("probe:thing:create")
        call.run(lambda work: work.record("probe:thing:create"))
        return {"caller": call.caller.id, "kind": call.caller.kind}

    @rpc("probe:thing:forget", command=True)
    def forget(self, call: CommandCall) -> dict[str, Any]:
        return self._audited(call.caller, "probe:thing:forget")

    @rpc("probe:thing:greet", identity="anonymous")
    def greet(self, caller: Caller) -> dict[str, Any]:
        return self._audited(caller, "probe:thing:greet")

    @rpc("probe:session:acknowledge", before_acknowledgement=True)
    def acknowledge(self, caller: Caller) -> dict[str, Any]:
        return self._audited(caller, "probe:session:acknowledge")

    @rpc("probe:thing:erase", identity="retention")
    def erase(self, caller: Caller) -> dict[str, Any]:
        return self._audited(caller, "probe:thing:erase")

    @rpc("probe:thing:linger")
    def linger(self, caller: Caller) -> dict[str, Any]:
        with self.database.work(caller) as work:
            work.record("probe:thing:linger")
            eventlet.sleep(30)
        return {}

    @rpc("probe:thing:change", command=True)
    def change(self, call: CommandCall) -> dict[str, Any]:
        return self.linger(call.caller)


@pytest.fixture
def probe(world: World) -> World:
    Probe.ran.clear()
    world.declare(Probe)
    world.run(Probe)
    return world


@pytest.fixture
def client(probe: World) -> RpcClient:
    return probe.client()


@pytest.fixture
def lines() -> Iterator[list[dict[str, Any]]]:
    with lines_logged() as captured:
        yield captured


def _refusal(client: RpcClient, method: str, passport: str | None = None, **kwargs: Any) -> Refusal:
    with pytest.raises(Refusal) as refused:
        client.call("probe", method, kwargs, passport=passport)
    return refused.value


@pytest.mark.requirement("T8")
def test_an_answer_without_an_audit_entry_does_not_leave(probe: World, client: RpcClient) -> None:
    for method in ("leak", "roll_back"):
        with pytest.raises(InternalError):
            client.call("probe", method, {}, passport=probe.passport(a_caller()))
    assert {(e["outcome"], e["rule"]) for e in probe.entries()} == {("failed", "internal")}


def test_a_command_that_does_not_store_its_result_is_not_answered(probe: World, client: RpcClient, lines: list[dict[str, Any]]) -> None:
    amina = a_command(a_caller())
    with pytest.raises(InternalError):
        client.call("probe", "forget", {}, passport=probe.passport(amina), operation=amina.operation)
    (line,) = [line for line in lines if line["event"] == "call.failed"]
    assert line["error"].endswith("Unstored")


def test_of_a_mistake_only_the_word_internal_and_the_trace_id_cross(
    probe: World, client: RpcClient, lines: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    crossed: list[bytes] = []
    answer = RpcConsumer.answer
    monkeypatch.setattr(RpcConsumer, "answer", lambda consumer, message, body: (crossed.append(body), answer(consumer, message, body)))
    amina = a_caller()
    with pytest.raises(InternalError) as failed:
        client.call("probe", "break_down", {}, passport=probe.passport(amina), trace_id=amina.trace_id)
    assert failed.value.trace_id == amina.trace_id
    # Whoever asks would not be shown more of it; but nothing more is on the wire either.
    error = {"branch": "internal", "code": "internal", "detail": None, "errors": None, "extra": {"trace_id": amina.trace_id}}
    assert [orjson.loads(body) for body in crossed] == [{"result": None, "error": error}]
    (line,) = [line for line in lines if line["event"] == "call.failed"]
    assert line["error"] == "builtins.RuntimeError"
    assert "555-0199" not in repr(lines)
    (entry,) = probe.entries()
    assert (entry["outcome"], entry["trace_id"]) == ("failed", amina.trace_id)


def test_what_has_no_json_form_is_a_mistake_and_the_service_lives(probe: World, client: RpcClient) -> None:
    with pytest.raises(InternalError):
        client.call("probe", "odd", {}, passport=probe.passport(a_caller()))
    assert client.call("probe", "greet", {})["kind"] == "anonymous"


def test_a_refusal_that_cannot_be_recorded_does_not_leave_as_itself(probe: World, client: RpcClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_record(*_: Any, **__: Any) -> None:
        raise DatabaseUnavailable

    passport = probe.passport(a_caller(acknowledged=False))
    monkeypatch.setattr(UnitOfWork, "record", no_record)
    assert isinstance(_refusal(client, "read", passport, thing_id=THING), Unavailable)


@pytest.mark.requirement("R103", "R110")
def test_without_an_acknowledgement_a_service_refuses(probe: World, client: RpcClient) -> None:
    chloe = a_caller("PSO", acknowledged=False)
    refusal = _refusal(client, "read", probe.passport(chloe), thing_id=THING)
    assert (type(refusal), refusal.code) == (Forbidden, "acknowledgement-required")
    assert client.call("probe", "acknowledge", {}, passport=probe.passport(chloe))["caller"] == chloe.id
    refused = probe.entries()[0]
    assert (refused["actor"], refused["outcome"], refused["subjects"]) == (chloe.id, "refused", [THING])


def test_nobody_is_believed_without_a_passport_made_out_to_this_service(probe: World, client: RpcClient) -> None:
    amina, now = a_caller(), datetime.now(UTC)
    stranger = PassportSigner(Keys.make().private)
    good = probe.passport(amina)
    header, claims, signature = good.split(".")
    forged = [
        None,
        "",
        "nonsense",
        probe.passport(amina, audience="contacts"),
        stranger.issue(amina, "probe", now)[0],
        probe.signer.issue(amina, "probe", now - timedelta(seconds=61))[0],
        probe.signer.issue(amina, "probe", now + timedelta(seconds=30))[0],
        f"{header}.{claims}.",
        f"{header}.{claims[:-2]}.{signature}",
    ]
    for passport in forged:
        refusal = _refusal(client, "read", passport, thing_id=THING)
        assert (type(refusal), refusal.code) == (Unauthenticated, "passport-invalid")
    assert Probe.ran == []
    assert {(e["actor"], e["outcome"]) for e in probe.entries()} == {("anonymous", "refused")}
    assert len(probe.entries()) == len(forged)


def test_a_service_identity_may_ask_only_what_names_it(probe: World, client: RpcClient) -> None:
    retention, contacts = Caller.service("retention"), Caller.service("contacts")
    assert client.call("probe", "erase", {}, passport=probe.passport(retention))["caller"] == "retention"
    for caller, method in ((contacts, "erase"), (a_caller(), "erase"), (replace(a_caller(), id="retention"), "erase")):
        assert _refusal(client, method, probe.passport(caller)).code == "identity-refused"
    assert _refusal(client, "read", probe.passport(retention), thing_id=THING).code == "identity-refused"


def test_an_ended_session_is_refused_though_its_passport_still_lives(probe: World, client: RpcClient) -> None:
    amina = a_caller()
    passport = probe.passport(amina)
    client.call("probe", "read", {"thing_id": THING}, passport=passport)
    probe.processes["probe"].revocations.hear(2, [str(amina.session_id)], "1")
    assert _refusal(client, "read", passport, thing_id=THING).code == "session-ended"


def test_a_passport_from_before_a_change_of_policy_must_be_renewed(probe: World, client: RpcClient) -> None:
    probe.processes["probe"].revocations.hear(2, [], "2")
    assert _refusal(client, "read", probe.passport(a_caller()), thing_id=THING).code == "passport-stale"


def test_who_has_not_heard_access_asks_it_and_fails_closed(probe: World, client: RpcClient) -> None:
    revocations = probe.processes["probe"].revocations
    revocations._heard = None
    lives = [True]
    revocations._ask = lambda _: lives[0]
    passport = probe.passport(a_caller())
    client.call("probe", "read", {"thing_id": THING}, passport=passport)
    lives[0] = False
    assert _refusal(client, "read", passport, thing_id=THING).code == "session-ended"
    revocations._ask = lambda _: 1 / 0
    assert isinstance(_refusal(client, "read", passport, thing_id=THING), Unavailable)


def test_wrong_arguments_unknown_methods_and_commands_without_operation_are_coded_refusals(probe: World, client: RpcClient) -> None:
    amina = a_caller()
    passport = probe.passport(amina)
    assert _refusal(client, "read", passport).code == "bad-call"
    assert _refusal(client, "read", passport, thing_id=THING, more=1).code == "bad-call"
    assert _refusal(client, "read", passport, thing_id=THING, caller=1, self=2).code == "bad-call"
    assert _refusal(client, "create", passport, body={"title": "x"}).code == "operation-required"
    unknown = _refusal(client, "no_such", passport)
    assert (type(unknown), unknown.code) == (NotFound, "no-such-method")


def test_what_a_schema_refuses_is_told_field_by_field(probe: World, client: RpcClient) -> None:
    amina = a_command(a_caller())
    with pytest.raises(Invalid) as refused:
        client.call("probe", "create", {"body": {"color": "red"}}, passport=probe.passport(amina), operation=amina.operation)
    assert refused.value.errors == {"title": ["Missing data for required field."], "color": ["Unknown field."]}


def test_what_is_no_id_is_not_recorded_as_a_subject(probe: World, client: RpcClient) -> None:
    client_refusal = _refusal(client, "read", probe.passport(a_caller(acknowledged=False)), thing_id=SECRET)
    assert client_refusal.code == "acknowledgement-required"
    assert [e["subjects"] for e in probe.entries()] == [[]]


def test_work_ends_at_its_callers_deadline_and_gives_its_connection_up(probe: World, client: RpcClient) -> None:
    with pytest.raises(Unavailable):
        client.call("probe", "linger", {}, passport=probe.passport(a_caller()), deadline=1.0)
    assert client._waiting == {}
    # The worker has stopped as well, and says so; nothing of what it had begun is left.
    (entry,) = eventually(probe.entries, seconds=10)
    assert (entry["action"], entry["outcome"], entry["rule"]) == ("probe:thing:linger", "refused", "unavailable")
    database = probe.processes["probe"].open_database()
    eventually(lambda: database.engine.pool.checkedout() == 0)  # type: ignore[attr-defined]  # a pool with a count, as ours is


def test_a_late_command_answers_that_its_outcome_is_unknown_and_a_late_query_that_the_service_is_away(
    probe: World, client: RpcClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The service stops at the deadline it was given; this caller waits longer, and so gets its answer."""
    publish = client._broker.publish
    monkeypatch.setattr(client._broker, "publish", lambda body, **given: publish(body, **{**given, "expiration": "300"}))
    amina = a_command(a_caller())
    assert amina.operation is not None
    with pytest.raises(OutcomeUnknown) as unknown:
        client.call("probe", "change", {}, passport=probe.passport(amina), operation=amina.operation)
    assert unknown.value.extra == {"operation_id": amina.operation.id}
    assert _refusal(client, "linger", probe.passport(a_caller())).code == "unavailable"
    assert [(e["action"], e["rule"]) for e in probe.entries()] == [("probe:thing:change", "outcome-unknown"), ("probe:thing:linger", "unavailable")]


class Asker:
    """Calls access and probe, for its callers and for itself."""

    name = "asker"
    database = DatabaseProvider()
    bus = BusProvider()

    @rpc("asker:thing:ask")
    def ask(self, caller: Caller) -> dict[str, Any]:
        answer: dict[str, Any] = self.bus.call("probe", "read", caller, thing_id=THING)
        with self.database.work(caller) as work:
            work.record("asker:thing:ask")
        return answer

    @rpc("asker:thing:erase")
    def erase(self, caller: Caller) -> dict[str, Any]:
        answer: dict[str, Any] = self.bus.call("probe", "erase", Caller.service("retention"))
        with self.database.work(caller) as work:
            work.record("asker:thing:erase")
        return answer

    @rpc("asker:thing:hold")
    def hold(self, caller: Caller) -> dict[str, Any]:
        with self.database.work(caller) as work:
            work.record("asker:thing:hold")
            return dict(self.bus.call("probe", "greet", Caller.anonymous()))


def test_a_service_that_calls_another_exchanges_the_passport(world: World) -> None:
    exchanges: list[str] = []

    class Access:
        """Stands in for access."""

        name = "access"
        database = DatabaseProvider()

        @rpc("access:passport:exchange", identity="anonymous")
        def exchange(self, caller: Caller, passport: str, audience: str, service: str, secret: str) -> dict[str, Any]:
            assert (service, secret) == ("asker", "a secret")
            exchanges.append(audience)
            claims = orjson.loads(_unpadded(passport.split(".")[1]))
            same = replace(a_caller(), id=claims["sub"], session_id=claims["session"])
            return self._answer(caller, world.passport(same, audience))

        @rpc("access:passport:issue", identity="anonymous")
        def service_passport(self, caller: Caller, service: str, secret: str, audience: str) -> dict[str, Any]:
            assert secret == "a secret"
            return self._answer(caller, world.passport(Caller.service("retention"), audience))

        def _answer(self, caller: Caller, passport: str) -> dict[str, Any]:
            with self.database.work(caller) as work:
                work.record("access:passport:issue")
            return {"passport": passport}

    world.declare(Probe, Asker, Access)
    world.run(Probe, Asker, Access)
    client, amina = world.client(), a_caller()
    passport = world.passport(amina, "asker")
    for _ in range(3):
        assert client.call("asker", "ask", {}, passport=passport)["caller"] == amina.id
    assert exchanges == ["probe"]
    assert client.call("asker", "erase", {}, passport=passport)["caller"] == "retention"
    with pytest.raises(InternalError):
        client.call("asker", "hold", {}, passport=passport)


def _unpadded(part: str) -> bytes:
    import base64

    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


@pytest.mark.parametrize(("seconds", "late", "overdue"), [(59, False, False), (61, True, False), (899, True, False), (901, True, True)])
def test_what_waits_for_a_minute_is_an_alarm_and_for_fifteen_the_end_of_service(seconds: float, late: bool, overdue: bool) -> None:
    backlog = Backlog()
    backlog.seconds = seconds
    assert (backlog.is_late, backlog.is_overdue) == (late, overdue)


@pytest.mark.requirement("T8")
def test_a_service_whose_entries_wait_for_a_quarter_of_an_hour_refuses_until_they_are_shipped(world: World, lines: list[dict[str, Any]]) -> None:
    Probe.ran.clear()
    world.declare(Probe)
    process = world.process("probe")
    with process.open_database().system_transaction() as connection:
        connection.execute(
            text("INSERT INTO entries (stream, n, body, created_at) VALUES (:stream, 1, '{}', clock_timestamp() - interval '16 minutes')"),
            {"stream": new_id()},
        )
    held = [True]
    publish = process.publisher.publish_confirmed
    process.publisher.publish_confirmed = lambda messages, *rest: [PublishResult.UNKNOWN] * len(messages) if held[0] else publish(messages, *rest)  # type: ignore[method-assign]  # a broker that does not answer
    services = Services([(Probe, process)])
    assert services.start(seconds=20)
    try:
        client, passport = world.client(), world.passport(a_caller())
        eventually(lambda: process.backlog.is_overdue)
        assert [line["refusing"] for line in lines if line["event"] == "outbox.late"] == [True]
        assert _refusal(client, "read", passport, thing_id=THING).code == "audit-late"
        assert Probe.ran == []
        held[0] = False
        eventually(lambda: not process.backlog.is_overdue, seconds=30)
        assert client.call("probe", "read", {"thing_id": THING}, passport=passport)
    finally:
        services.stop()
