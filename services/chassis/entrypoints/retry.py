"""Consuming what must not get lost: bounded retries over waiting queues, then the dead-letter queue.

Nothing is acknowledged before its effect is committed, or before the broker confirmed that it has it in another queue.
"""

from __future__ import annotations

import eventlet

from services.chassis import logs, metrics
from services.chassis.logs import Log
from services.chassis.messages import new_id
from services.chassis.topology import DEAD_LETTERS, RETRIES, retries
from services.chassis.transport.connection import Delivery
from services.chassis.transport.origin import headers_of, origin_of
from services.chassis.transport.publisher import Message, Publisher, PublishResult

_log = Log(__name__)

ATTEMPT = "liaison-attempt"
REASON = "liaison-reason"
#: While a database is away, messages come round every ten seconds, and no attempt is counted.
_OUTAGE_QUEUE = "retry-10s"
_PAUSE = 1.0


class RetryHandler:
    """Decides what becomes of the deliveries of one queue."""

    def __init__(self, publisher: Publisher, *, service: str, queue: str) -> None:
        """Move messages of `queue` over its retries exchange."""
        self._publisher = publisher
        self._queue = queue
        self._service = service
        self._exchange = retries(queue)

    def done(self, message: Delivery) -> None:
        """Acknowledge: the effect is committed."""
        message.ack()

    def failed(self, message: Delivery, error: BaseException) -> None:
        """Try again after 1, 10 and 60 seconds; then dead-letter."""
        attempt = _attempt(message)
        _log.error("message.failed", message_id=_id(message), attempt=attempt, **logs.where(error))
        if attempt <= len(RETRIES):
            self._move(message, list(RETRIES)[attempt - 1], attempt + 1, type(error).__qualname__)
        else:
            self.dead_letter(message, type(error).__qualname__)

    def postponed(self, message: Delivery, reason: str) -> None:
        """Try again later, as if nothing had happened: something that we need is away."""
        _log.warning("message.postponed", message_id=_id(message), reason=reason)
        self._move(message, _OUTAGE_QUEUE, _attempt(message), reason)

    def dead_letter(self, message: Delivery, reason: str) -> None:
        """Put it aside for an operator; the log gets id, size and hash only."""
        metrics.dead_letters.labels(self._service, reason).inc()
        _log.error("message.dead-letters", message_id=_id(message), reason=reason, **logs.fingerprint(message.body))
        self._move(message, DEAD_LETTERS, _attempt(message), reason)

    def _move(self, message: Delivery, key: str, attempt: int, reason: str) -> None:
        moved = Message(
            id=_id(message) or new_id(),
            exchange=self._exchange,
            routing_key=key,
            body=message.body,
            headers={
                ATTEMPT: attempt,
                REASON: reason,
                "liaison-moved-id": new_id(),
                **headers_of(origin_of(message, queue=self._queue, own=self._publisher.account)),
            },
        )
        if self._publisher.publish_confirmed([moved]) == [PublishResult.CONFIRMED]:
            message.ack()
            return
        eventlet.sleep(_PAUSE)
        message.requeue()


def _id(message: Delivery) -> str | None:
    value = message.properties.get("message_id")
    # What strangers send may have anything for an id; only what is short and plain is repeated.
    return value if isinstance(value, str) and len(value) <= 64 and value.replace("-", "").isalnum() else None


def _attempt(message: Delivery) -> int:
    value = message.headers.get(ATTEMPT, 1)
    return value if isinstance(value, int) and value > 0 else 1
