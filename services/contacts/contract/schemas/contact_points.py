"""Contact points: what is added, corrected, shared and revealed."""

from __future__ import annotations

from marshmallow import fields, validate

from services.chassis.instants import Instant
from services.chassis.validation import Closed, Id
from services.contacts.contract.schemas.fields import COMPONENT, Line
from services.lexicon.vocabulary import CONTACT_POINT_KINDS, SOURCES


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
