"""What access refuses."""

from __future__ import annotations

from services.chassis.messages import Conflict, Forbidden, Invalid, NotFound, TooMany, Unauthenticated


class SessionRequired(Unauthenticated):
    """Sign in first: there is no such session, or it has ended."""


class CredentialsWrong(Unauthenticated):
    """The user name or the password is wrong."""


class ServiceSecretWrong(Unauthenticated):
    """That is no service of this system, or not its secret."""


class PassportNotExchangeable(Unauthenticated):
    """This passport is not valid, or was not issued to the service that shows it."""


class SignInThrottled(TooMany):
    """Too many failed sign-ins; wait a few minutes."""


class AccessSuspended(Forbidden):
    """Your access is suspended until what lapsed is renewed."""


class NotYourUsers(Forbidden):
    """You may not administer this account."""


class NotYourselfToApprove(Forbidden):
    """Nobody approves or promotes themselves."""

    code = "not-yourself"


class UserUnknown(NotFound):
    """There is no such user."""


class UsernameTaken(Conflict):
    """A user of that name exists."""


class ComponentUnknown(Invalid):
    """There is no such office."""


class RolesIncompatible(Invalid):
    """These roles and this level do not go together."""


class StatementsNotAccepted(Invalid):
    """Accept the three statements, in the version shown."""
