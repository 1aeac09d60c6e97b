"""Refusals that any service may return: authentication, malformed call, audit backlog.

They are in their own module, so that the gateway can import them without the service framework.
"""

from __future__ import annotations

from services.chassis.messages import Forbidden, Invalid, NotFound, TooLarge, Unauthenticated, Unavailable


class PassportInvalid(Unauthenticated):
    """The passport is not one that access made out to this service, or it has expired."""

    code = "passport-invalid"


class SessionEnded(Unauthenticated):
    """This session has ended; sign in again."""

    code = "session-ended"


class PassportStale(Unauthenticated):
    """The rules changed since this passport was made out; a new one is needed."""

    code = "passport-stale"


class AcknowledgementRequired(Forbidden):
    """Read and accept the three statements first."""

    code = "acknowledgement-required"


class IdentityRefused(Forbidden):
    """You may not call this."""

    code = "identity-refused"


class AuditLate(Unavailable):
    """The audit trail is more than fifteen minutes behind. Try again later."""

    code = "audit-late"


class NoSuchMethod(NotFound):
    """The service does not answer to that."""

    code = "no-such-method"


class BadCall(Invalid):
    """The call does not have the arguments that the method takes."""

    code = "bad-call"


class OperationRequired(Invalid):
    """A command must say which operation it is."""

    code = "operation-required"


class TextTooCostly(TooLarge):
    """Looking through this text takes too long; shorten it."""

    code = "text-too-costly"


class NoDeadLetters(NotFound):
    """There is no such message in the dead-letter queue."""

    code = "no-dead-letters"


class CursorInvalid(Invalid):
    """This cursor was not made for you and this query; begin again without it."""

    code = "cursor-invalid"


class UnknownField(Invalid):
    """The request has an unknown field or parameter."""

    code = "unknown-field"
