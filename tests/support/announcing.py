"""Publish announcements of services that a test has not started."""

from __future__ import annotations

from datetime import UTC, datetime

import orjson

from services.chassis.messages import Announcement, new_id, wire_value
from services.chassis.transport.connection import Address
from services.chassis.transport.publisher import Message, Publisher


def announce(broker_url: str, *announcements: Announcement) -> None:
    """Publish each announcement as its service, over a broker without passwords."""
    for announcement in announcements:
        service = announcement.name.partition(":")[0]
        message_id = new_id()
        body = {
            "id": message_id,
            "name": announcement.name,
            "at": wire_value(datetime.now(UTC)),
            "service": service,
            "trace_id": new_id(),
            "fields": announcement.to_wire(),
        }
        publisher = Publisher(Address(url=broker_url, known_as=service), identity=service)
        publisher.start()
        try:
            publisher.wait_up(10)
            message = Message(message_id, "announcements", announcement.routing_key(), orjson.dumps(body, default=wire_value))
            publisher.publish_confirmed([message])
        finally:
            publisher.stop()
