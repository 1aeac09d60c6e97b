"""The course of an erasure: which step follows which. Contacts erases last, and is searched once more afterwards.

A person:

1. `seal`                  contacts seals the former values under a one-time key
2. `erase_interactions`    everything that bears the person's id
3. `erase_retention`       likewise here
4. `seek_interactions`     search for the sealed values: phones and e-mails go, a name is a hit
5. `seek_contacts`         likewise
6. `decide`                waits while a hit is not decided by the privacy officer
7. `erase_contacts`        the rows and the person's key
8. `search_interactions`   once more, for whoever wrote something meanwhile
9. `settle`                waits like 6
10. `search_contacts`      likewise; a clean search breaks the seal, so nothing is searched after it
11. `settle_contacts`      waits like 6
12. `close`                certificate, register, announcement

Every step may be taken again: each service answers a repetition with the same receipts.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

_INDIVIDUAL = (
    "seal",
    "erase_interactions",
    "erase_retention",
    "seek_interactions",
    "seek_contacts",
    "decide",
    "erase_contacts",
    "search_interactions",
    "settle",
    "search_contacts",
    "settle_contacts",
    "close",
)
COURSES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"individual": _INDIVIDUAL, "organization": ("erase_organization", "erase_retention", "close")}
)
#: Steps that wait for the privacy officer, and where a decision sends them back to.
GATES: Mapping[str, str] = MappingProxyType({"decide": "seek_interactions", "settle": "search_interactions", "settle_contacts": "search_contacts"})
#: Steps that search; a decision sends the course back to them, and every search has receipts of its own.
SEARCHES = frozenset({"seek_interactions", "seek_contacts", "search_interactions", "search_contacts"})
#: Of somebody whom contacts does not know (any more) there is nothing to search with, and nothing to erase there.
_ONLY_WITH_SEAL = SEARCHES | frozenset(GATES) | {"erase_contacts"}


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
    "The audit trail, which holds ids and names of fields and no values, and is kept.",
)
