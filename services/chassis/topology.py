"""What has to exist on the broker before anybody publishes: exchanges, queues, bindings, computed from the services.

Announcements go to one topic exchange. Each service has one inbox, bound to what it listens to; what it cannot work
off waits in retry queues of 1, 10 and 60 seconds, which give it back to the inbox, and then in its dead-letter queue.
Entries of the audit trail have a queue of their own, with the same retries. Everything that must not get lost is a
quorum queue; what dies in one moves on to the next with the broker's confirmation (`at-least-once`).

It is declared at deploy time by somebody who may configure; services may not.
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
#: The account that lists, replays and discards what was dead-lettered.
OPERATOR = "operator"

#: How often the broker delivers one message that kills its consumer, before it moves it to the dead-letter queue.
DELIVERY_LIMIT = 5
#: The retry queues, and after how many seconds each gives a message back.
RETRIES: Mapping[str, float] = {"retry-1s": 1.0, "retry-10s": 10.0, "retry-60s": 60.0}
DEAD_LETTERS = "dead-letters"


@dataclass(frozen=True, slots=True)
class Exchange:
    """One exchange to declare."""

    name: str
    kind: str


@dataclass(frozen=True, slots=True)
class Queue:
    """One queue to declare, and what it is bound to: (exchange, routing key)."""

    name: str
    bindings: tuple[tuple[str, str], ...] = ()
    arguments: Mapping[str, str | int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Topology:
    """Everything that is declared."""

    exchanges: tuple[Exchange, ...]
    queues: tuple[Queue, ...]


def inbox(service: str) -> str:
    """Return the name of a service's inbox."""
    return f"{service}.inbox"


def retries(queue: str) -> str:
    """Return the exchange over which a queue's messages go to wait, come back, or are dead-lettered."""
    return f"{queue}.retries"


def retry_queue(queue: str, delay: str) -> str:
    """Return the name of one of a queue's waiting queues, e.g. `contacts.inbox.retry-10s`."""
    return f"{queue}.{delay}"


def dead_letter_queue(queue: str) -> str:
    """Return the name of the dead-letter queue: `contacts.dead-letters` for `contacts.inbox`."""
    return f"{queue.removesuffix('.inbox')}.{DEAD_LETTERS}"


def call_queue(service: str) -> str:
    """Return the queue from which a service takes calls, under nameko's name."""
    return f"rpc-{service}"


def reply_queue(address: str) -> str:
    """Return the queue of the replies that are sent to `address`."""
    return f"rpc.{address}"


def compute(listens: Mapping[str, Iterable[str]], *, retry_seconds: Mapping[str, float] = RETRIES) -> Topology:
    """Return the topology of services.

    `announcement_handler` has for each service the routing keys of the announcements that it listens to.
    """
    exchanges = [
        Exchange(ANNOUNCEMENTS, "topic"),
        Exchange(AUDIT, "direct"),
        Exchange(CALLS, "topic"),
        Exchange(HEARTBEAT, "fanout"),
    ]
    queues: list[Queue] = []
    for service, keys in sorted(listens.items()):
        # A call that says nothing of its own expiry must not wait for ever either.
        queues.append(Queue(call_queue(service), ((CALLS, f"{service}.*"),), {"x-message-ttl": 60_000}))
        _add_kept(exchanges, queues, inbox(service), [(ANNOUNCEMENTS, key) for key in sorted(set(keys))], retry_seconds)
    _add_kept(exchanges, queues, ENTRIES, [(AUDIT, ENTRIES)], retry_seconds)
    return Topology(tuple(exchanges), tuple(queues))


def _add_kept(
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
    """Declare everything, over a channel of somebody who may.

    What is there already stays; an exchange or queue of the same name and another shape is an error.
    """
    for exchange in topology.exchanges:
        channel.exchange_declare(exchange=exchange.name, type=exchange.kind, durable=True, auto_delete=False)
    for queue in topology.queues:
        channel.queue_declare(queue=queue.name, durable=True, auto_delete=False, arguments=dict(queue.arguments))
        for source, key in queue.bindings:
            channel.queue_bind(queue=queue.name, exchange=source, routing_key=key)
