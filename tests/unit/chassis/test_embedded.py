"""The in-process broker does what the bus relies on RabbitMQ for; each of these hangs or loses on kombu's `memory://`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import eventlet
import orjson
import pytest
from kombu import Connection, Exchange, Queue
from kombu.exceptions import ChannelError
from nameko.containers import ServiceContainer
from nameko.rpc import rpc
from nameko.standalone.rpc import ServiceRpcProxy

from services.chassis.messages import new_id
from services.chassis.runtime.process import declare_topology
from services.chassis.topology import compute
from services.chassis.transport import embedded
from services.chassis.transport.connection import Address
from services.chassis.transport.embedded import Broker
from services.chassis.transport.publisher import Message, Publisher, PublishResult
from tests.support import eventually

embedded.register()


@pytest.fixture
def url() -> Iterator[str]:
    name = f"b{new_id()[-12:]}"
    yield f"embedded://{name}"
    Broker.by_name.pop(name, None)


@pytest.fixture
def channel(url: str) -> Iterator[Any]:
    with Connection(url) as connection:
        channel = connection.channel()
        channel.exchange_declare(exchange="x", type="topic", durable=True)
        yield channel


def _send(channel: Any, key: str, body: bytes = b"{}", *, exchange: str = "x", mandatory: bool = False, **properties: Any) -> None:
    message = channel.prepare_message(body, content_type="application/json", content_encoding="utf-8", properties=properties)
    channel.basic_publish(message, exchange=exchange, routing_key=key, mandatory=mandatory)


def _drain(channel: Any, seconds: float = 0.2) -> None:
    transport = channel.connection
    try:
        while True:
            transport.drain_events(transport, timeout=seconds)
    except TimeoutError:
        return


def _turn(times: int) -> None:
    """Let all other greenlets run, so many times."""
    for _ in range(times):
        eventlet.sleep(0)


class Echo:
    """nameko's own words."""

    name = "echo"

    @rpc
    def say(self, word: str) -> str:
        return word


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_nameko_itself_works_on_it_because_an_answer_knows_its_content_type(url: str) -> None:
    config = {"AMQP_URI": url, "max_workers": 4}
    container = ServiceContainer(Echo, config)
    container.start()
    try:
        with eventlet.Timeout(20), ServiceRpcProxy("echo", config, timeout=10) as echo:
            assert [echo.say(str(n)) for n in range(5)] == ["0", "1", "2", "3", "4"]
    finally:
        container.stop()


def test_what_mandatory_cannot_route_comes_back(channel: Any) -> None:
    returned: list[str] = []
    channel.events["basic_return"].add(lambda error, _exchange, key, _message: returned.append(f"{error} {key}"))
    _send(channel, "nobody.listens", mandatory=True)
    _send(channel, "nobody.listens")
    assert len(returned) == 1
    assert "NO_ROUTE" in returned[0]
    with pytest.raises(ChannelError):
        _send(channel, "key", exchange="no such exchange")


def test_prefetch_is_counted_per_consumer_so_waiting_calls_do_not_hold_back_their_replies(channel: Any) -> None:
    got: dict[str, list[Any]] = {"calls": [], "replies": []}
    channel.basic_qos(0, 2, False)
    for queue, messages in got.items():
        channel.queue_declare(queue=queue)
        channel.queue_bind(queue=queue, exchange="x", routing_key=queue)
        channel.basic_consume(queue=queue, callback=messages.append)
    for _ in range(5):
        _send(channel, "calls")
    _send(channel, "replies")
    _drain(channel)
    assert (len(got["calls"]), len(got["replies"])) == (2, 1)
    got["calls"][0].ack()
    _drain(channel)
    assert len(got["calls"]) == 3


def test_a_waiting_consumer_is_woken_and_does_not_poll(channel: Any, url: str) -> None:
    channel.queue_declare(queue="q")
    seen: list[Any] = []
    channel.basic_consume(queue="q", no_ack=True, callback=seen.append)
    drainer = eventlet.spawn(_drain, channel, 5)
    with Connection(url) as other:
        for n in range(200):
            _turn(3)
            _send(other.default_channel, "q", exchange="")
            # Counted in turns of the loop, not in time: polling every few milliseconds would take hundreds of them.
            _turn(3)
            assert len(seen) == n + 1
    drainer.kill()


def test_what_was_not_acknowledged_comes_again_and_too_often_is_dead_lettered(url: str) -> None:
    with Connection(url) as connection:
        channel = connection.channel()
        channel.exchange_declare(exchange="around", type="direct", durable=True)
        arguments = {"x-delivery-limit": 2, "x-dead-letter-exchange": "around", "x-dead-letter-routing-key": "dead-letters"}
        channel.queue_declare(queue="q", durable=True, arguments=arguments)
        channel.queue_declare(queue="dead-letters", durable=True)
        channel.queue_bind(queue="dead-letters", exchange="around", routing_key="dead-letters")
        _send(channel, "q", exchange="")
        for attempt in range(3):
            with Connection(url) as dying:
                got: list[Any] = []
                dying.default_channel.basic_consume(queue="q", callback=got.append)
                _drain(dying.default_channel, 0.05)
                assert got[0].delivery_info["redelivered"] is (attempt > 0)
        assert channel.queue_declare(queue="q", passive=True).message_count == 0
        assert channel.basic_get(queue="dead-letters").headers["x-first-death-reason"] == "delivery_limit"


def test_what_expires_in_a_waiting_queue_moves_on_and_a_call_that_expires_is_gone(url: str) -> None:
    with Connection(url) as connection:
        channel = connection.channel()
        channel.queue_declare(queue="waiting", arguments={"x-message-ttl": 40, "x-dead-letter-exchange": "", "x-dead-letter-routing-key": "inbox"})
        channel.queue_declare(queue="inbox")
        channel.queue_declare(queue="calls")
        _send(channel, "waiting", exchange="")
        _send(channel, "calls", exchange="", expiration="30")
        assert channel.queue_declare(queue="inbox", passive=True).message_count == 0
        eventually(lambda: channel.queue_declare(queue="inbox", passive=True).message_count == 1)
        eventually(lambda: channel.queue_declare(queue="calls", passive=True).message_count == 0)


def test_an_exclusive_queue_goes_with_its_connection(url: str) -> None:
    with Connection(url) as watcher:
        with Connection(url) as owner:
            owner.default_channel.queue_declare(queue="own", exclusive=True)
            assert watcher.default_channel.queue_declare(queue="own", passive=True).queue == "own"
        with pytest.raises(ChannelError):
            watcher.default_channel.queue_declare(queue="own", passive=True)


def test_kombus_own_producers_and_consumers_work_on_it(url: str) -> None:
    with Connection(url) as connection:
        queue = Queue("q", Exchange("e", type="direct"), routing_key="k")
        got: list[Any] = []

        def take(body: Any, message: Any) -> None:
            got.append(body)
            message.ack()

        with connection.Consumer(queue, callbacks=[take], accept=["json"]):
            connection.Producer().publish({"hello": "world"}, exchange=queue.exchange, routing_key="k", serializer="json")
            connection.drain_events(timeout=2)
        assert got == [{"hello": "world"}]


def _journaled(path: Path) -> str:
    return f"embedded://{path.parent.name}/{path}"


def _forget(path: Path) -> None:
    """As if the process had been killed: nothing is closed, nothing is written."""
    Broker.by_name.pop(path.parent.name, None)


def _publisher(address: Address) -> Publisher:
    publisher = Publisher(address, identity="tests")
    publisher.start()
    assert publisher.wait_up(5)
    return publisher


def test_what_was_confirmed_survives_a_kill_and_what_was_acknowledged_does_not_come_again(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    address, topology = Address(url=_journaled(path)), compute({"probe": ["probe.a"]})
    declare_topology(address, topology)
    publisher = _publisher(address)
    messages = [Message(new_id(), "announcements", "probe.a", orjson.dumps({"n": n})) for n in range(100)]
    assert set(publisher.publish_confirmed(messages)) == {PublishResult.CONFIRMED}
    with address.connection() as connection:
        channel = connection.channel()
        for _ in range(40):
            channel.basic_get(queue="probe.inbox").ack()
        held = channel.basic_get(queue="probe.inbox")
        assert held is not None, "one is under way when the process dies"
        _forget(path)
        with path.open("ab") as journal:
            journal.write(b'{"id":999,"queue":"probe.inbox","bo')  # The line that the kill cut short.

        declare_topology(address, topology)
        with address.connection() as later:
            again = later.channel()
            left = []
            while (message := again.basic_get(queue="probe.inbox")) is not None:
                left.append(orjson.loads(message.body)["n"])
                message.ack()
        assert left == list(range(40, 100))
    publisher.stop()
    _forget(path)


def test_the_journal_does_not_grow_with_what_is_done(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    address = Address(url=_journaled(path))
    declare_topology(address, compute({"probe": ["probe.a"]}))
    publisher = _publisher(address)
    with address.connection() as connection:
        channel = connection.channel()
        for _ in range(30):
            publisher.publish_confirmed([Message(new_id(), "announcements", "probe.a", b"{}" * 50) for _ in range(50)])
            while (message := channel.basic_get(queue="probe.inbox")) is not None:
                message.ack()
    assert path.stat().st_size < 700_000
    publisher.stop()
    _forget(path)
