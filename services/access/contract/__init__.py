"""The public contract of access: its announcements, refusals and schemas, and for whom it issues passports."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from services.access.contract.announcements import ComponentChanged, UserChanged
from services.access.contract.refusals import (
    AccessSuspended,
    ComponentUnknown,
    CredentialsWrong,
    NotYourselfToApprove,
    NotYourUsers,
    PassportNotExchangeable,
    RolesIncompatible,
    ServiceSecretWrong,
    SessionRequired,
    SignInThrottled,
    StatementsNotAccepted,
    UsernameTaken,
    UserUnknown,
)
from services.access.contract.schemas import (
    TRAININGS,
    AcknowledgementSchema,
    ComponentChangeSchema,
    GatewayRefusalSchema,
    LicenseSchema,
    ProfileChangeSchema,
    RulesOfBehaviorSchema,
    SignInSchema,
    TrainingSchema,
    UserChangeSchema,
    UserCreateSchema,
    UserListSchema,
)

#: Services for which a session's passports are issued.
AUDIENCES = ("access", "contacts", "interactions", "retention", "audit")
#: Whom a service asks in a user's name; which methods, each method says (`onward`).
ONWARD: Mapping[str, tuple[str, ...]] = MappingProxyType({"interactions": ("access", "contacts"), "retention": ("contacts",)})
#: Fanout exchange on which access tells every process, each second, which sessions ended.
HEARTBEAT_EXCHANGE = "access.heartbeat"

__all__ = [
    "AUDIENCES",
    "HEARTBEAT_EXCHANGE",
    "ONWARD",
    "TRAININGS",
    "AccessSuspended",
    "AcknowledgementSchema",
    "ComponentChangeSchema",
    "ComponentChanged",
    "ComponentUnknown",
    "CredentialsWrong",
    "GatewayRefusalSchema",
    "LicenseSchema",
    "NotYourUsers",
    "NotYourselfToApprove",
    "PassportNotExchangeable",
    "ProfileChangeSchema",
    "RolesIncompatible",
    "RulesOfBehaviorSchema",
    "ServiceSecretWrong",
    "SessionRequired",
    "SignInSchema",
    "SignInThrottled",
    "StatementsNotAccepted",
    "TrainingSchema",
    "UserChangeSchema",
    "UserChanged",
    "UserCreateSchema",
    "UserListSchema",
    "UserUnknown",
    "UsernameTaken",
]
