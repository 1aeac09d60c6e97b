"""`rpc`: an entrypoint that answers calls with a method of the service.

Every call goes through these steps: bind the trace id; verify the passport (signature, audience, dates, session,
acknowledgement); run the method within the caller's deadline; fail unless an audit entry was committed and, for a
command, its result was stored; record a refusal before answering it. Of any other exception, only the word *internal*
and the trace id are returned.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import eventlet
import orjson
from marshmallow import ValidationError

from services.chassis import logs, metrics
from services.chassis.backoff import pauses
from services.chassis.database import CommandCall, audited_calls
from services.chassis.entrypoints.container import Performed
from services.chassis.entrypoints.context import Process
from services.chassis.entrypoints.providers import TOKEN
from services.chassis.entrypoints.queue_consumer import QueueConsumer
from services.chassis.logs import Log
from services.chassis.messages import Caller, Operation, OutcomeUnknown, Refusal, Unavailable, new_id, wire_value
from services.chassis.refusals import AcknowledgementRequired, AuditLate, BadCall, IdentityRefused, NoSuchMethod, OperationRequired
from services.chassis.topology import CALLS, call_queue
from services.chassis.transport.connection import BrokerUnavailable, Delivery
from services.chassis.transport.rpc_client import INTERNAL, OPERATION, PASSPORT, TRACE
from services.chassis.validation import invalid

_log = Log(__name__)

_TRANSIENT = 1
#: Seconds.
_LONGEST_CALL = 600.0
_DEFAULT_DEADLINE = 10.0
#: Bytes.
_LARGEST_CALL = 4 * 1024 * 1024
#: Seconds for which sending an answer is retried while the broker is unavailable.
_ANSWER_FOR = 30.0
_ANSWER_PAUSE = 0.2
_ANSWER_PAUSE_MOST = 2.0

#: The default identity: a person with an acknowledged session.
USER = "user"
ANONYMOUS = "anonymous"


class Unaudited(Exception):
    """The method returned without committing an audit entry, so its result must not be sent."""


class Unstored(Exception):
    """The command returned without storing its result, so `GET /operations/{id}` would not find it."""


@dataclass(frozen=True, slots=True)
class _Call:
    """One decoded call; its arguments may be personal data and are never logged."""

    kwargs: Mapping[str, object]
    passport: str | None
    trace_id: str
    operation: Operation | None
    seconds: float
    message: Delivery


class RpcConsumer(QueueConsumer):
    """Consumes the service's call queue and sends the answers over the same connection."""

    def __init__(self) -> None:
        """Start without entrypoints."""
        self._entrypoints: dict[str, RpcEntrypoint] = {}
        super().__init__()

    def register(self, entrypoint: RpcEntrypoint) -> None:
        """Dispatch calls to this method."""
        self._entrypoints[entrypoint.method_name] = entrypoint

    def start(self) -> None:
        """Start to connect and to consume."""
        self.consume(call_queue(self.process.service), prefetch=self.process.settings.workers, receive=self._receive)

    def _receive(self, message: Delivery) -> None:
        reason = self._why_unanswerable(message)
        if reason is not None:
            # There is no address to answer to, and the body may hold personal data: it is neither kept nor logged.
            metrics.dropped_calls.labels(self.process.service, reason).inc()
            _log.warning("call.dropped", reason=reason, **logs.fingerprint(message.body))
            message.ack()
            return
        method = message.routing_key.partition(".")[2]
        entrypoint = self._entrypoints.get(method)
        call = _read_call(message)
        if call is None or entrypoint is None:
            eventlet.spawn(self.answer, message, _refused(BadCall() if call is None else NoSuchMethod()))
            return
        self.container.spawn_worker(entrypoint, (), {}, context_data={"call": call, TOKEN: call.passport})

    @staticmethod
    def _why_unanswerable(message: Delivery) -> str | None:
        reply_to = message.properties.get("reply_to")
        if not isinstance(reply_to, str) or not reply_to.startswith("reply."):
            return "no-reply-to"
        if not isinstance(message.properties.get("correlation_id"), str):
            return "no-correlation-id"
        if len(message.body) > _LARGEST_CALL:
            return "too-large"
        return None

    def answer(self, message: Delivery, body: bytes) -> None:
        """Send an answer, transient and unconfirmed, then acknowledge the call.

        Retry for 30 seconds while the broker is unavailable; raise nothing.
        """
        waits = pauses(first=_ANSWER_PAUSE, longest=_ANSWER_PAUSE_MOST)
        with eventlet.Timeout(_ANSWER_FOR, exception=False):
            while self._broker is not None:
                try:
                    self._broker.publish(
                        body,
                        exchange=CALLS,
                        routing_key=str(message.properties["reply_to"]),
                        correlation_id=message.properties["correlation_id"],
                        delivery_mode=_TRANSIENT,
                    )
                    break
                except BrokerUnavailable:
                    eventlet.sleep(next(waits))
        message.ack()


class RpcEntrypoint(Performed):
    """The entrypoint behind `@rpc`."""

    consumer = RpcConsumer()

    def __init__(
        self,
        action: str,
        *,
        subject: str | None = None,
        command: bool = False,
        status: int = 200,
        created: str | None = None,
        identity: str | tuple[str, ...] = USER,
        before_acknowledgement: bool = False,
        onward: str | None = None,
        **kwargs: Any,
    ) -> None:
        """Configure how the method is called and who may call it.

        :param action: the action in audit entries, such as `contacts:individual:read`; `{service}` is replaced by the
            service's name.
        :param subject: the argument that holds the record's id, for entries of refusals and results of commands.
        :param command: the method changes something, so a call must carry an operation. The method gets a `CommandCall`
            instead of a `Caller` and makes its change through it.
        :param status: the HTTP status to store with a command's result.
        :param created: the field of a command's answer with the id of the record that it created. That id is stored;
            without `created`, the subject's is.
        :param identity: who may call: `user` (the default), `anonymous`, `operator`, `integration` or service names. With
            `user` and `anonymous`, a valid passport of a user is used if there is one.
        :param onward: the only service that may call this on behalf of a user.
        :param before_acknowledgement: accept sessions that have not acknowledged the statements.
        """
        self.action = action
        self.subject = subject
        self.command = command
        self.status = status
        self.created = created
        self.identities = (identity,) if isinstance(identity, str) else tuple(identity)
        self.before_acknowledgement = before_acknowledgement
        self.onward = onward
        super().__init__(**kwargs)

    def setup(self) -> None:
        """Register the method with the consumer."""
        self.consumer.register(self)
        self.action = self.action.format(service=self.container.service_name)
        self.signature = inspect.signature(getattr(self.container.service_cls, self.method_name))

    def stop(self) -> None:
        """Receive no more calls."""
        self.consumer.pause()

    def perform(self, worker: Any, method: Callable[..., Any]) -> Any:
        """Answer one call."""
        call: _Call = worker.data["call"]
        process = self.consumer.process
        token = logs.trace.set(call.trace_id)
        try:
            with _timed(process.service, self.method_name) as outcome:
                body = self._body(process, call, method, outcome)
            self.consumer.answer(call.message, body)
        finally:
            logs.trace.reset(token)

    def _body(self, process: Process, call: _Call, method: Callable[..., Any], outcome: list[str]) -> bytes:
        caller = Caller.anonymous(trace_id=call.trace_id).within(trace_id=call.trace_id, operation=call.operation)
        deadline = eventlet.Timeout(call.seconds)
        refusal: Refusal
        try:
            caller = self._identify(process, call, caller)
            self._admit(process, call, caller)
            self._check_arguments(call)
            with audited_calls() as audited:
                result = self._run_command(process, call, caller, method) if self.command else method(caller, **call.kwargs)
                _require_audited(audited())
            return orjson.dumps({"result": result, "error": None}, default=wire_value)
        except eventlet.Timeout as timeout:
            if timeout is not deadline:
                raise
            refusal = self._too_late(caller)
        except Refusal as error:
            refusal = error
        except ValidationError as error:
            refusal = invalid(error)
        except Exception as error:  # noqa: BLE001 - only coded refusals cross; everything else becomes *internal*
            deadline.cancel()
            _log.error("call.failed", action=self.action, **logs.where(error))
            outcome[0] = INTERNAL
            # Without a durable entry, not even the failure is reported.
            recorded = self._record(process, call, caller, outcome="failed", rule=INTERNAL)
            return _internal(call.trace_id) if recorded else _refused(Unavailable())
        finally:
            deadline.cancel()
        outcome[0] = refusal.code
        if not self._record(process, call, caller, outcome="refused", rule=refusal.code):
            refusal = Unavailable()
        return _refused(refusal)

    def _run_command(self, process: Process, call: _Call, caller: Caller, method: Callable[..., Any]) -> Any:
        if process.database is None:
            raise Unavailable
        subject_id = next(iter(self._subjects(call)), None)
        running = CommandCall(process.database, caller, action=self.action, status=self.status, subject_id=subject_id, created=self.created)
        result = method(running, **call.kwargs)
        if not running.is_stored:
            raise Unstored
        return result

    def _too_late(self, caller: Caller) -> Refusal:
        """Return the refusal for a passed deadline; a command may have been committed anyway."""
        if self.command and caller.operation is not None:
            return OutcomeUnknown(extra={"operation_id": caller.operation.id})
        return Unavailable()

    def _identify(self, process: Process, call: _Call, anonymous: Caller) -> Caller:
        if ANONYMOUS in self.identities:
            return self._known(process, call) or anonymous
        if process.verifier is None:
            raise Unavailable
        return process.verifier.verify(call.passport, process.clock()).within(trace_id=call.trace_id, operation=call.operation)

    def _known(self, process: Process, call: _Call) -> Caller | None:
        """Return the user of an optional passport, or None without a valid one."""
        if USER not in self.identities or call.passport is None or process.verifier is None:
            return None
        try:
            caller = process.verifier.verify(call.passport, process.clock())
        except Refusal:
            return None
        return caller.within(trace_id=call.trace_id, operation=call.operation) if caller.kind == USER and caller.via is None else None

    def _admit(self, process: Process, call: _Call, caller: Caller) -> None:
        if process.backlog.is_overdue:
            raise AuditLate
        # The caller is identified, so a refusal from here on is recorded under their id.
        if self.command and caller.operation is None:
            raise OperationRequired
        self._admit_identity(process, caller)
        if self.command and call.message.redelivered and caller.operation is not None:
            # Another process received this call and did not acknowledge it, so it may have run or be running.
            # The caller can look up the operation; a second run could not be undone.
            raise OutcomeUnknown(extra={"operation_id": caller.operation.id})

    def _admit_identity(self, process: Process, caller: Caller) -> None:
        if ANONYMOUS in self.identities:
            return
        if (caller.id if caller.kind == "service" else caller.kind) not in self.identities:
            raise IdentityRefused
        if caller.via is not None and caller.via != self.onward:
            raise IdentityRefused
        process.revocations.check(caller)
        if caller.kind == USER and not self.before_acknowledgement and not caller.acknowledged:
            raise AcknowledgementRequired

    def _check_arguments(self, call: _Call) -> None:
        try:
            self.signature.bind(None, None, **call.kwargs)
        except TypeError:
            raise BadCall from None

    def _record(self, process: Process, call: _Call, caller: Caller, *, outcome: str, rule: str) -> bool:
        """Record the call's outcome in its own transaction; return whether that committed."""
        if process.database is None:
            return False
        try:
            with eventlet.Timeout(call.seconds), process.database.work(caller) as work:
                work.record(self.action, subjects=self._subjects(call), outcome=outcome, rule=rule)
        except (Exception, eventlet.Timeout) as error:  # noqa: BLE001 - whatever it is, the entry is not durable
            _log.error("call.unrecorded", action=self.action, **logs.where(error))
            return False
        return True

    def _subjects(self, call: _Call) -> list[str]:
        # Anything but a UUID may be personal data in the wrong argument.
        given = call.kwargs.get(self.subject) if self.subject else None
        try:
            return [str(UUID(given))] if isinstance(given, str) else []
        except ValueError:
            return []


rpc = RpcEntrypoint.decorator


class _timed:  # noqa: N801 - used like a function
    """Measure a call's duration; yields a one-element list for its outcome."""

    def __init__(self, service: str, method: str) -> None:
        self._labels = (service, method)
        self._outcome = ["ok"]

    def __enter__(self) -> list[str]:
        self._begun = eventlet.hubs.get_hub().clock()
        return self._outcome

    def __exit__(self, *_: object) -> None:
        metrics.calls.labels(*self._labels, self._outcome[0]).observe(eventlet.hubs.get_hub().clock() - self._begun)


def _require_audited(audited: bool) -> None:
    if not audited:
        raise Unaudited


def _read_call(message: Delivery) -> _Call | None:
    """Decode a call; return None if it is malformed."""
    try:
        body = orjson.loads(message.body)
        kwargs = body["kwargs"]
        if body.get("args") or not isinstance(kwargs, dict):
            return None
        headers = message.headers
        operation = headers.get(OPERATION)
        return _Call(
            kwargs=kwargs,
            passport=_text(headers.get(PASSPORT)),
            trace_id=_trace(headers.get(TRACE)),
            operation=Operation.from_wire(orjson.loads(str(operation))) if operation else None,
            seconds=_seconds(message.properties.get("expiration")),
            message=message,
        )
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError, AttributeError):
        return None


def _seconds(expiration: object) -> float:
    """Return the call's deadline in seconds from the AMQP expiration, between 0.05 and 600; 10 without one."""
    seconds = float(expiration) / 1000 if isinstance(expiration, str) and expiration.isdigit() else _DEFAULT_DEADLINE
    return min(max(seconds, 0.05), _LONGEST_CALL)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _trace(value: object) -> str:
    try:
        return str(UUID(str(value)))
    except ValueError:
        return new_id()  # Anything but a UUID may be personal data.


def _refused(refusal: Refusal) -> bytes:
    return orjson.dumps({"result": None, "error": refusal.to_wire()}, default=wire_value)


def _internal(trace_id: str) -> bytes:
    error = {"branch": INTERNAL, "code": INTERNAL, "detail": None, "errors": None, "extra": {"trace_id": trace_id}}
    return orjson.dumps({"result": None, "error": error})
