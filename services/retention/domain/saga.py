"""Define the saga of an erasure as one table of steps.

Contacts erases first; only the sealed search values wait for decisions (T27). A repeated step has the same receipts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from types import MappingProxyType

from services.lexicon.calendar import add_working_days


@dataclass(frozen=True, slots=True)
class Step:
    """A step: its service and method, and the step that follows."""

    name: str
    service: str
    method: str
    next: str | None
    #: Whether it needs the sealed search values, which do not exist if contacts does not know the individual.
    needs_seal: bool = False


COURSES: Mapping[str, tuple[Step, ...]] = MappingProxyType(
    {
        "individual": (
            # Contacts seals the former values under a one-time key, deletes the rows and destroys the person's key.
            Step("erase_contacts", "contacts", "erase", "erase_interactions"),
            # Interactions deletes every row that has the person's id.
            Step("erase_interactions", "interactions", "erase", "erase_retention"),
            Step("erase_retention", "retention", "erase", "seek_interactions"),
            # These steps search texts for the sealed values: what can only mean this person is removed, the rest are hits.
            Step("seek_interactions", "interactions", "seek", "seek_contacts", needs_seal=True),
            Step("seek_contacts", "contacts", "seek", "seek_retention", needs_seal=True),
            # Reasons are not edited later, so they are cleared without a decision.
            Step("seek_retention", "retention", "seek", "decide", needs_seal=True),
            # Waits while a hit is undecided, then returns to the search, which carries out the decisions.
            Step("decide", "retention", "decide", "close_contacts", needs_seal=True),
            # Contacts deletes the sealed values and destroys their key: no search is possible afterwards.
            Step("close_contacts", "contacts", "close_erasure", "close", needs_seal=True),
            # Writes the certificate and the register, and announces the completion.
            Step("close", "retention", "close", None),
        ),
        "organization": (
            Step("erase_organization", "contacts", "erase_organization", "erase_retention"),
            Step("erase_retention", "retention", "erase", "close"),
            Step("close", "retention", "close", None),
        ),
    }
)
#: The step that the saga returns to from the one that waits for decisions.
SEARCH = "seek_interactions"
#: The steps that search. They may run several times, and each run has its own receipts.
SEARCHES = frozenset(step.name for step in COURSES["individual"] if step.method == "seek")

#: The sealed values wait for decisions for at most this many federal working days.
WAITING_DAYS = 5
#: While an erasure waits, the search runs again at this interval: an edited or deleted text settles its hit.
LOOK_AGAIN = timedelta(hours=1)
#: A user who reads the erasure starts a new search if the last one is older than this.
LOOK_WHEN_ASKED = timedelta(seconds=10)
#: More texts than this are never redacted by rule.
MOST_TEXTS = 20


def decide_by(erased_at: datetime) -> date:
    """Return the last day (UTC) for decisions on hits."""
    return add_working_days(erased_at.astimezone(UTC).date(), WAITING_DAYS)


def deadline(last_day: date) -> datetime:
    """Return the end of the last day."""
    return datetime.combine(last_day + timedelta(days=1), time(), tzinfo=UTC)


def stays_because(*, cause: str, living_namesake: bool, texts: int, sure: bool) -> str | None:
    """Return why an undecided hit is kept as another person's, or None if it is redacted (T27).

    :param texts: the number of texts that mention the person.
    :param sure: whether the match is the full name, or a value that no remaining record holds.
    """
    if cause != "no_contact":
        return "other-cause"
    if living_namesake:
        return "living-namesake"
    if texts > MOST_TEXTS:
        return "too-many-texts"
    return None if sure else "not-sure"


def first_step(subject_type: str) -> str:
    """Return the first step for this type of record."""
    return COURSES[subject_type][0].name


def find_step(subject_type: str, name: str) -> Step:
    """Return a step by its name."""
    return next(step for step in COURSES[subject_type] if step.name == name)


def step_after(subject_type: str, name: str, *, found_nobody: bool = False) -> str:
    """Return the next step; steps that need the sealed values are skipped if there are none."""
    step = find_step(subject_type, name)
    while step.next is not None:
        step = find_step(subject_type, step.next)
        if not (found_nobody and step.needs_seal):
            break
    return step.name


def has_begun(subject_type: str, step: str) -> bool:
    """Return whether the erasure is past its first step, so that data may be destroyed."""
    return step != first_step(subject_type)


#: What an erasure does not reach; every certificate says so.
NOT_REACHED = (
    "Backups made before the completion, until they are replaced; without the person's key they show no contact points.",
    "Dead rows and the write-ahead log of the databases, until they are overwritten.",
    "The message broker's disk, which holds ids and codes and no values.",
    "Texts about others that name somebody of that name, where another person is meant or was taken to be: see what was decided.",
    "The audit trail, which holds ids and names of fields and no values, and is kept.",
)
