"""Refusals that several services raise; each docstring is the message, and codes are stable."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Self

from services.chassis.messages import Conflict, Forbidden, Invalid, NotFound
from services.lexicon.screening import Screening, findings_in


class ContributorsOnly(Forbidden):
    """Your access level lets you read, not write."""


class OwnerOnly(Forbidden):
    """Only the record's owner, or the user who has the duty to erase, may do this."""


class IndividualFrozen(Conflict):
    """This person asked not to be contacted; the record is frozen."""


class PreferenceStands(Conflict):
    """This person asked for this not to be done."""


class TaskStands(Conflict):
    """This task is something to do: it goes away when it is done."""


class IssueUnknown(Invalid):
    """There is no such issue."""


class SealUnknown(NotFound):
    """There is no such seal; it was broken when the erasure was done."""


class TextNeedsReview(Invalid):
    """This text has information that can't be shared. Change it, or keep it with a reason."""

    @classmethod
    def unless_clean(cls, texts: Iterable[tuple[str, str | None, Screening]]) -> None:
        """Check that screening finds nothing in fields, given as (path, text, screening function) (T32).

        :raises TextNeedsReview: there are findings; `findings` has their positions and classes, never the words.
        """
        if findings := findings_in(texts):
            raise cls.of(findings)

    @classmethod
    def of(cls, findings: Sequence[Mapping[str, object]], detail: str | None = None) -> Self:
        """Return the refusal for these findings, with another message if `detail` is given."""
        errors: dict[str, list[str]] = {}
        for found in findings:
            said = errors.setdefault(str(found["field"]), [])
            if found["why"] not in said:
                said.append(str(found["why"]))
        return cls(detail, errors=errors, extra={"findings": list(findings)})


class KeptTextUnknown(NotFound):
    """There is no such text that waits to be released."""
