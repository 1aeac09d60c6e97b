"""Users, and when their access is in effect (N14)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from services.access.contract import TRAININGS


@dataclass(frozen=True, slots=True)
class User:
    """One account of the directory of employees."""

    id: str
    username: str
    name: str
    component: str
    level: str | None
    roles: frozenset[str]
    active: bool
    contractor: bool = False
    external_id: str | None = None
    #: Whether access is in effect as it was last announced.
    told_active: bool = False
    #: The time zone of pages; None means that of the browser.
    time_zone: str | None = None


@dataclass(frozen=True, slots=True)
class Term:
    """A span of days. `until` is the last day; None means no end."""

    since: date
    until: date | None = None

    def covers(self, day: date) -> bool:
        """Return whether the day is within the term."""
        return self.since <= day and (self.until is None or day <= self.until)


@dataclass(frozen=True, slots=True)
class Grounds:
    """Everything that access needs beside the account itself."""

    license: Term | None = None
    approved_for: frozenset[str] = frozenset()
    trainings: tuple[tuple[str, Term], ...] = ()
    rules_of_behavior: Term | None = None


@dataclass(frozen=True, slots=True)
class Lapse:
    """A reason why access is not in effect, with its requirement."""

    code: str
    sentence: str
    rule: str


def lapses(user: User, grounds: Grounds, *, today: date) -> list[Lapse]:
    """Return every reason why access is not in effect.

    Access needs an open account, a license, the approval of the present office, both trainings and the rules of
    behavior. It is suspended as soon as one of them lapses (N14, R177-R179, R184-R186).
    """
    found = []
    if not user.active:
        found.append(Lapse("account-closed", "The account is closed.", "R177"))
    if not _covers(grounds.license, today):
        found.append(Lapse("license", "No license is designated for this user.", "R178"))
    if user.component not in grounds.approved_for:
        found.append(Lapse("approval", "The office administrator has not approved this user.", "R179"))
    for kind in TRAININGS:
        if not any(name == kind and term.covers(today) for name, term in grounds.trainings):
            rule = "R184" if kind == "privacy" else "R185"
            found.append(Lapse(f"training-{kind.replace('_', '-')}", f"The {kind.replace('_', ' ')} training is due.", rule))
    if not _covers(grounds.rules_of_behavior, today):
        found.append(Lapse("rules-of-behavior", "The rules of behavior are not accepted, or were too long ago.", "R186"))
    return found


def _covers(term: Term | None, day: date) -> bool:
    return term is not None and term.covers(day)
