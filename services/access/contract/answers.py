"""The shapes of what access answers, as use cases make them. `schemas` documents the same for the gateway."""

from __future__ import annotations

from typing import TypedDict


class ComponentAnswer(TypedDict):
    """An office."""

    id: str
    code: str
    name: str
    parent_id: str | None
    active: bool


class Components(TypedDict):
    """Every office."""

    items: list[ComponentAnswer]
    next: None
    total: int


class UserAnswer(TypedDict):
    """An employee, as every acknowledged user sees them."""

    id: str
    username: str
    name: str
    component: str
    level: str | None
    roles: list[str]
    active: bool


class PageOfUsers(TypedDict):
    """A page of employees."""

    items: list[UserAnswer]
    next: str | None
    total: int | dict[str, int]


class IntegrationOwner(TypedDict):
    """The employee whom a component's system names as owner."""

    component: str
    user: UserAnswer


class ProfileAnswer(TypedDict):
    """A user's own settings."""

    user: UserAnswer
    time_zone: str | None


class SessionAnswer(TypedDict):
    """A session, as its user sees it."""

    session_id: str
    user: UserAnswer
    component: str
    level: str | None
    roles: list[str]
    acknowledged: bool
    acknowledgement_id: str | None
    statements: list[str]
    statements_version: str
    expires_at: str
    idle_expires_at: str
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
