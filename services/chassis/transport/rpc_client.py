"""Calls to services: one connection for a whole process, many calls under way at once.

It speaks nameko's protocol (exchange `nameko-rpc`, queue `rpc-<service>`, `{"args", "kwargs"}` in, `{"result",
"error"}` out), pipelined: one consumer of replies hands each to whoever waits for its correlation id. Calls are
transient and unconfirmed; the deadline takes the place of a confirmation, and a call that nobody waits for any more
expires in the queue. A call to a service that is gone is refused at once (`presence`).
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
#: What an answer other than a refusal says of an error: nothing.
INTERNAL = "internal"
_TRANSIENT = 1
#: A broker that takes nothing in is waited for this long, then its callers are let go.
_BLOCKED_GRACE = 3.0
_RECONNECT_GRACE = 2.0
#: A call that waits so long, with no other answer from its service meanwhile, is reason to look whether anybody takes it.
_LOOK_AFTER = 0.2


class InternalError(Exception):
    """The service that was asked made a mistake; only the trace id crosses."""

    def __init__(self, trace_id: str | None) -> None:
        self.trace_id = trace_id
        super().__init__(f"internal error, trace {trace_id}")


class _Interrupted(Exception):
    """The answer cannot come any more: connection lost, broker blocked, nobody there."""


@dataclass(eq=False, slots=True)
class _Waiting:
    service: str
    answered: Event = field(default_factory=Event)
    sent_at: float = float("inf")

    def let_go(self, error: Exception) -> None:
        if not self.answered.ready():
            self.answered.send_exception(error)


class RpcClient:
    """Calls from one process; greenlets share it."""

    def __init__(self, address: Address, *, identity: str, deadline: float = 10.0, on_connect: Callable[[Any], object] = lambda _: None) -> None:
        """Describe the client of the process `identity`; `start` connects it.

        `on_connect` is called with the new channel after every connect, to consume from a queue beside the replies.
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
        """Begin to connect, in the background."""
        self._broker.start()

    def wait_up(self, seconds: float | None = None) -> bool:
        """Wait for the connection; tell whether it is there."""
        return self._broker.wait_up(seconds)

    def stop(self) -> None:
        """Close the connection; whoever still waits is told that no answer will come."""
        self._presence.stop()
        self._broker.stop()

    @property
    def is_up(self) -> bool:
        """Whether there is a connection that the broker takes something from."""
        return self._broker.is_up and not self._broker.blocked

    def call(
        self,
        service: str,
        method: str,
        kwargs: Mapping[str, Any],
        *,
        passport: str | None = None,
        trace_id: str | None = None,
        operation: Operation | None = None,
        deadline: float | None = None,
    ) -> Any:
        """Ask a service and return its answer.

        :raises Refusal: the service refused, with its code.
        :raises Unavailable: nobody takes the service's calls, the call could not be sent, or the answer to a query did not
            come in time.
        :raises OutcomeUnknown: the answer to a command (`operation` given) did not come in time, or whoever had to take it
            was gone before it was taken; `extra` names it.
        :raises InternalError: the service made a mistake.
        """
        seconds = self._deadline if deadline is None else deadline
        headers: dict[str, Any] = {TRACE: trace_id or new_id()}
        if passport is not None:
            headers[PASSPORT] = passport
        if operation is not None:
            headers[OPERATION] = orjson.dumps(operation.to_wire()).decode()
        body = orjson.dumps({"args": [], "kwargs": dict(kwargs)}, default=wire_value)
        correlation_id = uuid.uuid4().hex
        waiting = self._waiting[correlation_id] = _Waiting(service)
        sent = False
        # The deadline is around publishing and waiting; whatever ends the wait, a killed greenlet too, the entry goes.
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
            message = "no connection to the broker"
            raise BrokerUnavailable(message)

    # The reader's greenlet calls what follows.

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
            return  # The deadline passed, or somebody answers what nobody asked.
        self._presence.heard(waiting.service)
        waiting.answered.send(message.body)

    def _returned(self, _error: Any, _exchange: str, routing_key: str, message: Any) -> None:
        _log.warning("call.unroutable", method=routing_key)
        waiting = self._waiting.get(str(message.properties.get("correlation_id")))
        if waiting is not None:
            waiting.let_go(BrokerUnavailable(f"nobody answers {routing_key}"))

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
            waiting.let_go(_Interrupted(reason))

    # One greenlet looks after all calls that wait, for as long as there are any.

    def _watch(self) -> None:
        if self._watcher is None:
            self._watcher = eventlet.spawn(self._look_after_those_who_wait)

    def _look_after_those_who_wait(self) -> None:
        try:
            while self._waiting:
                eventlet.sleep(_LOOK_AFTER)
                before = _now() - _LOOK_AFTER
                for service in {waiting.service for waiting in self._waiting.values() if waiting.sent_at < before}:
                    if not self._presence.heard_within(service, _LOOK_AFTER):
                        unserved = self._presence.unserved(service)
                        self._let_go(service, unserved or 0, before)
        finally:
            self._watcher = None

    def _let_go(self, service: str, unserved: int, before: float) -> None:
        """Let go whose calls wait in a queue that nobody takes from: the last ones sent; the others are being worked on."""
        if unserved:
            sent = [waiting for waiting in self._waiting.values() if waiting.service == service and waiting.sent_at < before]
            for waiting in sorted(sent, key=lambda one: one.sent_at)[-unserved:]:
                waiting.let_go(_Interrupted(f"nobody takes calls to {service}"))


def _now() -> float:
    now: float = eventlet.hubs.get_hub().clock()
    return now


def _no_answer(operation: Operation | None, *, sent: bool) -> Refusal:
    if operation is not None and sent:
        return OutcomeUnknown(extra={"operation_id": operation.id})
    return Unavailable()


def _refusal(error: Mapping[str, Any]) -> Refusal:
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
