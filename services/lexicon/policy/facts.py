"""What a decision is made from, and what it says."""

import datetime as dt
from dataclasses import dataclass
from typing import Protocol


class Actor(Protocol):
    """Who asks; ``services.chassis.messages.Caller`` fits."""

    @property
    def kind(self) -> str:
        """Tell whether this is a user, a service, an integration, an operator or nobody."""

    @property
    def id(self) -> str:
        """Name the user."""

    @property
    def component(self) -> str | None:
        """Name the component by its code."""

    @property
    def level(self) -> str | None:
        """Name the access level, or none."""

    @property
    def roles(self) -> frozenset[str]:
        """Name the roles beside the level."""


@dataclass(frozen=True, slots=True)
class Grant:
    """A contact point's release to another component, which always ends (T5)."""

    component: str
    until: dt.datetime


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of the record asked about; whatever is left out counts against the asker."""

    now: dt.datetime | None = None
    owner_id: str | None = None
    owner_component: str | None = None
    deputy_id: str | None = None
    point_component: str | None = None
    grants: tuple[Grant, ...] = ()
    frozen: bool = False
    recorded_by: str | None = None  # who recorded the no-contact request
    requested_by: str | None = None  # who asked for what is decided of
    by_exact_id: bool = False  # asked for by its id, not found in a list
    about_request: bool = False  # the interaction is about the no-contact request
    case_open: bool = False  # the privacy officer has an open case on this person
    declined: frozenset[str] = frozenset()
    reveals_today: int = 0  # of people whom the actor does not own; the one that is asked for is counted in
    reason_given: bool = False
    rows: int | None = None  # of an import
    duty_of: str = "owner"  # who must erase: "owner", "office_administrator" or "system_owner"
    subject_user_id: str | None = None  # whose account is administered
    subject_component: str | None = None  # the office of that account, or the receiving one
    subject_roles: frozenset[str] | None = None  # the roles of that account


@dataclass(frozen=True, slots=True)
class Granted:
    """Yes, by this rule."""

    rule: str

    def __bool__(self) -> bool:
        """Be true, so that a decision can be asked like a question."""
        return True


@dataclass(frozen=True, slots=True)
class Withheld:
    """No: the reason in words, the rule, and what would change the answer, if anything."""

    reason: str
    rule: str
    remedy: str | None = None

    @property
    def sentence(self) -> str:
        """The reason as a sentence."""
        return f"{self.reason[0].upper()}{self.reason[1:]}."

    def __bool__(self) -> bool:
        """Be false, so that a decision can be asked like a question."""
        return False


Decision = Granted | Withheld
