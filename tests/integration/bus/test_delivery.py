"""No announcement is lost: confirmed, handled once, retried within limits, then dead-lettered."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import amqp
import eventlet
import orjson
import pytest

from services.chassis.database import DatabaseUnavailable
from services.chassis.entrypoints import DatabaseProvider, announcement_handler, rpc
from services.chassis.entrypoints.dead_letters import discard, list_dead_letters, replay
from services.chassis.messages import Announcement, Caller, new_id
from services.chassis.outbox import relay
from services.chassis.outbox.partitions import OutboxPartitions
from services.chassis.outbox.store import Outbox
from services.chassis.refusals import NoDeadLetters
from services.chassis.runtime.process import compose
from services.chassis.topology import DELIVERY_LIMIT
from services.chassis.transport.origin import Origin, headers_of
from services.chassis.transport.publisher import Message, Publisher, PublishResult
from tests.integration.bus.conftest import World
from tests.support import eventually, lines_logged

FAST = {"retry-1s": 0.05, "retry-10s": 0.1, "retry-60s": 0.15}
THING = "0192f0c1-0000-7000-8000-000000000001"
SECRET = "dov@example.org"


@dataclass(frozen=True, slots=True)
class Moved(Announcement):
    """Somebody moved."""

    name: ClassVar[str] = "probe:somebody:moved"
    somebody_id: str


@dataclass(frozen=True, slots=True)
class Unheard(Announcement):
    """Nobody handles this."""

    name: ClassVar[str] = "probe:somebody:unheard"
    somebody_id: str


class Probe:
    """Handles announcements, and fails as often as the test says."""

    name = "probe"
    database = DatabaseProvider()
    deliveries: ClassVar[list[str]] = []
    failures: ClassVar[list[Exception]] = []
    second: ClassVar[list[str]] = []

    @announcement_handler(Moved)
    def moved(self, work: Any, announcement: Moved) -> None:
        self.deliveries.append(announcement.somebody_id)
        work.record("probe:somebody:moved", subjects=[announcement.somebody_id])
        if self.failures:
            raise self.failures.pop(0)

    @announcement_handler(Moved)
    def moved_too(self, work: Any, announcement: Moved) -> None:
        self.second.append(announcement.somebody_id)

    @rpc("probe:thing:greet", identity="anonymous")
    def greet(self, caller: Caller) -> dict[str, Any]:
        with self.database.work(caller) as work:
            work.record("probe:thing:greet")
        return {"hello": "world"}


@pytest.fixture
def probe(world: World) -> World:
    for each in (Probe.deliveries, Probe.failures, Probe.second):
        each.clear()
    world.declare(Probe, retry_seconds=FAST)
    world.run(Probe)
    return world


@pytest.fixture
def publisher(probe: World) -> Iterator[Publisher]:
    publisher = Publisher(compose(probe.settings("probe")).address, identity="tests")
    publisher.start()
    assert publisher.wait_up(10)
    yield publisher
    publisher.stop()


@pytest.fixture
def lines() -> Iterator[list[dict[str, Any]]]:
    with lines_logged() as captured:
        yield captured


def a_message(announcement: type[Announcement] = Moved, message_id: str | None = None, **fields: Any) -> Message:
    message_id = message_id or new_id()
    wire = {"id": message_id, "name": announcement.name, "at": "2026-01-01T00:00:00Z", "service": "probe", "trace_id": new_id()}
    body = orjson.dumps({**wire, "fields": {"somebody_id": THING, **fields}})
    return Message(message_id, "announcements", announcement.routing_key(), body)


def test_each_message_of_a_batch_has_its_own_publish_result(publisher: Publisher) -> None:
    results = publisher.publish_confirmed([a_message(), a_message(Unheard), a_message()])
    assert results == [PublishResult.CONFIRMED, PublishResult.NO_ROUTE, PublishResult.CONFIRMED]
    assert publisher.publish_confirmed([]) == []


def test_a_confirmation_that_never_comes_is_waited_for_a_while_and_not_believed(publisher: Publisher, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as silent, eventlet.Timeout(10):
        silent.setattr(publisher, "_settle", lambda *_: None)
        assert publisher.publish_confirmed([a_message(), a_message(Unheard)], timeout=0.3) == [PublishResult.UNKNOWN, PublishResult.NO_ROUTE]
    assert publisher._outstanding == publisher._by_id == {}
    assert publisher.publish_confirmed([a_message()]) == [PublishResult.CONFIRMED]


def test_the_relay_is_woken_by_a_commit(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    Probe.second.clear()
    monkeypatch.setattr(relay, "_LOOK_EVERY", 60.0)
    world.declare(Probe)
    world.run(Probe)
    for told in ("1", "2", "3"):
        with world.processes["probe"].open_database().work(Caller.service("probe")) as work:
            work.announce(Moved(told))
        eventually(lambda told=told: told in Probe.second, seconds=10, why="the relay looks at once, and not in a minute")


def test_what_waits_is_shipped_though_the_relays_housekeeping_fails(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError

    Probe.second.clear()
    for keeping, act in ((Outbox, "settle"), (Outbox, "close_dead_streams"), (OutboxPartitions, "make")):
        monkeypatch.setattr(keeping, act, fail)
    world.declare(Probe)
    world.run(Probe)
    with world.processes["probe"].open_database().work(Caller.service("probe")) as work:
        work.announce(Moved(THING))
    eventually(lambda: Probe.second == [THING], seconds=20)


def test_a_message_that_comes_twice_has_one_effect(probe: World, publisher: Publisher) -> None:
    twice = a_message()
    last = a_message(somebody_id="last")
    publisher.publish_confirmed([twice])
    publisher.publish_confirmed([twice])
    publisher.publish_confirmed([last])
    eventually(lambda: {THING, "last"} <= set(Probe.second) and probe.depth("probe.inbox") == 0)
    assert sorted(Probe.deliveries) == sorted(Probe.second) == sorted([THING, "last"])


def test_an_unknown_field_is_ignored_and_an_announcement_of_a_former_version_drained(probe: World, publisher: Publisher) -> None:
    publisher.publish_confirmed([a_message(added_later=1)])
    former = a_message(Unheard)
    headers = headers_of(Origin(publisher.account, "announcements", Unheard.routing_key()))
    publisher.publish_confirmed([Message(former.id, "probe.inbox.retries", "probe.inbox", former.body, headers)])
    eventually(lambda: Probe.deliveries == [THING])
    eventually(lambda: probe.depth("probe.inbox") == 0)
    assert probe.depth("probe.dead-letters") == 0


def test_a_failing_listener_is_tried_again_in_bounds_and_then_works(probe: World, publisher: Publisher) -> None:
    Probe.failures.extend([RuntimeError(SECRET), ValueError(SECRET)])
    publisher.publish_confirmed([a_message()])
    eventually(lambda: len(Probe.second) == 1)
    assert len(Probe.deliveries) == 3
    # The listener has run; its transaction commits a moment later.
    eventually(probe.entries)
    assert len(probe.entries()) == 1, "what a failed attempt recorded was rolled back"
    assert probe.depth("probe.dead-letters") == 0


def test_a_message_that_always_fails_is_dead_lettered_after_four_attempts_and_its_text_is_nowhere(
    probe: World, publisher: Publisher, lines: list[dict[str, Any]]
) -> None:
    Probe.failures.extend(RuntimeError(SECRET) for _ in range(20))
    message = a_message(note=SECRET)
    publisher.publish_confirmed([message])
    eventually(lambda: probe.depth("probe.dead-letters") == 1)
    assert len(Probe.deliveries) == 4
    (dead,) = list_dead_letters(probe.processes["probe"].address, "probe.inbox")
    assert (dead.id, dead.reason, dead.attempts, dead.size) == (message.id, "RuntimeError", 4, len(message.body))
    assert SECRET not in repr((dead, lines))
    assert [line["message_id"] for line in lines if line["event"] == "message.dead-letters"] == [message.id]


def test_a_message_that_kills_its_consumer_each_time_is_dead_lettered_by_the_broker(world: World) -> None:
    world.declare(Probe)
    address = compose(world.settings("probe")).address
    publisher = Publisher(address, identity="tests")
    publisher.start()
    assert publisher.wait_up(10)
    message = a_message()
    assert publisher.publish_confirmed([message]) == [PublishResult.CONFIRMED]
    publisher.stop()

    def is_taken_by_somebody_who_dies() -> bool:
        with address.connection() as dying:
            dying.connect()
            return dying.transport.create_channel(dying.connection).basic_get(queue="probe.inbox") is not None

    for _ in range(DELIVERY_LIMIT + 1):
        eventually(is_taken_by_somebody_who_dies)
    eventually(lambda: world.depth("probe.dead-letters") == 1)
    assert world.depth("probe.inbox") == 0
    (dead,) = list_dead_letters(address, "probe.inbox")
    assert (dead.id, dead.reason) == (message.id, "delivery_limit")


def test_while_the_database_is_away_no_attempt_is_counted(probe: World, publisher: Publisher) -> None:
    Probe.failures.extend(DatabaseUnavailable() for _ in range(7))
    publisher.publish_confirmed([a_message()])
    eventually(lambda: len(Probe.second) == 1)
    assert len(Probe.deliveries) == 8
    assert probe.depth("probe.dead-letters") == 0


def test_dead_letters_can_be_listed_replayed_and_discarded(probe: World, publisher: Publisher) -> None:
    address = probe.processes["probe"].address
    Probe.failures.extend(RuntimeError() for _ in range(8))
    first, second = a_message(somebody_id="1"), a_message(somebody_id="2")
    publisher.publish_confirmed([first, second])
    eventually(lambda: probe.depth("probe.dead-letters") == 2)
    assert {dead.id for dead in list_dead_letters(address, "probe.inbox")} == {first.id, second.id}
    # The broker puts back what was looked at once it sees that the connection is closed.
    eventually(lambda: probe.depth("probe.dead-letters") == 2, why="listing takes nothing away")
    assert replay(address, "probe.inbox", first.id) == 1
    eventually(lambda: Probe.second == ["1"])
    assert discard(address, "probe.inbox", second.id) == 1
    assert list_dead_letters(address, "probe.inbox") == []
    with pytest.raises(NoDeadLetters):
        replay(address, "probe.inbox", second.id)
    assert Probe.second == ["1"]


def test_what_nobody_is_bound_for_stays_in_the_outbox(probe: World) -> None:
    with probe.processes["probe"].open_database().work(Caller.service("probe")) as work:
        work.announce(Unheard(THING))
        work.announce(Moved(THING))
    eventually(lambda: Probe.second == [THING])
    waiting = "SELECT routing_key FROM outbox WHERE NOT done"
    eventually(lambda: [row.routing_key for row in probe.rows("probe", waiting)] == ["probe.somebody.unheard"])


@pytest.mark.requirement("R148")
@pytest.mark.row("P17")
def test_poison_is_dead_lettered_and_the_service_lives(probe: World, lines: list[dict[str, Any]]) -> None:
    """P17, at a twentieth: what strangers can put into an inbox."""
    bodies: list[tuple[bytes, dict[str, Any]]] = [
        (b"", {"content_type": "application/json"}),
        (SECRET.encode(), {"content_type": "application/json"}),
        (SECRET.encode(), {}),
        (pickle.dumps({"phone": SECRET}), {"content_type": "application/x-python-serialize"}),
        (orjson.dumps([SECRET]), {"content_type": "application/json"}),
        (orjson.dumps(SECRET), {"content_type": "application/json"}),
        (orjson.dumps({"id": SECRET, "name": Moved.name, "fields": {}}), {"content_type": "application/json"}),
        (orjson.dumps({"id": THING, "name": [SECRET], "fields": {}}), {"content_type": "application/json"}),
        (orjson.dumps({"id": THING, "name": Moved.name, "fields": SECRET}), {"content_type": "application/json"}),
        (orjson.dumps({"id": THING, "name": Moved.name, "fields": {}}), {"content_type": "application/json"}),
        ("Ärger".encode("latin-1"), {"content_type": "application/json", "content_encoding": "latin-1"}),
        (b"[" * 100_000, {"content_type": "application/json"}),
        (b"x" * 10_000_000, {"content_type": "application/json"}),
        (b"\x78\x9c" + SECRET.encode(), {"content_type": "application/json", "application_headers": {"compression": "zlib"}}),
    ]
    with probe.processes["probe"].address.connection() as connection:
        connection.connect()
        channel = connection.transport.create_channel(connection.connection)
        for body, properties in bodies:
            headers = properties.pop("application_headers", {})
            message = channel.prepare_message(body, headers=headers, properties={"delivery_mode": 2}, **properties)
            channel.basic_publish(message, exchange="announcements", routing_key=Moved.routing_key())
        if isinstance(channel, amqp.Channel):
            # Properties that are not UTF-8: py-amqp cannot read them, and loses the connection each time.
            unreadable = amqp.Message(SECRET, content_type=b"\xff\xfe", message_id=b"\xff", delivery_mode=2)
            channel.basic_publish(unreadable, exchange="announcements", routing_key=Moved.routing_key())
            bodies.append((SECRET.encode(), {}))
        eventually(lambda: probe.depth("probe.dead-letters") == len(bodies), seconds=30)
    dead_letters = list_dead_letters(probe.processes["probe"].address, "probe.inbox")
    assert len(dead_letters) == len(bodies)
    assert max(p.attempts for p in dead_letters) == 1
    assert Probe.deliveries == []
    assert SECRET not in repr((lines, dead_letters))
    assert [line for line in lines if line["event"] == "broker.lost"] == []
    assert probe.client().call("probe", "greet", {}) == {"hello": "world"}
