"""P16 and P17 for components' own systems: what their accounts may, and what poison does, on RabbitMQ."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import amqp
import orjson
import pytest

from deploy.broker import VHOST, definitions, users
from services.chassis.messages import new_id
from services.contacts.contract.integrations import LARGEST, account_of, submissions_of
from tests.integration.contacts.conftest import open_desk
from tests.integration.contacts.systems import COMPONENTS, Running, a_person
from tests.support import Databases, eventually
from tests.support.rabbitmq import Node, start_node

pytestmark = [pytest.mark.rabbitmq, pytest.mark.requirement("T13")]

SERVICES = ("access", "audit", "contacts", "interactions", "retention")
PASSWORDS = {user: f"{user}-tests" for user in users(SERVICES, COMPONENTS)}
ICE, PSO = (account_of(component) for component in COMPONENTS)


@pytest.fixture(scope="module")
def node(rabbitmq: str) -> Iterator[Node]:
    """A node with the rights of an installation."""
    node = start_node()
    file = node.folder / "definitions.json"
    file.write_bytes(orjson.dumps(definitions(SERVICES, PASSWORDS, integrations=COMPONENTS)))
    file.chmod(0o644)
    node.control("import_definitions", str(file))
    yield node
    node.stop()


@pytest.fixture(scope="module")
def running(node: Node, databases: Databases) -> Iterator[Running]:
    """Contacts with two components' systems, each under its own account."""
    desks = open_desk(databases)
    running = Running(next(desks), lambda user: f"amqp://{user}:{PASSWORDS[user]}@127.0.0.1:{node.port}/{VHOST}")
    yield running
    running.stop()
    for _ in desks:
        pass


def _is_refused(node: Node, user: str, act: Callable[[Any], object]) -> bool:
    connection = amqp.Connection(host=f"127.0.0.1:{node.port}", userid=user, password=PASSWORDS[user], virtual_host=VHOST, confirm_publish=True)
    connection.connect()
    try:
        act(connection.channel())
    except amqp.AccessRefused:
        return True
    except amqp.PreconditionFailed as failed:
        return "user_id" in str(failed)
    finally:
        connection.close()
    return False


def _publish(exchange: str, key: str = "", **properties: Any) -> Callable[[Any], object]:
    return lambda channel: channel.basic_publish(amqp.Message("{}", **properties), exchange=exchange, routing_key=key)


def _read(queue: str) -> Callable[[Any], object]:
    return lambda channel: channel.basic_get(queue=queue)


def test_a_systems_account_writes_to_its_own_exchange_and_reads_its_own_two_queues(node: Node, running: Running) -> None:
    assert not _is_refused(node, ICE, _publish(ICE))
    for exchange, key in (
        (PSO, ""),
        ("", submissions_of("ICE")),
        ("", "rpc-contacts"),
        ("nameko-rpc", "contacts.read_individual"),
        ("announcements", "contacts.individual.registered"),
        ("announcements", "contacts.integration.ICE.reply"),
        ("audit", "audit.entries"),
        ("access.heartbeat", ""),
        ("contacts.inbox.retries", "dead-letters"),
    ):
        assert _is_refused(node, ICE, _publish(exchange, key)), (exchange, key)
    for queue in (submissions_of("ICE"), f"{PSO}.replies", f"{PSO}.announcements", "contacts.inbox", "rpc-contacts", "audit.entries"):
        assert _is_refused(node, ICE, _read(queue)), queue
    for queue in (f"{ICE}.replies", f"{ICE}.announcements"):
        assert not _is_refused(node, ICE, _read(queue))


@pytest.mark.row("P16")
def test_it_declares_and_binds_nothing_and_signs_with_no_other_name(node: Node, running: Running) -> None:
    for act in (
        lambda channel: channel.queue_declare(queue="spy", exclusive=True),
        lambda channel: channel.exchange_declare(exchange="spy", type="fanout"),
        lambda channel: channel.queue_delete(queue=f"{ICE}.replies"),
        lambda channel: channel.queue_bind(queue=f"{ICE}.replies", exchange="announcements", routing_key="#"),
        lambda channel: channel.queue_bind(queue=f"{ICE}.replies", exchange=PSO, routing_key=""),
        _publish(ICE, user_id="contacts"),
        _publish(ICE, user_id=PSO),
    ):
        assert _is_refused(node, ICE, act)


def test_no_service_but_contacts_reads_what_is_submitted_and_none_submits(node: Node, running: Running) -> None:
    for service in SERVICES:
        assert _is_refused(node, service, _read(submissions_of("ICE"))) is (service != "contacts")
        assert _is_refused(node, service, _publish(ICE))


def test_over_rabbitmq_a_message_is_answered_and_its_people_are_told_of(node: Node, running: Running) -> None:
    reply = running.ice.answer(running.ice.submit(**a_person()))
    assert reply["type"] == "individual.accepted"
    individual_id = reply["data"]["individual_id"]
    eventually(lambda: "individual.registered" in running.ice.heard(individual_id))
    assert running.pso.heard(individual_id) == []


@pytest.mark.requirement("R13")
@pytest.mark.row("P17")
def test_poison_is_answered_and_gone_and_the_next_message_is_taken(node: Node, running: Running) -> None:
    poison = [b"", b"[]", b"\x80\x04pickle", b"{" * 30_000, b"x" * (LARGEST + 1), b"\xff\xfe", json.dumps({"specversion": "1.0"}).encode()]
    before = len(running.ice.replies)
    for body in poison:
        running.ice.send(body)
        running.ice.send(body, content_type=None)
        running.ice.send(body, content_type="application/json", headers={"ce-id": new_id(), "ce-specversion": "1.0"})
    eventually(lambda: len(running.ice.replies) >= before + 3 * len(poison), why="every one is answered")
    assert running.ice.answer(running.ice.submit(**a_person()))["type"] == "individual.accepted"
    listed = json.loads(node.control("list_queues", "--vhost", VHOST, "name", "messages", "--formatter", "json"))
    waiting = {row["name"]: row["messages"] for row in listed}
    eventually(lambda: waiting[submissions_of("ICE")] == 0)
    assert waiting["contacts.dead-letters"] == 0
