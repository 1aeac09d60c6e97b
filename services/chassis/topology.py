"""The broker topology: exchanges, queues and bindings, computed from the services.

Announcements go to one topic exchange. Each service has an inbox, bound to the announcements that it handles. Failed
messages wait in retry queues of 1, 10 and 60 seconds that return them to the inbox, and end in a dead-letter queue.
Audit entries have their own queue, with the same retries. These queues are quorum queues, and the broker moves messages
between them with `at-least-once` dead-lettering.

The topology is declared at deploy time, because services have no permission to configure the broker.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

ANNOUNCEMENTS = "announcements"
AUDIT = "audit"
ENTRIES = "audit.entries"
CALLS = "nameko-rpc"
HEARTBEAT = "access.heartbeat"
#: The account that lists, replays and discards dead letters.
OPERATOR = "operator"

#: Deliveries of a message that kills its consumer before the broker dead-letters it.
DELIVERY_LIMIT = 5
#: The retry queues, and their delays in seconds.
RETRIES: Mapping[str, float] = {"retry-1s": 1.0, "retry-10s": 10.0, "retry-60s": 60.0}
DEAD_LETTERS = "dead-letters"


@dataclass(frozen=True, slots=True)
class Exchange:
    """An exchange to declare."""

    name: str
    kind: str


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue to declare, with bindings as (exchange, routing key)."""

    name: str
    bindings: tuple[tuple[str, str], ...] = ()
    arguments: Mapping[str, str | int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Topology:
    """All exchanges and queues to declare."""

    exchanges: tuple[Exchange, ...]
    queues: tuple[Queue, ...]


def inbox(service: str) -> str:
    """Return the name of a service's inbox."""
    return f"{service}.inbox"


def retries(queue: str) -> str:
    """Return the name of the exchange for a queue's retries and dead letters."""
    return f"{queue}.retries"


def retry_queue(queue: str, delay: str) -> str:
    """Return the name of a queue's retry queue, such as `contacts.inbox.retry-10s`."""
    return f"{queue}.{delay}"


def dead_letter_queue(queue: str) -> str:
    """Return the name of a queue's dead-letter queue: `contacts.dead-letters` for `contacts.inbox`."""
    return f"{queue.removesuffix('.inbox')}.{DEAD_LETTERS}"


def call_queue(service: str) -> str:
    """Return the name of a service's call queue, which is nameko's."""
    return f"rpc-{service}"


def reply_queue(address: str) -> str:
    """Return the name of the queue for replies to `address`."""
    return f"rpc.{address}"


def compute(listens: Mapping[str, Iterable[str]], *, retry_seconds: Mapping[str, float] = RETRIES) -> Topology:
    """Return the topology of services.

    :param listens: for each service, the routing keys of the announcements that it handles.
    :param retry_seconds: the retry queues and their delays.
    """
    exchanges = [
        Exchange(ANNOUNCEMENTS, "topic"),
        Exchange(AUDIT, "direct"),
        Exchange(CALLS, "topic"),
        Exchange(HEARTBEAT, "fanout"),
    ]
    queues: list[Queue] = []
    for service, keys in sorted(listens.items()):
        # For calls without an expiration of their own.
        queues.append(Queue(call_queue(service), ((CALLS, f"{service}.*"),), {"x-message-ttl": 60_000}))
        _add_reliable(exchanges, queues, inbox(service), [(ANNOUNCEMENTS, key) for key in sorted(set(keys))], retry_seconds)
    _add_reliable(exchanges, queues, ENTRIES, [(AUDIT, ENTRIES)], retry_seconds)
    return Topology(tuple(exchanges), tuple(queues))


def _add_reliable(
    exchanges: list[Exchange],
    queues: list[Queue],
    name: str,
    bindings: Sequence[tuple[str, str]],
    retry_seconds: Mapping[str, float],
) -> None:
    around = retries(name)
    exchanges.append(Exchange(around, "direct"))
    queues.append(
        Queue(
            name,
            (*bindings, (around, name)),
            {**_quorum(around, DEAD_LETTERS), "x-delivery-limit": DELIVERY_LIMIT},
        )
    )
    for delay, seconds in retry_seconds.items():
        queues.append(
            Queue(
                retry_queue(name, delay),
                ((around, delay),),
                {**_quorum(around, name), "x-message-ttl": int(seconds * 1000)},
            )
        )
    queues.append(Queue(dead_letter_queue(name), ((around, DEAD_LETTERS),), {"x-queue-type": "quorum"}))


def _quorum(dead_letter_exchange: str, key: str) -> dict[str, str | int]:
    return {
        "x-queue-type": "quorum",
        "x-dead-letter-exchange": dead_letter_exchange,
        "x-dead-letter-routing-key": key,
        "x-dead-letter-strategy": "at-least-once",
        "x-overflow": "reject-publish",
    }


def declare(channel: Any, topology: Topology) -> None:
    """Declare the topology over a channel with permission to configure.

    Existing exchanges and queues stay; the broker raises an error if one has other properties.
    """
    for exchange in topology.exchanges:
        channel.exchange_declare(exchange=exchange.name, type=exchange.kind, durable=True, auto_delete=False)
    for queue in topology.queues:
        channel.queue_declare(queue=queue.name, durable=True, auto_delete=False, arguments=dict(queue.arguments))
        for source, key in queue.bindings:
            channel.queue_bind(queue=queue.name, exchange=source, routing_key=key)
