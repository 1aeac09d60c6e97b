"""A broker that starts late, goes away, returns, freezes or accepts nothing: no process ends, and everything recovers."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, ClassVar

import eventlet
import pytest

from services.chassis.entrypoints import DatabaseProvider, announcement_handler, rpc, timer
from services.chassis.messages import Announcement, Caller, Unavailable
from services.chassis.runtime.process import Services, declare_topology, topology_of
from services.chassis.transport.connection import Address, BrokerConnection
from services.chassis.transport.rpc_client import RpcClient
from tests.integration.bus.conftest import Keys, World
from tests.support import eventually
from tests.support.rabbitmq import Node, start_node

pytestmark = pytest.mark.rabbitmq


@dataclass(frozen=True, slots=True)
class Moved(Announcement):
    """Somebody moved."""

    name: ClassVar[str] = "probe:somebody:moved"
    somebody_id: str


class Probe:
    """Echoes, announces and handles."""

    name = "probe"
    database = DatabaseProvider()
    ran: ClassVar[list[str]] = []
    heard: ClassVar[list[str]] = []
    ticks: ClassVar[list[int]] = []

    @rpc("probe:thing:echo", identity="anonymous")
    def echo(self, caller: Caller, text: str, pause: float = 0.0) -> dict[str, Any]:
        self.ran.append(text)
        with self.database.work(caller) as work:
            work.record("probe:thing:echo")
            work.announce(Moved(text))
        eventlet.sleep(pause)
        return {"text": text}

    @announcement_handler(Moved)
    def moved(self, work: Any, announcement: Moved) -> None:
        self.heard.append(announcement.somebody_id)

    @timer(seconds=0.2, action="probe:clock:tick")
    def tick(self, caller: Caller) -> None:
        self.ticks.append(1)


@pytest.fixture(scope="module")
def node(rabbitmq: str) -> Iterator[Node]:
    """This module's own node, for outages (requested after the shared one, so that the choice is the same)."""
    node = start_node()
    yield node
    node.stop()


@pytest.fixture
def world(node: Node, keys: Keys, bare_database: Callable[[], str]) -> Iterator[World]:
    for each in (Probe.ran, Probe.heard, Probe.ticks):
        each.clear()
    with ExitStack() as stack:
        yield World(stack, node.url, keys, bare_database)


@pytest.fixture
def probe(world: World) -> World:
    declare_topology(world.process("deploy").address, topology_of([Probe]))
    world.run(Probe)
    return world


def _is_well(world: World, client: RpcClient, text: str) -> None:
    def answered() -> bool:
        try:
            return bool(client.call("probe", "echo", {"text": text}, deadline=2) == {"text": text})
        except Unavailable:
            return False

    eventually(answered, seconds=60, why="An answer after the outage")
    eventually(lambda: text in Probe.heard, seconds=60, why="An announcement after the outage")
    ticks = len(Probe.ticks)
    eventually(lambda: len(Probe.ticks) > ticks)
    world.drained()


def test_after_a_restart_of_the_broker_everything_reconnects_by_itself(probe: World, node: Node) -> None:
    client = probe.client()
    _is_well(probe, client, "before")
    node.crash()
    begun = time.monotonic()
    with pytest.raises(Unavailable):
        client.call("probe", "echo", {"text": "during"})
    assert time.monotonic() - begun < 5
    # What is committed meanwhile waits in the outbox.
    with probe.processes["probe"].open_database().work(Caller.service("probe")) as work:
        work.announce(Moved("committed meanwhile"))
    eventlet.sleep(0)
    node.start()
    _is_well(probe, client, "after")
    eventually(lambda: "committed meanwhile" in Probe.heard)


def test_a_broker_that_is_away_while_an_answer_is_due_does_not_end_the_process(probe: World, node: Node) -> None:
    client = probe.client()
    caller = eventlet.spawn(client.call, "probe", "echo", {"text": "due", "pause": 1.0})
    eventually(lambda: Probe.ran == ["due"])
    node.crash()
    with pytest.raises(Unavailable):
        caller.wait()
    deadline = time.monotonic() + 6
    eventually(lambda: time.monotonic() > deadline, seconds=20, why="Six seconds without a broker")
    assert not probe.services["probe"].containers["probe"]._died.ready()
    node.start()
    _is_well(probe, client, "after")


@pytest.mark.row("P4")
def test_a_memory_alarm_turns_callers_away_within_five_seconds_and_leaves_no_backlog(probe: World, node: Node) -> None:
    client = probe.client()
    _is_well(probe, client, "before")
    node.control("set_vm_memory_high_watermark", "0.0000001")
    try:
        begun = time.monotonic()
        callers = [eventlet.spawn(client.call, "probe", "echo", {"text": f"alarm-{n}"}) for n in range(5)]
        for caller in callers:
            with pytest.raises(Unavailable):
                caller.wait()
        assert time.monotonic() - begun < 5
        begun = time.monotonic()
        with pytest.raises(Unavailable):
            client.call("probe", "echo", {"text": "alarm-known"})
        assert time.monotonic() - begun < 1, "a broker known to take nothing in is not waited for"
    finally:
        node.control("set_vm_memory_high_watermark", "0.6")
    _is_well(probe, client, "after")
    eventually(lambda: probe.depth("rpc-probe") == 0)
    assert "alarm-known" not in Probe.ran


def test_a_frozen_broker_holds_nobody_beyond_the_deadline(probe: World, node: Node) -> None:
    client = probe.client(deadline=1.0)
    _is_well(probe, client, "before")
    node.freeze()
    try:
        begun = time.monotonic()
        callers = [eventlet.spawn(client.call, "probe", "echo", {"text": str(n)}) for n in range(20)]
        for caller in callers:
            with pytest.raises(Unavailable):
                caller.wait()
        assert time.monotonic() - begun < 5
    finally:
        node.thaw()
    _is_well(probe, client, "after")


@pytest.mark.row("P24")
def test_services_start_before_their_broker_and_wait_for_it(world: World, node: Node) -> None:
    """P24: cold starts in any order, the broker last."""
    node.terminate()
    services = Services([(Probe, world.process("probe"))])
    try:
        assert not services.start(seconds=1)
        node.start()
        declare_topology(world.process("deploy").address, topology_of([Probe]))
        assert services.wait_ready(30)
        client = world.client()
        _is_well(world, client, "at last")
    finally:
        services.stop()


def test_a_process_has_as_many_connections_after_a_thousand_calls_as_before(probe: World, node: Node) -> None:
    client = probe.client()
    client.call("probe", "echo", {"text": "x"})

    def listed() -> tuple[int, int, int]:
        return tuple(len(node.control(f"list_{what}").splitlines()) for what in ("connections", "channels", "queues"))  # type: ignore[return-value]  # three of them

    before = listed()
    pool = eventlet.GreenPool(50)
    assert len(list(pool.imap(lambda n: client.call("probe", "echo", {"text": str(n)}, deadline=60), range(1000)))) == 1000
    assert listed() == before


@pytest.fixture
def link(node: Node) -> Iterator[BrokerConnection]:
    link = BrokerConnection(Address(url=node.url), name="probe")
    link.start()
    assert link.wait_up(20)
    yield link
    link.stop()


def test_a_connection_that_nobody_can_write_to_any_more_is_replaced(node: Node, link: BrokerConnection) -> None:
    # The broker stands still, so that nothing but the failed write tells of it.
    node.freeze()
    try:
        link._inner.transport.sock.shutdown(socket.SHUT_WR)
        link.publish(b"{}", exchange="", routing_key="nobody")
        eventually(lambda: not link.is_up, why="The link notices")
    finally:
        node.thaw()
    assert link.wait_up(60)


def test_a_connection_whose_peer_is_silent_is_replaced(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.chassis.transport.connection.HEARTBEAT", 1.0)
    silent = BrokerConnection(Address(url=node.url), name="probe")
    silent.start()
    assert silent.wait_up(20)
    node.freeze()
    try:
        eventually(lambda: not silent.is_up, 30, why="The link notices")
    finally:
        node.thaw()
    assert silent.wait_up(60)
    silent.stop()
