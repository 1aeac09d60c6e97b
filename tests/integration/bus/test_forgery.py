"""P16, announcements: every service forges every announcement in every way, and no handler believes one.

The in-process broker forbids only another's `user_id`, so here the handler is the only check. `test_permissions` shows
what RabbitMQ refuses before that.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import orjson
import pytest
from kombu.exceptions import ChannelError

from services.access import contract as access
from services.access.contract import UserChanged
from services.chassis.entrypoints import announcement_handler
from services.chassis.entrypoints.providers import DatabaseProvider
from services.chassis.messages import Announcement, CheckpointSigned, new_id
from services.chassis.transport.connection import Address
from services.chassis.transport.origin import ROUTING_KEY, SENDER
from services.chassis.transport.publisher import Message, Publisher
from services.contacts.contract import announcements as contacts
from services.interactions.contract import announcements as interactions
from services.interactions.contract.announcements import InteractionLogged
from services.retention import contract as retention
from tests.integration.bus.conftest import World
from tests.rows import figure
from tests.support import eventually

pytestmark = [pytest.mark.requirement("R148"), pytest.mark.row("P16"), pytest.mark.parametrize("broker_url", ["embedded"], indirect=True)]

SERVICES = ("access", "audit", "contacts", "interactions", "retention")
OTHERS = (*SERVICES, "gateway", "integration.ICE")
#: Every announcement that there is.
KINDS = tuple(
    {
        kind.name: kind
        for contract in (access, contacts, interactions, retention)
        for kind in (*vars(contract).values(), CheckpointSigned)
        if isinstance(kind, type) and issubclass(kind, Announcement) and kind is not Announcement
    }.values()
)
ROUNDS = figure(10, 1)


class Believer:
    """Handles every announcement, and stores what it believed."""

    name = "believer"
    database = DatabaseProvider()
    believed: ClassVar[list[str]] = []


def _believe(kind: Any) -> None:
    def hear(self: Any, _work: Any, _announcement: Any) -> None:
        Believer.believed.append(kind.name)

    method = f"hear_{kind.__name__.lower()}"
    hear.__name__ = method
    setattr(Believer, method, announcement_handler(kind)(hear))


for _kind in KINDS:
    _believe(_kind)


def _body(kind: Any, message_id: str | None = None) -> bytes:
    fields = dict.fromkeys(kind.__dataclass_fields__)
    owner = kind.name.partition(":")[0]
    return orjson.dumps({"id": message_id or new_id(), "name": kind.name, "service": owner, "trace_id": new_id(), "fields": fields})


def _ways(sender: str, kind: Any) -> Iterator[tuple[str, str, dict[str, Any], dict[str, Any]]]:
    """Yield (exchange, routing key, headers, properties)."""
    key, owner = kind.routing_key(), kind.name.partition(":")[0]
    moved = {SENDER: owner, ROUTING_KEY: f"announcements/{key}"}
    died = {"x-death": [{"queue": "believer.inbox", "exchange": "announcements", "routing-keys": [key]}]}
    for user in ({"user_id": sender}, {}):
        yield "announcements", key, {}, user
        yield "announcements", key, {**moved, **died}, user
        yield "believer.inbox.retries", "believer.inbox", moved, user
        yield "believer.inbox.retries", "retry-1s", {**moved, "liaison-attempt": 1}, user
        yield "", "believer.inbox", moved, user
    yield "announcements", key, moved, {"user_id": owner}


@pytest.fixture
def believer(world: World) -> World:
    Believer.believed.clear()
    world.declare(Believer, retry_seconds={"retry-1s": 0.01, "retry-10s": 0.02, "retry-60s": 0.03})
    world.run(Believer)
    return world


def test_what_one_service_announces_in_anothers_name_is_believed_by_nobody(believer: World) -> None:
    forged = refused = 0
    assert {kind.name.partition(":")[0] for kind in KINDS} == set(SERVICES)
    for sender in OTHERS:
        with Address(url=believer.url, known_as=sender).connection() as connection:
            connection.connect()
            channel = connection.transport.create_channel(connection.connection)
            for kind in KINDS * ROUNDS:
                if kind.name.startswith(f"{sender}:"):
                    continue
                for exchange, key, headers, properties in _ways(sender, kind):
                    message = channel.prepare_message(
                        _body(kind),
                        content_type="application/json",
                        content_encoding="utf-8",
                        headers=headers,
                        properties={"delivery_mode": 1, **properties},
                    )
                    forged += 1
                    try:
                        channel.basic_publish(message, exchange=exchange, routing_key=key)
                    except ChannelError:
                        refused += 1
    eventually(lambda: believer.depth("believer.inbox") == 0, seconds=60)
    _announce(believer, UserChanged)
    eventually(lambda: Believer.believed, seconds=60)
    print(f"P16: {forged} forged announcements, {refused} refused by the broker, {len(Believer.believed) - 1} believed")
    assert Believer.believed == [UserChanged.name]


def test_a_service_that_puts_anothers_name_into_the_body_has_announced_its_own(believer: World) -> None:
    _announce(believer, InteractionLogged, body=orjson.dumps({**orjson.loads(_body(InteractionLogged)), "name": UserChanged.name}))
    eventually(lambda: Believer.believed == [InteractionLogged.name])


def test_nobody_uses_up_the_id_of_what_another_announces(believer: World) -> None:
    """A service that receives an announcement could faster send its neighbor one of its own with the same id."""
    message_id = new_id()
    _announce(believer, InteractionLogged, message_id)
    eventually(lambda: Believer.believed == [InteractionLogged.name])
    _announce(believer, UserChanged, message_id)
    eventually(lambda: Believer.believed == [InteractionLogged.name, UserChanged.name])


def _announce(world: World, kind: Any, message_id: str | None = None, *, body: bytes | None = None) -> None:
    owner = kind.name.partition(":")[0]
    publisher = Publisher(Address(url=world.url, known_as=owner), identity=owner)
    publisher.start()
    try:
        assert publisher.wait_up(10)
        publisher.publish_confirmed([Message(new_id(), "announcements", kind.routing_key(), body or _body(kind, message_id))])
    finally:
        publisher.stop()
