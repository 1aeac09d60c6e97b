"""Retry failed messages through delay queues, a bounded number of times, then dead-letter them.

A message is acknowledged only after its effect is committed, or after the broker confirmed its copy in another queue.
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
#: While a dependency is unavailable, messages are tried every ten seconds without counting attempts.
_OUTAGE_QUEUE = "retry-10s"
_PAUSE = 1.0


class RetryHandler:
    """Acknowledges, retries or dead-letters the deliveries of one queue."""

    def __init__(self, publisher: Publisher, *, service: str, queue: str) -> None:
        """Publish through the retries exchange of `queue`."""
        self._publisher = publisher
        self._queue = queue
        self._service = service
        self._exchange = retries(queue)

    def failed(self, message: Delivery, error: BaseException) -> None:
        """Retry after 1, 10 and 60 seconds; dead-letter after the fourth failure."""
        attempt = attempt_of(message)
        _log.error("message.failed", message_id=_id(message), attempt=attempt, **logs.where(error))
        if attempt <= len(RETRIES):
            self._move(message, list(RETRIES)[attempt - 1], attempt + 1, type(error).__qualname__)
        else:
            self.dead_letter(message, type(error).__qualname__)

    def postponed(self, message: Delivery, reason: str) -> None:
        """Retry in ten seconds without counting an attempt, because a dependency is unavailable."""
        _log.warning("message.postponed", message_id=_id(message), reason=reason)
        self._move(message, _OUTAGE_QUEUE, attempt_of(message), reason)

    def dead_letter(self, message: Delivery, reason: str) -> None:
        """Move a message to the dead-letter queue; log its id, size and keyed hash only."""
        metrics.dead_letters.labels(self._service, reason).inc()
        _log.error("message.dead-letters", message_id=_id(message), reason=reason, **logs.fingerprint(message.body))
        self._move(message, DEAD_LETTERS, attempt_of(message), reason)

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
    # Anybody may have chosen the id: only a short, alphanumeric one is logged and passed on.
    return value if isinstance(value, str) and len(value) <= 64 and value.replace("-", "").isalnum() else None


def attempt_of(message: Delivery) -> int:
    """Return the number of the current attempt, counted from 1."""
    value = message.headers.get(ATTEMPT, 1)
    return value if isinstance(value, int) and value > 0 else 1
