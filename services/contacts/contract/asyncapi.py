"""The contract with components' own systems as an AsyncAPI 3 document: `python -m services.contacts.contract.asyncapi`.

It is made from the schemas, types and names that the code uses; a test holds the file to it.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]  # ships no annotations
from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from marshmallow import Schema
from msgspec.json import schema_components

from services.chassis.topology import ANNOUNCEMENTS, Queue
from services.contacts.contract import integrations, refusals
from services.contacts.contract.answers.integrations import Announcement, Reply
from services.contacts.contract.integrations import SubmissionSchema, topology
from services.lexicon.refusals import IssueUnknown, TextNeedsReview

TARGET = Path(__file__).parents[3] / "docs" / "asyncapi.yaml"
_COMPONENT = "{component}"
_STRUCTURED = "application/cloudevents+json"
_DESCRIPTION = """\
A component's own system sends individuals to Liaison, and hears of those it has a relationship with.

It signs in to the broker as `integration.{component}`, publishes to the exchange of the same name, and reads two
queues. It may declare and bind nothing. Which component a message is from, its exchange tells, and nothing that the
message says.

Every message is answered: `individual.accepted` with the individual's id, or `individual.refused` with a code and the
names of fields, never with a value. The same id and bytes again are answered as before and change nothing; the same id
with other bytes is `event-id-reused`. An answer to bytes that are no message has no `submission_id`; it is known by the
`message_id` that its sender gave it. A submission lives for at most an hour, on the queue and off it; Liaison keeps its
id, size, keyed digest and code.

Announcements bear ids and codes alone. Whoever wants fields asks the HTTP API, as a person with an acknowledged session.
"""

#: What a submission may be refused for, beside what its fields are told.
CODES: tuple[type[Exception], ...] = (
    integrations.NotACloudEvent,
    integrations.SubmissionTooLarge,
    integrations.EventIdInvalid,
    integrations.EventTypeUnknown,
    integrations.EventIdReused,
    integrations.SubmissionsBlocked,
    refusals.OwnerUnsuitable,
    refusals.ContactPointInvalid,
    TextNeedsReview,
    refusals.KindDeclined,
    IssueUnknown,
    refusals.OrganizationUnknown,
    refusals.IndividualBlocked,
    refusals.IndividualDuplicate,
)


def document() -> dict[str, Any]:
    """Return the AsyncAPI document."""
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Liaison for components' own systems", "version": "1.0.0", "description": _DESCRIPTION},
        "defaultContentType": _STRUCTURED,
        "servers": {
            "broker": {
                "host": "broker.example:5671",
                "protocol": "amqps",
                "description": "RabbitMQ; the account and its password come from the system administrator.",
                "security": [{"$ref": "#/components/securitySchemes/account"}],
            }
        },
        "channels": _channels(),
        "operations": {
            "submitIndividual": {
                "action": "receive",
                "summary": "Take in an individual",
                "description": "Refused with one of:\n\n" + "\n".join(_codes()),
                "channel": {"$ref": "#/channels/submissions"},
                "messages": [{"$ref": "#/channels/submissions/messages/submission"}],
                "reply": {
                    "channel": {"$ref": "#/channels/replies"},
                    "messages": [{"$ref": "#/channels/replies/messages/reply"}],
                },
            },
            "tellOfIndividual": {
                "action": "send",
                "summary": "Tell of an individual that the component has a relationship with (T13)",
                "channel": {"$ref": "#/channels/announcements"},
                "messages": [{"$ref": "#/channels/announcements/messages/announcement"}],
            },
        },
        "components": {
            "messages": {
                "submission": _message("Submission", "individual.submitted", _STRUCTURED),
                "reply": _message("Reply", "individual.accepted or individual.refused", "application/json"),
                "announcement": _message("Announcement", "Something about an individual", "application/json"),
            },
            "schemas": schemas(),
            "securitySchemes": {"account": {"type": "userPassword", "description": "One account for each component."}},
        },
    }


def schemas() -> dict[str, Any]:
    """Return the JSON schemas of all messages, by name."""
    spec = APISpec(title="", version="", openapi_version="3.1.0", plugins=[MarshmallowPlugin(schema_name_resolver=_schema_name)])
    spec.components.schema(_schema_name(SubmissionSchema), schema=SubmissionSchema)
    _, outgoing = schema_components([Reply, Announcement], ref_template="#/components/schemas/{name}")
    return {**spec.to_dict()["components"]["schemas"], **outgoing}


def rendered() -> str:
    """Return the document as YAML."""
    text: str = yaml.safe_dump(document(), sort_keys=False, allow_unicode=True, width=120)
    return "# Made by `python -m services.contacts.contract.asyncapi`; a test holds it to the code.\n" + text


def _channels() -> dict[str, Any]:
    exchange, (submissions, replies, announcements) = _declared()
    return {
        "submissions": {
            "address": exchange,
            "title": "A component's exchange",
            "description": f"Leads to the queue {submissions.name}, where a message lives for at most an hour.",
            "parameters": {"component": _parameter()},
            "messages": {"submission": {"$ref": "#/components/messages/submission"}},
            "bindings": {
                "amqp": {
                    "is": "routingKey",
                    "exchange": {"name": exchange, "type": "fanout", "durable": True, "autoDelete": False},
                    "bindingVersion": "0.3.0",
                }
            },
        },
        "replies": _queue_channel(replies, "reply", "Answers to what the component submitted."),
        "announcements": _queue_channel(announcements, "announcement", "What the component is told."),
    }


def _declared() -> tuple[str, tuple[Queue, ...]]:
    declared = topology([_COMPONENT])
    return declared.exchanges[0].name, declared.queues[:3]


def _queue_channel(queue: Queue, message: str, description: str) -> dict[str, Any]:
    days = int(queue.arguments["x-message-ttl"]) // (24 * 60 * 60 * 1000)
    return {
        "address": queue.name,
        "description": f"{description} A message lives for {days} days, and comes over the exchange {ANNOUNCEMENTS}.",
        "parameters": {"component": _parameter()},
        "messages": {message: {"$ref": f"#/components/messages/{message}"}},
        "bindings": {
            "amqp": {
                "is": "queue",
                "queue": {"name": queue.name, "durable": True, "exclusive": False, "autoDelete": False},
                "bindingVersion": "0.3.0",
            }
        },
    }


def _parameter() -> dict[str, Any]:
    return {"description": "The component's code.", "examples": ["ICE"]}


def _message(schema: str, title: str, content_type: str) -> dict[str, Any]:
    return {
        "name": schema,
        "title": title,
        "summary": "A CloudEvent 1.0 in structured JSON" + ("; binary mode is taken as well" if schema == "Submission" else ""),
        "contentType": content_type,
        "payload": {"$ref": f"#/components/schemas/{schema}"},
    }


def _codes() -> list[str]:
    lines = ["* `invalid`: Some fields are missing or wrong.", "* `unknown-field`: A field is not accepted."]
    lines += [f"* `{code.code}`: {(code.__doc__ or '').strip()}" for code in CODES]  # type: ignore[attr-defined]  # refusals have codes
    return [*lines, "* `internal`: Something went wrong here; send it again under a new id."]


def _schema_name(schema: type[Schema] | Schema | str) -> str:
    name = schema if isinstance(schema, str) else (schema if isinstance(schema, type) else type(schema)).__name__
    return name.removesuffix("Schema")


def main() -> None:
    """Write the document."""
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_text(rendered())
    sys.stdout.write(f"{TARGET}\n")


if __name__ == "__main__":
    main()
