"""The shapes of what access answers; OpenAPI documents them."""

from __future__ import annotations

from typing import Annotated, TypedDict

from msgspec import Meta

from services.chassis.answers import IdText, InstantText


class ComponentAnswer(TypedDict):
    """An office of R139, as every acknowledged user sees it."""

    id: str
    code: str
    name: str
    parent_id: str | None
    active: bool


class UserAnswer(TypedDict):
    """An employee, as every acknowledged user sees them."""

    id: IdText
    username: str
    name: str
    component: str
    level: str | None
    roles: list[str]
    active: bool


class IntegrationOwner(TypedDict):
    """The employee whom a component's system names as owner."""

    component: str
    user: UserAnswer


class ProfileAnswer(TypedDict):
    """A user's own settings."""

    user: UserAnswer
    time_zone: Annotated[str | None, Meta(description="IANA name, or null: the browser's.")]


class SessionAnswer(TypedDict):
    """A session, as its user sees it."""

    session_id: IdText
    user: UserAnswer
    component: str
    level: str | None
    roles: list[str]
    acknowledged: bool
    acknowledgement_id: IdText | None
    statements: list[str]
    statements_version: str
    expires_at: InstantText
    idle_expires_at: InstantText
    time_zone: str | None


class SignedIn(SessionAnswer):
    """A new session with its token, which is stored nowhere."""

    token: str
    ended_sessions: list[str]


class OpenedSession(TypedDict):
    """The session of a token, with a passport for each service."""

    session: SessionAnswer
    passports: dict[str, str]


class Acknowledged(TypedDict):
    """An acknowledgement, with the new token where there is one."""

    token: str | None
    acknowledgement_id: str


class CheckedSession(TypedDict):
    """Whether a session lives."""

    session_id: str
    lives: bool
