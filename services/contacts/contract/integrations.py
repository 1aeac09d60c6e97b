"""The interface of components' own systems: names on the broker, messages in, answers and announcements out (T13).

Each component has one account, named like its exchange. It publishes to its exchange, reads its two queues, and
configures nothing. The queue tells which component a message is from, not what the message says of itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from marshmallow import RAISE, Schema, fields, validate

from services.chassis.instants import Instant
from services.chassis.messages import Announcement, Conflict, Invalid, TooLarge, TooMany
from services.chassis.topology import ANNOUNCEMENTS, DEAD_LETTERS, Exchange, Queue, Topology, inbox, retries
from services.contacts.contract.announcements import (
    IndividualChanged,
    IndividualErased,
    IndividualFrozen,
    IndividualRegistered,
    IndividualsErased,
    IndividualsImported,
    IndividualUnfrozen,
    OwnerChanged,
    RelationshipEstablished,
)
from services.contacts.contract.schemas.fields import Line
from services.contacts.contract.schemas.individuals import IndividualCreateSchema

#: The one type of message that is taken in.
SUBMITTED = "individual.submitted"
ACCEPTED = "individual.accepted"
REFUSED = "individual.refused"
#: What is passed on, and the types that it comes in.
PASSED_ON: Mapping[type[Announcement], str] = MappingProxyType(
    {
        IndividualRegistered: "individual.registered",
        IndividualChanged: "individual.changed",
        OwnerChanged: "individual.handed-over",
        IndividualFrozen: "individual.frozen",
        IndividualUnfrozen: "individual.unfrozen",
        IndividualErased: "individual.erased",
        RelationshipEstablished: "relationship.established",
    }
)
TOLD = tuple(PASSED_ON.values())
#: What contacts itself listens to for that; people of an import are passed on one by one.
HEARD: tuple[type[Announcement], ...] = (*PASSED_ON, IndividualsImported, IndividualsErased)
#: Contacts' own announcements, on their way to components; the queue is there only where a component has a system.
PASSING_ON = "contacts.integrations"
SOURCE: Final = "urn:liaison:contacts"
#: A submission holds a person's values: it lives for at most an hour.
SUBMISSION_LIVES_MS = 60 * 60 * 1000
#: Answers and announcements are ids and codes.
ANSWER_LIVES_MS = 7 * 24 * 60 * 60 * 1000
LARGEST = 64 * 1024
_EVENT_ID = r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,99}$"


class NotACloudEvent(Invalid):
    """The message is not a CloudEvent 1.0 in JSON."""

    code = "not-a-cloudevent"


class EventIdInvalid(Invalid):
    """A message's id is up to 100 letters, digits and . _ : -; it is stored, so it must not be personal data."""


class EventTypeUnknown(Invalid):
    """Only messages of type individual.submitted are taken in."""


class EventIdReused(Conflict):
    """Another message of this id was taken in before."""


class SubmissionTooLarge(TooLarge):
    """A message is at most 64 KiB."""


class SubmissionsBlocked(TooMany):
    """Too many of this component's messages were blocked today; nothing more is entered until the privacy officer has looked, or until tomorrow."""


def account_of(component: str) -> str:
    """Return the name of a component's account at the broker and in access; its exchange has the same name."""
    return f"integration.{component}"


def submissions_of(component: str) -> str:
    """Return the queue bound to a component's exchange."""
    return f"integration.{component}.submissions"


def replies_of(component: str) -> str:
    """Return the queue of a component's answers."""
    return f"integration.{component}.replies"


def announcements_of(component: str) -> str:
    """Return the queue of a component's announcements."""
    return f"integration.{component}.announcements"


def reply_key(component: str) -> str:
    """Return the routing key of a component's answers."""
    return f"contacts.integration.{component}.reply"


def announcement_key(component: str) -> str:
    """Return the routing key of a component's announcements."""
    return f"contacts.integration.{component}.told"


def components_of(setting: str) -> tuple[str, ...]:
    """Return the components of the setting INTEGRATIONS, such as `ICE,PSO`."""
    return tuple(sorted({code.strip() for code in setting.split(",") if code.strip()}))


def topology(components: Iterable[str]) -> Topology:
    """Return the exchanges, queues and bindings for components with a system of their own.

    A submission is never dead-lettered: an expired one is dropped, and a failed one is answered and acknowledged.
    """
    exchanges: list[Exchange] = []
    queues: list[Queue] = []
    known = tuple(components)
    for component in known:
        exchanges.append(Exchange(account_of(component), "fanout"))
        queues += [
            Queue(
                submissions_of(component),
                ((account_of(component), ""),),
                {
                    "x-queue-type": "quorum",
                    "x-message-ttl": SUBMISSION_LIVES_MS,
                    "x-max-length": 10_000,
                    "x-overflow": "reject-publish",
                    # What cannot be answered because something is away is given back every few minutes: age ends it.
                    "x-delivery-limit": 1000,
                },
            ),
            *(
                Queue(name, ((ANNOUNCEMENTS, key),), {"x-queue-type": "quorum", "x-message-ttl": ANSWER_LIVES_MS})
                for name, key in (
                    (replies_of(component), reply_key(component)),
                    (announcements_of(component), announcement_key(component)),
                )
            ),
        ]
    if known:
        queues.append(
            Queue(
                PASSING_ON,
                tuple((ANNOUNCEMENTS, announcement.routing_key()) for announcement in HEARD),
                {
                    "x-queue-type": "quorum",
                    "x-delivery-limit": 20,
                    # These are ids and codes, and may be dead-lettered.
                    "x-dead-letter-exchange": retries(inbox("contacts")),
                    "x-dead-letter-routing-key": DEAD_LETTERS,
                    "x-dead-letter-strategy": "at-least-once",
                    "x-overflow": "reject-publish",
                },
            )
        )
    return Topology(tuple(exchanges), tuple(queues))


def permissions(component: str) -> dict[str, str]:
    """Return a component's permissions at the broker: write to its exchange, read its two queues."""
    name = account_of(component).replace(".", r"\.")
    return {"configure": "^$", "write": f"^{name}$", "read": rf"^{name}\.(replies|announcements)$"}


def consumed_by_contacts(components: Iterable[str]) -> list[str]:
    """Return the queues that contacts must be allowed to read."""
    queues = [submissions_of(component) for component in components]
    return [*queues, PASSING_ON] if queues else []


class IndividualSubmittedSchema(IndividualCreateSchema):
    """`data` of a submission: an individual as in POST /individuals, and who owns the record."""

    class Meta:
        """Refuse unknown fields (R13), and fields that only users may give."""

        unknown = RAISE
        exclude = ("deputy", "duplicate_ok", "keep_reason")

    owner = Line(
        most=64,
        required=True,
        metadata={"description": "User name of an active contributor of the same component."},
    )


class SubmissionSchema(Schema):
    """A submission: a CloudEvent 1.0 in structured JSON."""

    specversion = fields.String(required=True, validate=validate.Equal("1.0"))
    id = fields.String(required=True, validate=validate.Regexp(_EVENT_ID))
    source = fields.String(required=True, validate=validate.Length(min=1, max=200))
    type = fields.String(required=True, validate=validate.Equal(SUBMITTED))
    time = Instant()
    subject = fields.String()
    datacontenttype = fields.String(validate=validate.Equal("application/json"))
    data = fields.Nested(IndividualSubmittedSchema, required=True)
