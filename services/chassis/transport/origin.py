"""The origin of a message: the account that the broker authenticated, and the routing key.

RabbitMQ rejects a message whose `user_id` is not its connection's user, and every publisher here sets it. A retried or
dead-lettered message was published again by its receiver or the operator, so `user_id` is theirs, and two headers name
the original sender and routing key. Those headers are believed from these accounts only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from services.chassis.topology import OPERATOR, retries
from services.chassis.transport.connection import Delivery

SENDER = "liaison-sender"
ROUTING_KEY = "liaison-routing-key"


@dataclass(frozen=True, slots=True)
class Origin:
    """The original sender, exchange and routing key of a message; empty where unknown."""

    sender: str = ""
    exchange: str = ""
    routing_key: str = ""


def origin_of(message: Delivery, *, queue: str, own: str) -> Origin:
    """Return the origin of a message that the account `own` received from `queue`.

    The queue's retries exchange carries messages that this service or the operator moved. From any other account, the
    origin is unknown.
    """
    if message.exchange != retries(queue):
        return Origin(message.sender, message.exchange, message.routing_key)
    return _moved(message) if message.sender in {own, OPERATOR} else Origin()


def origin_of_dead_letter(message: Delivery, *, queue: str) -> Origin:
    """Return the origin of a message in the dead-letter queue of `queue`, for the operator.

    A message that the service dead-lettered names its origin in headers. One that the broker dead-lettered, after too
    many deliveries, keeps its publisher's `user_id`, and `x-death` names its exchange and routing key.
    """
    died = _first_death(message.headers)
    if not died or (died.get("exchange") == retries(queue) and message.sender in {queue.partition(".")[0], OPERATOR}):
        return _moved(message)
    keys = died.get("routing-keys")
    return Origin(message.sender, str(died.get("exchange") or ""), str(keys[0]) if isinstance(keys, list) and keys else "")


def headers_of(origin: Origin) -> dict[str, str]:
    """Return the headers that keep the origin of a moved message."""
    return {SENDER: origin.sender, ROUTING_KEY: f"{origin.exchange}/{origin.routing_key}"}


def _moved(message: Delivery) -> Origin:
    exchange, _, key = str(message.headers.get(ROUTING_KEY) or "").partition("/")
    return Origin(str(message.headers.get(SENDER) or ""), exchange, key)


def _first_death(headers: Mapping[str, object]) -> Mapping[str, object]:
    deaths = headers.get("x-death")
    return deaths[0] if isinstance(deaths, list) and deaths and isinstance(deaths[0], Mapping) else {}
