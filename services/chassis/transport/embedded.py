"""The in-process broker: the parts of RabbitMQ that the bus relies on, as kombu transport `embedded://`.

It pushes deliveries to consumers, returns unroutable `mandatory` messages, counts prefetch per consumer, redelivers
unacknowledged messages, and dead-letters messages that expired or were delivered too often. With a journal, it writes
persistent messages of durable queues to the file before it confirms them::

    embedded://name                          everything in memory
    embedded://account@name                  the same, as this account
    embedded://name//path/to/journal         persistent messages survive a killed process

Like RabbitMQ, it rejects a `user_id` other than the connection's account. But there are no passwords and no
permissions: the check finds mistakes and stops no attacker, who could run code in this process anyway.

It runs in one thread, on eventlet. Nothing yields between reading and changing a state, so there are no locks.
"""

from __future__ import annotations

import itertools
import os
import re
import time
from base64 import b64decode, b64encode
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import eventlet
import orjson
from amqp.protocol import queue_declare_ok_t
from eventlet.event import Event
from kombu.exceptions import ChannelError
from kombu.transport import TRANSPORT_ALIASES, base, virtual

SCHEME = "embedded"
_PERSISTENT = 2


def register() -> None:
    """Register the `embedded://` scheme with kombu."""
    TRANSPORT_ALIASES[SCHEME] = "services.chassis.transport.embedded:Transport"


@dataclass(slots=True)
class _QueuedMessage:
    """A message in one queue."""

    raw: dict[str, Any]
    expires_at: float | None = None
    deliveries: int = 0
    journal_id: int | None = None


@dataclass(eq=False, slots=True)
class _Consumer:
    tag: str
    queue: _Queue
    channel: Channel
    callback: Callable[[Any], object]
    no_ack: bool
    prefetch: int
    unacknowledged: int = 0

    @property
    def has_room(self) -> bool:
        return self.no_ack or not self.prefetch or self.unacknowledged < self.prefetch


@dataclass(eq=False, slots=True)
class _Queue:
    name: str
    broker: Broker
    durable: bool = False
    arguments: Mapping[str, str | int] = field(default_factory=dict)
    owner: Transport | None = None
    messages: deque[_QueuedMessage] = field(default_factory=deque)
    consumers: deque[_Consumer] = field(default_factory=deque)

    def put(self, queued: _QueuedMessage) -> None:
        now = time.monotonic()
        lives = [float(ms) / 1000 for ms in (self.arguments.get("x-message-ttl"), queued.raw["properties"].get("expiration")) if ms is not None]
        queued.expires_at = now + min(lives) if lives else None
        if self.durable and queued.raw["properties"].get("delivery_mode") == _PERSISTENT:
            self.broker.journal.put(self.name, queued)
        self.messages.append(queued)
        self.pump()
        if lives and self.messages and self.messages[-1] is queued:
            eventlet.spawn_after(min(lives) + 0.001, self.expire)

    def pump(self) -> None:
        """Push waiting messages to consumers below their prefetch limit, round-robin."""
        while self.messages and (consumer := self._next_with_room()):
            queued = self.messages.popleft()
            if queued.expires_at is not None and queued.expires_at <= time.monotonic():
                self.dead_letter(queued, "expired")
                continue
            queued.deliveries += 1
            consumer.channel.push(consumer, queued)

    def _next_with_room(self) -> _Consumer | None:
        for _ in range(len(self.consumers)):
            self.consumers.rotate(-1)
            if self.consumers[-1].has_room:
                return self.consumers[-1]
        return None

    def expire(self) -> None:
        now = time.monotonic()
        while self.messages and (at := self.messages[0].expires_at) is not None and at <= now:
            self.dead_letter(self.messages.popleft(), "expired")

    def requeue(self, queued: _QueuedMessage) -> None:
        """Return a message to the front, or dead-letter it after too many deliveries."""
        limit = self.arguments.get("x-delivery-limit")
        if limit is not None and queued.deliveries > int(limit):
            self.dead_letter(queued, "delivery_limit")
            return
        self.messages.appendleft(queued)
        self.pump()

    def dead_letter(self, queued: _QueuedMessage, reason: str) -> None:
        exchange = self.arguments.get("x-dead-letter-exchange")
        if exchange is not None:
            raw = queued.raw
            properties = {k: v for k, v in raw["properties"].items() if k != "expiration"}
            died = raw["properties"]["delivery_info"]
            headers = {
                **raw["headers"],
                "x-first-death-reason": raw["headers"].get("x-first-death-reason", reason),
                "x-death": [{"queue": self.name, "reason": reason, "exchange": died["exchange"], "routing-keys": [died["routing_key"]]}],
            }
            key = self.arguments.get("x-dead-letter-routing-key", died["routing_key"])
            self.broker.publish({**raw, "properties": properties, "headers": headers}, str(exchange), str(key))
        self.broker.journal.remove(queued)


class _Journal:
    """An append-only file with one JSON line for each persistent message and one for each that was settled."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._file: int | None = None
        self._ids = itertools.count(1)
        self._kept: dict[int, bytes] = {}
        self._lines = 0
        self._unwritten: list[bytes] = []

    def put(self, queue: str, queued: _QueuedMessage) -> None:
        if self._path is None or queued.journal_id is not None:
            return
        queued.journal_id = next(self._ids)
        raw = queued.raw
        line = orjson.dumps({"id": queued.journal_id, "queue": queue, **raw, "body": b64encode(raw["body"]).decode()})
        self._kept[queued.journal_id] = line
        self._unwritten.append(line)

    def remove(self, queued: _QueuedMessage) -> None:
        if queued.journal_id is not None and self._kept.pop(queued.journal_id, None) is not None:
            self._unwritten.append(orjson.dumps({"gone": queued.journal_id}))
        queued.journal_id = None

    def write(self, *, durably: bool) -> None:
        """Append new lines; with `durably`, also fsync."""
        if self._path is None or not (self._unwritten or durably):
            return
        if self._file is None:
            self._file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        lines, self._unwritten = self._unwritten, []
        _write_all(self._file, b"".join(line + b"\n" for line in lines))
        self._lines += len(lines)
        if durably:
            os.fsync(self._file)
        if self._lines > 1000 + 4 * len(self._kept):
            self._rewrite()

    def read(self) -> Iterable[tuple[str, _QueuedMessage]]:
        """Return (queue, message) for each unsettled message, oldest first."""
        if self._path is None or not self._path.exists():
            return []
        kept: dict[int, dict[str, Any]] = {}
        for line in self._path.read_bytes().split(b"\n"):
            try:
                record = orjson.loads(line)
            except orjson.JSONDecodeError:
                continue  # A killed process may leave half a line.
            if "gone" in record:
                kept.pop(record["gone"], None)
            else:
                kept[record.pop("id")] = record
        messages = []
        for record in kept.values():
            queue = record.pop("queue")
            record["body"] = b64decode(record["body"])
            queued = _QueuedMessage(record)
            self.put(queue, queued)
            messages.append((queue, queued))
        self._unwritten.clear()
        self._rewrite()
        return messages

    def _rewrite(self) -> None:
        if self._path is None:
            return
        self.close()
        rewritten = self._path.with_suffix(".new")
        file = os.open(rewritten, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            _write_all(file, b"".join(line + b"\n" for line in self._kept.values()))
            os.fsync(file)
        finally:
            os.close(file)
        rewritten.replace(self._path)
        self._lines = len(self._kept)

    def close(self) -> None:
        """Close the file; the next write reopens it."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def __del__(self) -> None:
        self.close()


def _write_all(file: int, content: bytes) -> None:
    while content:
        content = content[os.write(file, content) :]


_State: Any = virtual.BrokerState  # kombu has no annotations


class Broker:
    """The queues, exchanges and journal that all connections to one name share."""

    by_name: ClassVar[dict[str, Broker]] = {}

    def __init__(self, journal: Path | None = None) -> None:
        """Start with the journal's messages, which are delivered once their queue is declared."""
        self.state: Any = _State()
        self.queues: dict[str, _Queue] = {}
        self.journal = _Journal(journal)
        self._kept: dict[str, list[_QueuedMessage]] = {}
        for queue, queued in self.journal.read():
            self._kept.setdefault(queue, []).append(queued)

    @classmethod
    def named(cls, name: str, journal: str = "") -> Broker:
        """Return this process's broker of that name, creating it at the first call."""
        if name not in cls.by_name:
            cls.by_name[name] = cls(Path(journal) if journal else None)
        return cls.by_name[name]

    def declare(self, name: str, *, durable: bool, arguments: Mapping[str, str | int], owner: Transport | None) -> _Queue:
        """Return the queue of that name; a new queue gets its messages from the journal."""
        queue = self.queues.get(name)
        if queue is None:
            queue = self.queues[name] = _Queue(name, self, durable, dict(arguments), owner)
            for queued in self._kept.pop(name, []):
                queue.put(queued)
        return queue

    def delete(self, name: str) -> None:
        """Delete a queue with its bindings and messages."""
        self.state.queue_bindings_delete(name)
        for exchange in self.state.exchanges.values():
            exchange["table"] = [row for row in exchange["table"] if row[2] != name]
        self.queues.pop(name, None)

    def route(self, exchange: str, routing_key: str) -> list[_Queue]:
        """Return the queues that a message is routed to.

        :raises ChannelError: the exchange does not exist.
        """
        if not exchange:
            names: Iterable[str] = [routing_key]
        else:
            known = self.state.exchanges.get(exchange)
            if known is None:
                raise ChannelError(f"NOT_FOUND - no exchange {exchange!r}", (60, 40), "Basic.publish", "404")
            kind = known["type"]
            names = {
                queue
                for key, pattern, queue in known["table"]
                if kind == "fanout" or (key == routing_key if kind == "direct" else re.match(pattern, routing_key))
            }
        return [self.queues[name] for name in names if name in self.queues]

    def publish(self, raw: dict[str, Any], exchange: str, routing_key: str) -> bool:
        """Put a copy into every queue that it is routed to; return whether there was one."""
        queues = self.route(exchange, routing_key)
        for queue in queues:
            properties = {**raw["properties"], "delivery_info": {"exchange": exchange, "routing_key": routing_key}}
            queue.put(_QueuedMessage({**raw, "properties": properties}))
        self.journal.write(durably=False)
        return bool(queues)


class Channel(virtual.Channel):
    """A channel of the in-process broker."""

    do_restore = False

    def __init__(self, connection: Transport, **kwargs: Any) -> None:
        """Open a channel on a connection."""
        super().__init__(connection, **kwargs)
        self.events: defaultdict[str, set[Callable[..., object]]] = defaultdict(set)
        self._broker = connection.broker
        self._tags = itertools.count(1)
        self._given: dict[int, tuple[_QueuedMessage, _Consumer | _Queue]] = {}
        self._by_tag: dict[str, _Consumer] = {}
        self._prefetch = 0
        self._confirming = False
        self._published = 0

    # Queues

    def queue_declare(
        self,
        queue: str | None = None,
        passive: bool = False,
        durable: bool = False,
        exclusive: bool = False,
        arguments: Mapping[str, str | int] | None = None,
        **_: Any,
    ) -> queue_declare_ok_t:
        """Declare a queue, or check it with `passive`."""
        name = queue or f"amq.gen-{next(self._tags)}-{id(self)}"
        if passive:
            known = self._broker.queues.get(name)
            if known is None:
                raise ChannelError(f"NOT_FOUND - no queue {name!r}", (50, 10), "Queue.declare", "404")
        else:
            known = self._broker.declare(name, durable=durable, arguments=arguments or {}, owner=self.connection if exclusive else None)
        return queue_declare_ok_t(name, len(known.messages), len(known.consumers))

    def queue_delete(self, queue: str, if_unused: bool = False, if_empty: bool = False, **_: Any) -> None:
        """Delete a queue and its bindings."""
        known = self._broker.queues.get(queue)
        if known is not None and not (if_empty and known.messages) and not (if_unused and known.consumers):
            self._broker.delete(queue)

    # Publishing

    def confirm_select(self, **_: Any) -> None:
        """Confirm published messages once they are in the journal."""
        self._confirming = True

    def basic_publish(self, message: dict[str, Any], exchange: str = "", routing_key: str = "", mandatory: bool = False, **_: Any) -> None:
        """Route a message; return an unroutable `mandatory` one as NO_ROUTE."""
        if self.closed or self.connection is None:
            raise ConnectionResetError
        named = message["properties"].get("user_id")
        if named is not None and named != self.connection.account:
            error = f"PRECONDITION_FAILED - user_id property set to {named!r} but authenticated user was {self.connection.account!r}"
            raise ChannelError(error, (60, 40), "Basic.publish", "406")
        body = message["body"]
        raw = {**message, "body": body.encode() if isinstance(body, str) else bytes(body)}
        # nameko answers in the encoding of the call, which it reads from the properties.
        raw["properties"] = {**raw["properties"], "content_type": raw.get("content-type"), "content_encoding": raw.get("content-encoding")}
        self._published += 1
        routed = self._broker.publish(raw, exchange, routing_key)
        if mandatory and not routed:
            returned = self.Message({**raw, "properties": {**raw["properties"], "delivery_tag": 0}}, channel=self)
            self._notify("basic_return", ChannelError("NO_ROUTE", (60, 50), "Basic.return", "312"), exchange, routing_key, returned)
        if self._confirming:
            self.connection.confirm(self, self._published)

    def acknowledge_published(self, number: int) -> None:
        """Confirm all messages up to `number` to the publisher."""
        self._notify("basic_ack", number, True)

    def _notify(self, event: str, *args: object) -> None:
        for callback in list(self.events[event]):
            callback(*args)

    # Consuming

    def basic_qos(self, prefetch_size: int = 0, prefetch_count: int = 0, apply_global: bool = False) -> None:
        """Limit the unacknowledged messages of each later consumer.

        Counted per consumer, like RabbitMQ: per channel, waiting calls would block their own replies.
        """
        self._prefetch = prefetch_count

    def basic_consume(
        self, queue: str, no_ack: bool = False, callback: Callable[[Any], object] | None = None, consumer_tag: str = "", **_: Any
    ) -> str:
        """Push messages of a queue to `callback`; return the consumer tag."""
        known = self._broker.queues.get(queue)
        if known is None:
            raise ChannelError(f"NOT_FOUND - no queue {queue!r}", (60, 20), "Basic.consume", "404")
        tag = consumer_tag or f"ctag-{next(self._tags)}-{id(self)}"
        consumer = _Consumer(tag, known, self, callback or (lambda _: None), no_ack, self._prefetch)
        self._by_tag[tag] = consumer
        known.consumers.append(consumer)
        known.pump()
        return tag

    def basic_cancel(self, consumer_tag: str, **_: Any) -> None:
        """Push nothing more to this consumer; it keeps its unacknowledged messages."""
        consumer = self._by_tag.pop(consumer_tag, None)
        if consumer is not None and consumer in consumer.queue.consumers:
            consumer.queue.consumers.remove(consumer)

    def push(self, consumer: _Consumer, queued: _QueuedMessage) -> None:
        """Deliver a message to a consumer of this channel."""
        tag = next(self._tags)
        if consumer.no_ack:
            self._broker.journal.remove(queued)
        else:
            consumer.unacknowledged += 1
            self._given[tag] = (queued, consumer)
        self.connection.receive(consumer, self._message(queued, tag))

    def basic_get(self, queue: str, **_: Any) -> Any:
        """Return the first message of a queue, or None."""
        known = self._broker.queues[queue]
        if not known.messages:
            return None
        queued, tag = known.messages.popleft(), next(self._tags)
        queued.deliveries += 1
        self._given[tag] = (queued, known)
        return self._message(queued, tag)

    def _message(self, queued: _QueuedMessage, tag: int) -> Any:
        raw = queued.raw
        headers = dict(raw["headers"])
        if queued.deliveries > 1:
            headers["x-delivery-count"] = queued.deliveries - 1
        info = {**raw["properties"]["delivery_info"], "redelivered": queued.deliveries > 1}
        return self.Message(
            {**raw, "headers": headers, "properties": {**raw["properties"], "delivery_tag": tag, "delivery_info": info}}, channel=self
        )

    def basic_ack(self, delivery_tag: int, multiple: bool = False) -> None:
        """Acknowledge one delivery, or every one up to it."""
        tags = [tag for tag in self._given if tag <= delivery_tag] if multiple else [delivery_tag]
        for tag in tags:
            queued, queue = self._take_back(tag)
            self._broker.journal.remove(queued)
            queue.pump()
        self._broker.journal.write(durably=False)

    def basic_reject(self, delivery_tag: int, requeue: bool = False) -> None:
        """Return a delivery to its queue, or dead-letter it."""
        queued, queue = self._take_back(delivery_tag)
        if requeue:
            queue.requeue(queued)
        else:
            queue.dead_letter(queued, "rejected")
            queue.pump()
        self._broker.journal.write(durably=False)

    def _take_back(self, tag: int) -> tuple[_QueuedMessage, _Queue]:
        queued, holder = self._given.pop(tag)
        if isinstance(holder, _Queue):
            return queued, holder
        holder.unacknowledged -= 1
        return queued, holder.queue

    def close(self) -> None:
        """Cancel the consumers and requeue unacknowledged messages."""
        if self.closed:
            return
        for consumer in list(self._by_tag):
            self.basic_cancel(consumer)
        for tag in sorted(self._given, reverse=True):
            queued, queue = self._take_back(tag)
            if self._broker.queues.get(queue.name) is queue:
                queue.requeue(queued)
        super().close()


class Transport(virtual.Transport):
    """A connection to the in-process broker."""

    Channel = Channel
    connection_errors = (OSError,)
    implements = base.Transport.implements.extend(asynchronous=False, exchange_type=frozenset(["direct", "topic", "fanout"]), heartbeats=False)

    def __init__(self, client: Any, **kwargs: Any) -> None:
        """Connect to the broker that the URL names."""
        self.broker = Broker.named(client.hostname or "main", client.virtual_host if client.virtual_host != "/" else "")
        super().__init__(client, **kwargs)
        self.state = self.broker.state
        #: The account that the connection claims; there are no passwords.
        self.account = client.userid
        self._inbox: deque[tuple[_Consumer | None, Any]] = deque()
        self._wake: Event | None = None
        self._closed = False

    def receive(self, consumer: _Consumer, message: Any) -> None:
        """Queue a delivery for `drain_events`."""
        self._inbox.append((consumer, message))
        self._wake_up()

    def confirm(self, channel: Any, number: int) -> None:
        """Queue a confirm for `channel`; all confirms that wait share one write to disk."""
        self._inbox.append((None, (channel, number)))
        self._wake_up()

    def _wake_up(self) -> None:
        if self._wake is not None and not self._wake.ready():
            self._wake.send()

    def drain_events(self, connection: Any, timeout: float | None = None) -> None:
        """Wait for one delivery and pass it to its consumer.

        :raises TimeoutError: there was none in time.
        :raises ConnectionResetError: the connection was closed.
        """
        if not self._inbox and not self._closed:
            self._wake = Event()
            with eventlet.Timeout(timeout, exception=False):
                self._wake.wait()
            self._wake = None
        if self._closed:
            raise ConnectionResetError
        if not self._inbox:
            raise TimeoutError
        consumer, message = self._inbox.popleft()
        if consumer is not None:
            consumer.callback(message)
            return
        # One fsync confirms all messages published until now.
        self.broker.journal.write(durably=True)
        confirms = [message, *(m for c, m in self._inbox if c is None)]
        self._inbox = deque((c, m) for c, m in self._inbox if c is not None)
        newest: dict[Any, int] = dict(confirms)
        for channel, number in newest.items():
            channel.acknowledge_published(number)

    def close_connection(self, connection: Any) -> None:
        """Close the channels and delete the connection's exclusive queues."""
        self._closed = True
        super().close_connection(connection)
        for queue in [q for q in self.broker.queues.values() if q.owner is self]:
            self.broker.delete(queue.name)
        self._wake_up()
