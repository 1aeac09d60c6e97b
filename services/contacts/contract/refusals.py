"""The obstacles contacts names."""

from __future__ import annotations

from services.chassis.messages import Conflict, Forbidden, Invalid, NotFound, TooMany


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


class ContactLayerWithheld(Forbidden):
    """Contact points are shown to contributors of the component they were given to."""

    code = "contact-layer-withheld"


class RevealsExhausted(Forbidden):
    """You have revealed too many people's contact points today; the security officer has been told."""

    code = "reveals-exhausted"


class StewardsOnly(Forbidden):
    """Sharing a contact point with another component is for stewards."""

    code = "stewards-only"


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


class OwnerUnchanged(Conflict):
    """The record is theirs already."""

    code = "owner-unchanged"


class OwnerUnsuitable(Invalid):
    """A record's owner is an active employee with a component."""

    code = "owner-unsuitable"
