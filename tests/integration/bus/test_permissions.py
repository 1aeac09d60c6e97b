"""P16, the bus's part: what a stolen service account cannot do on RabbitMQ."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import amqp
import orjson
import pytest

from deploy.broker import DEPLOYER, GATEWAY, MAY_CALL, VHOST, definitions, users
from services.chassis.entrypoints.dead_letters import list_dead_letters, replay
from services.chassis.messages import Unavailable, new_id
from services.chassis.runtime.process import declare_topology
from services.chassis.topology import OPERATOR, compute
from services.chassis.transport.connection import Address
from services.chassis.transport.publisher import Message, Publisher, PublishResult
from services.chassis.transport.rpc_client import RpcClient
from tests.support.rabbitmq import Node, start_node

pytestmark = [pytest.mark.rabbitmq, pytest.mark.requirement("R148"), pytest.mark.row("P16")]

SERVICES = ("access", "audit", "contacts", "interactions", "retention")
EVERYONE = (*SERVICES, GATEWAY)
METHODS = ("read", "list", "create", "change", "erase")
PASSWORDS = {user: f"{user}-tests" for user in users(SERVICES)}


@pytest.fixture(scope="module")
def node(rabbitmq: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    node = start_node()
    file = node.folder / "definitions.json"
    file.write_bytes(orjson.dumps(definitions(SERVICES, PASSWORDS)))
    file.chmod(0o644)
    node.control("import_definitions", str(file))
    listens = {service: [f"{other}.thing.changed" for other in SERVICES if other != service] for service in SERVICES}
    declare_topology(_address(node, DEPLOYER), compute(listens))
    yield node
    node.stop()


def _address(node: Node, user: str) -> Address:
    return Address(url=f"amqp://{user}:{PASSWORDS[user]}@127.0.0.1:{node.port}/{VHOST}")


@contextmanager
def _channel(node: Node, user: str) -> Iterator[Any]:
    """Yield a channel in confirm mode that raises the broker's errors."""
    connection = amqp.Connection(host=f"127.0.0.1:{node.port}", userid=user, password=PASSWORDS[user], virtual_host=VHOST, confirm_publish=True)
    connection.connect()
    try:
        yield connection.channel()
    finally:
        connection.close()


def _is_refused(node: Node, user: str, act: Callable[[Any], object]) -> bool:
    try:
        with _channel(node, user) as channel:
            act(channel)
    except amqp.AccessRefused:
        return True
    except amqp.PreconditionFailed as failed:
        return "user_id" in str(failed)
    return False


def _publish(exchange: str, key: str, **properties: Any) -> Callable[[Any], object]:
    return lambda channel: channel.basic_publish(amqp.Message("{}", **properties), exchange=exchange, routing_key=key)


@pytest.mark.parametrize("user", EVERYONE)
def test_a_user_calls_only_whom_its_work_needs(node: Node, user: str) -> None:
    allowed = SERVICES if user == GATEWAY else MAY_CALL[user]
    for service in SERVICES:
        for method in METHODS:
            refused = _is_refused(node, user, _publish("nameko-rpc", f"{service}.{method}"))
            assert refused is (service not in allowed), f"{user} → {service}.{method}"


@pytest.mark.parametrize("user", EVERYONE)
def test_a_user_announces_in_its_own_name_only_and_ships_entries_only_if_it_is_a_service(node: Node, user: str) -> None:
    for service in SERVICES:
        assert _is_refused(node, user, _publish("announcements", f"{service}.thing.changed")) is (service != user)
        assert _is_refused(node, user, _publish(f"{service}.inbox.retries", "dead-letters")) is (service != user)
    assert _is_refused(node, user, _publish("audit", "audit.entries")) is (user == GATEWAY)
    assert _is_refused(node, user, _publish("access.heartbeat", "")) is (user != "access")


@pytest.mark.parametrize("user", EVERYONE)
def test_there_is_no_way_around_through_the_default_exchange(node: Node, user: str) -> None:
    for service in SERVICES:
        for queue in (f"rpc-{service}", f"{service}.inbox", f"{service}.dead-letters", "audit.entries"):
            assert _is_refused(node, user, _publish("", queue))


@pytest.mark.parametrize("user", EVERYONE)
def test_nobody_can_listen_in(node: Node, user: str) -> None:
    def bind(exchange: str, key: str, queue: str = f"rpc.reply.{user}.00ff") -> Callable[[Any], object]:
        def act(channel: Any) -> None:
            channel.queue_declare(queue=queue, exclusive=True)
            channel.queue_bind(queue=queue, exchange=exchange, routing_key=key)

        return act

    for key in ("#", "*.*", "contacts.*", "contacts.read", "reply.#", "reply.*.*", "reply.gateway2.00ff"):
        assert _is_refused(node, user, bind("nameko-rpc", key)), key
    for other in EVERYONE:
        assert _is_refused(node, user, bind("nameko-rpc", f"reply.{other}.00ff")) is (other != user)
    for exchange in ("announcements", "audit", "contacts.inbox.retries"):
        assert _is_refused(node, user, bind(exchange, "#" if exchange == "announcements" else "audit.entries"))
    assert _is_refused(node, user, bind("amq.rabbitmq.trace", "#"))
    assert _is_refused(node, user, lambda channel: channel.queue_declare(queue="spy", exclusive=True))
    assert _is_refused(node, user, lambda channel: channel.exchange_declare(exchange="spy", type="fanout"))
    assert _is_refused(node, user, lambda channel: channel.queue_delete(queue="rpc-contacts"))
    for service in SERVICES:
        for queue in (f"rpc-{service}", f"{service}.inbox", "audit.entries"):
            own = service == user if queue != "audit.entries" else user == "audit"
            assert _is_refused(node, user, lambda channel, queue=queue: channel.basic_get(queue=queue)) is not own
        assert _is_refused(node, user, lambda channel, service=service: channel.basic_get(queue=f"{service}.dead-letters"))


@pytest.mark.parametrize("user", EVERYONE)
def test_nobody_signs_with_anothers_name(node: Node, user: str) -> None:
    key = "contacts.read" if user == GATEWAY else f"{MAY_CALL[user][0]}.read"
    assert _is_refused(node, user, _publish("nameko-rpc", key, user_id="retention" if user != "retention" else "access"))
    assert not _is_refused(node, user, _publish("nameko-rpc", key, user_id=user))


def test_there_is_no_guest_and_nobody_is_an_administrator(node: Node) -> None:
    made = definitions(SERVICES, PASSWORDS)
    assert {user["tags"] for user in made["users"]} == {""}
    assert "guest" not in {user["name"] for user in made["users"]}
    assert not any(password in repr(made) for password in PASSWORDS.values())


@pytest.mark.parametrize("user", EVERYONE)
def test_with_these_rights_the_bus_does_its_work(node: Node, user: str) -> None:
    client, publisher = RpcClient(_address(node, user), identity=user), Publisher(_address(node, user), identity=user)
    client.start()
    try:
        assert client.wait_up(10)
        with pytest.raises(Unavailable):
            client.call("contacts" if user == GATEWAY else MAY_CALL[user][0], "read", {}, deadline=0.2)
        assert client.is_up, "the call was allowed and waited for an answer"
        if user != GATEWAY:
            publisher.start()
            assert publisher.wait_up(10)
            body = orjson.dumps({})
            messages = [
                Message(new_id(), "announcements", f"{user}.thing.changed", body),
                Message(new_id(), "audit", "audit.entries", body),
                Message(new_id(), f"{user}.inbox.retries", "dead-letters", body),
            ]
            assert publisher.publish_confirmed(messages) == [PublishResult.CONFIRMED] * 3
    finally:
        client.stop()
        publisher.stop()


def test_the_operator_lists_and_replays_dead_letters_and_nothing_else(node: Node) -> None:
    publisher = Publisher(_address(node, "contacts"), identity="contacts")
    publisher.start()
    assert publisher.wait_up(10)
    dead = Message(new_id(), "contacts.inbox.retries", "dead-letters", b"{}")
    assert publisher.publish_confirmed([dead]) == [PublishResult.CONFIRMED]
    publisher.stop()
    operator = _address(node, OPERATOR)
    assert dead.id in {each.id for each in list_dead_letters(operator, "contacts.inbox")}
    assert replay(operator, "contacts.inbox", dead.id) == 1
    for key in ("contacts.read", "reply.gateway.00"):
        assert _is_refused(node, OPERATOR, _publish("nameko-rpc", key))
    assert _is_refused(node, OPERATOR, lambda channel: channel.basic_get(queue="contacts.inbox"))
