"""The shapes of what contacts answers, as use cases make them; `schemas` documents the same for the gateway."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, NotRequired, TypedDict, TypeVar

Item = TypeVar("Item")


class Page(TypedDict, Generic[Item]):
    """A page of a list, with the cursor of the next."""

    items: list[Item]
    next: str | None
    total: int | dict[str, int]


class NoteAnswer(TypedDict):
    """A note."""

    id: str
    individual_id: str
    text: str
    provenance: str | None
    author: str
    component: str
    kept: bool
    created_at: str | None
    updated_at: str | None


class KeptTextAnswer(TypedDict):
    """A kept note that waits for the privacy officer."""

    id: str
    subject_type: str
    subject_id: str
    field: str
    text: str
    provenance: str | None
    reason: str | None
    component: str
    kept_by: str
    kept_at: str
    position: list[str]


class PartOfKeptTexts(TypedDict):
    """The first kept notes after a position."""

    items: list[KeptTextAnswer]
    more: bool
    total: int


class Owner(TypedDict):
    """Whom to ask."""

    user: str
    component: str


class Relationship(TypedDict):
    """A component's relationship with a stakeholder."""

    component: str
    since: str
    last_contact_at: str | None


class LinkedIssue(TypedDict):
    """How a stakeholder stands to an issue (T22)."""

    issue_id: str
    kind: str
    since: str | None
    ended_on: str | None


class PreviousFact(TypedDict):
    """A former title or employer."""

    title: str | None
    organization_id: str | None
    organization_name: str | None
    replaced_at: str
    import_id: str | None


class LastContact(TypedDict):
    """Who was last in contact."""

    by: str | None
    component: str | None
    mode: str | None


class LikenessAnswer(TypedDict):
    """Somebody whom a new record may be the same as (T23)."""

    id: str
    first_name: str
    last_name: str
    organization_id: str | None
    owner: Owner
    because: list[str]


class FrozenIndividualAnswer(TypedDict):
    """What is left of a frozen record (T21)."""

    id: str
    type: str
    first_name: str
    last_name: str
    owner: Owner
    frozen: bool
    notice: str


class IndividualAnswer(TypedDict):
    """An individual's directory layer (T4)."""

    id: str
    type: str
    salutation: str | None
    first_name: str
    last_name: str
    title: str | None
    organization_id: str | None
    organization_name: str | None
    previous: Sequence[PreviousFact]
    state: str | None
    fema_region: int | None
    issues: Sequence[LinkedIssue]
    interests: Sequence[str]
    source: str | None
    declined: Sequence[str]
    use_preferences: Sequence[str]
    owner: Owner
    deputy: str | None
    relationships: Sequence[Relationship]
    last_contacted_at: str | None
    last_contact: LastContact | None
    expires_on: str
    expires_because: str
    frozen: bool
    verified_at: str | None
    created_at: str | None
    updated_at: str | None
    version: int
    #: To the privacy officer, of a record that a hold keeps (T24).
    set_aside: NotRequired[bool]
    #: Of a new individual alone.
    possible_duplicates: NotRequired[list[LikenessAnswer]]


class Address(TypedDict):
    """A postal address."""

    street: str | None
    city: str | None
    state: str | None
    postal_code: str | None
    country: str | None


class StoredOffice(TypedDict):
    """An office, each part of its address by itself."""

    id: str
    label: str | None
    address: Address
    phone: str | None


class OfficeAnswer(TypedDict):
    """An office; an address of which nothing is known is null."""

    id: str
    label: str | None
    address: Address | None
    phone: str | None


class OrganizationAnswer(TypedDict):
    """An organization; all of it is directory layer (T4)."""

    id: str
    type: str
    name: str
    sector: str | None
    state: str | None
    fema_region: int | None
    offices: list[OfficeAnswer]
    address: Address | None
    office_phone: str | None
    issues: Sequence[LinkedIssue]
    group_ids: Sequence[str]
    source: str | None
    source_url: str | None
    owner: Owner
    relationships: Sequence[Relationship]
    last_contacted_at: str | None
    last_contact: LastContact | None
    created_at: str | None
    updated_at: str | None
    version: int


class LineAnswer(TypedDict):
    """One line of a search."""

    id: str
    type: str
    name: str
    first_name: str | None
    last_name: str | None
    title: str | None
    organization_id: str | None
    organization_name: str | None
    sector: str | None
    state: str | None
    fema_region: int | None
    owner: Owner
    relationships: Sequence[Relationship]
    last_contacted_at: str | None


class VerificationAnswer(TypedDict):
    """A verification of a person's details."""

    id: str
    individual_id: str
    medium: str
    verified_at: str
    recorded_at: str
    by: str
    component: str
    withdrawn: Sequence[str]


#: One moment of a record's timeline; `from` is no name that a class may use.
HistoryItem = TypedDict(
    "HistoryItem",
    {
        "kind": str,
        "by": str,
        "component": str,
        "from": NotRequired[Owner],
        "to": NotRequired[Owner],
        "medium": NotRequired[str],
        "withdrawn": NotRequired[Sequence[str]],
        "at": NotRequired[str],
        "position": NotRequired[list[str]],
    },
)


class PartOfHistory(TypedDict):
    """The latest moments behind a position."""

    items: list[HistoryItem]
    more: bool
    total: int


class NameAnswer(TypedDict):
    """What a stakeholder is called."""

    id: str
    type: str
    name: str


class NamesAnswer(TypedDict):
    """What stakeholders are called."""

    items: list[NameAnswer]


class HolderAnswer(TypedDict):
    """Who stands for a component's relationship."""

    component: str
    user: str | None


class PossibleOrganization(TypedDict):
    """An organization of the same name."""

    id: str
    name: str
    state: str | None
    owner: Owner


class FacetValue(TypedDict):
    """How many of the found have a value."""

    value: str | int
    count: int


class StateOfRegion(TypedDict):
    """How many stakeholders there are in a state."""

    state: str
    name: str
    count: int
    individuals: int
    organizations: int


class RegionCount(TypedDict):
    """How many stakeholders there are in a FEMA region, and in each of its states."""

    fema_region: int
    count: int
    states: list[StateOfRegion]


class RegionReport(TypedDict):
    """How many stakeholders there are in each region (R101); `without_state` are those of no known state."""

    regions: list[RegionCount]
    without_state: int
    total: int


class FacetedPage(Page[LineAnswer]):
    """A page of a search."""

    facets: NotRequired[dict[str, list[FacetValue]]]


class ReportedValue(TypedDict):
    """Who reported a value, and when (T3)."""

    component: str
    on: str
    verified: bool


class ContactPointAnswer(TypedDict):
    """A contact point, revealed or reported."""

    id: str
    kind: str
    value: str
    component: str
    created_at: str | None
    verified_at: str | None
    reported: ReportedValue | None
    previous: bool
    replaced_at: str | None


class HolderOfPoints(TypedDict):
    """Another component that has a relationship with a person, and whom to ask there."""

    component: str
    owner: str | None


class RevealAnswer(TypedDict):
    """What a reveal shows of one person (T11)."""

    items: list[ContactPointAnswer]
    held_by: list[HolderOfPoints]
    use_preferences: Sequence[str]


class CorrectionAnswer(TypedDict):
    """What is said to every write-blind correction (T3)."""

    individual_id: str
    kind: str
    component: str | None
    status: str


class GrantAnswer(TypedDict):
    """That contact points are shared with another component (T5)."""

    id: str
    individual_id: str
    contact_point_id: str | None
    component: str
    reason: str
    expires_at: str | None


class HitAnswer(TypedDict):
    """A mark that an account's entry hit (T35)."""

    mark_id: str
    request_id: str
    individual_id: str | None
    kind: str
    account: str
    component: str | None
    at: str | None


class LookupsAnswer(TypedDict):
    """An account of which the privacy officer has something to see (T35)."""

    account: str
    component: str | None
    day: str
    looked: int
    hits: int
    exhausted: bool
    since: str | None


class LookupsSeenAnswer(TypedDict):
    """What goes on once an account's hits were seen."""

    account: str
    more: bool
    imports: list[str]


class MarkAnswer(TypedDict):
    """A value that makes no mark by itself (T25)."""

    id: str
    request_id: str
    individual_id: str | None
    kind: str
    value: str | None
    because: str
    component: str
    added_by: str
    added_at: str | None


class MarkDecidedAnswer(TypedDict):
    """What the privacy officer said of such a value."""

    id: str
    request_id: str
    individual_id: str | None
    kind: str
    decision: str


class AskedAnswer(TypedDict):
    """Who asked not to be contacted, while the record is there."""

    id: str | None
    first_name: str | None
    last_name: str | None


class TwinAnswer(TypedDict):
    """A record that may be of somebody who asked not to be contacted (T26)."""

    request_id: str
    individual_id: str
    first_name: str
    last_name: str
    owner: Owner
    asked: AskedAnswer | None
    because: Sequence[str]
    frozen_for: Sequence[str]
    found_at: str | None


class TwinDecidedAnswer(TypedDict):
    """What became of such a record, and whose it is."""

    decision: str
    request_id: str | None
    owner: Owner


class FreezeAnswer(FrozenIndividualAnswer):
    """A frozen record, with the request for which it is frozen."""

    request_id: str | None
    due_on: str


class UnfrozenAnswer(TypedDict):
    """Of whom a request was taken back."""

    individual_id: str


class FoundFrozen(TypedDict):
    """A frozen person, to those who may find them."""

    id: str
    first_name: str
    last_name: str
    owner: Owner
    request_id: str | None
    frozen: bool
    notice: str


class NoticeAnswer(TypedDict):
    """That somebody a component had a relationship with was erased (T16)."""

    id: str
    at: str | None
    text: str


class ManyFreezesAnswer(TypedDict):
    """One of many people whom a user had frozen on one day (T36)."""

    user_id: str
    day: str
    count: int
    individual_id: str | None
    reason: str


class DayCountAnswer(TypedDict):
    """What a user did on one day, in numbers (T36, T9)."""

    user_id: str
    component: str | None
    day: str
    freezes: int
    blocked: int


class MayEraseAnswer(TypedDict):
    """Whether the caller may erase a record now, and whose it is (R165, T10)."""

    allowed: bool
    rule: str
    reason: str | None
    owner: Owner
    deputy: NotRequired[str | None]
    duty_of: str
    frozen: NotRequired[bool]
    request_id: NotRequired[str | None]
    etags: list[str]


class PairAnswer(TypedDict):
    """What the owner of one of two records says."""

    individual_id: str
    answer: str | None
    by: str | None


class ProposalAnswer(TypedDict):
    """What both owners were asked."""

    proposed_at: str | None
    answers: list[PairAnswer]


class PairOfRecords(TypedDict):
    """Two records that may be of one person (T34)."""

    individuals: list[IndividualAnswer | FrozenIndividualAnswer]
    because: list[str]
    decisions: list[str]
    proposal: ProposalAnswer | None


class PairDecidedAnswer(TypedDict):
    """What was said of two records."""

    decision: str


class TaskSubject(TypedDict):
    """What a task is about."""

    type: str
    id: str
    individual_ids: NotRequired[Sequence[str]]


class TaskAnswer(TypedDict):
    """What waits for a user."""

    id: str
    kind: str
    notice: bool
    subject: TaskSubject
    due_on: str | None
    link: str


class PartOfTasks(TypedDict):
    """The first tasks after a position."""

    items: list[TaskAnswer]
    more: bool
    total: int | dict[str, int]


class ReceiptAnswer(TypedDict):
    """What an erasure found and removed in one store."""

    store: str
    found: int
    removed: int
    left: int
    method: str


class ReceiptsAnswer(TypedDict):
    """What an erasure found and removed."""

    receipts: list[ReceiptAnswer]


class ErasedAnswer(ReceiptsAnswer):
    """The same, with the person's former values under a seal."""

    sealed: str | None


class UnsealedKey(TypedDict):
    """The one-time key of a seal, in base64; null once it is broken."""

    key: str | None


class PlaceAnswer(TypedDict):
    """Where a text stands."""

    store: str
    id: str
    field: str


class HitOfErasure(PlaceAnswer):
    """A text that mentions an erased person (T27)."""

    kinds: list[str]
    sure: bool


class SoughtAnswer(ReceiptsAnswer):
    """What a search for mentions found, and which decisions it carried out."""

    hits: list[HitOfErasure]
    carried_out: list[list[str]]


class ShownMention(PlaceAnswer):
    """The mentions in a text, with the words around them."""

    excerpts: list[dict[str, str]]


class MentionsAnswer(TypedDict):
    """Mentions, for the privacy officer."""

    items: list[ShownMention]


class NamesakeAnswer(TypedDict):
    """Whether a living record bears the erased person's name."""

    living: bool


class ReleasedAnswer(TypedDict):
    """A text that everybody may read from now on."""

    id: str
    released: bool
