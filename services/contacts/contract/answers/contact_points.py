"""Answers about contact points: what is revealed, corrected and shared."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, TypedDict

from msgspec import Meta

from services.chassis.answers import IdText, InstantText
from services.lexicon.vocabulary import VALUES_OF_A_KIND


class ReportedValue(TypedDict):
    """Who reported a value, and when; nobody has verified it (T3)."""

    component: str
    on: str
    verified: bool


class ContactPointAnswer(TypedDict):
    """A contact point, revealed or reported."""

    id: IdText
    kind: str
    value: str
    component: str
    created_at: InstantText | None
    verified_at: InstantText | None
    reported: ReportedValue | None
    previous: Annotated[bool, Meta(description="Another has taken its place, or was reported; previous ones come last of their kind.")]
    replaced_at: Annotated[InstantText | None, Meta(description="When another took its place.")]


class HolderOfPoints(TypedDict):
    """Another component that has a relationship with a person, and whom to ask there."""

    component: str
    owner: IdText | None


class RevealAnswer(TypedDict):
    """What a reveal shows of one person, whole: it is one entry of the trail (T11)."""

    items: Annotated[list[ContactPointAnswer], Meta(description=f"At most {VALUES_OF_A_KIND} of a kind in each component.")]
    held_by: list[HolderOfPoints]
    use_preferences: Annotated[Sequence[str], Meta(description="How they may be contacted, as they said (R169).")]


class CorrectionAnswer(TypedDict):
    """The answer to every write-blind correction (T3)."""

    individual_id: IdText
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
