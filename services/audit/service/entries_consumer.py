"""Consume the queue of entries, for the leader."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import eventlet
import orjson

from services.audit.usecases.stream_tracking import Sent
from services.chassis.entrypoints.context import Process
from services.chassis.entrypoints.retry import RetryHandler
from services.chassis.entrypoints.timers import Wakeup
from services.chassis.messages import new_id
from services.chassis.topology import ENTRIES
from services.chassis.transport.connection import BrokerConnection, Delivery
from services.chassis.transport.origin import origin_of

#: Lines that are taken at a time, so that the event loop turns to others in between; a message has up to 500 itself.
LINES_AT_ONCE = 500
#: Messages that may be under way from the broker.
PREFETCH = 40


@dataclass(frozen=True, slots=True)
class Received:
    """A message that is not acknowledged yet, and its lines."""

    message: Delivery
    lines: list[Sent]


class EntriesConsumer:
    """Collects delivered messages until they are in the trail. Unacknowledged messages go to the next leader."""

    def __init__(self, process: Process) -> None:
        """Take the process; nothing is consumed before `start`."""
        self._process = process
        self._retry_handler = RetryHandler(process.publisher, service=process.service, queue=ENTRIES)
        self._connection: BrokerConnection | None = None
        self._tag = ""
        self._waiting: list[Received] = []
        self._wakeup = Wakeup()
        self.is_cancelled = False

    def start(self) -> None:
        """Begin to consume, unless it has begun."""
        if self._connection is None:
            name = f"{self._process.service}-{ENTRIES}"
            self._connection = BrokerConnection(self._process.address, name=name, on_connect=self._consume)
            self._connection.start()

    def stop(self) -> None:
        """Close the connection; unacknowledged messages return to the queue."""
        if self._connection is not None:
            self._connection.stop()
            self._connection = None
        self._waiting.clear()

    def cancel(self) -> None:
        """Let the broker deliver nothing more; what was delivered can still be acknowledged."""
        self.is_cancelled = True
        if self._connection is not None:
            self._connection.cancel(self._tag)
        self._wakeup.wake()

    @property
    def has_waiting(self) -> bool:
        """Whether a message waits to be written."""
        return bool(self._waiting)

    def wait(self, seconds: float) -> None:
        """Wait for a message or the cancellation, at most so many seconds."""
        self._wakeup.wait(seconds)

    def next_batch(self) -> list[Received]:
        """Return the oldest messages, about 500 lines together; they stay until they are acknowledged."""
        batch: list[Received] = []
        lines = 0
        while lines < LINES_AT_ONCE and len(batch) < len(self._waiting):
            batch.append(self._waiting[len(batch)])
            lines += len(batch[-1].lines)
        return batch

    def acknowledge(self, batch: list[Received]) -> None:
        """Acknowledge messages whose lines are in the trail."""
        # A lost connection may have emptied the list meanwhile.
        written = {id(received) for received in batch}
        self._waiting = [received for received in self._waiting if id(received) not in written]
        for received in batch:
            received.message.ack()

    def _consume(self, channel: Any) -> None:
        # What came over the former connection comes again over this one.
        self._waiting.clear()
        if self.is_cancelled:
            return
        self._tag = f"{self._process.service}-sequencer-{new_id()}"
        channel.basic_qos(0, PREFETCH, False)
        channel.basic_consume(queue=ENTRIES, consumer_tag=self._tag, callback=lambda raw: self._receive(Delivery(raw, channel)))

    def _receive(self, message: Delivery) -> None:
        if self.is_cancelled:
            return  # Not acknowledged: the broker gives it to the next leader.
        lines = _lines(message.body)
        if lines is None:
            eventlet.spawn(self._retry_handler.dead_letter, message, "Undecodable")
            return
        sender = origin_of(message, queue=ENTRIES, own=self._process.address.account).sender
        self._waiting.append(Received(message, [Sent(line, sender) for line in lines]))
        self._wakeup.wake()


def _lines(body: bytes) -> list[object] | None:
    try:
        lines = orjson.loads(body)["entries"]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return None
    return lines if isinstance(lines, list) else None
