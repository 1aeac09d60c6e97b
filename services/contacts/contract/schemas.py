"""The shapes of what goes into contacts and of what comes out; the gateway and the OpenAPI document use the same."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from services.chassis.instants import Day, Instant
from services.chassis.validation import Closed, Id
from services.lexicon.folding import even_signs, normalized
from services.lexicon.places import state_code
from services.lexicon.tasks import LIMIT
from services.lexicon.vocabulary import (
    CONTACT_POINT_KINDS,
    ISSUE_LINK_KINDS,
    PRIORITIES,
    REQUEST_MEDIA,
    SECTORS,
    SOURCES,
    USE_PREFERENCES,
    VALUES_OF_A_KIND,
    VERIFICATION_MEDIA,
)

#: What a list of stakeholders is ordered by; a leading minus turns it round.
SORTS = ("name", "-name", "last_contacted_at", "-last_contacted_at", "created_at", "-created_at")
FACETS = ("type", "state", "fema_region", "component", "sector", "issue", "priority")
COMPONENT = validate.Regexp(r"^[A-Z]{2,10}$", error="A component's code, such as ICE.")


#: With blanks to be taken out and marks to be put on their letters, a text may be so many times as long as what is kept of it.
_WRITTEN_WIDELY = 20


class Line(fields.String):
    """One line of text: trimmed, spaces made single, nothing invisible in it; empty counts as not given."""

    def __init__(self, *, most: int = 200, **options: Any) -> None:
        """Take at most `most` characters."""
        super().__init__(**options)
        self.most = most

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        text = super()._deserialize(value, attr, data, **kwargs)
        if len(text) > self.most * _WRITTEN_WIDELY:
            raise ValidationError(f"At most {self.most} characters.")
        text = " ".join(normalized("NFC", text).split())
        if len(text) > self.most:
            raise ValidationError(f"At most {self.most} characters.")
        if any(unicodedata.category(character) == "Cc" for character in text):
            raise ValidationError("No control characters.")
        if not text:
            if self.required:
                raise ValidationError("Missing data for required field.")
            if not self.allow_none:
                raise ValidationError("Not empty.")
            return None
        return text


class Name(Line):
    """A name of a person or an organization: every apostrophe in it is ' and every hyphen -, whatever keyboard it came from."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        text = super()._deserialize(value, attr, data, **kwargs)
        # Read as it came first: evening takes away what is refused.
        return text if text is None else super()._deserialize(even_signs(text), attr, data, **kwargs)


class State(Line):
    """A state or territory, by its code or name; kept as its code (R80, T18)."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        text = super()._deserialize(value, attr, data, **kwargs)
        if text is None:
            return None
        code = state_code(text)
        if code is None:
            raise ValidationError("Not a state or territory of the United States.")
        return code


class Codes(fields.Field[list[str]]):
    """Several codes: a list, or text with commas, as a query string has them."""

    def __init__(self, *, one_of: tuple[str, ...], **options: Any) -> None:
        """Allow these codes."""
        super().__init__(**options)
        self.one_of = one_of

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> list[str]:
        given = value.split(",") if isinstance(value, str) else value
        if not isinstance(given, list) or not all(code in self.one_of for code in given):
            raise ValidationError(f"Some of {', '.join(self.one_of)}.")
        return list(dict.fromkeys(given))


_text = validate.And(validate.Length(min=1, max=20_000), validate.Regexp(re.compile(r"^[^\x00]*$"), error="Not a NUL character."))


class AddressSchema(Closed):
    """A postal address."""

    street = Line(most=300, allow_none=True, load_default=None)
    city = Line(allow_none=True, load_default=None)
    state = State(allow_none=True, load_default=None)
    postal_code = Line(most=20, allow_none=True, load_default=None)
    country = Line(most=100, allow_none=True, load_default=None)


class OfficeSchema(Closed):
    """One office of an organization: where it is and its telephone (R21, R22)."""

    id = Id(load_default=None, allow_none=True)
    label = Line(allow_none=True, load_default=None)
    address = fields.Nested(AddressSchema, allow_none=True, load_default=None)
    phone = Line(most=60, allow_none=True, load_default=None)


class IssueLinkSchema(Closed):
    """How a stakeholder stands to an issue (T22)."""

    issue_id = Id(required=True)
    kind = fields.String(load_default="engaged", validate=validate.OneOf(list(ISSUE_LINK_KINDS)))
    since = Day(load_default=None, allow_none=True)
    ended_on = Day(load_default=None, allow_none=True)

    @validates_schema
    def _in_order(self, link: dict[str, Any], **_: object) -> None:
        since, ended = link.get("since"), link.get("ended_on")
        if since and ended and ended < since:
            raise ValidationError({"ended_on": ["Not before it began."]})


class ContactPointCreateSchema(Closed):
    """A contact point to be given to the caller's component (T5)."""

    kind = fields.String(required=True, validate=validate.OneOf(list(CONTACT_POINT_KINDS)))
    value = Line(most=400, required=True)
    source = fields.String(load_default=None, allow_none=True, validate=validate.OneOf(list(SOURCES)))


class CorrectionSchema(Closed):
    """A write-blind correction (T3)."""

    kind = fields.String(required=True, validate=validate.OneOf(list(CONTACT_POINT_KINDS)))
    value = Line(most=400, required=True)


_KEEP_REASON = (
    "Why a salutation, a title or interests are kept though screening found something: each becomes a note for contributors of your component"
    " until the privacy officer releases it, and the field stays empty."
)


class _IndividualFields(Closed):
    salutation = Line(most=60, allow_none=True)
    title = Line(allow_none=True)
    organization_id = Id(allow_none=True)
    organization = Name(allow_none=True)
    state = State(allow_none=True)
    issues = fields.List(fields.Nested(IssueLinkSchema), validate=validate.Length(max=200))
    interests = fields.List(Line(most=100), validate=validate.Length(max=50))
    source = fields.String(allow_none=True, validate=validate.OneOf(list(SOURCES)))
    declined = Codes(one_of=tuple(CONTACT_POINT_KINDS))
    use_preferences = Codes(one_of=tuple(USE_PREFERENCES))
    deputy = Id(allow_none=True)

    @validates_schema
    def _one_organization(self, individual: dict[str, Any], **_: object) -> None:
        if individual.get("organization") and individual.get("organization_id"):
            raise ValidationError({"organization": ["Give the organization's id or its name, not both."]})


class IndividualCreateSchema(_IndividualFields):
    """A new individual; `issue_ids` is short for engaged, `contact_points` go to the caller's component."""

    first_name = Name(load_default=None, allow_none=True, metadata={"description": "Empty or null for somebody of one name."})
    last_name = Name(required=True, metadata={"description": "A name of one word stands here."})
    keep_reason = Line(most=500, allow_none=True, metadata={"description": _KEEP_REASON})
    issue_ids = fields.List(Id(), validate=validate.Length(max=200))
    contact_points = fields.List(fields.Nested(ContactPointCreateSchema), validate=validate.Length(max=100))
    duplicate_ok = fields.Boolean(load_default=False, truthy={True}, falsy={False})


class IndividualChangeSchema(_IndividualFields):
    """What any contributor may change of an individual (T2); only what is given changes."""

    first_name = Name(allow_none=True, metadata={"description": "Empty or null for somebody of one name."})
    last_name = Name()
    keep_reason = Line(most=500, allow_none=True, metadata={"description": _KEEP_REASON})


class _OrganizationFields(Closed):
    sector = fields.String(allow_none=True, validate=validate.OneOf(list(SECTORS)))
    state = State(allow_none=True)
    offices = fields.List(fields.Nested(OfficeSchema), validate=validate.Length(max=500))
    address = fields.Nested(AddressSchema, allow_none=True)
    office_phone = Line(most=60, allow_none=True)
    issues = fields.List(fields.Nested(IssueLinkSchema), validate=validate.Length(max=200))
    group_ids = fields.List(Id(), validate=validate.Length(max=50))
    source = fields.String(allow_none=True, validate=validate.OneOf(list(SOURCES)))
    source_url = fields.Url(allow_none=True, schemes={"http", "https"}, validate=validate.Length(max=500))

    @validates_schema
    def _one_first_office(self, organization: dict[str, Any], **_: object) -> None:
        if "offices" in organization and ("address" in organization or "office_phone" in organization):
            raise ValidationError({"offices": ["Give the offices, or the address and telephone of the first; not both."]})


class OrganizationCreateSchema(_OrganizationFields):
    """A new organization; `address` and `office_phone` make its first office."""

    name = Name(required=True)
    issue_ids = fields.List(Id(), validate=validate.Length(max=200))
    duplicate_ok = fields.Boolean(load_default=False, truthy={True}, falsy={False})


class OrganizationChangeSchema(_OrganizationFields):
    """What any contributor may change of an organization; only what is given changes."""

    name = Name()


class NoteCreateSchema(Closed):
    """A note on an individual (R37-R41); `keep_reason` keeps it in spite of what the screening found (T15)."""

    text = fields.String(required=True, validate=_text)
    provenance = Line(most=500, allow_none=True, load_default=None)
    keep_reason = Line(most=500, allow_none=True, load_default=None)


class NoteChangeSchema(Closed):
    """A note's new text."""

    text = fields.String(validate=_text)
    provenance = Line(most=500, allow_none=True)
    keep_reason = Line(most=500, allow_none=True, load_default=None)


class HandOverSchema(Closed):
    """Who is to own the record (R45)."""

    owner = Id(required=True)


class GrantCreateSchema(Closed):
    """Sharing one contact point, or all that one's component holds of a person, with another component (T5)."""

    component = fields.String(required=True, validate=COMPONENT)
    contact_point_id = Id(load_default=None, allow_none=True)
    reason = Line(most=500, required=True)
    expires_at = Instant(required=True)


class VerificationCreateSchema(Closed):
    """That a person's details were verified with them, and what they no longer decline to give (R115, T20)."""

    medium = fields.String(required=True, validate=validate.OneOf(list(VERIFICATION_MEDIA)))
    verified_at = Instant(required=True)
    contact_point_ids = fields.List(Id(), load_default=list, validate=validate.Length(max=100))
    withdraw_declined = Codes(one_of=tuple(CONTACT_POINT_KINDS), load_default=list)


class RevealQuerySchema(Closed):
    """Why, once many people's contact points were revealed today (T11)."""

    reason = Line(most=500, allow_none=True, load_default=None)


class FreezeSchema(Closed):
    """A no-contact request as it was heard (R164-R168)."""

    request_id = Id(required=True)
    individual_id = Id(required=True)
    medium = fields.String(required=True, validate=validate.OneOf(list(REQUEST_MEDIA)))
    received_on = Day(required=True)
    reason = Line(most=500, allow_none=True, load_default=None)


class TwinDecisionCommandSchema(Closed):
    """What the privacy officer said of a record that may be of somebody who asked not to be contacted (T26)."""

    request_id = Id(required=True)
    decision = fields.String(required=True, validate=validate.OneOf(["same", "another"]))
    medium = fields.String(required=True, validate=validate.OneOf(list(REQUEST_MEDIA)))
    received_on = Day(required=True)


class MarkDecisionSchema(Closed):
    """Whether a value that was added lately blocks from now on (T25)."""

    decision = fields.String(required=True, validate=validate.OneOf(["keep", "drop"]))


class AskedSchema(Schema):
    """Who asked not to be contacted, while the record is there."""

    id = fields.String()
    first_name = fields.String()
    last_name = fields.String()


class TwinSchema(Schema):
    """A record that may be of somebody who asked not to be contacted; for the privacy officer alone (T26, T34)."""

    request_id = fields.String()
    individual_id = fields.String()
    first_name = fields.String()
    last_name = fields.String()
    owner = fields.Dict()
    asked = fields.Nested(AskedSchema, allow_none=True)
    because = fields.List(fields.String(), metadata={"description": "kinds of values that agree, or `organization`"})
    frozen_for = fields.List(fields.String(), metadata={"description": "components that see it frozen until it is decided"})
    found_at = fields.String()


class TwinDecidedSchema(Schema):
    """What became of it."""

    decision = fields.String()
    request_id = fields.String(allow_none=True)


class PairDecisionSchema(Closed):
    """What two records are; the privacy officer alone proposes to both owners that they are one person's (T34)."""

    decision = fields.String(required=True, validate=validate.OneOf(["same", "different", "propose"]))


class PairDecidedSchema(Schema):
    """What was said."""

    decision = fields.String()


class PairAnswerSchema(Schema):
    """What the owner of one of two records says."""

    individual_id = fields.String()
    answer = fields.String(allow_none=True, metadata={"description": "`same` or `different`; null until they say"})
    by = fields.String(allow_none=True)


class ProposalSchema(Schema):
    """What both owners were asked, for the privacy officer."""

    proposed_at = fields.String()
    answers = fields.List(fields.Nested(PairAnswerSchema))


class WaitingMarkSchema(Schema):
    """A value that the recorder or an unverified correction added within thirty days (T25)."""

    id = fields.String()
    request_id = fields.String()
    individual_id = fields.String(allow_none=True)
    kind = fields.String()
    value = fields.String(allow_none=True)
    because = fields.String(metadata={"description": "`recorder` or `correction`"})
    component = fields.String()
    added_by = fields.String()
    added_at = fields.String()


class MarkDecidedSchema(Schema):
    """What the privacy officer said of it."""

    id = fields.String()
    request_id = fields.String()
    individual_id = fields.String(allow_none=True)
    kind = fields.String()
    decision = fields.String()


class FrozenIndividualSchema(Schema):
    """A frozen person, to those who may find them."""

    id = fields.String()
    first_name = fields.String()
    last_name = fields.String()
    owner = fields.Dict()
    request_id = fields.String(allow_none=True)
    frozen = fields.Boolean()
    notice = fields.String()


class NoticeSchema(Schema):
    """That somebody a component had a relationship with was erased; without the data (T16)."""

    id = fields.String()
    at = fields.String()
    text = fields.String()


class HitSchema(Schema):
    """A mark that an account's entry hit, for the first time of this account (T35)."""

    mark_id = fields.String()
    request_id = fields.String()
    individual_id = fields.String(allow_none=True)
    kind = fields.String()
    account = fields.String(metadata={"description": "a user's id, or the name of a component's system"})
    component = fields.String(allow_none=True)
    at = fields.String()


class LookupsSchema(Schema):
    """An account of which the privacy officer has something to see (T35)."""

    account = fields.String(metadata={"description": "a user's id, or the name of a component's system"})
    component = fields.String(allow_none=True)
    day = fields.String()
    looked = fields.Integer(metadata={"description": "values that it looked up, where it wants to look up more"})
    hits = fields.Integer(metadata={"description": "entries of it that hit and were not seen"})
    exhausted = fields.Boolean(metadata={"description": "whether it looked up as many as it may, and waits"})
    since = fields.String()


class LookupsSeenSchema(Closed):
    """That the privacy officer has seen an account's hits; with `more`, as many values may be looked up again."""

    more = fields.Boolean(load_default=False)


class LookupsGoOnSchema(Schema):
    """What goes on then."""

    account = fields.String()
    more = fields.Boolean()
    imports = fields.List(fields.String(), metadata={"description": "imports that waited for it"})


class ManyFreezesSchema(Schema):
    """One of many people whom a user had frozen on one day, with the reason (T36)."""

    user_id = fields.String()
    day = fields.String()
    count = fields.Integer()
    individual_id = fields.String(allow_none=True)
    reason = fields.String()


class DayCountSchema(Schema):
    """What a user did on one day, in numbers (T36, T9)."""

    user_id = fields.String()
    component = fields.String(allow_none=True)
    day = fields.String()
    freezes = fields.Integer(metadata={"description": "requests for no more contact that they recorded"})
    blocked = fields.Integer(metadata={"description": "entries of theirs that were blocked"})


class ListQuerySchema(Closed):
    """Which part of a list."""

    limit = fields.Integer(load_default=50, validate=validate.Range(min=1, max=200))
    cursor = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=2000))


class FrozenQuerySchema(ListQuerySchema):
    """Words of the name of somebody frozen."""

    q = Line(most=200, load_default="")


class IndividualListQuerySchema(ListQuerySchema):
    """Individuals by exact directory fields."""

    organization_id = Id(load_default=None, allow_none=True)
    state = State(load_default=None, allow_none=True)
    component = fields.String(load_default=None, allow_none=True, validate=COMPONENT)
    owner = Id(load_default=None, allow_none=True)
    sort = fields.String(load_default="name", validate=validate.OneOf(SORTS))


class OrganizationListQuerySchema(ListQuerySchema):
    """Organizations by exact fields."""

    name = Line(load_default=None, allow_none=True)
    state = State(load_default=None, allow_none=True)
    sector = fields.String(load_default=None, allow_none=True, validate=validate.OneOf(list(SECTORS)))
    sort = fields.String(load_default="name", validate=validate.OneOf(SORTS))


class AudienceSchema(Closed):
    """Which stakeholders are meant; everything in it is directory layer (T17)."""

    q = Line(load_default=None, allow_none=True)
    type = fields.String(load_default=None, allow_none=True, validate=validate.OneOf(("individual", "organization")))
    issue = Id(load_default=None, allow_none=True)
    priority = fields.String(load_default=None, allow_none=True, validate=validate.OneOf(list(PRIORITIES)))
    state = State(load_default=None, allow_none=True)
    fema_region = fields.Integer(load_default=None, allow_none=True, validate=validate.Range(min=1, max=10))
    component = fields.String(load_default=None, allow_none=True, validate=COMPONENT)
    owner = Id(load_default=None, allow_none=True)
    group = Id(load_default=None, allow_none=True)
    event = Id(load_default=None, allow_none=True)
    interest = Line(most=100, load_default=None, allow_none=True)
    sector = fields.String(load_default=None, allow_none=True, validate=validate.OneOf(list(SECTORS)))
    organization_id = Id(load_default=None, allow_none=True)
    contacted_before = Day(load_default=None, allow_none=True)
    contacted_after = Day(load_default=None, allow_none=True)
    engaged_on = Id(load_default=None, allow_none=True)


class StakeholderQuerySchema(AudienceSchema, ListQuerySchema):
    """Search over individuals and organizations."""

    sort = fields.String(load_default="name", validate=validate.OneOf(SORTS))
    facets = Codes(one_of=FACETS, load_default=list)


class RegionReportQuerySchema(AudienceSchema):
    """Stakeholders by FEMA region, drilled to states (R101, T12)."""


# ------------------------------------------------------------------------------------------ what comes out


class OwnerSchema(Schema):
    """Whose record it is (R42)."""

    user = fields.String()
    component = fields.String()


class RelationshipSchema(Schema):
    """A component's relationship with a stakeholder (R43, R44)."""

    component = fields.String()
    since = fields.String()
    last_contact_at = fields.String(allow_none=True)


class LastContactSchema(Schema):
    """Who spoke with the stakeholder last (R55)."""

    by = fields.String(allow_none=True)
    component = fields.String(allow_none=True)
    mode = fields.String(allow_none=True)


class LinkedIssueSchema(Schema):
    """How a stakeholder stands to an issue (T22)."""

    issue_id = fields.String()
    kind = fields.String()
    since = fields.String(allow_none=True)
    ended_on = fields.String(allow_none=True)


class LikenessSchema(Schema):
    """Somebody the new record may be the same as, by what its author may see (T23)."""

    id = fields.String()
    first_name = fields.String()
    last_name = fields.String()
    organization_id = fields.String(allow_none=True)
    owner = fields.Nested(OwnerSchema)
    because = fields.List(fields.String())


class PreviousSchema(Schema):
    """What was replaced of somebody at one time: what they were called at work, where they worked, or both."""

    title = fields.String(allow_none=True, metadata={"description": "Null where the title stayed, or there was none."})
    organization_id = fields.String(allow_none=True, metadata={"description": "Null where the employer stayed, or there was none."})
    organization_name = fields.String(allow_none=True)
    replaced_at = fields.String()
    import_id = fields.String(allow_none=True, metadata={"description": "The import that replaced it; null where somebody did by hand."})


class IndividualSchema(Schema):
    """An individual's directory layer (T4)."""

    id = fields.String()
    type = fields.String()
    salutation = fields.String(allow_none=True)
    first_name = fields.String()
    last_name = fields.String()
    title = fields.String(allow_none=True)
    organization_id = fields.String(allow_none=True)
    organization_name = fields.String(allow_none=True)
    previous = fields.List(fields.Nested(PreviousSchema), metadata={"description": "Former titles and employers, the latest first."})
    state = fields.String(allow_none=True)
    fema_region = fields.Integer(allow_none=True)
    issues = fields.List(fields.Nested(LinkedIssueSchema))
    interests = fields.List(fields.String())
    source = fields.String(allow_none=True)
    declined = fields.List(fields.String())
    use_preferences = fields.List(fields.String())
    owner = fields.Nested(OwnerSchema)
    deputy = fields.String(allow_none=True)
    relationships = fields.List(fields.Nested(RelationshipSchema))
    last_contacted_at = fields.String(allow_none=True)
    last_contact = fields.Nested(LastContactSchema, allow_none=True)
    expires_on = fields.String()
    expires_because = fields.String()
    frozen = fields.Boolean()
    set_aside = fields.Boolean(
        metadata={"description": "To the privacy officer alone: an import was taken back with this record, and a hold keeps it (T24). Else left out."}
    )
    notice = fields.String(allow_none=True)
    verified_at = fields.String(allow_none=True)
    created_at = fields.String()
    updated_at = fields.String()
    version = fields.Integer()
    possible_duplicates = fields.List(fields.Nested(LikenessSchema))


class PairSchema(Schema):
    """Two records that may be of one person, for those who may say so (T34)."""

    individuals = fields.List(fields.Nested(IndividualSchema))
    because = fields.List(fields.String(), metadata={"description": "`same_value` that you may know of, `proposed`"})
    decisions = fields.List(fields.String(), metadata={"description": "what you may say: `same`, `different`, `propose`"})
    proposal = fields.Nested(ProposalSchema, allow_none=True)


class OrganizationOfficeSchema(Schema):
    """One office."""

    id = fields.String()
    label = fields.String(allow_none=True)
    address = fields.Dict(allow_none=True)
    phone = fields.String(allow_none=True)


class OrganizationSchema(Schema):
    """An organization; all of it is directory layer (T4)."""

    id = fields.String()
    type = fields.String()
    name = fields.String()
    sector = fields.String(allow_none=True)
    state = fields.String(allow_none=True)
    fema_region = fields.Integer(allow_none=True)
    offices = fields.List(fields.Nested(OrganizationOfficeSchema))
    address = fields.Dict(allow_none=True)
    office_phone = fields.String(allow_none=True)
    issues = fields.List(fields.Nested(LinkedIssueSchema))
    group_ids = fields.List(fields.String())
    source = fields.String(allow_none=True)
    source_url = fields.String(allow_none=True)
    owner = fields.Nested(OwnerSchema)
    relationships = fields.List(fields.Nested(RelationshipSchema))
    last_contacted_at = fields.String(allow_none=True)
    last_contact = fields.Nested(LastContactSchema, allow_none=True)
    created_at = fields.String()
    updated_at = fields.String()
    version = fields.Integer()


class StakeholderSchema(Schema):
    """One line of a search: what the directory knows of a stakeholder."""

    id = fields.String()
    type = fields.String()
    name = fields.String()
    first_name = fields.String(allow_none=True)
    last_name = fields.String(allow_none=True)
    title = fields.String(allow_none=True)
    organization_id = fields.String(allow_none=True)
    organization_name = fields.String(allow_none=True)
    sector = fields.String(allow_none=True)
    state = fields.String(allow_none=True)
    fema_region = fields.Integer(allow_none=True)
    owner = fields.Nested(OwnerSchema)
    relationships = fields.List(fields.Nested(RelationshipSchema))
    last_contacted_at = fields.String(allow_none=True)


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


class VerificationSchema(Schema):
    """One verification; `withdrawn` are the declined marks that went with it."""

    id = fields.String()
    individual_id = fields.String()
    medium = fields.String()
    verified_at = fields.String()
    recorded_at = fields.String()
    by = fields.String()
    component = fields.String()
    withdrawn = fields.List(fields.String())


class CorrectionAnswerSchema(Schema):
    """What a write-blind correction says, always in the same way (T3)."""

    individual_id = fields.String()
    kind = fields.String()
    component = fields.String()
    status = fields.String()


class FindingSchema(Schema):
    """What the screening found, and where."""

    start = fields.Integer()
    end = fields.Integer()


class NoteSchema(Schema):
    """A note."""

    id = fields.String()
    individual_id = fields.String()
    text = fields.String()
    provenance = fields.String(allow_none=True)
    author = fields.String()
    component = fields.String()
    kept = fields.Boolean()
    created_at = fields.String()
    updated_at = fields.String()


class StateCountSchema(Schema):
    """One state's count."""

    state = fields.String()
    name = fields.String()
    count = fields.Integer()
    individuals = fields.Integer()
    organizations = fields.Integer()


class RegionCountSchema(Schema):
    """One FEMA region's count, drilled to its states."""

    fema_region = fields.Integer()
    count = fields.Integer()
    states = fields.List(fields.Nested(StateCountSchema))


class RegionReportSchema(Schema):
    """Stakeholders by region; `without_state` are those of no known state."""

    regions = fields.List(fields.Nested(RegionCountSchema))
    without_state = fields.Integer()
    total = fields.Integer()


class TaskSubjectSchema(Schema):
    """What a task is about: ids; `type` says of what."""

    type = fields.String(required=True)
    id = fields.String(required=True)
    individual_id = fields.String()
    individual_ids = fields.List(fields.String())
    organization_ids = fields.List(fields.String())
    interaction_id = fields.String()


class TaskSchema(Schema):
    """What waits for the caller; a `notice` only tells, and can be dismissed."""

    id = fields.String(required=True)
    kind = fields.String(required=True)
    notice = fields.Boolean(required=True)
    subject = fields.Nested(TaskSubjectSchema, required=True)
    name = fields.String(required=True, allow_none=True, metadata={"description": "Whom it is about, where you may know."})
    text = fields.String(allow_none=True, metadata={"description": "What was asked or promised."})
    issue_id = fields.String(allow_none=True)
    by = fields.Dict(allow_none=True, metadata={"description": "Who asked or promised: `user`, `component`."})
    at = fields.String(allow_none=True)
    due_on = Day(required=True, allow_none=True)
    link = fields.String(required=True)


class TaskPageSchema(Closed):
    """A page of what waits: the first tasks after a position (see `services.lexicon.tasks`)."""

    limit = fields.Integer(load_default=LIMIT, validate=validate.Range(1, LIMIT))
    after = fields.List(fields.String(), load_default=None, allow_none=True, validate=validate.Length(equal=3))


class HistoryPageSchema(Closed):
    """A page of contacts' part of a timeline: the latest behind the `position` of an item shown before."""

    limit = fields.Integer(load_default=50, validate=validate.Range(1, 200))
    after = fields.Tuple((Instant(), Id()), load_default=None, allow_none=True)


class TaskListQuerySchema(Closed):
    """Which part of what waits."""

    limit = fields.Integer(load_default=50, validate=validate.Range(1, LIMIT))
    cursor = fields.String(validate=validate.Length(max=500))


class NamesQuerySchema(Closed):
    """Whose names."""

    ids = fields.List(Id(), required=True, validate=validate.Length(max=500))
