"""`announcement_handler`: a method that works off announcements, each once; `queue_handler`: one that takes a queue in batches.

The message's id goes into the inbox table in the transaction of the effect; the acknowledgement follows the commit.
What a method can take together (`@announcement_handler(..., batch=True)`) is worked off in one transaction, as much as waits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import eventlet
import orjson
from eventlet.event import Event

from services.chassis import logs, metrics
from services.chassis.backoff import pauses
from services.chassis.entrypoints.container import Performed
from services.chassis.entrypoints.queue_consumer import QueueConsumer
from services.chassis.entrypoints.retry import RetryHandler
from services.chassis.logs import Log
from services.chassis.messages import Announcement, Caller, Unavailable, new_id
from services.chassis.topology import ANNOUNCEMENTS, inbox
from services.chassis.transport.connection import Delivery
from services.chassis.transport.origin import origin_of

_log = Log(__name__)

#: Transactions over announcements that one process has open at the same time.
CONCURRENTLY = 4
#: Announcements that one process has before it, and so at most works off together.
_BEFORE_IT = 50
_LARGEST = 1024 * 1024


class Undecodable(Exception):
    """This is not an announcement."""


class Forged(Exception):
    """Somebody announces what is another's to announce."""


@dataclass(frozen=True, slots=True)
class _Envelope:
    id: str
    #: The routing key under which it was published, by the service whose it is.
    topic: str
    trace_id: str
    fields: dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Pending:
    """One announcement as it was delivered."""

    message: Delivery
    envelope: _Envelope


class InboxConsumer(QueueConsumer):
    """Takes announcements from the service's inbox."""

    def __init__(self) -> None:
        """Begin without handlers."""
        self.handlers: dict[str, list[AnnouncementHandler]] = {}
        self._waiting: list[_Pending] = []
        #: The topics of what is being worked off, one for each transaction.
        self._open: list[str] = []
        super().__init__()

    def register(self, entrypoint: AnnouncementHandler) -> None:
        """Hand announcements of this topic to the entrypoint."""
        handlers = self.handlers.setdefault(entrypoint.announcement.routing_key(), [])
        handlers.append(entrypoint)
        handlers.sort(key=lambda handler: handler.method_name)

    def start(self) -> None:
        """Begin to connect and to consume."""
        process = self.process
        self.retry_handler = RetryHandler(process.publisher, service=process.service, queue=inbox(process.service))
        self.consume(inbox(process.service), prefetch=_BEFORE_IT, receive=self._receive)

    def _receive(self, message: Delivery) -> None:
        try:
            envelope = _open(message, self._topic_of(message))
        except (Forged, Undecodable) as error:
            eventlet.spawn(self.retry_handler.dead_letter, message, type(error).__qualname__)
            return
        if envelope.topic not in self.handlers:
            # A former version of this service was bound to it; this one has no use for it.
            metrics.announcements.labels(self.process.service, "unknown", "ignored").inc()
            message.ack()
            return
        self._waiting.append(_Pending(message, envelope))
        self._begin()

    def _topic_of(self, message: Delivery) -> str:
        """Return what is announced: the routing key says it, and the sender must be the service whose key that is.

        :raises Forged: they are not, or nobody can tell who sent it. What the message says of itself counts for nothing.
        """
        process = self.process
        origin = origin_of(message, queue=inbox(process.service), own=process.address.account)
        announcer = origin.routing_key.partition(".")[0]
        if origin.exchange != ANNOUNCEMENTS or not announcer or process.account_of(announcer) != origin.sender:
            raise Forged
        return origin.routing_key

    def done(self, topic: str) -> None:
        """Go on with the next: a transaction over announcements of this topic has ended."""
        self._open.remove(topic)
        self._begin()

    def _begin(self) -> None:
        while not self._is_paused and len(self._open) < CONCURRENTLY and (batch := self._next()):
            topic = batch[0].envelope.topic
            handlers = self.handlers[topic]
            self._open.append(topic)
            self.container.spawn_worker(handlers[0], (), {}, context_data={"batch": batch, "handlers": handlers})

    def _next(self) -> list[_Pending]:
        """Take what is worked off next: one announcement, or all that wait of a kind that goes together."""
        # What came over a lost connection comes again.
        self._waiting = [pending for pending in self._waiting if pending.message.is_live]
        for pending in self._waiting:
            topic = pending.envelope.topic
            if not all(handler.batch for handler in self.handlers[topic]):
                self._waiting.remove(pending)
                return [pending]
            if topic not in self._open:
                batch = [other for other in self._waiting if other.envelope.topic == topic]
                self._waiting = [other for other in self._waiting if other.envelope.topic != topic]
                return batch
        return []


class AnnouncementHandler(Performed):
    """The entrypoint behind `@announcement_handler`."""

    consumer = InboxConsumer()

    def __init__(self, announcement: type[Announcement], *, batch: bool = False, role: str | None = None, **kwargs: Any) -> None:
        """Listen to one announcement; the method gets (work, announcement).

        :param batch: the method gets (work, announcements), as many as wait, and leaves nothing that bears a trace.
        :param role: the database role that the effect needs (`eraser`, ...).
        """
        self.announcement = announcement
        self.batch = batch
        self.role = role
        super().__init__(**kwargs)

    def setup(self) -> None:
        """Make the handler known."""
        self.consumer.register(self)

    def stop(self) -> None:
        """Take no more."""
        self.consumer.pause()

    def perform(self, worker: Any, method: Callable[..., Any]) -> Any:
        """Work off announcements: every handler of them, in one transaction, once."""
        batch: list[_Pending] = worker.data["batch"]
        try:
            if len(batch) > 1 and self._work_off_together(worker, batch):
                return
            for pending in batch:
                self._work_off(worker, pending)
        finally:
            self.consumer.done(self.announcement.routing_key())

    def _work_off_together(self, worker: Any, batch: Sequence[_Pending]) -> bool:
        """Work off several; tell whether that succeeded: if not, nothing was done, and each goes by itself."""
        try:
            outcomes = self._hear(worker, batch, [self.announcement.from_wire(pending.envelope.fields) for pending in batch])
        except Exception as error:  # noqa: BLE001 - whichever it was fails again by itself
            _log.warning("messages.failed", announcement=self.announcement.name, size=len(batch), **logs.where(error))
            return False
        for pending, outcome in zip(batch, outcomes, strict=True):
            self.consumer.retry_handler.done(pending.message)
            self._count(pending, outcome)
        return True

    def _work_off(self, worker: Any, pending: _Pending) -> None:
        retry_handler = self.consumer.retry_handler
        token = logs.trace.set(pending.envelope.trace_id)
        outcome = "done"
        try:
            try:
                announcement = self.announcement.from_wire(pending.envelope.fields)
            except TypeError as error:
                outcome = "dead-lettered"
                retry_handler.dead_letter(pending.message, type(error).__qualname__)
                return
            (outcome,) = self._hear(worker, [pending], [announcement])
            retry_handler.done(pending.message)
        except Unavailable as error:
            outcome = "postponed"
            retry_handler.postponed(pending.message, error.code)
        except Exception as error:  # noqa: BLE001 - bounded retries, then dead-lettering, for every mistake
            outcome = "retried"
            retry_handler.failed(pending.message, error)
        finally:
            self._count(pending, outcome)
            logs.trace.reset(token)

    def _hear(self, worker: Any, batch: Sequence[_Pending], announcements: Sequence[Announcement]) -> list[str]:
        """Hand announcements to their handlers in one transaction; return what became of each: done, or known before."""
        process = self.consumer.process
        caller = Caller.service(process.service, trace_id=batch[0].envelope.trace_id)
        role = next((handler.role for handler in worker.data["handlers"] if handler.role), None)
        with process.open_database().work(caller, role=role) as work:
            new = work.mark_all_processed(self.announcement.name, {pending.envelope.id for pending in batch})
            fresh = {
                pending.envelope.id: announcement for pending, announcement in zip(batch, announcements, strict=True) if pending.envelope.id in new
            }
            for handler in worker.data["handlers"] if fresh else ():
                hear = getattr(worker.service, handler.method_name)
                hear(work, list(fresh.values())) if handler.batch else hear(work, *fresh.values())
        return ["done" if pending.envelope.id in new else "known" for pending in batch]

    def _count(self, pending: _Pending, outcome: str) -> None:
        metrics.announcements.labels(self.consumer.process.service, self.announcement.name, outcome).inc()


announcement_handler = AnnouncementHandler.decorator


@dataclass(frozen=True, slots=True)
class Received:
    """One message of a batch: its id, and its JSON, read."""

    id: str
    body: Any
    #: The account that published it, as the broker authenticated it.
    sender: str = ""


class QueueHandler(Performed):
    """The entrypoint behind `@queue_handler`: the method gets (batch), a list of `Received`, and returns when it is durable.

    One batch at a time, in the order of arrival; whatever arrives meanwhile is the next one. After an error the
    whole batch is tried again; it is never skipped. What is not JSON is dead-lettered.
    """

    consumer = QueueConsumer()

    def __init__(self, queue: str, *, most: int = 500, **kwargs: Any) -> None:
        """Gather at most so many messages of a queue."""
        self.queue = queue
        self.most = most
        self._waiting: list[tuple[Delivery, Received]] = []
        self._arrived = Event()
        self._stopping = False
        self._greenlet: Any = None
        super().__init__(**kwargs)

    def start(self) -> None:
        """Begin to connect and to consume."""
        process = self.consumer.process
        self._retry_handler = RetryHandler(process.publisher, service=process.service, queue=self.queue)
        self.consumer.consume(self.queue, prefetch=self.most, receive=self._receive)
        self._greenlet = self.container.spawn_managed_thread(self._run, identifier=f"gathers {self.queue}")

    def stop(self) -> None:
        """Take no more; finish the batch under way."""
        self._stopping = True
        self.consumer.pause()
        self._wake()
        self._greenlet.wait()

    def _receive(self, message: Delivery) -> None:
        if len(message.body) > _LARGEST * 16:
            eventlet.spawn(self._retry_handler.dead_letter, message, "too-large")
            return
        try:
            body = orjson.loads(message.body)
        except (orjson.JSONDecodeError, TypeError):
            eventlet.spawn(self._retry_handler.dead_letter, message, "Undecodable")
            return
        sender = origin_of(message, queue=self.queue, own=self.consumer.process.address.account).sender
        self._waiting.append((message, Received(str(message.properties.get("message_id") or ""), body, sender)))
        self._wake()

    def _wake(self) -> None:
        if not self._arrived.ready():
            self._arrived.send()

    def _run(self) -> None:
        while not self._stopping:
            if not self._waiting:
                self._arrived.wait()
                self._arrived = Event()
                continue
            batch, self._waiting = self._waiting[: self.most], self._waiting[self.most :]
            finished = Event()
            self.container.spawn_worker(self, (), {}, context_data={"batch": batch, "finished": finished})
            finished.wait()

    def perform(self, worker: Any, method: Callable[..., Any]) -> Any:
        """Hand over one batch until it is taken; messages of a lost connection are left out, they come again."""
        batch = worker.data["batch"]
        waits = pauses(first=0.1, longest=5.0)
        try:
            while not self._stopping:
                batch = [(message, received) for message, received in batch if message.is_live]
                if not batch:
                    return
                try:
                    method([received for _, received in batch])
                except Exception as error:  # noqa: BLE001 - an entry is never skipped, whatever happens
                    pause = next(waits)
                    _log.error("batch.failed", queue=self.queue, size=len(batch), pause=pause, **logs.where(error))
                    eventlet.sleep(pause)
                else:
                    for message, _ in batch:
                        message.ack()
                    return
        finally:
            worker.data["finished"].send()


queue_handler = QueueHandler.decorator


def _open(message: Delivery, topic: str) -> _Envelope:
    """Read an announcement's envelope.

    :raises Undecodable: it is none.
    """
    if message.properties.get("content_type") != "application/json" or len(message.body) > _LARGEST:
        raise Undecodable
    try:
        wire = orjson.loads(message.body)
        envelope = _Envelope(str(UUID(wire["id"])), topic, str(wire.get("trace_id") or new_id()), wire["fields"])
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise Undecodable from error
    if not isinstance(envelope.fields, dict):
        raise Undecodable
    return envelope
