"""Parse the messages of a component's own system, without trusting them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NotRequired

from cloudevents.core.bindings.rabbitmq import RabbitMQMessage, from_rabbitmq
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

from services.chassis.messages import new_id, wire_value
from services.contacts.contract.answers.integrations import Envelope
from services.contacts.contract.integrations import (
    LARGEST,
    SOURCE,
    SUBMITTED,
    EventIdInvalid,
    EventTypeUnknown,
    NotACloudEvent,
    SubmissionTooLarge,
)

_EVENT_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,99}")


@dataclass(frozen=True, slots=True)
class Delivered:
    """A message from the queue. Its values are never logged."""

    headers: Mapping[str, object]
    content_type: str | None
    body: bytes
    #: The name by which its sender recognizes a message without an event id.
    message_id: str | None = None


@dataclass(frozen=True, slots=True)
class Submission:
    """A CloudEvent of the right type, whose data is not validated yet."""

    id: str
    data: Mapping[str, object]


def event_of(delivered: Delivered) -> CloudEvent:
    """Parse a CloudEvent 1.0, in structured or binary mode.

    :raises SubmissionTooLarge: the message is too long.
    :raises NotACloudEvent: it is invalid for any other reason.
    """
    if len(delivered.body) > LARGEST:
        raise SubmissionTooLarge
    headers = {str(name): value for name, value in delivered.headers.items() if isinstance(value, str)}
    try:
        event = from_rabbitmq(RabbitMQMessage(headers, delivered.content_type, delivered.body), JSONFormat(), CloudEvent)
        attributes = event.get_attributes()
        # The library would invent missing attributes, and an invented id would make each copy a new message.
        is_whole = _says(delivered, headers, "id") and _says(delivered, headers, "specversion")
    except Exception:  # noqa: BLE001 - a stranger's bytes may raise anything, nesting too deep included
        raise NotACloudEvent from None
    if not is_whole or attributes.get("specversion") != "1.0" or not isinstance(event, CloudEvent):
        raise NotACloudEvent
    return event


def event_id(event: CloudEvent) -> str:
    """Return an event's id.

    :raises EventIdInvalid: it does not have the form of an id that may be stored.
    """
    given = event.get_attributes().get("id")
    if not isinstance(given, str) or not _EVENT_ID.fullmatch(given):
        raise EventIdInvalid
    return given


def known_as(message_id: object) -> str | None:
    """Return the `message_id` that the sender set, if it has the form that may be repeated in an answer."""
    return message_id if isinstance(message_id, str) and _EVENT_ID.fullmatch(message_id) else None


def submission_of(event: CloudEvent) -> Submission:
    """Return the submission of an event.

    :raises EventTypeUnknown: it is of another type.
    :raises NotACloudEvent: its data is not a JSON object.
    """
    if event.get_attributes().get("type") != SUBMITTED:
        raise EventTypeUnknown
    data = event.get_data()
    if not isinstance(data, dict):
        raise NotACloudEvent
    return Submission(event_id(event), data)


class OutgoingEvent(Envelope):
    """A CloudEvent 1.0 of this system, in structured JSON."""

    type: str
    data: Mapping[str, object]
    subject: NotRequired[str]


def outgoing(kind: str, data: Mapping[str, object], *, subject: str | None, now: datetime) -> OutgoingEvent:
    """Return an event of this kind."""
    event: OutgoingEvent = {
        "specversion": "1.0",
        "id": new_id(),
        "source": SOURCE,
        "type": kind,
        "time": str(wire_value(now)),
        "datacontenttype": "application/json",
        "data": data,
    }
    return event if subject is None else {**event, "subject": subject}


def _says(delivered: Delivered, headers: Mapping[str, str], attribute: str) -> bool:
    if (delivered.content_type or "").lower().startswith("application/cloudevents"):
        return f'"{attribute}"'.encode() in delivered.body
    return f"ce-{attribute}" in {name.lower() for name in headers}
