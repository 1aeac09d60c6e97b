"""The obstacles contacts names."""

from __future__ import annotations

from services.chassis.messages import Conflict, Forbidden, Invalid, NotFound, TooMany


class IndividualUnknown(NotFound):
    """There is no such individual, or you may not see it."""


class OrganizationUnknown(NotFound):
    """There is no such organization."""


class NoteUnknown(NotFound):
    """There is no such note, or you may not see it."""


class MarkUnknown(NotFound):
    """There is no such value for you to decide."""


class TwinUnknown(NotFound):
    """There is no such record that may be the same person's."""


class PairUnknown(NotFound):
    """There is no such pair of records for you to decide."""


class NoticeUnknown(NotFound):
    """There is no such notice for your component."""


class ContactLayerWithheld(Forbidden):
    """Contact points are shown to contributors of the component they were given to."""


class RevealsExhausted(Forbidden):
    """You have revealed too many people's contact points today; the security officer has been told."""


class StewardsOnly(Forbidden):
    """Sharing a contact point with another component is for stewards."""


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


class TwinDecided(Conflict):
    """This was decided the other way already."""


class BlockedTooOften(TooMany):
    """Too many of your entries were blocked today; nothing more is entered until tomorrow."""


class LookupsExhausted(TooMany):
    """You have reached the daily limit of entered people and values. The privacy officer was told, and can raise it."""


class ImportsStopped(TooMany):
    """The privacy officer has to review your entries of today. After that, the import continues by itself."""


class LookupsUnknown(NotFound):
    """Nothing of this account waits for the privacy officer."""


class FreezeReasonRequired(Invalid):
    """You have recorded many requests for no more contact today: give a reason for this one."""


class RevealReasonRequired(Invalid):
    """You have revealed many people's contact points today: give a reason."""


class ContactPointInvalid(Invalid):
    """This is not a valid value of this kind."""


class OwnerUnchanged(Conflict):
    """The record is theirs already."""


class OwnerUnsuitable(Invalid):
    """A record's owner is an active employee with a component."""
