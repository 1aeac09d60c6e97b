"""The course of an erasure: which step follows which. Contacts erases first; only the sealed search values wait (T27).

A person:

1. `erase_contacts`       contacts seals the former values under a one-time key and deletes the rows, in one transaction;
                          then it destroys the person's key
2. `erase_interactions`   everything that bears the person's id
3. `erase_retention`      likewise here
4. `seek_interactions`    search for the sealed values: what matches alone goes, the rest is a hit
5. `seek_contacts`        likewise
   `seek_retention`       likewise here, in what people gave as reasons: nobody edits these, so that nothing is to be decided
6. `decide`               waits while a hit is not settled, and goes back to 4 to carry out what was decided
7. `close_contacts`       the sealed values are forgotten and their key destroyed: nothing is searched after it
8. `close`                certificate, register, announcement

Every step may be taken again: each service answers a repetition with the same receipts.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from types import MappingProxyType

from services.lexicon.calendar import add_working_days

_INDIVIDUAL = (
    "erase_contacts",
    "erase_interactions",
    "erase_retention",
    "seek_interactions",
    "seek_contacts",
    "seek_retention",
    "decide",
    "close_contacts",
    "close",
)
COURSES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"individual": _INDIVIDUAL, "organization": ("erase_organization", "erase_retention", "close")}
)
#: The step that waits for the privacy officer, and where it goes back to.
GATE = "decide"
SEARCH = "seek_interactions"
#: Steps that search; the course may come back to them, and every search has receipts of its own.
SEARCHES = frozenset({"seek_interactions", "seek_contacts", "seek_retention"})
#: Of somebody whom contacts does not know (any more) there is nothing to search with.
_ONLY_WITH_SEAL = SEARCHES | {GATE, "close_contacts"}

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
    return COURSES[subject_type][0]


def step_after(subject_type: str, step: str, *, found_nobody: bool = False) -> str:
    """Return the step that follows."""
    course = COURSES[subject_type]
    for following in course[course.index(step) + 1 :]:
        if not (found_nobody and following in _ONLY_WITH_SEAL):
            return following
    return "close"


def has_begun(subject_type: str, step: str) -> bool:
    """Whether something was destroyed or sealed already."""
    return step != first_step(subject_type)


#: What no erasure in these databases reaches, said on every certificate.
NOT_REACHED = (
    "Backups made before the completion, until they are replaced; without the person's key they show no contact points.",
    "Dead rows and the write-ahead log of the databases, until they are overwritten.",
    "The message broker's disk, which holds ids and codes and no values.",
    "Texts about others that name somebody of that name, where another person is meant or was taken to be: see what was decided.",
    "The audit trail, which holds ids and names of fields and no values, and is kept.",
)
