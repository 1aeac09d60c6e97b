"""The saga of an erasure as one table of steps. Contacts erases first; only the sealed search values wait (T27).

Every step may be taken again: each service answers a repetition with the same receipts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from types import MappingProxyType

from services.lexicon.calendar import add_working_days


@dataclass(frozen=True, slots=True)
class Step:
    """One step: the service that takes it, by which method, and the step that follows."""

    name: str
    service: str
    method: str
    next: str | None
    #: Whether it works with the sealed search values. There are none when contacts knows nobody of the id.
    needs_seal: bool = False


COURSES: Mapping[str, tuple[Step, ...]] = MappingProxyType(
    {
        "individual": (
            # Contacts seals the former values under a one-time key, deletes the rows, and destroys the person's key.
            Step("erase_contacts", "contacts", "erase", "erase_interactions"),
            # Everything that has the person's id.
            Step("erase_interactions", "interactions", "erase", "erase_retention"),
            Step("erase_retention", "retention", "erase", "seek_interactions"),
            # The search for the sealed values: what can only mean this person is removed, the rest is a hit.
            Step("seek_interactions", "interactions", "seek", "seek_contacts", needs_seal=True),
            Step("seek_contacts", "contacts", "seek", "seek_retention", needs_seal=True),
            # Nobody edits the reasons kept here, so nothing is left to decide.
            Step("seek_retention", "retention", "seek", "decide", needs_seal=True),
            # Waits while a hit is undecided, and goes back to the search to carry out the decisions.
            Step("decide", "retention", "decide", "close_contacts", needs_seal=True),
            # The sealed values are forgotten and their key destroyed: nothing is searched afterwards.
            Step("close_contacts", "contacts", "close_erasure", "close", needs_seal=True),
            # Certificate, register, announcement.
            Step("close", "retention", "close", None),
        ),
        "organization": (
            Step("erase_organization", "contacts", "erase_organization", "erase_retention"),
            Step("erase_retention", "retention", "erase", "close"),
            Step("close", "retention", "close", None),
        ),
    }
)
#: Where the saga goes back to from the step that waits for the privacy officer.
SEARCH = "seek_interactions"
#: Steps that search. The saga may come back to them, and every search has receipts of its own.
SEARCHES = frozenset(step.name for step in COURSES["individual"] if step.method == "seek")

#: Federal working days that the sealed values wait for decisions, at most.
WAITING_DAYS = 5
#: While it waits the search is made again so often: a text that was edited or deleted settles its hit.
LOOK_AGAIN = timedelta(hours=1)
#: And so long after the last search, when somebody asks how far the erasure is.
LOOK_WHEN_ASKED = timedelta(seconds=10)
#: More texts than this are never redacted without a decision.
MOST_TEXTS = 20


def decide_by(erased_at: datetime) -> date:
    """Return the last day (UTC) on which hits wait for a decision."""
    return add_working_days(erased_at.astimezone(UTC).date(), WAITING_DAYS)


def deadline(last_day: date) -> datetime:
    """Return the instant at which that day is over."""
    return datetime.combine(last_day + timedelta(days=1), time(), tzinfo=UTC)


def stays_because(*, cause: str, living_namesake: bool, texts: int, sure: bool) -> str | None:
    """Return why a hit that nobody decided stays as another person's, or None when it is redacted (T27).

    :param texts: in how many texts the person was found.
    :param sure: whether it is the name as a phrase, or a value that no living record holds.
    """
    if cause != "no_contact":
        return "other-cause"
    if living_namesake:
        return "living-namesake"
    if texts > MOST_TEXTS:
        return "too-many-texts"
    return None if sure else "not-sure"


def first_step(subject_type: str) -> str:
    """Return the step with which the erasure of such a record begins."""
    return COURSES[subject_type][0].name


def find_step(subject_type: str, name: str) -> Step:
    """Return a step by its name."""
    return next(step for step in COURSES[subject_type] if step.name == name)


def step_after(subject_type: str, name: str, *, found_nobody: bool = False) -> str:
    """Return the step that follows, past those that need the sealed values when there are none."""
    step = find_step(subject_type, name)
    while step.next is not None:
        step = find_step(subject_type, step.next)
        if not (found_nobody and step.needs_seal):
            break
    return step.name


def has_begun(subject_type: str, step: str) -> bool:
    """Return whether something was destroyed or sealed already."""
    return step != first_step(subject_type)


#: What no erasure in these databases reaches, said on every certificate.
NOT_REACHED = (
    "Backups made before the completion, until they are replaced; without the person's key they show no contact points.",
    "Dead rows and the write-ahead log of the databases, until they are overwritten.",
    "The message broker's disk, which holds ids and codes and no values.",
    "Texts about others that name somebody of that name, where another person is meant or was taken to be: see what was decided.",
    "The audit trail, which holds ids and names of fields and no values, and is kept.",
)
