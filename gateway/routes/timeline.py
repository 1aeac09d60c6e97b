"""The timeline of a stakeholder, merged from contacts and interactions, most recent first."""

from __future__ import annotations

from typing import Annotated, NotRequired, TypedDict, cast

from marshmallow import fields, validate
from msgspec import Meta

from gateway.clients import query as ask
from gateway.endpoints import Parameters
from gateway.merging import Page, decode_instant_position, encode_position, page_bounds, sort_key_of, total_of, without_position
from services.chassis.answers import Part
from services.chassis.messages import Unavailable
from services.chassis.validation import Closed
from services.contacts.contract.answers.organizations import OrganizationAnswer
from services.contacts.contract.answers.shared import Owner

WARNING = "Interactions and events are not shown: a part of the system is away."


#: One moment: an interaction, an attendance, a hand-over, a verification or the registration; `from` is no name that a class may use.
TimelineItem = TypedDict(
    "TimelineItem",
    {
        "kind": str,
        "at": str,
        "id": NotRequired[str | None],
        "mode": NotRequired[str | None],
        "initiated_by": NotRequired[Annotated[str | None, Meta(description="Who began an interaction, where that is known (T33).")]],
        "component": NotRequired[str | None],
        "user": NotRequired[str | None],
        "event_id": NotRequired[str | None],
        "event_name": NotRequired[str | None],
        "issue_ids": NotRequired[list[str]],
        "from": NotRequired[Annotated[Owner, Meta(description="Whose record it was, before a hand-over.")]],
        "to": NotRequired[Annotated[Owner, Meta(description="Whose it was then.")]],
        "outcome": NotRequired[str | None],
        "medium": NotRequired[Annotated[str, Meta(description="How a verification was made.")]],
        "withdrawn": NotRequired[Annotated[list[str], Meta(description="What the person no longer declined to give.")]],
    },
)


class Moment(TimelineItem):
    """One moment as a service answers it; contacts says `by` where a client reads `user`."""

    position: list[str]
    by: NotRequired[str | None]


class TimelineQuerySchema(Closed):
    """A page of the timeline."""

    limit = fields.Integer(load_default=50, validate=validate.Range(min=1, max=200))
    cursor = fields.String(validate=validate.Length(max=2000))


def timeline(kind: str, subject_id: str, query: Parameters) -> Page[TimelineItem]:
    """Return a page of a stakeholder's timeline.

    Contacts is asked first, because it decides whether the caller may know of the record.

    :raises NotFound: there is no such record, or the caller may not know of it.
    """
    limit, cursor = page_bounds(query)
    after = decode_instant_position(cursor) if cursor else None
    own = _part_of_contacts(kind, subject_id, limit, after)
    theirs: Part[Moment] = {"items": [], "more": False, "total": 0}
    is_whole = True
    try:
        theirs = ask("interactions", "list_history", query={kind: subject_id, "limit": limit, "after": after})
    except Unavailable:
        is_whole = False
    found = sorted([*own["items"], *theirs["items"]], key=sort_key_of, reverse=True)
    shown = found[:limit]
    has_more = len(found) > len(shown) or own["more"] or theirs["more"]
    page: Page[TimelineItem] = {
        "items": [without_position(item) for item in shown],
        "next": encode_position(shown[-1]["position"]) if shown and has_more else None,
        "total": total_of([own, theirs]),
    }
    return page if is_whole else {"warning": WARNING, **page}


def _part_of_contacts(kind: str, subject_id: str, limit: int, after: list[str] | None) -> Part[Moment]:
    if kind == "individual_id":
        part: Part[Moment] = ask("contacts", "record_history", individual_id=subject_id, query={"limit": limit, "after": after})
        return {**part, "items": [_with_user(item) for item in part["items"]]}
    organization: OrganizationAnswer = ask("contacts", "read_organization", organization_id=subject_id)
    owner, created_at = organization["owner"], str(organization["created_at"])
    entry: Moment = {
        "kind": "registered",
        "at": created_at,
        "user": owner["user"],
        "component": owner["component"],
        "position": [created_at, subject_id],
    }
    is_after = after is None or sort_key_of(entry) < sort_key_of({"position": after})
    return {"items": [entry] if is_after else [], "more": False, "total": 1}


def _with_user(item: Moment) -> Moment:
    """Return an item of contacts with `user` in place of `by`."""
    return cast(Moment, {**{name: value for name, value in item.items() if name != "by"}, "user": item.get("by")})
