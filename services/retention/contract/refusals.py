"""The refusals of retention."""

from services.chassis.messages import Conflict, Forbidden, Invalid, NotFound


class RequestUnknown(NotFound):
    """There is no such request, or it is not yours to know of."""

    code = "request-unknown"


class ErasureUnknown(NotFound):
    """There is no such erasure, or it is not yours to know of."""

    code = "erasure-unknown"


class HitUnknown(NotFound):
    """This erasure found nothing of that id."""

    code = "hit-unknown"


class HitDecided(Conflict):
    """That was decided already, or the text was changed so that nothing is left to decide."""

    code = "hit-decided"


class ErasureNotWaiting(Conflict):
    """This erasure waits for no decision."""

    code = "erasure-not-waiting"


class HoldUnknown(NotFound):
    """There is no such hold."""

    code = "hold-unknown"


class NotYoursToErase(Forbidden):
    """Only the record's owner, or whoever the duty has passed to, may erase it."""

    code = "not-yours-to-erase"


class NotYoursToWithdraw(Forbidden):
    """A request is taken back by whoever recorded it, or on a proposal of theirs or of whoever is to erase."""

    code = "not-yours-to-withdraw"


class NothingProposed(Conflict):
    """Nobody has proposed to take this request back."""

    code = "nothing-proposed"


class RequestWithdrawn(Conflict):
    """This request was taken back."""

    code = "request-withdrawn"


class WithdrawalReasonRequired(Invalid):
    """After the first hour a reason is asked, and the privacy officer confirms."""

    code = "withdrawal-reason-required"


class RequestsWithheld(Forbidden):
    """Requests for no more contact are for users with an access level and for those who answer for them."""

    code = "requests-withheld"


class PrivacyOfficerOnly(Forbidden):
    """That is for the privacy officer."""

    code = "privacy-officer-only"


class ErasureUnderWay(Conflict):
    """The erasure has begun and cannot be held up any more."""

    code = "erasure-under-way"
