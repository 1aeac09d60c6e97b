"""What was put aside: an operator lists it without seeing it, replays it, or discards it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import eventlet

from services.chassis import logs
from services.chassis.entrypoints.retry import ATTEMPT, REASON
from services.chassis.messages import Unavailable, new_id
from services.chassis.refusals import NoDeadLetters
from services.chassis.topology import dead_letter_queue, retries
from services.chassis.transport.connection import Address, Delivery
from services.chassis.transport.origin import headers_of, origin_of_dead_letter
from services.chassis.transport.publisher import Message, Publisher, PublishResult

_SHOWN = 1000
_CONFIRMED_WITHIN = 10.0


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A dead letter, without its body: id, why, after how many attempts, size and mark."""

    id: str
    reason: str
    attempts: int
    routing_key: str
    size: int
    #: Tells it from others, under a key of this broker.
    mark: str


def list_dead_letters(address: Address, queue: str) -> list[DeadLetter]:
    """List what is dead-lettered beside `queue` (`contacts.inbox`, `audit.entries`), oldest first, at most a thousand."""
    with _open_channel(address, queue) as channel:
        # Nothing is acknowledged: when the channel closes, all of it is back where it was.
        return [_describe(message, address) for message in _take(channel, queue)]


def replay(address: Address, queue: str, message_id: str | None = None, *, identity: str = "operator") -> int:
    """Give a dead letter, or all, back to its queue with its attempts counted anew; return how many.

    A message is acknowledged in the dead-letter queue after the broker confirmed that it has it again.

    :raises NoDeadLetters: there is no message of that id.
    :raises Unavailable: the broker did not take it.
    """
    publisher = Publisher(address, identity=identity)
    publisher.start()
    try:
        if not publisher.wait_up(_CONFIRMED_WITHIN):
            raise Unavailable
        with _open_channel(address, queue) as channel:
            chosen = _choose(channel, queue, message_id, address)
            for message in chosen:
                again = Message(
                    id=str(message.properties.get("message_id") or new_id()),
                    exchange=retries(queue),
                    routing_key=queue,
                    body=message.body,
                    headers={ATTEMPT: 1, **headers_of(origin_of_dead_letter(message, queue=queue))},
                )
                if publisher.publish_confirmed([again]) != [PublishResult.CONFIRMED]:
                    raise Unavailable
                message.ack()
            return len(chosen)
    finally:
        publisher.stop()


def discard(address: Address, queue: str, message_id: str | None = None) -> int:
    """Delete a dead letter, or all; return how many.

    :raises NoDeadLetters: there is no message of that id.
    """
    with _open_channel(address, queue) as channel:
        chosen = _choose(channel, queue, message_id, address)
        for message in chosen:
            message.ack()
        return len(chosen)


def _choose(channel: Any, queue: str, message_id: str | None, address: Address) -> list[Delivery]:
    chosen = [m for m in _take(channel, queue) if message_id is None or _describe(m, address).id == message_id]
    if message_id is not None and not chosen:
        raise NoDeadLetters
    return chosen


def _take(channel: Any, queue: str) -> Iterator[Delivery]:
    for _ in range(_SHOWN):
        raw = channel.basic_get(queue=dead_letter_queue(queue))
        if raw is None:
            return
        yield Delivery(raw, channel)


def _describe(message: Delivery, address: Address) -> DeadLetter:
    headers = message.headers
    # The address has the password of whoever asks in it: the mark is the same each time, and no guess can be tried against it.
    mark = logs.fingerprint(message.body, key=address.url.encode())
    message_id = message.properties.get("message_id")
    return DeadLetter(
        id=str(message_id) if message_id else mark["mark"][:16],
        reason=str(headers.get(REASON) or headers.get("x-first-death-reason") or "unknown"),
        attempts=int(headers.get(ATTEMPT, 1)),
        routing_key=message.routing_key,
        size=mark["size"],
        mark=mark["mark"],
    )


@contextmanager
def _open_channel(address: Address, queue: str) -> Iterator[Any]:
    if not queue:
        raise NoDeadLetters
    with eventlet.Timeout(60, Unavailable()), address.connection() as connection:
        connection.connect()
        channel = connection.transport.create_channel(connection.connection)
        yield channel
        channel.close()
