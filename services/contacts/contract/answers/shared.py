"""What answers about individuals and about organizations have in common."""

from __future__ import annotations

from typing import TypedDict

from services.chassis.answers import DayText, IdText, InstantText


class Owner(TypedDict):
    """The owner of a record (R42)."""

    user: IdText
    component: str


class Relationship(TypedDict):
    """A component's relationship with a stakeholder (R43, R44)."""

    component: str
    since: DayText
    last_contact_at: InstantText | None


class LinkedIssue(TypedDict):
    """How a stakeholder stands to an issue (T22)."""

    issue_id: IdText
    kind: str
    since: DayText | None
    ended_on: DayText | None


class LastContact(TypedDict):
    """Who spoke with the stakeholder last (R55)."""

    by: IdText | None
    component: str | None
    mode: str | None
