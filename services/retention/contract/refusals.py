"""The refusals of retention."""

from services.chassis.messages import Conflict, Forbidden, Invalid, NotFound


class RequestUnknown(NotFound):
    """There is no such request, or you may not see it."""


class ErasureUnknown(NotFound):
    """There is no such erasure, or you may not see it."""


class HitUnknown(NotFound):
    """This erasure has no such hit."""


class HitDecided(Conflict):
    """This hit was decided already, or its text was changed."""


class ErasureNotWaiting(Conflict):
    """This erasure does not wait for a decision."""


class HoldUnknown(NotFound):
    """There is no such hold."""


class NotYoursToErase(Forbidden):
    """Only the record's owner, or the user who has the duty to erase, may erase it."""


class NotYoursToWithdraw(Forbidden):
    """Only a user who recorded this request, or who has the duty to erase, may ask to withdraw it."""


class NothingProposed(Conflict):
    """Nobody has proposed to withdraw this request."""


class RequestWithdrawn(Conflict):
    """This request was withdrawn."""


class WithdrawalReasonRequired(Invalid):
    """After the first hour, give a reason. The privacy officer decides."""


class RequestsWithheld(Forbidden):
    """Requests for no more contact are for users with an access level, and for users who decide or answer them."""


class PrivacyOfficerOnly(Forbidden):
    """This is for the privacy officer."""


class ErasureUnderWay(Conflict):
    """The erasure has begun and cannot be held any more."""
