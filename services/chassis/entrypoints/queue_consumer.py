"""`QueueConsumer`: an extension that consumes one queue over a broker connection of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nameko.extensions import SharedExtension

from services.chassis.entrypoints.context import Process, process_of
from services.chassis.messages import new_id
from services.chassis.transport.connection import BrokerConnection, Delivery


class QueueConsumer(SharedExtension):
    """Consumes one queue; what arrives after `pause` is left unacknowledged for another process."""

    def __init__(self) -> None:
        """Start unconnected."""
        self._broker: BrokerConnection | None = None
        self._tag = ""
        self._is_paused = False
        super().__init__()

    @property
    def process(self) -> Process:
        """The process that the service runs in."""
        return process_of(self)

    def consume(self, queue: str, *, prefetch: int, receive: Callable[[Delivery], object]) -> None:
        """Start to connect and to consume.

        :param prefetch: deliveries that may be unacknowledged at a time.
        :param receive: called with each delivery.
        """

        def subscribe(channel: Any) -> None:
            channel.basic_qos(0, prefetch, False)
            self._tag = f"{self.process.service}-{new_id()}"
            channel.basic_consume(
                queue=queue,
                callback=lambda raw: None if self._is_paused else receive(Delivery(raw, channel)),
                consumer_tag=self._tag,
            )

        self._broker = BrokerConnection(self.process.address, name=f"{self.process.service}-{queue}", on_connect=subscribe)
        self._broker.start()

    def pause(self) -> None:
        """Receive nothing more; messages that are being handled are finished."""
        if not self._is_paused:
            self._is_paused = True
            if self._broker is not None:
                self._broker.cancel(self._tag)

    def stop(self) -> None:
        """Close the connection; unacknowledged messages return to the queue."""
        if self._broker is not None:
            self._broker.stop()

    kill = stop

    def wait_up(self, seconds: float | None) -> bool:
        """Wait until the queue is consumed; return whether it is."""
        return self._broker is not None and self._broker.wait_up(seconds)
