"""Dead letters: list them without their bodies, replay them or discard them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import eventlet

from services.chassis import logs
from services.chassis.entrypoints.retry import ATTEMPT, REASON, attempt_of
from services.chassis.messages import Unavailable, new_id
from services.chassis.refusals import NoDeadLetters
from services.chassis.topology import OPERATOR, dead_letter_queue, retries
from services.chassis.transport.connection import Address, Delivery
from services.chassis.transport.origin import headers_of, origin_of_dead_letter
from services.chassis.transport.publisher import Message, Publisher, PublishResult

_SHOWN = 1000
_CONFIRMED_WITHIN = 10.0


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A dead letter without its body; the size is in bytes."""

    id: str
    reason: str
    attempts: int
    routing_key: str
    size: int
    #: A keyed hash of the body, which tells dead letters apart.
    mark: str


def list_dead_letters(address: Address, queue: str) -> list[DeadLetter]:
    """List the dead letters of `queue` (such as `contacts.inbox` or `audit.entries`), oldest first, at most 1,000."""
    with _open_channel(address, queue) as channel:
        # Nothing is acknowledged, so all messages return to the queue when the channel closes.
        return [_describe(message, address) for message in _take(channel, queue)]


def replay(address: Address, queue: str, message_id: str | None = None) -> int:
    """Return one dead letter, or all, to its queue, and reset the attempts; return how many.

    A dead letter is acknowledged after the broker confirmed the copy.

    :raises NoDeadLetters: there is no message with that id.
    :raises Unavailable: the broker did not confirm a copy.
    """
    publisher = Publisher(address, identity=OPERATOR)
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
    """Delete one dead letter, or all; return how many.

    :raises NoDeadLetters: there is no message with that id.
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
    # The key contains the operator's password: marks are stable, and the body cannot be guessed from them.
    mark = logs.fingerprint(message.body, key=address.url.encode())
    message_id = message.properties.get("message_id")
    return DeadLetter(
        id=str(message_id) if message_id else mark["mark"][:16],
        reason=str(headers.get(REASON) or headers.get("x-first-death-reason") or "unknown"),
        attempts=attempt_of(message),
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
