"""Publishing what must not get lost: persistent, `mandatory`, and confirmed, many messages at once."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Protocol

import eventlet
from eventlet.event import Event

from services.chassis.logs import Log
from services.chassis.messages import may_go_unheard
from services.chassis.transport.connection import Address, BrokerConnection, BrokerUnavailable

_log = Log(__name__)
_PERSISTENT = 2
CONFIRM_TIMEOUT = 10.0
_TOLD_AGAIN_AFTER = 60.0


class OutgoingMessage(Protocol):
    """What can be published: a message's id, where it goes, and its JSON."""

    @property
    def id(self) -> str:
        """The message's id, by which a receiver's inbox knows it again."""

    @property
    def exchange(self) -> str:
        """The exchange."""

    @property
    def routing_key(self) -> str:
        """The routing key."""

    @property
    def body(self) -> bytes:
        """JSON."""


@dataclass(frozen=True, slots=True)
class Message:
    """A letter with headers."""

    id: str
    exchange: str
    routing_key: str
    body: bytes
    headers: Mapping[str, Any] = field(default_factory=dict)


class PublishResult(Enum):
    """What became of a published message."""

    CONFIRMED = "confirmed"
    #: No queue is bound for it; it is nowhere.
    NO_ROUTE = "no-route"
    #: The broker said no.
    REFUSED = "refused"
    #: Nobody can tell: no answer in time, or no connection. Publish it again.
    UNKNOWN = "unknown"


@dataclass(eq=False, slots=True)
class _Batch:
    results: list[PublishResult | None]
    settled: Event = field(default_factory=Event)

    def settle(self, index: int, result: PublishResult) -> None:
        if self.results[index] is None:
            self.results[index] = result
        if None not in self.results and not self.settled.ready():
            self.settled.send()


class Publisher:
    """Publishes from one process, over a connection of its own; greenlets share it."""

    def __init__(self, address: Address, *, identity: str) -> None:
        """Describe the publisher; `start` connects it."""
        #: The account that receivers know this publisher by.
        self.account = address.account
        self._broker = BrokerConnection(address, name=f"{identity}-publisher", on_connect=self._prepare, on_disconnect=self._lost)
        self._outstanding: dict[int, tuple[_Batch, int]] = {}
        self._by_id: dict[str, tuple[_Batch, int]] = {}
        self._published = 0
        self._told: dict[str, float] = {}

    def start(self) -> None:
        """Begin to connect, in the background."""
        self._broker.start()

    def wait_up(self, seconds: float | None = None) -> bool:
        """Wait for the connection; tell whether it is there."""
        return self._broker.wait_up(seconds)

    def stop(self) -> None:
        """Close the connection."""
        self._broker.stop()

    def publish_confirmed(self, messages: Sequence[OutgoingMessage], timeout: float = CONFIRM_TIMEOUT) -> list[PublishResult]:
        """Publish all, wait until each is confirmed or refused, and return what became of each, in order.

        After `timeout` seconds those without an answer are `UNKNOWN`. It does not raise for a broker that is away.
        """
        batch = _Batch([None] * len(messages))
        numbers: list[int] = []
        try:
            for index, message in enumerate(messages):
                # The broker counts what it gets on a channel; nothing may come between counting and writing.
                number = self._published + 1
                self._outstanding[number] = self._by_id[message.id] = (batch, index)
                numbers.append(number)
                self._broker.publish(
                    message.body,
                    exchange=message.exchange,
                    routing_key=message.routing_key,
                    headers=getattr(message, "headers", None),
                    mandatory=True,
                    message_id=message.id,
                    delivery_mode=_PERSISTENT,
                )
                self._published = number
            if messages:
                with eventlet.Timeout(timeout, exception=False):
                    batch.settled.wait()
        except BrokerUnavailable as error:
            _log.warning("publish.down", error=str(error), messages=len(messages))
        finally:
            for number in numbers:
                self._outstanding.pop(number, None)
            for message in messages:
                self._by_id.pop(message.id, None)
        return [result or PublishResult.UNKNOWN for result in batch.results]

    def send(self, body: bytes, *, exchange: str, routing_key: str = "") -> None:
        """Publish something transient that nobody misses, unconfirmed.

        :raises BrokerUnavailable: there is no connection.
        """
        self._broker.publish(body, exchange=exchange, routing_key=routing_key, delivery_mode=1)
        self._published += 1

    # The reader's greenlet calls what follows.

    def _prepare(self, channel: Any) -> None:
        self._published = 0
        channel.confirm_select()
        channel.events["basic_ack"].add(lambda number, multiple: self._settle(number, multiple, PublishResult.CONFIRMED))
        channel.events["basic_nack"].add(lambda number, multiple: self._settle(number, multiple, PublishResult.REFUSED))
        channel.events["basic_return"].add(self._returned)

    def _settle(self, number: int, multiple: bool, result: PublishResult) -> None:
        numbers = [n for n in self._outstanding if n <= number] if multiple else [number]
        for each in numbers:
            if (found := self._outstanding.pop(each, None)) is not None:
                batch, index = found
                batch.settle(index, result)

    def _returned(self, _error: Any, exchange: str, routing_key: str, message: Any) -> None:
        # A message that could not be routed is returned first and then confirmed.
        self._tell_unroutable(exchange, routing_key)
        if (found := self._by_id.get(message.properties.get("message_id"))) is not None:
            batch, index = found
            batch.settle(index, PublishResult.NO_ROUTE)

    def _tell_unroutable(self, exchange: str, routing_key: str) -> None:
        if may_go_unheard(routing_key):
            return
        # The relay tries again twice a second; once a minute is alarm enough.
        now = time.monotonic()
        if now - self._told.get(routing_key, -_TOLD_AGAIN_AFTER) >= _TOLD_AGAIN_AFTER:
            self._told[routing_key] = now
            _log.error("publish.unroutable", exchange=exchange, routing_key=routing_key)

    def _lost(self) -> None:
        outstanding, self._outstanding = self._outstanding, {}
        for batch, index in outstanding.values():
            batch.settle(index, PublishResult.UNKNOWN)
