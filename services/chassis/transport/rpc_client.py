"""Call services over one connection for the whole process, with many concurrent calls.

It speaks nameko's protocol (exchange `nameko-rpc`, queue `rpc-<service>`, `{"args", "kwargs"}` in, `{"result",
"error"}` out). One reply consumer passes each reply to the caller with its correlation id. Calls are transient and
unconfirmed: the caller's deadline replaces the confirmation, and an expired call is dropped from the queue. A call to
a service that is gone fails at once (see `presence`).
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import eventlet
import orjson
from eventlet.event import Event

from services.chassis.logs import Log
from services.chassis.messages import Operation, OutcomeUnknown, Refusal, Unavailable, new_id, wire_value
from services.chassis.topology import CALLS, reply_queue
from services.chassis.transport.connection import Address, BrokerConnection, BrokerUnavailable, Delivery
from services.chassis.transport.presence import Presence

_log = Log(__name__)

PASSPORT = "liaison-passport"
TRACE = "liaison-trace"
OPERATION = "liaison-operation"
#: Error code of every exception that is not a refusal; nothing else of it is sent.
INTERNAL = "internal"
_TRANSIENT = 1
#: Seconds to wait for a broker that blocks publishers, before waiting calls fail.
_BLOCKED_GRACE = 3.0
_RECONNECT_GRACE = 2.0
#: Seconds without any answer from a service after which its presence is checked.
_LOOK_AFTER = 0.2


class InternalError(Exception):
    """The called service failed; only the trace id is known."""

    def __init__(self, trace_id: str | None) -> None:
        self.trace_id = trace_id
        super().__init__(f"internal error, trace {trace_id}")


class _Interrupted(Exception):
    """No answer can arrive: the connection was lost, the broker is blocked, or the service is gone."""


@dataclass(eq=False, slots=True)
class _Waiting:
    service: str
    answered: Event = field(default_factory=Event)
    sent_at: float = float("inf")

    def fail(self, error: Exception) -> None:
        if not self.answered.ready():
            self.answered.send_exception(error)


class RpcClient:
    """Calls services; the greenlets of a process share one client."""

    def __init__(self, address: Address, *, identity: str, deadline: float = 10.0, on_connect: Callable[[Any], object] = lambda _: None) -> None:
        """Prepare; `start` connects.

        :param identity: names the connection and the reply queue.
        :param deadline: default deadline of a call, in seconds.
        :param on_connect: called with the channel after every connect, for example to consume another queue.
        """
        self._address = f"reply.{identity}.{uuid.uuid4().hex}"
        self._identity = identity
        self._deadline = deadline
        self._on_connect = on_connect
        self._waiting: dict[str, _Waiting] = {}
        self._presence = Presence(address, name=f"{identity}-presence")
        self._watcher: Any = None
        self._broker = BrokerConnection(
            address, name=f"{identity}-calls", on_connect=self._prepare, on_disconnect=self._lost, on_blocked=self._blocked
        )

    def start(self) -> None:
        """Start to connect in the background."""
        self._broker.start()

    def wait_up(self, seconds: float | None = None) -> bool:
        """Wait for the connection; return whether it is up."""
        return self._broker.wait_up(seconds)

    def stop(self) -> None:
        """Close the connection; waiting calls fail."""
        self._presence.stop()
        self._broker.stop()

    @property
    def is_up(self) -> bool:
        """Whether there is a connection and the broker accepts messages on it."""
        return self._broker.is_up and not self._broker.blocked

    def call(
        self,
        service: str,
        method: str,
        kwargs: Mapping[str, object],
        *,
        passport: str | None = None,
        trace_id: str | None = None,
        operation: Operation | None = None,
        deadline: float | None = None,
    ) -> Any:
        """Call a method of a service and return its result.

        :param operation: of a command; without it the call is a query.
        :param deadline: in seconds; the client's default without one.
        :raises Refusal: the service refused the call, with its code.
        :raises Unavailable: the service is gone, the call could not be sent, or a query had no answer in time.
        :raises OutcomeUnknown: a command was sent and had no answer in time; `extra` has its `operation_id`.
        :raises InternalError: the service failed.
        """
        seconds = self._deadline if deadline is None else deadline
        headers: dict[str, str] = {TRACE: trace_id or new_id()}
        if passport is not None:
            headers[PASSPORT] = passport
        if operation is not None:
            headers[OPERATION] = orjson.dumps(operation).decode()
        body = orjson.dumps({"args": [], "kwargs": dict(kwargs)}, default=wire_value)
        correlation_id = uuid.uuid4().hex
        waiting = self._waiting[correlation_id] = _Waiting(service)
        sent = False
        # The deadline covers publishing and waiting. However the wait ends, the entry is removed.
        deadline_passed = eventlet.Timeout(seconds)
        try:
            self._wait_for_connection(min(seconds, _RECONNECT_GRACE))
            if self._presence.is_gone(service):
                raise Unavailable
            sent = True
            waiting.sent_at = _now()
            self._watch()
            self._broker.publish(
                body,
                exchange=CALLS,
                routing_key=f"{service}.{method}",
                headers=headers,
                mandatory=True,
                reply_to=self._address,
                correlation_id=correlation_id,
                delivery_mode=_TRANSIENT,
                expiration=str(max(1, int(seconds * 1000))),
            )
            answer = waiting.answered.wait()
        except eventlet.Timeout as timeout:
            if timeout is not deadline_passed:
                raise
            raise _no_answer(operation, sent=sent) from None
        except BrokerUnavailable:
            raise Unavailable from None
        except _Interrupted:
            raise _no_answer(operation, sent=sent) from None
        finally:
            deadline_passed.cancel()
            self._waiting.pop(correlation_id, None)
        return _read_answer(answer, headers[TRACE])

    def _wait_for_connection(self, seconds: float) -> None:
        if not self._broker.is_up and not self._broker.wait_up(seconds):
            raise BrokerUnavailable("no connection to the broker")

    # The connection's reader greenlet calls these methods.

    def _prepare(self, channel: Any) -> None:
        channel.events["basic_return"].add(self._returned)
        queue = reply_queue(self._address)
        channel.queue_declare(queue=queue, exclusive=True, auto_delete=True, durable=False)
        channel.queue_bind(queue=queue, exchange=CALLS, routing_key=self._address)
        channel.basic_consume(queue=queue, no_ack=True, callback=lambda raw: self._replied(Delivery(raw, channel)))
        self._on_connect(channel)

    def _replied(self, message: Delivery) -> None:
        waiting = self._waiting.get(str(message.properties.get("correlation_id")))
        if waiting is None or waiting.answered.ready():
            return  # The deadline passed, or there was no such call.
        self._presence.heard(waiting.service)
        waiting.answered.send(message.body)

    def _returned(self, _error: Any, _exchange: str, routing_key: str, message: Any) -> None:
        _log.warning("call.unroutable", method=routing_key)
        waiting = self._waiting.get(str(message.properties.get("correlation_id")))
        if waiting is not None:
            waiting.fail(BrokerUnavailable(f"nobody answers {routing_key}"))

    def _lost(self) -> None:
        self._interrupt("connection lost")

    def _blocked(self, blocked: bool) -> None:
        if blocked:
            eventlet.spawn_after(_BLOCKED_GRACE, self._give_up_if_blocked)

    def _give_up_if_blocked(self) -> None:
        if self._broker.blocked:
            self._interrupt("broker blocked")

    def _interrupt(self, reason: str) -> None:
        for waiting in list(self._waiting.values()):
            waiting.fail(_Interrupted(reason))

    # One greenlet watches all waiting calls, for as long as there are any.

    def _watch(self) -> None:
        if self._watcher is None:
            self._watcher = eventlet.spawn(self._watch_waiting)

    def _watch_waiting(self) -> None:
        try:
            while self._waiting:
                eventlet.sleep(_LOOK_AFTER)
                before = _now() - _LOOK_AFTER
                for service in {waiting.service for waiting in self._waiting.values() if waiting.sent_at < before}:
                    if not self._presence.heard_within(service, _LOOK_AFTER):
                        unserved = self._presence.unserved(service)
                        self._fail_unserved(service, unserved or 0, before)
        finally:
            self._watcher = None

    def _fail_unserved(self, service: str, unserved: int, before: float) -> None:
        """Fail the calls that wait in a queue without a consumer: the last `unserved` ones sent; earlier ones are being handled."""
        if unserved:
            sent = [waiting for waiting in self._waiting.values() if waiting.service == service and waiting.sent_at < before]
            for waiting in sorted(sent, key=lambda one: one.sent_at)[-unserved:]:
                waiting.fail(_Interrupted(f"nobody takes calls to {service}"))


def _now() -> float:
    now: float = eventlet.hubs.get_hub().clock()
    return now


def _no_answer(operation: Operation | None, *, sent: bool) -> Refusal:
    if operation is not None and sent:
        return OutcomeUnknown(extra={"operation_id": operation.id})
    return Unavailable()


def _refusal(error: Mapping[str, object]) -> Refusal:
    refusal = Refusal.from_wire(error)
    if refusal.code == OutcomeUnknown.code:
        return OutcomeUnknown(refusal.detail, extra=refusal.extra)
    return refusal


def _read_answer(body: bytes | str, trace_id: str) -> Any:
    try:
        answer = orjson.loads(body)
        error = answer["error"]
        if error is None:
            return answer["result"]
        if error.get("branch") is not None and error.get("code") != INTERNAL:
            raise _refusal(error)
        raise InternalError(str((error.get("extra") or {}).get("trace_id") or trace_id))
    except (orjson.JSONDecodeError, TypeError, KeyError, AttributeError) as error:
        raise InternalError(trace_id) from error
