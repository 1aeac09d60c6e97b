"""The shapes of what interactions is given; OpenAPI documents them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError, fields, pre_load, validate, validates_schema

from services.chassis.instants import Day, Instant
from services.chassis.validation import Closed, Id, Loads
from services.interactions.contract import commands
from services.lexicon.places import STATES
from services.lexicon.tasks import LIMIT
from services.lexicon.vocabulary import INITIATORS, INTERACTION_MODES, PREFERENCE_AGAINST, PRIORITIES

REQUEST_STATES = ("requested", "accepted", "declined", "withdrawn", "done")
UPDATE_KINDS = ("event", "policy")
TEXT_LIMIT = 20_000


class Words(fields.String):
    """Text that people wrote: trimmed, and null when nothing is left; NUL and lone surrogates are refused."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        text = super()._deserialize(value, attr, data, **kwargs)
        # PostgreSQL stores neither, and would answer with an error of its own.
        if "\x00" in text or any("\ud800" <= sign <= "\udfff" for sign in text):
            message = "Holds characters that are not text."
            raise ValidationError(message)
        text = text.strip()
        if not text and not self.allow_none:
            message = "Not empty."
            raise ValidationError(message)
        return text or None

    def _validate(self, value: Any) -> None:
        # Text of which nothing is left is null, and has no length.
        if value is not None:
            super()._validate(value)


def _name(**options: Any) -> Words:
    return Words(validate=validate.Length(min=1, max=300), **options)


def _text(**options: Any) -> Words:
    return Words(validate=validate.Length(max=TEXT_LIMIT), allow_none=True, **options)


def _ids(**options: Any) -> fields.List[Any]:
    return fields.List(Id(), validate=validate.Length(max=500), **options)


def _planned_mode() -> fields.String:
    return fields.String(
        load_default=None,
        allow_none=True,
        validate=validate.OneOf(list(INTERACTION_MODES)),
        metadata={"description": "How they are to be spoken to; refused where the person does not want that (T33)."},
    )


class _Screened(Closed):
    keep_reason = Words(
        validate=validate.Length(max=500),
        allow_none=True,
        metadata={"description": "Why text stays although screening found something; contributors of your component alone see it (T15)."},
    )


class _Paged(Closed):
    limit = fields.Integer(load_default=50, validate=validate.Range(1, 200))
    cursor = fields.String(validate=validate.Length(max=2000))


class _Period(Closed):
    since = Instant()
    until = Instant()


class _WithSomebody(Closed):
    individual_ids = _ids(load_default=list)
    organization_ids = _ids(load_default=list)

    @validates_schema
    def _with_somebody(self, body: dict[str, Any], **_: Any) -> None:
        if not body.get("individual_ids") and not body.get("organization_ids"):
            message = "Name at least one individual or organization."
            raise ValidationError(message, "individual_ids")


class PageQuerySchema(_Paged, Loads[commands.PageQuery]):
    """A page of a list that is about one record."""


# Issues ---------------------------------------------------------------------------------------------------------


class IssueCreateSchema(_Screened, Loads[commands.IssueCreate]):
    """A new issue (R65, R71); below another one it has that one's priority."""

    name = _name(required=True)
    priority = fields.String(validate=validate.OneOf(list(PRIORITIES)))
    parent_id = Id(load_default=None, allow_none=True)
    active = fields.Boolean(load_default=True)
    summary = _text(load_default=None)

    @validates_schema
    def _placed(self, body: dict[str, Any], **_: Any) -> None:
        if body.get("priority") is None and body.get("parent_id") is None:
            message = "Missing data for required field."
            raise ValidationError(message, "priority")


class IssueChangeSchema(_Screened, Loads[commands.IssueChange]):
    """What of an issue changes; fields that are left out stay."""

    name = _name()
    priority = fields.String(validate=validate.OneOf(list(PRIORITIES)))
    parent_id = Id(allow_none=True)
    active = fields.Boolean()
    summary = _text()


class IssueListQuerySchema(_Paged, Loads[commands.IssueListQuery]):
    """Which issues: by priority, by parent, by activity, by words of the name."""

    priority = fields.String(validate=validate.OneOf(list(PRIORITIES)))
    parent_id = Id()
    active = fields.Boolean()
    q = Words(validate=validate.Length(max=200))


class IssueUpdateCreateSchema(_Screened, Loads[commands.IssueUpdateCreate]):
    """Something that happened on an issue (R66), or a change of policy (R67)."""

    kind = fields.String(required=True, validate=validate.OneOf(UPDATE_KINDS))
    text = Words(required=True, validate=validate.Length(min=1, max=TEXT_LIMIT))
    happened_on = Day(load_default=None, allow_none=True)


class TalkingPointCreateSchema(_Screened, Loads[commands.TalkingPointCreate]):
    """Something to say on an issue (R68)."""

    text = Words(required=True, validate=validate.Length(min=1, max=TEXT_LIMIT))


# Interactions ---------------------------------------------------------------------------------------------------


class FollowUpSchema(Loads[commands.FollowUpGiven]):
    """A promise (R52, R53). With the `id` it already has it is changed, without one it is new."""

    id = Id()
    text = Words(validate=validate.Length(max=2000), load_default=None, allow_none=True)
    due_on = Day(load_default=None, allow_none=True)
    mode = _planned_mode()
    assignee = Id(load_default=None, allow_none=True)
    done_at = Instant(load_default=None, allow_none=True)

    @pre_load
    def _without_what_only_we_say(self, body: Any, **_: Any) -> Any:
        # A client sends back what it read: who wrote and who did it is told by us and never taken.
        return {key: value for key, value in body.items() if key not in {"created_by", "done_by"}} if isinstance(body, dict) else body

    @validates_schema
    def _worded(self, body: dict[str, Any], **_: Any) -> None:
        if body.get("text") is None and not body.get("id"):
            message = "A follow-up needs a text."
            raise ValidationError(message, "text")


class InteractionCreateSchema(_Screened, _WithSomebody, Loads[commands.InteractionCreate]):
    """An interaction that was held (R48-R54), with at least one individual or organization."""

    held_at = Instant(required=True)
    mode = fields.String(required=True, validate=validate.OneOf(list(INTERACTION_MODES)))
    initiated_by = fields.String(
        load_default=None,
        allow_none=True,
        validate=validate.OneOf(list(INITIATORS)),
        metadata={"description": "Who began it, where that is known (T33)."},
    )
    issue_ids = _ids(load_default=list)
    event_id = Id(load_default=None, allow_none=True)
    outcome = _text(load_default=None)
    follow_ups = fields.List(fields.Nested(FollowUpSchema), load_default=list, validate=validate.Length(max=50))
    component = fields.String(metadata={"description": "Your own; another one is refused."})
    user = Id(metadata={"description": "The colleague of your component who had it, if it was not you."})
    no_contact_request_id = Id(
        load_default=None,
        allow_none=True,
        metadata={"description": "The request that the interaction is about; needed for a frozen individual (T21)."},
    )


class InteractionChangeSchema(_Screened, Loads[commands.InteractionChange]):
    """What of an interaction changes; a list replaces the one that was there."""

    held_at = Instant()
    mode = fields.String(validate=validate.OneOf(list(INTERACTION_MODES)))
    initiated_by = fields.String(allow_none=True, validate=validate.OneOf(list(INITIATORS)))
    individual_ids = _ids()
    organization_ids = _ids()
    issue_ids = _ids()
    event_id = Id(allow_none=True)
    outcome = _text()
    follow_ups = fields.List(fields.Nested(FollowUpSchema), validate=validate.Length(max=50))
    user = Id()


class InteractionListQuerySchema(_Paged, _Period, Loads[commands.InteractionListQuery]):
    """Which interactions; the most recent first."""

    individual_id = Id()
    organization_id = Id()
    issue_id = Id()
    event_id = Id()
    component = fields.String(validate=validate.Length(max=20))
    user = Id()


class AgainstPreferencesQuerySchema(_Paged, _Period, Loads[commands.AgainstPreferencesQuery]):
    """Which of what the department began against a preference; the most recent first."""

    individual_id = Id()
    component = fields.String(validate=validate.Length(max=20))
    preference = fields.String(validate=validate.OneOf(sorted(PREFERENCE_AGAINST.values())))


# Events ---------------------------------------------------------------------------------------------------------


class EventCreateSchema(_Screened, Loads[commands.EventCreate]):
    """A meeting or event on which DHS collaborated (R58-R63)."""

    name = _name(required=True)
    starts_at = Instant(required=True)
    ends_at = Instant(load_default=None, allow_none=True)
    place = Words(validate=validate.Length(max=500), load_default=None, allow_none=True)
    agenda = _text(load_default=None)
    issue_ids = _ids(load_default=list)
    component = fields.String(metadata={"description": "Your own; another one is refused."})

    @validates_schema
    def _ordered(self, body: dict[str, Any], **_: Any) -> None:
        if body.get("ends_at") and body["ends_at"] < body["starts_at"]:
            message = "An event ends after it starts."
            raise ValidationError(message, "ends_at")


class EventChangeSchema(_Screened, Loads[commands.EventChange]):
    """What of an event changes."""

    name = _name()
    starts_at = Instant()
    ends_at = Instant(allow_none=True)
    place = Words(validate=validate.Length(max=500), allow_none=True)
    agenda = _text()
    issue_ids = _ids()


class EventListQuerySchema(_Paged, _Period, Loads[commands.EventListQuery]):
    """Which events; the most recent first."""

    individual_id = Id()
    organization_id = Id()
    issue_id = Id()
    component = fields.String(validate=validate.Length(max=20))


class AttendeesAddSchema(_WithSomebody, Loads[commands.AttendeesAdd]):
    """Who attended an event (R62)."""


# Coordination ---------------------------------------------------------------------------------------------------


class CoordinationRequestCreateSchema(_Screened, Loads[commands.CoordinationRequestCreate]):
    """Ask the owner of a record to speak to that person, instead of doing it oneself (R86)."""

    individual_id = Id(required=True)
    issue_id = Id(load_default=None, allow_none=True)
    component = fields.String(
        load_default=None,
        allow_none=True,
        validate=validate.Length(max=20),
        metadata={"description": "Ask this component, which has a relationship with the person; without it the record's owner is asked."},
    )
    message = Words(required=True, validate=validate.Length(min=1, max=5000))
    due_on = Day(load_default=None, allow_none=True)
    mode = _planned_mode()


class CoordinationRequestChangeSchema(_Screened, Loads[commands.CoordinationRequestChange]):
    """The addressee's answer: accepted or declined, and at last done (R87); or `withdrawn`, by whoever asked.

    `requested` takes an acceptance back.
    """

    status = fields.String(required=True, validate=validate.OneOf(REQUEST_STATES))
    reason = Words(validate=validate.Length(max=1000), load_default=None, allow_none=True)

    @validates_schema
    def _reasoned(self, body: dict[str, Any], **_: Any) -> None:
        if body.get("status") == "declined" and not body.get("reason"):
            message = "Say why you decline."
            raise ValidationError(message, "reason")


class CoordinationRequestListQuerySchema(_Paged, Loads[commands.CoordinationRequestListQuery]):
    """Which requests that concern the caller; the latest first."""

    side = fields.String(validate=validate.OneOf(["received", "sent"]))
    status = fields.String(validate=validate.OneOf(REQUEST_STATES))
    individual_id = Id()
    issue_id = Id()


# Reading across ----------------------------------------------------------------------------------------------


class HistoryQuerySchema(Loads[commands.HistoryQuery]):
    """The timeline of one stakeholder; the most recent first (R55, R57). `after` is the `position` of an item shown before."""

    individual_id = Id()
    organization_id = Id()
    limit = fields.Integer(load_default=50, validate=validate.Range(1, 200))
    after = fields.Tuple((Instant(), Id()), load_default=None, allow_none=True)

    @validates_schema
    def _one(self, body: dict[str, Any], **_: Any) -> None:
        if bool(body.get("individual_id")) == bool(body.get("organization_id")):
            message = "Name one individual or one organization."
            raise ValidationError(message, "individual_id")


class SpokenToQuerySchema(_Period, Loads[commands.SpokenToQuery]):
    """How many were spoken to: about an issue or a priority, in a region or state, in a period (R100, T12)."""

    issue_id = Id()
    priority = fields.String(validate=validate.OneOf(list(PRIORITIES)))
    fema_region = fields.Integer(validate=validate.Range(1, 10))
    state = fields.String(validate=validate.OneOf(list(STATES)))
    component = fields.String(validate=validate.Length(max=20))


class TaskListQuerySchema(Loads[commands.TaskListQuery]):
    """A page of what waits: the first tasks after a position (see `services.lexicon.tasks`)."""

    limit = fields.Integer(load_default=LIMIT, validate=validate.Range(1, LIMIT))
    after = fields.List(fields.String(), load_default=None, allow_none=True, validate=validate.Length(equal=3))
