"""The obstacles contacts names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Self

from services.chassis.messages import Conflict, Forbidden, Invalid, NotFound, TooMany
from services.lexicon.screening import Screening, findings_in


class IndividualUnknown(NotFound):
    """There is no such individual, or you may not see it."""

    code = "individual-unknown"


class OrganizationUnknown(NotFound):
    """There is no such organization."""

    code = "organization-unknown"


class NoteUnknown(NotFound):
    """There is no such note, or you may not see it."""

    code = "note-unknown"


class MarkUnknown(NotFound):
    """There is no such value for you to decide."""

    code = "mark-unknown"


class TwinUnknown(NotFound):
    """There is no such record that may be the same person's."""

    code = "twin-unknown"


class PairUnknown(NotFound):
    """There is no such pair of records for you to decide."""

    code = "pair-unknown"


class NoticeUnknown(NotFound):
    """There is no such notice for your component."""

    code = "notice-unknown"


class SealUnknown(NotFound):
    """There is no such seal; it was broken when the erasure was done."""

    code = "seal-unknown"


class TaskStands(Conflict):
    """This task is something to do: it goes away when it is done."""

    code = "task-stands"


class ContributorsOnly(Forbidden):
    """Your access level lets you read, not write."""

    code = "contributors-only"


class ContactLayerWithheld(Forbidden):
    """Contact points are shown to contributors of the component they were given to."""

    code = "contact-layer-withheld"


class OwnerOnly(Forbidden):
    """Only the record's owner, or the user who has the duty to erase, may do this."""

    code = "owner-only"


class RevealsExhausted(Forbidden):
    """You have revealed too many people's contact points today; the security officer has been told."""

    code = "reveals-exhausted"


class StewardsOnly(Forbidden):
    """Sharing a contact point with another component is for stewards."""

    code = "stewards-only"


class PreferenceStands(Conflict):
    """This person asked for this not to be done."""

    code = "preference-stands"


class IndividualFrozen(Conflict):
    """This person asked not to be contacted; the record is frozen."""

    code = "individual-frozen"


class IndividualBlocked(Conflict):
    """This entry is blocked; the privacy officer can say why."""

    code = "blocked"


class IndividualDuplicate(Conflict):
    """A person of this name is already registered with this organization."""

    code = "duplicate"


class OrganizationDuplicate(Conflict):
    """An organization of this name is already registered."""

    code = "duplicate-organization"


class KindDeclined(Conflict):
    """This person declined to give this. It can be entered after a verification withdraws the decline."""

    code = "declined"


class TooManyContactPoints(Conflict):
    """Your component holds twenty values of this kind for this person already; no more are kept."""

    code = "too-many-contact-points"


class TwinDecided(Conflict):
    """This was decided the other way already."""

    code = "twin-decided"


class BlockedTooOften(TooMany):
    """Too many of your entries were blocked today; nothing more is entered until tomorrow."""

    code = "blocked-too-often"


class LookupsExhausted(TooMany):
    """You have reached the daily limit of entered people and values. The privacy officer was told, and can raise it."""

    code = "lookups-exhausted"


class ImportsStopped(TooMany):
    """The privacy officer has to review your entries of today. After that, the import continues by itself."""

    code = "imports-stopped"


class LookupsUnknown(NotFound):
    """Nothing of this account waits for the privacy officer."""

    code = "lookups-unknown"


class FreezeReasonRequired(Invalid):
    """You have recorded many requests for no more contact today: give a reason for this one."""

    code = "freeze-reason-required"


class RevealReasonRequired(Invalid):
    """You have revealed many people's contact points today: give a reason."""

    code = "reveal-reason-required"


class ContactPointInvalid(Invalid):
    """This is not a valid value of this kind."""

    code = "contact-point-invalid"


class TextNeedsReview(Invalid):
    """This text has information that can't be shared. Change it, or keep it with a reason."""

    code = "text-needs-review"

    @classmethod
    def unless_clean(cls, texts: Iterable[tuple[str, str | None, Screening]]) -> None:
        """Go on only if screening finds nothing in fields, given as (path, text, how it is screened) (T32).

        :raises TextNeedsReview: it does; `findings` says where and of which class, never what.
        """
        if findings := findings_in(texts):
            raise cls.of(findings)

    @classmethod
    def of(cls, findings: Sequence[Mapping[str, object]], detail: str | None = None) -> Self:
        """Return the refusal that tells of these findings, in other words where some are given."""
        errors: dict[str, list[str]] = {}
        for found in findings:
            said = errors.setdefault(str(found["field"]), [])
            if found["why"] not in said:
                said.append(str(found["why"]))
        return cls(detail, errors=errors, extra={"findings": list(findings)})


class IssueUnknown(Invalid):
    """There is no such issue."""

    code = "issue-unknown"


class OwnerUnchanged(Conflict):
    """The record is theirs already."""

    code = "owner-unchanged"


class OwnerUnsuitable(Invalid):
    """A record's owner is an active employee with a component."""

    code = "owner-unsuitable"
