"""What access refuses."""

from __future__ import annotations

from services.chassis.messages import Conflict, Forbidden, Invalid, NotFound, TooMany, Unauthenticated


class SessionRequired(Unauthenticated):
    """Sign in first: there is no such session, or it has ended."""


class CredentialsWrong(Unauthenticated):
    """The user name or the password is wrong."""

    code = "credentials-wrong"


class ServiceSecretWrong(Unauthenticated):
    """That is no service of this system, or not its secret."""

    code = "service-secret-wrong"


class PassportNotExchangeable(Unauthenticated):
    """This passport is not valid, or was not issued to the service that shows it."""

    code = "passport-not-exchangeable"


class SignInThrottled(TooMany):
    """Too many failed sign-ins; wait a few minutes."""

    code = "sign-in-throttled"


class AccessSuspended(Forbidden):
    """Your access is suspended until what lapsed is renewed."""

    code = "access-suspended"


class NotYourUsers(Forbidden):
    """You may not administer this account."""

    code = "not-your-users"


class NotYourselfToApprove(Forbidden):
    """Nobody approves or promotes themselves."""

    code = "not-yourself"


class UserUnknown(NotFound):
    """There is no such user."""

    code = "user-unknown"


class UsernameTaken(Conflict):
    """A user of that name exists."""

    code = "username-taken"


class ComponentUnknown(Invalid):
    """There is no such office."""

    code = "component-unknown"


class RolesIncompatible(Invalid):
    """These roles and this level do not go together."""

    code = "roles-incompatible"


class StatementsNotAccepted(Invalid):
    """Accept the three statements, in the version shown."""

    code = "statements-not-accepted"
