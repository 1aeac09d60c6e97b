"""Contact points: what is added, corrected, shared and revealed."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from services.chassis.instants import Instant
from services.chassis.validation import Closed, Id
from services.contacts.contract.schemas.fields import COMPONENT, Line
from services.lexicon.vocabulary import CONTACT_POINT_KINDS, SOURCES, VALUES_OF_A_KIND


class ContactPointCreateSchema(Closed):
    """A contact point to be given to the caller's component (T5)."""

    kind = fields.String(required=True, validate=validate.OneOf(list(CONTACT_POINT_KINDS)))
    value = Line(most=400, required=True)
    source = fields.String(load_default=None, allow_none=True, validate=validate.OneOf(list(SOURCES)))


class CorrectionSchema(Closed):
    """A write-blind correction (T3)."""

    kind = fields.String(required=True, validate=validate.OneOf(list(CONTACT_POINT_KINDS)))
    value = Line(most=400, required=True)


class GrantCreateSchema(Closed):
    """Sharing one contact point, or all that one's component holds of a person, with another component (T5)."""

    component = fields.String(required=True, validate=COMPONENT)
    contact_point_id = Id(load_default=None, allow_none=True)
    reason = Line(most=500, required=True)
    expires_at = Instant(required=True)


class RevealQuerySchema(Closed):
    """Why, once many people's contact points were revealed today (T11)."""

    reason = Line(most=500, allow_none=True, load_default=None)


class ReportedSchema(Schema):
    """A value that another component reported; nobody has verified it (T3)."""

    component = fields.String()
    on = fields.String()
    verified = fields.Boolean()


class ContactPointSchema(Schema):
    """One contact point, revealed."""

    id = fields.String()
    kind = fields.String()
    value = fields.String()
    component = fields.String()
    created_at = fields.String()
    verified_at = fields.String(allow_none=True)
    reported = fields.Nested(ReportedSchema, allow_none=True)
    previous = fields.Boolean(metadata={"description": "Another has taken its place, or was reported; previous ones come last of their kind."})
    replaced_at = fields.String(allow_none=True, metadata={"description": "When another took its place."})


class HolderSchema(Schema):
    """Another component that has a relationship with this person, and whom to ask there."""

    component = fields.String()
    owner = fields.String(allow_none=True)


class RevealSchema(Schema):
    """The reveal (T11), whole: it is one entry of the trail."""

    items = fields.List(fields.Nested(ContactPointSchema), metadata={"description": f"At most {VALUES_OF_A_KIND} of a kind in each component."})
    held_by = fields.List(fields.Nested(HolderSchema))
    use_preferences = fields.List(fields.String(), metadata={"description": "What they said of how they may be contacted (R169)."})


class CorrectionAnswerSchema(Schema):
    """What a write-blind correction says, always in the same way (T3)."""

    individual_id = fields.String()
    kind = fields.String()
    component = fields.String()
    status = fields.String()
