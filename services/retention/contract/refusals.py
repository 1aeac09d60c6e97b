"""The refusals of retention."""

from services.chassis.messages import Conflict, Forbidden, Invalid, NotFound


class RequestUnknown(NotFound):
    """There is no such request, or you may not see it."""

    code = "request-unknown"


class ErasureUnknown(NotFound):
    """There is no such erasure, or you may not see it."""

    code = "erasure-unknown"


class HitUnknown(NotFound):
    """This erasure has no such hit."""

    code = "hit-unknown"


class HitDecided(Conflict):
    """This hit was decided already, or its text was changed."""

    code = "hit-decided"


class ErasureNotWaiting(Conflict):
    """This erasure does not wait for a decision."""

    code = "erasure-not-waiting"


class HoldUnknown(NotFound):
    """There is no such hold."""

    code = "hold-unknown"


class NotYoursToErase(Forbidden):
    """Only the record's owner, or the user who has the duty to erase, may erase it."""

    code = "not-yours-to-erase"


class NotYoursToWithdraw(Forbidden):
    """Only a user who recorded this request, or who has the duty to erase, may ask to withdraw it."""

    code = "not-yours-to-withdraw"


class NothingProposed(Conflict):
    """Nobody has proposed to withdraw this request."""

    code = "nothing-proposed"


class RequestWithdrawn(Conflict):
    """This request was withdrawn."""

    code = "request-withdrawn"


class WithdrawalReasonRequired(Invalid):
    """After the first hour, give a reason. The privacy officer decides."""

    code = "withdrawal-reason-required"


class RequestsWithheld(Forbidden):
    """Requests for no more contact are for users with an access level, and for users who decide or answer them."""

    code = "requests-withheld"


class PrivacyOfficerOnly(Forbidden):
    """This is for the privacy officer."""

    code = "privacy-officer-only"


class ErasureUnderWay(Conflict):
    """The erasure has begun and cannot be held any more."""

    code = "erasure-under-way"
