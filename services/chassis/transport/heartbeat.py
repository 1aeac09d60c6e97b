"""Receive heartbeats from access, over an exclusive queue per process."""

from __future__ import annotations

import uuid
from typing import Any

import orjson

from services.chassis.logs import Log
from services.chassis.revocations import Revocations
from services.chassis.topology import HEARTBEAT
from services.chassis.transport.connection import Delivery

_log = Log(__name__)


class HeartbeatListener:
    """Consumes heartbeats on the RPC client's channel; pass it as the client's `on_connect`."""

    def __init__(self, revocations: Revocations, *, identity: str) -> None:
        """Pass heartbeats to `revocations`."""
        self._revocations = revocations
        self._queue = f"heartbeat.{identity}.{uuid.uuid4().hex}"

    def __call__(self, channel: Any) -> None:
        """Declare the queue and consume it."""
        # A slow process needs only the newest heartbeats.
        arguments = {"x-max-length": 10, "x-message-ttl": 5000}
        channel.queue_declare(queue=self._queue, exclusive=True, auto_delete=True, durable=False, arguments=arguments)
        channel.queue_bind(queue=self._queue, exchange=HEARTBEAT, routing_key="")
        channel.basic_consume(queue=self._queue, no_ack=True, callback=lambda raw: self._receive(Delivery(raw, channel)))

    def _receive(self, message: Delivery) -> None:
        try:
            beat = orjson.loads(message.body)
            self._revocations.hear(int(beat["serial"]), list(beat["ended"]), beat.get("policy_version"))
        except (orjson.JSONDecodeError, KeyError, TypeError, ValueError) as error:
            _log.warning("heartbeat.unreadable", error=type(error).__name__)
