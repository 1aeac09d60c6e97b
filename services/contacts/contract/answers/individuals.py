"""Answers about individuals: their directory layer, verifications and history."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal, NotRequired, TypeAlias, TypedDict

from msgspec import Meta

from services.chassis.answers import DayText, IdText, InstantText
from services.contacts.contract.answers.shared import LastContact, LinkedIssue, Owner, Relationship


class PreviousFact(TypedDict):
    """A title, an employer, or both, until they were replaced."""

    title: Annotated[str | None, Meta(description="Null where the title stayed, or there was none.")]
    organization_id: Annotated[IdText | None, Meta(description="Null where the employer stayed, or there was none.")]
    organization_name: str | None
    replaced_at: InstantText
    import_id: Annotated[IdText | None, Meta(description="The import that replaced it; null where a person did.")]


class LikenessAnswer(TypedDict):
    """An individual whom a new record may be the same as (T23)."""

    id: IdText
    first_name: str
    last_name: str
    organization_id: IdText | None
    owner: Owner
    because: list[str]


class KnownIndividual(TypedDict):
    """What is shown of every individual. One who is not frozen has the fields of an individual's directory layer too."""

    id: IdText
    type: Literal["individual"]
    first_name: str
    last_name: str
    owner: Owner
    frozen: bool


class FrozenIndividualAnswer(KnownIndividual):
    """What is left of a frozen record (T21)."""

    notice: str


class IndividualAnswer(KnownIndividual):
    """An individual's directory layer (T4)."""

    salutation: str | None
    title: str | None
    organization_id: IdText | None
    organization_name: str | None
    previous: Annotated[Sequence[PreviousFact], Meta(description="Former titles and employers, the latest first.")]
    state: str | None
    fema_region: int | None
    issues: Sequence[LinkedIssue]
    interests: Sequence[str]
    source: str | None
    declined: Sequence[str]
    use_preferences: Sequence[str]
    deputy: IdText | None
    relationships: Sequence[Relationship]
    last_contacted_at: InstantText | None
    last_contact: LastContact | None
    expires_on: DayText
    expires_because: str
    verified_at: InstantText | None
    created_at: InstantText | None
    updated_at: InstantText | None
    version: int
    set_aside: NotRequired[Annotated[bool, Meta(description="To the privacy officer: a hold keeps the record of an undone import (T24).")]]
    possible_duplicates: NotRequired[Annotated[list[LikenessAnswer], Meta(description="Of a new individual.")]]


AnyIndividual: TypeAlias = IndividualAnswer | FrozenIndividualAnswer


class VerificationAnswer(TypedDict):
    """A verification of a person's details."""

    id: IdText
    individual_id: IdText
    medium: str
    verified_at: InstantText
    recorded_at: InstantText
    by: IdText
    component: str
    withdrawn: Annotated[Sequence[str], Meta(description="What the person no longer declines to give.")]


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


class HolderAnswer(TypedDict):
    """The user who stands for a component's relationship."""

    component: str
    user: str | None
