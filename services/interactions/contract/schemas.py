"""What comes in and goes out; the gateway serves HTTP and writes the OpenAPI document with these very schemas."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError, fields, pre_load, validate, validates_schema

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


class Outbound(Schema):
    """What a client reads; it documents the answer."""

    class Meta:
        """Contracts only grow."""

        unknown = EXCLUDE


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


class IssueListQuerySchema(Loads[commands.IssueListQuery]):
    """Which issues: by priority, by parent, by activity, by words of the name."""

    priority = fields.String(validate=validate.OneOf(list(PRIORITIES)))
    parent_id = Id()
    active = fields.Boolean()
    q = Words(validate=validate.Length(max=200))
    limit = fields.Integer(load_default=50, validate=validate.Range(1, 200))
    cursor = fields.String(validate=validate.Length(max=2000))


class IssueSchema(Outbound):
    """An issue (R65-R71)."""

    id = Id(required=True)
    name = fields.String(required=True, allow_none=True)
    priority = fields.String(required=True)
    parent_id = Id(required=True, allow_none=True)
    active = fields.Boolean(required=True)
    summary = fields.String(required=True, allow_none=True)
    component = fields.String(required=True)
    created_by = Id(required=True)
    created_at = fields.AwareDateTime(required=True)
    updated_at = fields.AwareDateTime(required=True)


class IssueTextListQuerySchema(Loads[commands.PageQuery]):
    """A page of an issue's updates or talking points."""

    limit = fields.Integer(load_default=50, validate=validate.Range(1, 200))
    cursor = fields.String(validate=validate.Length(max=2000))


class IssueUpdateCreateSchema(_Screened, Loads[commands.IssueUpdateCreate]):
    """Something that happened on an issue (R66), or a change of policy (R67)."""

    kind = fields.String(required=True, validate=validate.OneOf(UPDATE_KINDS))
    text = Words(required=True, validate=validate.Length(min=1, max=TEXT_LIMIT))
    happened_on = Day(load_default=None, allow_none=True)


class IssueUpdateSchema(Outbound):
    """One update of an issue."""

    id = Id(required=True)
    issue_id = Id(required=True)
    kind = fields.String(required=True)
    text = fields.String(required=True, allow_none=True)
    happened_on = fields.Date(required=True, allow_none=True)
    component = fields.String(required=True)
    created_by = Id(required=True)
    created_at = fields.AwareDateTime(required=True)


class TalkingPointCreateSchema(_Screened, Loads[commands.TalkingPointCreate]):
    """Something to say on an issue (R68)."""

    text = Words(required=True, validate=validate.Length(min=1, max=TEXT_LIMIT))


class TalkingPointSchema(Outbound):
    """One talking point of an issue."""

    id = Id(required=True)
    issue_id = Id(required=True)
    text = fields.String(required=True, allow_none=True)
    component = fields.String(required=True)
    created_by = Id(required=True)
    created_at = fields.AwareDateTime(required=True)


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


class InteractionCreateSchema(_Screened, Loads[commands.InteractionCreate]):
    """An interaction that was held (R48-R54), with at least one individual or organization."""

    held_at = Instant(required=True)
    mode = fields.String(required=True, validate=validate.OneOf(list(INTERACTION_MODES)))
    initiated_by = fields.String(
        load_default=None,
        allow_none=True,
        validate=validate.OneOf(list(INITIATORS)),
        metadata={"description": "Who began it, where that is known (T33)."},
    )
    individual_ids = _ids(load_default=list)
    organization_ids = _ids(load_default=list)
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

    @validates_schema
    def _with_somebody(self, body: dict[str, Any], **_: Any) -> None:
        if not body.get("individual_ids") and not body.get("organization_ids"):
            message = "Name at least one individual or organization."
            raise ValidationError(message, "individual_ids")


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


class InteractionListQuerySchema(Loads[commands.InteractionListQuery]):
    """Which interactions; the most recent first."""

    individual_id = Id()
    organization_id = Id()
    issue_id = Id()
    event_id = Id()
    component = fields.String(validate=validate.Length(max=20))
    user = Id()
    since = Instant()
    until = Instant()
    limit = fields.Integer(load_default=50, validate=validate.Range(1, 200))
    cursor = fields.String(validate=validate.Length(max=2000))


class AgainstPreferencesQuerySchema(Loads[commands.AgainstPreferencesQuery]):
    """Which of what the department began against a preference; the most recent first."""

    individual_id = Id()
    component = fields.String(validate=validate.Length(max=20))
    preference = fields.String(validate=validate.OneOf(sorted(PREFERENCE_AGAINST.values())))
    since = Instant()
    until = Instant()
    limit = fields.Integer(load_default=50, validate=validate.Range(1, 200))
    cursor = fields.String(validate=validate.Length(max=2000))


class FollowUpReadSchema(Outbound):
    """A promise as it stands."""

    id = Id(required=True)
    text = fields.String(required=True, allow_none=True)
    due_on = fields.Date(required=True, allow_none=True)
    mode = fields.String(required=True, allow_none=True)
    assignee = Id(required=True, allow_none=True, metadata={"description": "Whose it is; without one it is `created_by`'s."})
    created_by = Id(required=True)
    done_at = fields.AwareDateTime(required=True, allow_none=True)
    done_by = Id(required=True, allow_none=True)


class InteractionSchema(Outbound):
    """An interaction (R48-R57)."""

    id = Id(required=True)
    held_at = fields.AwareDateTime(required=True)
    mode = fields.String(required=True)
    initiated_by = fields.String(required=True, allow_none=True)
    component = fields.String(required=True)
    user = Id(required=True)
    individual_ids = fields.List(Id(), required=True)
    organization_ids = fields.List(Id(), required=True)
    issue_ids = fields.List(Id(), required=True)
    event_id = Id(required=True, allow_none=True)
    outcome = fields.String(required=True, allow_none=True)
    follow_ups = fields.List(fields.Nested(FollowUpReadSchema), required=True)
    no_contact_request_id = Id(required=True, allow_none=True)
    created_by = Id(required=True)
    created_at = fields.AwareDateTime(required=True)
    updated_at = fields.AwareDateTime(required=True)


class AgainstPreferenceSchema(Outbound):
    """One interaction that the department began with somebody who had said that they did not want it (T33)."""

    interaction_id = Id(required=True)
    individual_id = Id(required=True)
    preference = fields.String(required=True, metadata={"description": "What they had said."})
    stated_at = fields.AwareDateTime(required=True, metadata={"description": "When that was recorded."})
    held_at = fields.AwareDateTime(required=True)
    mode = fields.String(required=True)
    component = fields.String(required=True)
    user = Id(required=True)


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


class EventListQuerySchema(Loads[commands.EventListQuery]):
    """Which events; the most recent first."""

    individual_id = Id()
    organization_id = Id()
    issue_id = Id()
    component = fields.String(validate=validate.Length(max=20))
    since = Instant()
    until = Instant()
    limit = fields.Integer(load_default=50, validate=validate.Range(1, 200))
    cursor = fields.String(validate=validate.Length(max=2000))


class EventSchema(Outbound):
    """An event (R58-R63); who attended is at `/events/{id}/attendees`."""

    id = Id(required=True)
    name = fields.String(required=True, allow_none=True)
    starts_at = fields.AwareDateTime(required=True)
    ends_at = fields.AwareDateTime(required=True, allow_none=True)
    place = fields.String(required=True, allow_none=True)
    agenda = fields.String(required=True, allow_none=True)
    issue_ids = fields.List(Id(), required=True)
    component = fields.String(required=True)
    created_by = Id(required=True)
    created_at = fields.AwareDateTime(required=True)
    updated_at = fields.AwareDateTime(required=True)


class AttendeesAddSchema(Loads[commands.AttendeesAdd]):
    """Who attended an event (R62)."""

    individual_ids = _ids(load_default=list)
    organization_ids = _ids(load_default=list)

    @validates_schema
    def _somebody(self, body: dict[str, Any], **_: Any) -> None:
        if not body.get("individual_ids") and not body.get("organization_ids"):
            message = "Name at least one individual or organization."
            raise ValidationError(message, "individual_ids")


class AttendeeListQuerySchema(Loads[commands.PageQuery]):
    """A page of an event's attendees, in the order they were recorded."""

    limit = fields.Integer(load_default=50, validate=validate.Range(1, 200))
    cursor = fields.String(validate=validate.Length(max=2000))


class AttendeeSchema(Outbound):
    """One attendee."""

    id = Id(required=True)
    individual_id = Id(required=True, allow_none=True)
    organization_id = Id(required=True, allow_none=True)
    component = fields.String(required=True)
    recorded_by = Id(required=True)
    recorded_at = fields.AwareDateTime(required=True)


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


class CoordinationRequestListQuerySchema(Loads[commands.CoordinationRequestListQuery]):
    """Which requests that concern the caller; the latest first."""

    side = fields.String(validate=validate.OneOf(["received", "sent"]))
    status = fields.String(validate=validate.OneOf(REQUEST_STATES))
    individual_id = Id()
    issue_id = Id()
    limit = fields.Integer(load_default=50, validate=validate.Range(1, 200))
    cursor = fields.String(validate=validate.Length(max=2000))


class CoordinationRequestSchema(Outbound):
    """A coordination request (R86, R87); `owner` is whoever has to answer it now.

    `moves` are the states that the caller may put it into now. `closed_because` says why it ended by itself:
    `no_contact` (the person asked not to be contacted) or `record_is_yours` (whoever asked became the owner).
    """

    id = Id(required=True)
    individual_id = Id(required=True)
    issue_id = Id(required=True, allow_none=True)
    message = fields.String(required=True, allow_none=True)
    due_on = fields.Date(required=True, allow_none=True)
    mode = fields.String(required=True, allow_none=True)
    status = fields.String(required=True)
    reason = fields.String(required=True, allow_none=True)
    requested_by = Id(required=True)
    requested_component = fields.String(required=True)
    asked_component = fields.String(required=True, allow_none=True)
    owner = fields.Dict(required=True, allow_none=True)
    closed_because = fields.String(required=True, allow_none=True)
    moves = fields.List(fields.String(), required=True)
    created_at = fields.AwareDateTime(required=True)
    answered_at = fields.AwareDateTime(required=True, allow_none=True)
    answered_by = Id(required=True, allow_none=True)
    done_at = fields.AwareDateTime(required=True, allow_none=True)


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


class HistoryItemSchema(Outbound):
    """One moment of a stakeholder's history: an `interaction` or an `attendance`."""

    kind = fields.String(required=True)
    id = Id(required=True)
    at = fields.AwareDateTime(required=True)
    mode = fields.String(required=True)
    initiated_by = fields.String(required=True, allow_none=True)
    component = fields.String(required=True)
    user = Id(required=True)
    event_id = Id(required=True, allow_none=True)
    issue_ids = fields.List(Id(), required=True)
    outcome = fields.String(required=True, allow_none=True)
    event_name = fields.String(required=True, allow_none=True)
    position = fields.List(fields.String(), required=True)


class SpokenToQuerySchema(Loads[commands.SpokenToQuery]):
    """How many were spoken to: about an issue or a priority, in a region or state, in a period (R100, T12)."""

    issue_id = Id()
    priority = fields.String(validate=validate.OneOf(list(PRIORITIES)))
    fema_region = fields.Integer(validate=validate.Range(1, 10))
    state = fields.String(validate=validate.OneOf(list(STATES)))
    component = fields.String(validate=validate.Length(max=20))
    since = Instant()
    until = Instant()


class CoverageGapsQuerySchema(SpokenToQuerySchema):
    """Where nobody was spoken to, and where nobody is known (R88, R97)."""


class CountSchema(Outbound):
    """`known` and `spoken_to` count individuals; organizations are counted beside them."""

    spoken_to = fields.Integer(required=True)
    known = fields.Integer(required=True)
    organizations_spoken_to = fields.Integer(required=True)
    organizations_known = fields.Integer(required=True)


class SpokenStateSchema(CountSchema):
    """The counts of one state or territory."""

    state = fields.String(required=True)
    name = fields.String(required=True)


class SpokenRegionSchema(CountSchema):
    """The counts of one FEMA region, drilled to its states (T12)."""

    fema_region = fields.Integer(required=True)
    states = fields.List(fields.Nested(SpokenStateSchema), required=True)


class SpokenToSchema(Outbound):
    """The report `spoken-to`; `without_state` are those of no known state."""

    regions = fields.List(fields.Nested(SpokenRegionSchema), required=True)
    without_state = fields.Nested(CountSchema, required=True)
    total = fields.Nested(CountSchema, required=True)


class GapSchema(Outbound):
    """One state with a gap: `not_spoken_to` (people are known there) or `nobody_known`."""

    fema_region = fields.Integer(required=True)
    state = fields.String(required=True)
    name = fields.String(required=True)
    known = fields.Integer(required=True)
    gap = fields.String(required=True)


class CoverageGapsSchema(Outbound):
    """The report `coverage-gaps`."""

    items = fields.List(fields.Nested(GapSchema), required=True)
    total = fields.Integer(required=True)


class TaskListQuerySchema(Loads[commands.TaskListQuery]):
    """A page of what waits: the first tasks after a position (see `services.lexicon.tasks`)."""

    limit = fields.Integer(load_default=LIMIT, validate=validate.Range(1, LIMIT))
    after = fields.List(fields.String(), load_default=None, allow_none=True, validate=validate.Length(equal=3))
