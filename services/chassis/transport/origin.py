"""From whom a message came: the account that the broker authenticated, and the routing key it was published under.

RabbitMQ refuses a message whose `user_id` is not its connection's own user, and every publisher here sets it. A message
that waits for another attempt, or was dead-lettered, was moved by its receiver, and later perhaps by the operator: then their
account stands in `user_id`, and two headers say from whom it was before. Those headers are believed from nobody else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.chassis.topology import OPERATOR, retries
from services.chassis.transport.connection import Delivery

SENDER = "liaison-sender"
ROUTING_KEY = "liaison-routing-key"


@dataclass(frozen=True, slots=True)
class Origin:
    """Who published a message first, and under which exchange and routing key; empty where nobody can tell."""

    sender: str = ""
    exchange: str = ""
    routing_key: str = ""


def origin_of(message: Delivery, *, queue: str, own: str) -> Origin:
    """Return the origin of a message taken from `queue` by the account `own`.

    Over the queue's own retries exchange come messages that this service or the operator moved; anybody else's there is
    of unknown origin.
    """
    if message.exchange != retries(queue):
        return Origin(message.sender, message.exchange, message.routing_key)
    return _moved(message) if message.sender in {own, OPERATOR} else Origin()


def origin_of_dead_letter(message: Delivery, *, queue: str) -> Origin:
    """Return the origin of a message in the dead-letter queue of `queue`, as the operator reads it.

    What the service parked says so in its headers; nobody else may write there. What the broker parked, after too many
    deliveries, bears its publisher's own `user_id`, and the broker's note of where it died.
    """
    died = _first_death(message.headers)
    if not died or (died.get("exchange") == retries(queue) and message.sender in {queue.partition(".")[0], OPERATOR}):
        return _moved(message)
    return Origin(message.sender, str(died.get("exchange") or ""), str((died.get("routing-keys") or [""])[0]))


def headers_of(origin: Origin) -> dict[str, str]:
    """Return the headers by which a message that is moved keeps its origin."""
    return {SENDER: origin.sender, ROUTING_KEY: f"{origin.exchange}/{origin.routing_key}"}


def _moved(message: Delivery) -> Origin:
    exchange, _, key = str(message.headers.get(ROUTING_KEY) or "").partition("/")
    return Origin(str(message.headers.get(SENDER) or ""), exchange, key)


def _first_death(headers: Mapping[str, Any]) -> Mapping[str, Any]:
    deaths = headers.get("x-death")
    return deaths[0] if isinstance(deaths, list) and deaths and isinstance(deaths[0], Mapping) else {}
