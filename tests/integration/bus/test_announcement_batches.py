"""Announcements of a batch are handled in one transaction, each of them once, and each by itself if the batch fails."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import orjson
import pytest
from eventlet.event import Event

from services.chassis.entrypoints import DatabaseProvider, announcement_handler
from services.chassis.messages import Announcement, new_id
from services.chassis.runtime.process import compose
from services.chassis.transport.publisher import Message, Publisher, PublishResult
from tests.integration.bus.conftest import World
from tests.support import eventually

FAST = {"retry-1s": 0.05, "retry-10s": 0.1, "retry-60s": 0.15}
MANY = 12


@dataclass(frozen=True, slots=True)
class Arrived(Announcement):
    """Somebody arrived."""

    name: ClassVar[str] = "guests:somebody:arrived"
    guest: str


@dataclass(frozen=True, slots=True)
class Left(Announcement):
    """Somebody left."""

    name: ClassVar[str] = "guests:somebody:left"
    guest: str


class Guests:
    """Handles arrivals in batches, and departures one by one."""

    name = "guests"
    database = DatabaseProvider()
    heard: ClassVar[list[list[str]]] = []
    left: ClassVar[list[str]] = []
    unwelcome: ClassVar[set[str]] = set()
    door: ClassVar[list[Event]] = []

    @announcement_handler(Arrived, batch=True)
    def arrived(self, work: Any, told: Sequence[Arrived]) -> None:
        for door in self.door:
            door.wait()
        if self.unwelcome & {each.guest for each in told}:
            raise RuntimeError
        work.record("guests:somebody:arrived", subjects=[each.guest for each in told])
        self.heard.append([each.guest for each in told])

    @announcement_handler(Left)
    def departed(self, _work: Any, told: Left) -> None:
        self.left.append(told.guest)


@pytest.fixture
def guests(world: World) -> World:
    for each in (Guests.heard, Guests.left, Guests.unwelcome, Guests.door):
        each.clear()
    world.declare(Guests, retry_seconds=FAST)
    world.run(Guests)
    return world


@pytest.fixture
def publisher(guests: World) -> Iterator[Publisher]:
    publisher = Publisher(compose(guests.settings("guests")).address, identity="tests")
    publisher.start()
    assert publisher.wait_up(10)
    yield publisher
    publisher.stop()


def _message(announcement: type[Announcement], guest: str) -> Message:
    message_id = new_id()
    wire = {"id": message_id, "name": announcement.name, "at": "2026-01-01T00:00:00Z", "service": "guests", "trace_id": new_id()}
    return Message(message_id, "announcements", announcement.routing_key(), orjson.dumps({**wire, "fields": {"guest": guest}}))


def _publish(publisher: Publisher, messages: Sequence[Message]) -> None:
    assert set(publisher.publish_confirmed(messages)) == {PublishResult.CONFIRMED}


def _while_the_door_is_shut(guests: World, publisher: Publisher, messages: Sequence[Message]) -> None:
    """Hold one announcement while these arrive; then go on until all are handled."""
    Guests.door.append(door := Event())
    _publish(publisher, [_message(Arrived, "the first")])
    # A departure behind all of them is heard while the first still stands at the door: so they are here.
    _publish(publisher, [*messages, _message(Left, "a witness")])
    eventually(lambda: "a witness" in Guests.left, why="departures do not wait for arrivals")
    assert Guests.heard == []
    door.send()
    eventually(lambda: guests.depth("guests.inbox") == 0 and len(Guests.heard) > 1)


def test_all_that_waits_is_heard_in_one_transaction_and_each_once(guests: World, publisher: Publisher) -> None:
    messages = [_message(Arrived, f"guest {n}") for n in range(MANY)]
    _while_the_door_is_shut(guests, publisher, [*messages, messages[0]])
    assert Guests.heard[0] == ["the first"]
    assert sorted(Guests.heard[1]) == sorted(f"guest {n}" for n in range(MANY))
    _publish(publisher, [messages[3], _message(Arrived, "the last")])
    eventually(lambda: "the last" in Guests.heard[-1])
    assert [guest for batch in Guests.heard for guest in batch].count("guest 3") == 1
    assert guests.depth("guests.dead-letters") == 0


def test_one_that_fails_is_tried_again_and_dead_lettered_by_itself(guests: World, publisher: Publisher) -> None:
    Guests.unwelcome.add("guest 5")
    messages = [_message(Arrived, f"guest {n}") for n in range(MANY)]
    _while_the_door_is_shut(guests, publisher, messages)
    eventually(lambda: guests.depth("guests.dead-letters") == 1)
    welcome = sorted(f"guest {n}" for n in range(MANY) if n != 5)
    eventually(lambda: sorted(guest for batch in Guests.heard[1:] for guest in batch) == welcome)
    recorded = [subject for entry in guests.entries("guests") for subject in entry["subjects"]]
    assert sorted(recorded) == sorted(["the first", *welcome]), "of what failed together nothing stayed"
