"""Users: when access is in effect (N14), and who may administer whom (T19)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from services.access.contract import TRAININGS
from services.chassis.messages import Caller
from services.lexicon.vocabulary import SYSTEM_OWNER_COMPONENTS

#: Roles whose account is not also a user's: they hold no level (T14).
APART = frozenset({"isso", "privacy_officer"})
#: Roles that see no contact layer: they may read the directory and no more (T19).
SYSTEM = frozenset({"system_administrator", "system_owner"})
#: Roles that only system owners and system administrators give (R180).
GIVEN_BY_SYSTEM = APART | SYSTEM | {"office_administrator"}


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
    #: What the other services were last told about whether access is in effect.
    told_active: bool = False
    #: In which pages show times to this user; None leaves it to the browser.
    time_zone: str | None = None


@dataclass(frozen=True, slots=True)
class Term:
    """Something that holds from one day to another; `until` is the last day, None for no end."""

    since: date
    until: date | None = None

    def covers(self, day: date) -> bool:
        """Whether it holds on that day."""
        return self.since <= day and (self.until is None or day <= self.until)


@dataclass(frozen=True, slots=True)
class Grounds:
    """Everything that access stands on, beside the account itself."""

    license: Term | None = None
    approved_for: frozenset[str] = frozenset()
    trainings: tuple[tuple[str, Term], ...] = ()
    rules_of_behavior: Term | None = None


@dataclass(frozen=True, slots=True)
class Lapse:
    """One reason why access is not in effect, and the requirement that asks for it."""

    code: str
    sentence: str
    rule: str


def lapses(user: User, grounds: Grounds, *, today: date) -> list[Lapse]:
    """Return every reason why access is not in effect; none means that it is.

    Account and license and approval by the present office and both trainings and rules of behavior: any of them
    lapsing suspends at once (N14, R177-R179, R184-R186).
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


@dataclass(frozen=True, slots=True)
class Decision:
    """A decision with its reason and its rule."""

    allowed: bool
    reason: str
    rule: str
    code: str = ""

    def __bool__(self) -> bool:
        return self.allowed


def go_together(*, component: str, level: str | None, roles: Iterable[str]) -> Decision:
    """Return whether a level and roles can be one account's."""
    held = frozenset(roles)
    if held & APART and (level is not None or len(held) > 1):
        return Decision(False, "The account of the security or privacy officer is not also a user's.", "T14")
    if held & SYSTEM and level in {"contributor", "steward"}:
        return Decision(False, "Those who run the system see no contact layer: reader at most.", "T19")
    if "system_owner" in held and component not in SYSTEM_OWNER_COMPONENTS:
        return Decision(False, "System owners belong to White House Liaison, Policy or Intergovernmental Affairs.", "R2")
    return Decision(True, "They go together.", "T19")


def may_administer(by: Caller, *, component: str, roles: Iterable[str] = ()) -> Decision:
    """Return whether the caller may create or change accounts of that office with those roles."""
    if by.kind == "operator" or by.roles & SYSTEM:
        return Decision(True, "System administrators and owners administer users.", "T19")
    if "office_administrator" not in by.roles:
        return Decision(False, "Administrators administer users.", "T19")
    if by.component != component:
        return Decision(False, "An office administrator administers the users of the office, and of no other.", "T5")
    if frozenset(roles) & GIVEN_BY_SYSTEM:
        return Decision(False, "That role is given by system owners and system administrators.", "R180")
    return Decision(True, "An office administrator administers the users of the office.", "T19")


def may_change(by: Caller, user: User, *, component: str, level: str | None, roles: Iterable[str]) -> Decision:
    """Return whether the caller may turn the user into what is asked."""
    rights_move = (component, level, frozenset(roles)) != (user.component, user.level, user.roles)
    if by.id == user.id and rights_move:
        return Decision(False, "Nobody changes their own rights.", "T19", code="not-yourself")
    here = may_administer(by, component=user.component, roles=user.roles)
    if not here:
        return here
    if component != user.component:
        # Moving a user takes the receiving office's administrator, whose approval is still to come; so the one who
        # moves must be entitled for both sides, and access is suspended until the receiving side approves.
        return may_administer(by, component=component, roles=roles)
    return may_administer(by, component=component, roles=roles)


def may_approve(by: Caller, user: User) -> Decision:
    """Return whether the caller may approve (or withdraw the approval of) this user for the user's office."""
    if by.id == user.id:
        return Decision(False, "Nobody approves themselves.", "T19", code="not-yourself")
    if by.kind == "operator":
        return Decision(True, "An operator sets the system up.", "R180")
    if user.roles & GIVEN_BY_SYSTEM:
        if by.roles & SYSTEM:
            return Decision(True, "System owners and administrators approve administrators.", "R180")
        return Decision(False, "Administrators are approved by system owners and system administrators.", "R180")
    if "office_administrator" in by.roles and by.component == user.component:
        return Decision(True, "The office administrator approves the office's users.", "R179")
    return Decision(False, "A user is approved by the administrator of their own office.", "R179")
