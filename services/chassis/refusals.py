"""Refusals that any service may return: authentication, malformed call, audit backlog.

They are in their own module, so that the gateway can import them without the service framework.
"""

from __future__ import annotations

from services.chassis.messages import Forbidden, Invalid, NotFound, TooLarge, Unauthenticated, Unavailable


class PassportInvalid(Unauthenticated):
    """The passport is not one that access made out to this service, or it has expired."""


class SessionEnded(Unauthenticated):
    """This session has ended; sign in again."""


class PassportStale(Unauthenticated):
    """The rules changed since this passport was made out; a new one is needed."""


class AcknowledgementRequired(Forbidden):
    """Read and accept the three statements first."""


class IdentityRefused(Forbidden):
    """You may not call this."""


class AuditLate(Unavailable):
    """The audit trail is more than fifteen minutes behind. Try again later."""


class NoSuchMethod(NotFound):
    """The service does not answer to that."""


class BadCall(Invalid):
    """The call does not have the arguments that the method takes."""


class OperationRequired(Invalid):
    """A command must say which operation it is."""


class TextTooCostly(TooLarge):
    """Looking through this text takes too long; shorten it."""


class NoDeadLetters(NotFound):
    """There is no such message in the dead-letter queue."""


class CursorInvalid(Invalid):
    """This cursor was not made for you and this query; begin again without it."""


class UnknownField(Invalid):
    """The request has an unknown field or parameter."""
