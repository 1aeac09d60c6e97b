"""`announcement_handler`: an entrypoint that handles each announcement once.

The message's id is inserted into the inbox table in the transaction of its effect; the acknowledgement follows the commit.
With `@announcement_handler(..., batch=True)`, all waiting announcements of a kind are handled in one transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import eventlet
import orjson

from services.chassis import logs, metrics
from services.chassis.entrypoints.container import Performed
from services.chassis.entrypoints.queue_consumer import QueueConsumer
from services.chassis.entrypoints.retry import RetryHandler
from services.chassis.logs import Log
from services.chassis.messages import Announcement, Caller, Unavailable, new_id
from services.chassis.topology import ANNOUNCEMENTS, inbox
from services.chassis.transport.connection import Delivery
from services.chassis.transport.origin import origin_of

_log = Log(__name__)

#: Transactions for announcements that one process has open at a time.
CONCURRENTLY = 4
#: Announcements that are delivered to a process and not yet acknowledged, and so the size of the largest batch.
_PREFETCH = 50
#: Bytes.
_LARGEST = 1024 * 1024


class Undecodable(Exception):
    """The message cannot be decoded as an announcement."""


class Forged(Exception):
    """The sender does not own the routing key, or is unknown."""


@dataclass(frozen=True, slots=True)
class _Pending:
    """A delivered announcement that is not yet handled."""

    message: Delivery
    id: str
    #: The routing key; its first word is the service that published it.
    topic: str
    trace_id: str
    fields: Mapping[str, object]


class InboxConsumer(QueueConsumer):
    """Consumes the service's inbox and starts a worker for each announcement or batch."""

    def __init__(self) -> None:
        """Start without handlers."""
        self.handlers: dict[str, list[AnnouncementHandler]] = {}
        self._waiting: list[_Pending] = []
        #: The topic of each open transaction.
        self._open: list[str] = []
        super().__init__()

    def register(self, entrypoint: AnnouncementHandler) -> None:
        """Send announcements of the entrypoint's topic to it."""
        handlers = self.handlers.setdefault(entrypoint.announcement.routing_key(), [])
        handlers.append(entrypoint)
        handlers.sort(key=lambda handler: handler.method_name)

    def start(self) -> None:
        """Start to connect and to consume."""
        process = self.process
        self.retry_handler = RetryHandler(process.publisher, service=process.service, queue=inbox(process.service))
        self.consume(inbox(process.service), prefetch=_PREFETCH, receive=self._receive)

    def _receive(self, message: Delivery) -> None:
        try:
            pending = _open(message, self._topic_of(message))
        except (Forged, Undecodable) as error:
            eventlet.spawn(self.retry_handler.dead_letter, message, type(error).__qualname__)
            return
        if pending.topic not in self.handlers:
            # An earlier version of this service was bound to this topic.
            metrics.announcements.labels(self.process.service, "unknown", "ignored").inc()
            message.ack()
            return
        self._waiting.append(pending)
        self._begin()

    def _topic_of(self, message: Delivery) -> str:
        """Return the routing key, after checking that its service sent the message.

        :raises Forged: another account sent it, or the sender is unknown. The message's own claims are not believed.
        """
        process = self.process
        origin = origin_of(message, queue=inbox(process.service), own=process.address.account)
        announcer = origin.routing_key.partition(".")[0]
        if origin.exchange != ANNOUNCEMENTS or not announcer or process.account_of(announcer) != origin.sender:
            raise Forged
        return origin.routing_key

    def done(self, topic: str) -> None:
        """Note that a transaction for this topic has ended, and start the next one."""
        self._open.remove(topic)
        self._begin()

    def _begin(self) -> None:
        while not self._is_paused and len(self._open) < CONCURRENTLY and (batch := self._next()):
            topic = batch[0].topic
            handlers = self.handlers[topic]
            self._open.append(topic)
            self.container.spawn_worker(handlers[0], (), {}, context_data={"batch": batch, "handlers": handlers})

    def _next(self) -> list[_Pending]:
        """Take the next announcement, or all waiting ones of a topic whose handlers take batches."""
        # The broker delivers again what came over a lost connection.
        self._waiting = [pending for pending in self._waiting if pending.message.is_live]
        for pending in self._waiting:
            topic = pending.topic
            if not all(handler.batch for handler in self.handlers[topic]):
                self._waiting.remove(pending)
                return [pending]
            if topic not in self._open:
                batch = [other for other in self._waiting if other.topic == topic]
                self._waiting = [other for other in self._waiting if other.topic != topic]
                return batch
        return []


class AnnouncementHandler(Performed):
    """The entrypoint behind `@announcement_handler`."""

    consumer = InboxConsumer()

    def __init__(self, announcement: type[Announcement], *, batch: bool = False, role: str | None = None, **kwargs: Any) -> None:
        """Subscribe the method to one kind of announcement; it is called with (work, announcement).

        :param batch: call the method with (work, announcements), all that wait. What it writes must not need a trace id.
        :param role: the database role of the transaction, such as `eraser`.
        """
        self.announcement = announcement
        self.batch = batch
        self.role = role
        super().__init__(**kwargs)

    def setup(self) -> None:
        """Register the handler with the consumer."""
        self.consumer.register(self)

    def stop(self) -> None:
        """Receive no more announcements."""
        self.consumer.pause()

    def perform(self, worker: Any, method: Callable[..., Any]) -> Any:
        """Handle a batch in one transaction; if that fails, handle each announcement in its own."""
        batch: list[_Pending] = worker.data["batch"]
        try:
            if len(batch) > 1 and self._handle_batch(worker, batch):
                return
            for pending in batch:
                self._handle_one(worker, pending)
        finally:
            self.consumer.done(self.announcement.routing_key())

    def _handle_batch(self, worker: Any, batch: Sequence[_Pending]) -> bool:
        """Handle several announcements in one transaction; return whether it committed."""
        try:
            outcomes = self._run_handlers(worker, batch, [self.announcement.from_wire(pending.fields) for pending in batch])
        except Exception as error:  # noqa: BLE001 - the announcement at fault fails again when it is handled alone
            _log.warning("messages.failed", announcement=self.announcement.name, size=len(batch), **logs.where(error))
            return False
        for pending, outcome in zip(batch, outcomes, strict=True):
            pending.message.ack()
            self._count(pending, outcome)
        return True

    def _handle_one(self, worker: Any, pending: _Pending) -> None:
        retry_handler = self.consumer.retry_handler
        token = logs.trace.set(pending.trace_id)
        outcome = "done"
        try:
            try:
                announcement = self.announcement.from_wire(pending.fields)
            except TypeError as error:
                outcome = "dead-lettered"
                retry_handler.dead_letter(pending.message, type(error).__qualname__)
                return
            (outcome,) = self._run_handlers(worker, [pending], [announcement])
            pending.message.ack()
        except Unavailable as error:
            outcome = "postponed"
            retry_handler.postponed(pending.message, error.code)
        except Exception as error:  # noqa: BLE001 - bounded retries, then dead-lettering, for every mistake
            outcome = "retried"
            retry_handler.failed(pending.message, error)
        finally:
            self._count(pending, outcome)
            logs.trace.reset(token)

    def _run_handlers(self, worker: Any, batch: Sequence[_Pending], announcements: Sequence[Announcement]) -> list[str]:
        """Call every handler in one transaction; return for each announcement `done`, or `known` if it was handled before."""
        process = self.consumer.process
        caller = Caller.service(process.service, trace_id=batch[0].trace_id)
        role = next((handler.role for handler in worker.data["handlers"] if handler.role), None)
        with process.open_database().work(caller, role=role) as work:
            new = work.mark_all_processed(self.announcement.name, {pending.id for pending in batch})
            fresh = {pending.id: announcement for pending, announcement in zip(batch, announcements, strict=True) if pending.id in new}
            for handler in worker.data["handlers"] if fresh else ():
                method = getattr(worker.service, handler.method_name)
                method(work, list(fresh.values())) if handler.batch else method(work, *fresh.values())
        return ["done" if pending.id in new else "known" for pending in batch]

    def _count(self, pending: _Pending, outcome: str) -> None:
        metrics.announcements.labels(self.consumer.process.service, self.announcement.name, outcome).inc()


announcement_handler = AnnouncementHandler.decorator


def _open(message: Delivery, topic: str) -> _Pending:
    """Decode an announcement's envelope.

    :raises Undecodable: the message is not JSON of that shape, or larger than 1 MiB.
    """
    if message.properties.get("content_type") != "application/json" or len(message.body) > _LARGEST:
        raise Undecodable
    try:
        wire = orjson.loads(message.body)
        pending = _Pending(message, str(UUID(wire["id"])), topic, str(wire.get("trace_id") or new_id()), wire["fields"])
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise Undecodable from error
    if not isinstance(pending.fields, dict):
        raise Undecodable
    return pending
