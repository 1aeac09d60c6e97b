"""Hazards of calls: a dead callee, strangers' calls, one connection for many, and what stays on the broker."""

from __future__ import annotations

import pickle
import time
from typing import Any, ClassVar

import amqp
import eventlet
import orjson
import pytest
from eventlet.event import Event

from services.chassis.database import CommandCall
from services.chassis.entrypoints import BusProvider, DatabaseProvider, rpc
from services.chassis.entrypoints.rpc import RpcConsumer
from services.chassis.messages import Caller, OutcomeUnknown, Refusal, Unavailable, new_id
from services.chassis.runtime.process import compose
from services.chassis.transport import presence
from services.chassis.transport.connection import _hang_up
from services.chassis.transport.rpc_client import RpcClient
from tests.integration.bus.conftest import World
from tests.support import a_caller, a_command, eventually, lines_logged

SECRET = "dov@example.org"


class Probe:
    """Echoes."""

    name = "probe"
    database = DatabaseProvider()
    bus = BusProvider()
    ran: ClassVar[list[Any]] = []

    @rpc("probe:thing:echo", identity="anonymous")
    def echo(self, caller: Caller, text: str, pause: float = 0.0) -> dict[str, Any]:
        self.ran.append(text)
        eventlet.sleep(pause)
        with self.database.work(caller) as work:
            work.record("probe:thing:echo")
        return {"text": text}

    @rpc("probe:thing:create", identity="anonymous", command=True, status=201)
    def create(self, call: CommandCall, pause: float = 0.0) -> dict[str, Any]:
        self.ran.append("create")
        eventlet.sleep(pause)
        call.run(lambda work: work.record("probe:thing:create"))
        eventlet.sleep(0 if pause else 30)
        return {}

    @rpc("probe:thing:relay", identity="anonymous")
    def relay(self, caller: Caller, text: str) -> dict[str, Any]:
        with self.database.work(caller) as work:
            work.record("probe:thing:relay")
        return dict(self.bus.call("other", "echo", Caller.anonymous(), text=text))


class Other(Probe):
    """Echoes, too."""

    name = "other"
    may_answer: ClassVar[Event] = Event()

    @rpc("other:thing:hold", identity="anonymous")
    def hold(self, caller: Caller) -> dict[str, Any]:
        """Answer once the test lets it."""
        self.ran.append("held")
        self.may_answer.wait()
        with self.database.work(caller) as work:
            work.record("other:thing:hold")
        return {}


@pytest.fixture
def declared(world: World) -> World:
    Probe.ran.clear()
    Other.may_answer = Event()
    world.declare(Probe, Other)
    return world


@pytest.fixture
def probe(declared: World) -> World:
    declared.run(Probe)
    return declared


@pytest.fixture
def patient(declared: World, monkeypatch: pytest.MonkeyPatch) -> RpcClient:
    """A client that waits longer than any test may take, and takes its time to look."""
    monkeypatch.setattr(presence, "_LOOK_WITHIN", 600.0)
    return declared.client(deadline=600.0)


def _sent(client: RpcClient) -> list[str]:
    """Return the growing list of calls that a client sends from now on."""
    sent: list[str] = []
    publish = client._broker.publish

    def noting(*args: Any, **kwargs: Any) -> Any:
        sent.append(kwargs["routing_key"])
        return publish(*args, **kwargs)

    client._broker.publish = noting  # type: ignore[method-assign]  # what goes to the broker is counted
    return sent


def _refusal(client: RpcClient, method: str = "echo", **kwargs: Any) -> Refusal:
    with pytest.raises(Refusal) as refused:
        client.call("probe", method, {"text": "late"} if method == "echo" else {}, **kwargs)
    return refused.value


def _refused(client: RpcClient, method: str = "echo", **kwargs: Any) -> tuple[Refusal, float]:
    """Return the refusal of a call, and its time."""
    begun = time.monotonic()
    with pytest.raises(Refusal) as refused:
        client.call("probe", method, {"text": "late"} if method == "echo" else {}, **kwargs)
    return refused.value, time.monotonic() - begun


def test_a_call_to_a_service_that_is_gone_is_refused_unsent_and_served_once_it_is_back(declared: World, patient: RpcClient) -> None:
    sent = _sent(patient)
    services = declared.run(Probe)
    for _ in range(2):
        assert patient.call("probe", "echo", {"text": "now"}) == {"text": "now"}
        services.stop()
        eventually(lambda: patient._presence.is_gone("probe"), why="the broker tells that nobody takes its calls")
        before = len(sent)
        for _ in range(3):
            refused = _refusal(patient)
            assert (refused.code, refused.branch) == ("unavailable", "unavailable")
        refused = _refusal(patient, "create", operation=a_command(a_caller()).operation)
        assert refused.code == "unavailable", "it was not sent, so nothing is unknown"
        assert len(sent) == before, "what is known to be gone is not sent to"
        assert declared.depth("rpc-probe") == 0
        services = declared.run(Probe)
        assert patient.call("probe", "echo", {"text": "now"}) == {"text": "now"}, "at once when it is there again"
    assert "create" not in Probe.ran


def test_who_calls_a_service_that_is_gone_is_refused_before_a_call_that_is_under_way_is_answered(declared: World, patient: RpcClient) -> None:
    """It waits neither for its deadline nor behind others."""
    services = declared.run(Probe)
    declared.run(Other)
    patient.call("probe", "echo", {"text": "now"})
    services.stop()
    slow = eventlet.spawn(patient.call, "other", "hold", {})
    eventually(lambda: "held" in Probe.ran, why="the other one works on it")
    assert _refusal(patient).code == "unavailable"
    Other.may_answer.send()
    assert slow.wait() == {}


def test_a_command_sent_before_its_service_was_known_to_be_gone_is_of_unknown_outcome(declared: World, patient: RpcClient) -> None:
    """At once: by its deadline the test would be over."""
    sent = _sent(patient)
    services = declared.run(Probe)
    patient.call("probe", "echo", {"text": "now"})
    services.stop()
    patient._presence.heard("probe")
    before = len(sent)
    amina = a_command(a_caller())
    assert amina.operation is not None
    refused = _refusal(patient, "create", operation=amina.operation)
    assert len(sent) == before + 1
    assert isinstance(refused, OutcomeUnknown)
    assert refused.extra == {"operation_id": amina.operation.id}


def test_callers_do_not_wait_for_their_deadline_when_a_service_was_killed(declared: World, patient: RpcClient) -> None:
    services = declared.run(Probe)
    slow = [eventlet.spawn(patient.call, "probe", "echo", {"text": "slow", "pause": 30}) for _ in range(3)]
    eventually(lambda: Probe.ran.count("slow") == 3)
    services.kill()
    for call in slow:
        with pytest.raises(Unavailable):
            call.wait()


def test_a_slow_service_is_not_called_gone(probe: World) -> None:
    client = probe.client()
    calls = [eventlet.spawn(client.call, "probe", "echo", {"text": str(n), "pause": 2.0}) for n in range(15)]
    assert [call.wait()["text"] for call in calls] == [str(n) for n in range(15)], "ten work, five wait in the queue"


def test_while_one_of_two_stops_nobody_is_refused(declared: World) -> None:
    """A rolling restart under load: the second starts before the first ends, five times."""
    client = declared.client()
    services = declared.run(Probe)
    served = 0
    going_on = True

    def keep_asking() -> None:
        nonlocal served
        while going_on:
            assert client.call("probe", "echo", {"text": "x", "pause": 0.01})
            served += 1

    asking = [eventlet.spawn(keep_asking) for _ in range(5)]
    for _ in range(5):
        beside = declared.run(Probe)
        services.stop()
        services = beside
        before = served
        eventually(lambda before=before: served > before + 50, why="calls are served")
    going_on = False
    for greenlet in asking:
        greenlet.wait()


def test_answers_that_come_cost_no_look_at_the_broker(probe: World, monkeypatch: pytest.MonkeyPatch) -> None:
    client = probe.client()
    looks: list[str] = []
    ask = client._presence._ask
    monkeypatch.setattr(client._presence, "_ask", lambda service: looks.append(service) or ask(service))
    for n in range(300):
        client.call("probe", "echo", {"text": str(n)})
    assert len(looks) <= 3, "one before the first, and whenever the machine itself was slow"


def test_a_command_without_an_answer_names_its_operation(probe: World) -> None:
    amina = a_command(a_caller())
    assert amina.operation is not None
    with pytest.raises(OutcomeUnknown) as unknown:
        probe.client().call("probe", "create", {}, operation=amina.operation, deadline=1)
    assert unknown.value.extra == {"operation_id": amina.operation.id}
    eventually(lambda: probe.rows("probe", "SELECT FROM operations WHERE id = :id", id=amina.operation.id))


def test_a_command_that_is_delivered_again_is_not_done_again(probe: World) -> None:
    client = probe.client()
    amina = a_command(a_caller())
    assert amina.operation is not None
    caller = eventlet.spawn(client.call, "probe", "create", {"pause": 1.0}, operation=amina.operation)
    eventually(lambda: Probe.ran == ["create"])
    consumer = next(e for e in probe.services["probe"].containers["probe"].extensions if isinstance(e, RpcConsumer))
    assert consumer._broker is not None
    assert consumer._broker._connection is not None
    _hang_up(consumer._broker._connection.transport, consumer._broker._inner)
    with pytest.raises(OutcomeUnknown) as unknown:
        caller.wait()
    assert unknown.value.extra == {"operation_id": amina.operation.id}
    eventually(lambda: probe.rows("probe", "SELECT FROM operations WHERE id = :id", id=amina.operation.id))
    assert Probe.ran == ["create"]


def test_a_call_to_what_nobody_declared_is_refused_at_once(probe: World) -> None:
    begun = time.monotonic()
    with pytest.raises(Unavailable):
        probe.client().call("nobody", "echo", {"text": "x"})
    assert time.monotonic() - begun < 5


def test_many_callers_share_one_connection_and_each_gets_its_own_answer(probe: World) -> None:
    client = probe.client()
    texts = [f"{n}-{'x' * (n * 37 % 5000)}" for n in range(400)]
    pool = eventlet.GreenPool(60)
    answers = list(pool.imap(lambda text: client.call("probe", "echo", {"text": text}, deadline=30)["text"], texts))
    assert answers == texts
    assert client._waiting == {}


def test_a_killed_caller_leaves_nothing_behind_and_others_go_on(probe: World) -> None:
    client = probe.client()
    killed = [eventlet.spawn(client.call, "probe", "echo", {"text": "x" * 200_000, "pause": 0.2}) for _ in range(20)]
    eventlet.sleep(0)
    kept = [eventlet.spawn(client.call, "probe", "echo", {"text": str(n), "pause": 0.05}) for n in range(20)]
    for n, caller in enumerate(killed):
        if n % 3:
            eventlet.sleep(0.001)
        caller.kill()
    assert [caller.wait()["text"] for caller in kept] == [str(n) for n in range(20)]
    assert client._waiting == {}


def test_services_that_wait_for_each_other_do_not_hold_back_their_own_replies(declared: World) -> None:
    declared.run(Probe, Other, workers=4)
    client = declared.client()
    pool = eventlet.GreenPool(30)
    texts = [str(n) for n in range(60)]
    assert list(pool.imap(lambda text: client.call("probe", "relay", {"text": text}, deadline=30)["text"], texts)) == texts


@pytest.mark.row("P17")
def test_strangers_calls_harm_nobody(probe: World) -> None:
    """P17, at a twentieth: what strangers can put into the queue of calls."""
    good = orjson.dumps({"args": [], "kwargs": {"text": "x"}})
    reply = {"reply_to": "reply.gateway.00", "correlation_id": "1"}
    strangers: list[tuple[str, bytes, dict[str, Any]]] = [
        ("probe.echo", good, {}),
        ("probe.echo", good, {"reply_to": "reply.gateway.00"}),
        ("probe.echo", good, {"correlation_id": "1"}),
        ("probe.echo", good, {"reply_to": "", "correlation_id": "1"}),
        ("probe.echo", good, {"reply_to": "contacts.erase", "correlation_id": "1"}),
        ("probe.echo", b"", reply),
        ("probe.echo", SECRET.encode(), reply),
        ("probe.echo", pickle.dumps({"args": [], "kwargs": {"text": SECRET}}), {**reply, "content_type": "application/x-python-serialize"}),
        ("probe.echo", orjson.dumps({"args": [SECRET], "kwargs": {}}), reply),
        ("probe.echo", orjson.dumps({"args": [], "kwargs": [SECRET]}), reply),
        ("probe.echo", orjson.dumps([SECRET]), reply),
        ("probe.echo", orjson.dumps({"kwargs": {"text": SECRET, "other": 1}}), reply),
        ("probe.no_such", good, reply),
        ("probe.__init__", good, reply),
        ("probe.echo", b"[" * 100_000, reply),
        ("probe.echo", b"x" * 10_000_000, reply),
    ]
    dropped = 6
    with lines_logged() as lines:
        with probe.processes["probe"].address.connection() as connection:
            connection.connect()
            channel = connection.transport.create_channel(connection.connection)
            for key, body, properties in strangers:
                given = {"content_type": "application/json", **properties}
                message = channel.prepare_message(body, content_type=given.pop("content_type"), headers={"liaison-trace": 7}, properties=given)
                channel.basic_publish(message, exchange="nameko-rpc", routing_key=key)
            if isinstance(channel, amqp.Channel):
                unreadable = amqp.Message(good, content_type="application/json", correlation_id=b"\xff\xfe", reply_to="reply.gateway.00")
                channel.basic_publish(unreadable, exchange="nameko-rpc", routing_key="probe.echo")
                dropped += 1
            eventually(lambda: probe.depth("rpc-probe") == 0, seconds=30)
        assert probe.client().call("probe", "echo", {"text": "alive"}) == {"text": "alive"}
    assert Probe.ran == ["alive"]
    assert [line for line in lines if line["event"] in {"broker.lost", "broker.reader"}] == []
    assert SECRET not in repr(lines)
    assert len([line for line in lines if line["event"] == "call.dropped"]) == dropped


def test_answers_are_transient_and_come_over_a_kept_channel(probe: World) -> None:
    received: list[Any] = []
    address = f"reply.tests.{new_id().replace('-', '')}"
    with probe.processes["probe"].address.connection() as connection:
        connection.connect()
        channel = connection.transport.create_channel(connection.connection)
        channel.queue_declare(queue="tests.replies", exclusive=True)
        channel.queue_bind(queue="tests.replies", exchange="nameko-rpc", routing_key=address)
        channel.basic_consume(queue="tests.replies", no_ack=True, callback=received.append)
        for n in range(3):
            message = channel.prepare_message(
                orjson.dumps({"args": [], "kwargs": {"text": str(n)}}),
                content_type="application/json",
                properties={"reply_to": address, "correlation_id": str(n)},
            )
            channel.basic_publish(message, exchange="nameko-rpc", routing_key="probe.echo")
        while len(received) < 3:
            connection.transport.drain_events(connection.connection, timeout=10)
    assert {raw.properties["delivery_mode"] for raw in received} == {1}
    assert {raw.properties["correlation_id"] for raw in received} == {"0", "1", "2"}


def test_heartbeats_reach_every_process(world: World) -> None:
    world.declare(Probe)
    world.run(Probe)
    gateway = compose(world.settings("gateway"))
    gateway.start()
    assert gateway.client.wait_up(10)
    assert gateway.publisher.wait_up(10)
    try:
        probe = world.processes["probe"]
        assert not gateway.revocations.is_current
        body = orjson.dumps({"serial": 7, "ended": ["s1"], "policy_version": "3"})
        probe.publisher.send(b"not json", exchange="access.heartbeat")
        probe.publisher.send(body, exchange="access.heartbeat")
        eventually(lambda: gateway.revocations.serial == probe.revocations.serial == 7)
        assert gateway.revocations.is_current
        assert gateway.revocations.policy_version == "3"
    finally:
        gateway.stop()


def test_stopping_lets_calls_under_way_finish(declared: World) -> None:
    services = declared.run(Probe)
    client = declared.client()
    under_way = [eventlet.spawn(client.call, "probe", "echo", {"text": str(n), "pause": 0.3}) for n in range(5)]
    eventually(lambda: len(Probe.ran) == 5)
    services.stop()
    assert [caller.wait()["text"] for caller in under_way] == ["0", "1", "2", "3", "4"]
    rows = declared.rows("probe", "SELECT body FROM entries WHERE n < 0 AND body::jsonb @> '{\"closed\": true}'")
    assert [row.body["mark"] for row in rows] == [5]


def test_the_client_of_a_process_that_stops_lets_its_callers_go(probe: World) -> None:
    client = RpcClient(compose(probe.settings("gateway")).address, identity="gateway")
    client.start()
    assert client.wait_up(10)
    waiting = eventlet.spawn(client.call, "probe", "echo", {"text": "x", "pause": 0.5})
    eventually(lambda: Probe.ran == ["x"])
    client.stop()
    with pytest.raises(Unavailable):
        waiting.wait()
