"""Messages to components' own systems: CloudEvents 1.0 in structured JSON (T13)."""

from __future__ import annotations

from typing import Annotated, Literal, NotRequired, TypedDict

from msgspec import Meta

from services.chassis.answers import IdText, InstantText
from services.contacts.contract.integrations import TOLD


class Envelope(TypedDict):
    """The attributes that every message has."""

    specversion: Literal["1.0"]
    id: IdText
    source: Literal["urn:liaison:contacts"]
    time: InstantText
    datacontenttype: Literal["application/json"]


class SubmissionAnswer(TypedDict):
    """`data` of an answer: ids and codes, and the names of fields."""

    submission_id: str | None
    size: int
    message_id: str | None
    code: str
    fields: list[str]
    individual_id: IdText | None


class Reply(Envelope):
    """An answer; `subject` is the id of the submission."""

    type: Literal["individual.accepted", "individual.refused"]
    subject: NotRequired[str]
    data: SubmissionAnswer


class Told(TypedDict):
    """`data` of an announcement: ids and codes about an individual the component has a relationship with."""

    individual_id: IdText
    organization_id: NotRequired[IdText | None]
    state: NotRequired[str | None]
    component: NotRequired[str | None]
    owner_id: NotRequired[IdText | None]
    revision: NotRequired[Annotated[int, Meta(description="Messages may overtake each other: of one individual and type the highest is the latest.")]]
    cause: NotRequired[str | None]


class Announcement(Envelope):
    """An announcement; `subject` is the individual's id."""

    type: Annotated[str, Meta(extra_json_schema={"enum": list(TOLD)})]
    subject: IdText
    data: Told
