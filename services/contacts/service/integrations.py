"""Messages from components' own systems, and to them (T13)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import eventlet
import orjson
from marshmallow import ValidationError
from nameko.extensions import SharedExtension

from services.access.contract import UserUnknown
from services.chassis import logs
from services.chassis.backoff import pauses
from services.chassis.config import Settings
from services.chassis.database import Database
from services.chassis.entrypoints.container import Performed
from services.chassis.entrypoints.context import process_of
from services.chassis.entrypoints.providers import Bus
from services.chassis.logs import Log
from services.chassis.messages import Announcement, Caller, Invalid, Refusal, Unavailable, new_id
from services.chassis.topology import ANNOUNCEMENTS
from services.chassis.transport.connection import BrokerConnection, Delivery
from services.contacts.contract.integrations import (
    HEARD,
    PASSING_ON,
    IndividualSubmittedSchema,
    account_of,
    components_of,
    submissions_of,
)
from services.contacts.contract.refusals import OwnerUnsuitable
from services.contacts.domain.submissions import Delivered, Submission, event_id, event_of, known_as, submission_of
from services.contacts.service.dependencies import Dependencies
from services.contacts.usecases import submissions

_log = Log(__name__)

#: Messages that one process works on at the same time.
_CONCURRENTLY = 4
#: Seconds that a message is held while it fails, before it is given back: some two dozen times within its hour.
HELD_FOR = 150.0
_BY_TOPIC = {announcement.routing_key(): announcement for announcement in HEARD}
_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 10.0


class InternalFailure(Refusal):
    """Something failed here; it was recorded."""

    branch = "refusal"
    code = "internal"


class IntegrationConsumer(SharedExtension):
    """Consumes the queues of components that have a system of their own, if there are any."""

    def __init__(self) -> None:
        """Begin without entrypoints."""
        self.submits: Performed | None = None
        self.passes_on: Performed | None = None
        self._broker: BrokerConnection | None = None
        self._tags: list[str] = []
        self.stopping = False
        super().__init__()

    def start(self) -> None:
        """Start to connect and to consume."""
        process = process_of(self)
        components = components_of(process.settings.integrations)
        if components:
            self._broker = BrokerConnection(
                process.address, name=f"{process.service}-integrations", on_connect=lambda channel: self._prepare(channel, components)
            )
            self._broker.start()

    def _prepare(self, channel: Any, components: tuple[str, ...]) -> None:
        channel.basic_qos(0, _CONCURRENTLY, False)
        self._tags = []
        for component in components:
            self._consume(channel, submissions_of(component), self.submits, component)
        self._consume(channel, PASSING_ON, self.passes_on, "")

    def _consume(self, channel: Any, queue: str, entrypoint: Performed | None, component: str) -> None:
        def receive(raw: Any) -> None:
            if not self.stopping and entrypoint is not None:
                context = {"message": Delivery(raw, channel), "component": component}
                self.container.spawn_worker(entrypoint, (), {}, context_data=context)

        self._tags.append(f"{queue}-{new_id()}")
        channel.basic_consume(queue=queue, callback=receive, consumer_tag=self._tags[-1])

    def pause(self) -> None:
        """Take no more messages; finish what is under way."""
        self.stopping = True
        if self._broker is not None:
            self._broker.cancel(*self._tags)

    def stop(self) -> None:
        """Close the connection. Unacknowledged messages return to their queues, and keep their age."""
        if self._broker is not None:
            self._broker.stop()

    kill = stop

    def wait_up(self, seconds: float | None) -> bool:
        """Wait until the queues are consumed; return whether they are."""
        return self._broker is None or self._broker.wait_up(seconds)

    def work_off(self, message: Delivery, act: Callable[[], None]) -> None:
        """Act, and acknowledge. On failure retry for a while, then return the message; its age goes on meanwhile."""
        clock = eventlet.hubs.get_hub().clock
        until, waits = clock() + HELD_FOR, pauses(first=_FIRST_PAUSE, longest=_LONGEST_PAUSE)
        while message.is_live and not self.stopping:
            try:
                act()
            except Unavailable as away:
                _log.warning("integration.postponed", code=away.code, **logs.fingerprint(message.body))
            except Exception as error:  # noqa: BLE001 - trying again may do, and no text of it goes anywhere
                _log.error("integration.failed", **logs.where(error), **logs.fingerprint(message.body))
            else:
                message.ack()
                return
            if clock() >= until:
                message.requeue()
                return
            eventlet.sleep(next(waits))


class Submits(Performed):
    """The entrypoint of `@submits`. The method gets (component, delivered), and has answered when it returns.

    A message is acknowledged once its answer is committed, whatever the answer is. While something is unavailable, it is
    held and tried again. It is never dead-lettered, and logs have only its size and hash.
    """

    consumer = IntegrationConsumer()

    def setup(self) -> None:
        """Register the method."""
        self.consumer.submits = self

    def stop(self) -> None:
        """Take no more messages."""
        self.consumer.pause()

    def perform(self, worker: Any, method: Callable[..., Any]) -> Any:
        """Handle one message."""
        message: Delivery = worker.data["message"]
        delivered = Delivered(
            message.headers, _text(message.properties.get("content_type")), message.body, known_as(message.properties.get("message_id"))
        )
        self.consumer.work_off(message, lambda: method(worker.data["component"], delivered))


class PassesOn(Performed):
    """The entrypoint of `@passes_on`. The method gets (trace id, message id, announcement), each at least once."""

    consumer = Submits.consumer

    def setup(self) -> None:
        """Register the method."""
        self.consumer.passes_on = self

    def stop(self) -> None:
        """Take no more messages."""
        self.consumer.pause()

    def perform(self, worker: Any, method: Callable[..., Any]) -> Any:
        """Handle one announcement of contacts."""
        message: Delivery = worker.data["message"]
        process = process_of(self)
        if message.exchange != ANNOUNCEMENTS or message.sender != process.account_of(process.service) or message.routing_key not in _BY_TOPIC:
            _log.error("integration.forged", **logs.fingerprint(message.body))
            message.ack()
            return

        def act() -> None:
            wire = orjson.loads(message.body)
            kind = _BY_TOPIC[message.routing_key]
            method(str(wire.get("trace_id") or new_id()), wire["id"], kind.from_wire(wire["fields"]))

        self.consumer.work_off(message, act)


submits = Submits.decorator
passes_on = PassesOn.decorator


class IntegrationMethods:
    """Handle submissions; send answers and announcements."""

    database: Database
    bus: Bus
    settings: Settings
    dependencies: Dependencies

    @submits
    def individual_submitted(self, component: str, delivered: Delivered) -> None:
        """Answer one message: accepted with the individual's id, or refused with a code."""
        caller = Caller(kind="integration", id=account_of(component), component=component, trace_id=new_id())
        known_id: str | None = None
        try:
            event = event_of(delivered)
            known_id = event_id(event)
            self._submit(caller, delivered, submission_of(event))
        except Unavailable:
            raise
        except ValidationError as error:
            self._refuse(caller, delivered, known_id, _invalid(error))
        except Refusal as refusal:
            self._refuse(caller, delivered, known_id, refusal)
        except Exception as error:  # noqa: BLE001 - a message that we cannot work off is answered as well
            _log.error("submission.internal", **logs.where(error), **logs.fingerprint(delivered.body))
            self._refuse(caller, delivered, known_id, InternalFailure())

    def _submit(self, caller: Caller, delivered: Delivered, submission: Submission) -> None:
        with self.database.work(caller) as work:
            if submissions.answer_again(
                work, by=caller, now=self.database.clock(), keyed=self.dependencies.keyed, delivered=delivered, event_id=submission.id
            ):
                return
        command = IndividualSubmittedSchema().load(submission.data)
        owner_id = self._owner(caller, command.pop("owner"))
        with self.database.work(caller) as work:
            submissions.take(
                work,
                by=caller,
                now=self.database.clock(),
                layer=self.dependencies.layer,
                keyed=self.dependencies.keyed,
                delivered=delivered,
                submission=submission,
                owner_id=owner_id,
                command=command,
            )

    def _owner(self, caller: Caller, username: str) -> str:
        """Return the id of the active contributor of the same component whom the message names.

        :raises OwnerUnsuitable: there is no such contributor.
        """
        ourselves = Caller.service("contacts", trace_id=caller.trace_id)
        try:
            found = self.bus.call("access", "integration_owner", ourselves, account=caller.id, username=username)
        except Refusal as refusal:
            if refusal.code != UserUnknown.code:
                raise
            raise OwnerUnsuitable(errors={"owner": ["Not an active contributor of your component."]}) from None
        if found["component"] != caller.component:
            raise OwnerUnsuitable(errors={"owner": ["Not an active contributor of your component."]})
        return str(found["user"]["id"])

    def _refuse(self, caller: Caller, delivered: Delivered, known_id: str | None, refusal: Refusal) -> None:
        with self.database.work(caller) as work:
            submissions.refuse(
                work, by=caller, now=self.database.clock(), keyed=self.dependencies.keyed, delivered=delivered, event_id=known_id, refusal=refusal
            )

    @passes_on
    def announced(self, trace_id: str, message_id: str, told: Announcement) -> None:
        """Send an announcement of contacts to the components that have a relationship with the individual (T13)."""
        components = components_of(self.settings.integrations)
        with self.database.work(Caller.service("contacts", trace_id=trace_id)) as work:
            if work.mark_processed(message_id, told.name):
                submissions.tell(work, told, now=self.database.clock(), components=components)


def _invalid(error: ValidationError) -> Invalid:
    """Return the refusal of a message with wrong fields. It names only fields of the schema, none that the sender invented."""
    messages = error.messages if isinstance(error.messages, dict) else {}
    known = set(IndividualSubmittedSchema().load_fields)
    names = sorted(str(name) for name in messages if name in known)
    is_unknown = any(name not in known and name != "_schema" for name in messages)
    return Invalid(code="unknown-field" if is_unknown else None, errors={name: ["Invalid."] for name in names})


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
