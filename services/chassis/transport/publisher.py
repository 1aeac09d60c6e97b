"""Publish persistent, `mandatory` messages with publisher confirms, many at a time."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import eventlet
from eventlet.event import Event

from services.chassis.logs import Log
from services.chassis.messages import may_go_unheard
from services.chassis.transport.connection import Address, BrokerConnection, BrokerUnavailable

_log = Log(__name__)
_PERSISTENT = 2
#: Seconds.
CONFIRM_TIMEOUT = 10.0
_WARN_AGAIN_AFTER = 60.0


@dataclass(frozen=True, slots=True)
class Message:
    """A message to publish; the receiver's inbox table detects duplicates by its id."""

    id: str
    exchange: str
    routing_key: str
    #: JSON.
    body: bytes
    headers: Mapping[str, object] | None = None


class PublishResult(Enum):
    """The result of publishing one message."""

    CONFIRMED = "confirmed"
    #: No queue is bound to its routing key, so the broker dropped it.
    NO_ROUTE = "no-route"
    #: The broker rejected it.
    REFUSED = "refused"
    #: No confirmation in time, or no connection: publish it again.
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
    """Publishes over one connection that the greenlets of a process share."""

    def __init__(self, address: Address, *, identity: str) -> None:
        """Prepare; `start` connects."""
        #: The broker account of this publisher.
        self.account = address.account
        self._broker = BrokerConnection(address, name=f"{identity}-publisher", on_connect=self._prepare, on_disconnect=self._lost)
        self._outstanding: dict[int, tuple[_Batch, int]] = {}
        self._by_id: dict[str, tuple[_Batch, int]] = {}
        self._published = 0
        self._warned_at: dict[str, float] = {}

    def start(self) -> None:
        """Start to connect in the background."""
        self._broker.start()

    def wait_up(self, seconds: float | None = None) -> bool:
        """Wait for the connection; return whether it is up."""
        return self._broker.wait_up(seconds)

    def stop(self) -> None:
        """Close the connection."""
        self._broker.stop()

    def publish_confirmed(self, messages: Sequence[Message], timeout: float = CONFIRM_TIMEOUT) -> list[PublishResult]:
        """Publish messages, wait for the broker's confirms, and return a result for each, in order.

        Messages without a confirm after `timeout` seconds are `UNKNOWN`. Raises nothing if the broker is unavailable.
        """
        batch = _Batch([None] * len(messages))
        numbers: list[int] = []
        try:
            for index, message in enumerate(messages):
                # The broker numbers messages per channel, so nothing may yield between counting and writing.
                number = self._published + 1
                self._outstanding[number] = self._by_id[message.id] = (batch, index)
                numbers.append(number)
                self._broker.publish(
                    message.body,
                    exchange=message.exchange,
                    routing_key=message.routing_key,
                    headers=message.headers,
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
        """Publish a transient message without waiting for a confirm; it may get lost.

        :raises BrokerUnavailable: there is no connection.
        """
        self._broker.publish(body, exchange=exchange, routing_key=routing_key, delivery_mode=1)
        self._published += 1

    # The connection's reader greenlet calls these methods.

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
        # The broker returns an unroutable message before it confirms it.
        self._warn_unroutable(exchange, routing_key)
        if (found := self._by_id.get(message.properties.get("message_id"))) is not None:
            batch, index = found
            batch.settle(index, PublishResult.NO_ROUTE)

    def _warn_unroutable(self, exchange: str, routing_key: str) -> None:
        if may_go_unheard(routing_key):
            return
        # The relay retries twice a second; log once a minute.
        now = time.monotonic()
        if now - self._warned_at.get(routing_key, -_WARN_AGAIN_AFTER) >= _WARN_AGAIN_AFTER:
            self._warned_at[routing_key] = now
            _log.error("publish.unroutable", exchange=exchange, routing_key=routing_key)

    def _lost(self) -> None:
        outstanding, self._outstanding = self._outstanding, {}
        for batch, index in outstanding.values():
            batch.settle(index, PublishResult.UNKNOWN)
