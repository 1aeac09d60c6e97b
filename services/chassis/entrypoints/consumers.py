"""`announcement_handler`: a method that works off announcements, each once; `queue_handler`: one that takes a queue in batches.

The message's id goes into the inbox table in the transaction of the effect; the acknowledgement follows the commit.
What a method can take together (`@announcement_handler(..., batch=True)`) is worked off in one transaction, as much as waits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import eventlet
import orjson
from eventlet.event import Event
from nameko.extensions import SharedExtension

from services.chassis import logs, metrics
from services.chassis.backoff import pauses
from services.chassis.entrypoints.container import Performed
from services.chassis.entrypoints.context import Process, process_of
from services.chassis.entrypoints.retry import RetryHandler
from services.chassis.logs import Log
from services.chassis.messages import Announcement, Caller, Unavailable, new_id
from services.chassis.topology import ANNOUNCEMENTS, inbox
from services.chassis.transport.connection import LOST, BrokerConnection, Delivery
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
class _Told:
    """One announcement as it was delivered."""

    message: Delivery
    envelope: _Envelope


class _QueueConsumer(SharedExtension):
    """A connection of its own that consumes one queue."""

    def __init__(self) -> None:
        self._link: BrokerConnection | None = None
        self._tag = ""
        self._stopping = False
        super().__init__()

    @property
    def process(self) -> Process:
        return process_of(self)

    def consume(self, queue: str, *, prefetch: int, receive: Callable[[Any], object]) -> None:
        def prepare(channel: Any) -> None:
            channel.basic_qos(0, prefetch, False)
            self._tag = f"{self.process.service}-{new_id()}"
            channel.basic_consume(
                queue=queue,
                callback=lambda raw: None if self._stopping else receive(Delivery(raw, channel)),
                consumer_tag=self._tag,
            )

        self._link = BrokerConnection(self.process.address, name=f"{self.process.service}-{queue}", on_connect=prepare)
        self._link.start()

    def pause(self) -> None:
        """Take nothing more; what is under way is finished."""
        self._stopping = True
        if self._link is not None and self._link.is_up:
            try:
                self._link.channel.basic_cancel(self._tag, nowait=True)
            except LOST:
                return

    def stop(self) -> None:
        """Close the connection; what was not acknowledged goes back to the queue."""
        if self._link is not None:
            self._link.stop()

    kill = stop

    def wait_up(self, seconds: float) -> bool:
        """Wait until the queue is consumed; tell whether it is."""
        return self._link is not None and self._link.wait_up(seconds)


class InboxConsumer(_QueueConsumer):
    """Takes announcements from the service's inbox."""

    def __init__(self) -> None:
        """Begin without listeners."""
        self.listeners: dict[str, list[AnnouncementHandler]] = {}
        self._waiting: list[_Told] = []
        #: The topics of what is being worked off, one for each transaction.
        self._open: list[str] = []
        super().__init__()

    def register(self, entrypoint: AnnouncementHandler) -> None:
        """Hand announcements of this topic to the entrypoint."""
        listeners = self.listeners.setdefault(entrypoint.announcement.routing_key(), [])
        listeners.append(entrypoint)
        listeners.sort(key=lambda listener: listener.method_name)

    def start(self) -> None:
        """Begin to connect and to consume."""
        process = self.process
        self.keeper = RetryHandler(process.publisher, service=process.service, queue=inbox(process.service))
        self.consume(inbox(process.service), prefetch=_BEFORE_IT, receive=self._receive)

    def _receive(self, message: Delivery) -> None:
        try:
            envelope = _open(message, self._topic_of(message))
        except (Forged, Undecodable) as error:
            eventlet.spawn(self.keeper.dead_letter, message, type(error).__qualname__)
            return
        if envelope.topic not in self.listeners:
            # A former version of this service was bound to it; this one has no use for it.
            metrics.announcements.labels(self.process.service, "unknown", "ignored").inc()
            message.ack()
            return
        self._waiting.append(_Told(message, envelope))
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
        while not self._stopping and len(self._open) < CONCURRENTLY and (batch := self._next()):
            topic = batch[0].envelope.topic
            listeners = self.listeners[topic]
            self._open.append(topic)
            self.container.spawn_worker(listeners[0], (), {}, context_data={"batch": batch, "listeners": listeners})

    def _next(self) -> list[_Told]:
        """Take what is worked off next: one announcement, or all that wait of a kind that goes together."""
        # What came over a lost connection comes again.
        self._waiting = [told for told in self._waiting if told.message.is_live]
        for told in self._waiting:
            topic = told.envelope.topic
            if not all(listener.batch for listener in self.listeners[topic]):
                self._waiting.remove(told)
                return [told]
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
        """Make the listener known."""
        self.consumer.register(self)

    def stop(self) -> None:
        """Take no more."""
        self.consumer.pause()

    def perform(self, worker: Any, method: Callable[..., Any]) -> Any:
        """Work off announcements: every listener of them, in one transaction, once."""
        batch: list[_Told] = worker.data["batch"]
        try:
            if len(batch) > 1 and self._work_off_together(worker, batch):
                return
            for told in batch:
                self._work_off(worker, told)
        finally:
            self.consumer.done(self.announcement.routing_key())

    def _work_off_together(self, worker: Any, batch: Sequence[_Told]) -> bool:
        """Work off several; tell whether that succeeded: if not, nothing was done, and each goes by itself."""
        try:
            outcomes = self._hear(worker, batch, [self.announcement.from_wire(told.envelope.fields) for told in batch])
        except Exception as error:  # noqa: BLE001 - whichever it was fails again by itself
            _log.warning("messages.failed", announcement=self.announcement.name, size=len(batch), **logs.where(error))
            return False
        for told, outcome in zip(batch, outcomes, strict=True):
            self.consumer.keeper.done(told.message)
            self._count(told, outcome)
        return True

    def _work_off(self, worker: Any, told: _Told) -> None:
        keeper = self.consumer.keeper
        token = logs.trace.set(told.envelope.trace_id)
        outcome = "done"
        try:
            try:
                announcement = self.announcement.from_wire(told.envelope.fields)
            except TypeError as error:
                outcome = "dead-lettered"
                keeper.dead_letter(told.message, type(error).__qualname__)
                return
            (outcome,) = self._hear(worker, [told], [announcement])
            keeper.done(told.message)
        except Unavailable as error:
            outcome = "postponed"
            keeper.postponed(told.message, error.code)
        except Exception as error:  # noqa: BLE001 - bounded retries, then dead-lettering, for every mistake
            outcome = "retried"
            keeper.failed(told.message, error)
        finally:
            self._count(told, outcome)
            logs.trace.reset(token)

    def _hear(self, worker: Any, batch: Sequence[_Told], announcements: Sequence[Announcement]) -> list[str]:
        """Hand announcements to their listeners in one transaction; return what became of each: done, or known before."""
        process = self.consumer.process
        caller = Caller.service(process.service, trace_id=batch[0].envelope.trace_id)
        role = next((listener.role for listener in worker.data["listeners"] if listener.role), None)
        with process.open_database().work(caller, role=role) as work:
            new = work.mark_all_processed(self.announcement.name, {told.envelope.id for told in batch})
            fresh = {told.envelope.id: announcement for told, announcement in zip(batch, announcements, strict=True) if told.envelope.id in new}
            for listener in worker.data["listeners"] if fresh else ():
                hear = getattr(worker.service, listener.method_name)
                hear(work, list(fresh.values())) if listener.batch else hear(work, *fresh.values())
        return ["done" if told.envelope.id in new else "known" for told in batch]

    def _count(self, told: _Told, outcome: str) -> None:
        metrics.announcements.labels(self.consumer.process.service, self.announcement.name, outcome).inc()


announcement_handler = AnnouncementHandler.decorator


@dataclass(frozen=True, slots=True)
class Received:
    """One message of a batch: its id, and its JSON, read."""

    id: str
    body: Any
    #: The account that published it, as the broker authenticated it.
    sender: str = ""


@dataclass(eq=False, slots=True)
class _Pile:
    messages: list[tuple[Delivery, Received]] = field(default_factory=list)
    grew: Event = field(default_factory=Event)


class QueueHandler(Performed):
    """The entrypoint behind `@queue_handler`: the method gets (batch), a list of `Received`, and returns when it is durable.

    One batch at a time, in the order of arrival; whatever arrives meanwhile is the next one. After an error the
    whole batch is tried again; it is never skipped. What is not JSON is dead-lettered.
    """

    consumer = _QueueConsumer()

    def __init__(self, queue: str, *, most: int = 500, **kwargs: Any) -> None:
        """Gather at most so many messages of a queue."""
        self.queue = queue
        self.most = most
        self._pile = _Pile()
        self._stopping = False
        self._greenlet: Any = None
        super().__init__(**kwargs)

    def start(self) -> None:
        """Begin to connect and to consume."""
        process = self.consumer.process
        self._keeper = RetryHandler(process.publisher, service=process.service, queue=self.queue)
        self.consumer.consume(self.queue, prefetch=self.most, receive=self._receive)
        self._greenlet = self.container.spawn_managed_thread(self._run, identifier=f"gathers {self.queue}")

    def stop(self) -> None:
        """Take no more; finish the batch under way."""
        self._stopping = True
        self.consumer.pause()
        self._rouse()
        self._greenlet.wait()

    def _receive(self, message: Delivery) -> None:
        if len(message.body) > _LARGEST * 16:
            eventlet.spawn(self._keeper.dead_letter, message, "too-large")
            return
        try:
            body = orjson.loads(message.body)
        except (orjson.JSONDecodeError, TypeError):
            eventlet.spawn(self._keeper.dead_letter, message, "Undecodable")
            return
        sender = origin_of(message, queue=self.queue, own=self.consumer.process.address.account).sender
        self._pile.messages.append((message, Received(str(message.properties.get("message_id") or ""), body, sender)))
        self._rouse()

    def _rouse(self) -> None:
        if not self._pile.grew.ready():
            self._pile.grew.send()

    def _run(self) -> None:
        while not self._stopping:
            if not self._pile.messages:
                self._pile.grew.wait()
                self._pile.grew = Event()
                continue
            batch, self._pile.messages = self._pile.messages[: self.most], self._pile.messages[self.most :]
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
