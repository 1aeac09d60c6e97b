"""The closed lists of codes that the API, the schemas and the tables use."""

from collections.abc import Mapping
from typing import Final

PRIORITIES: Final[Mapping[str, str]] = {
    "immigration": "Immigration",
    "secure_borders": "Secure Borders",
    "disaster_response": "Disaster Response",
    "counterterrorism": "Counterterrorism",
    "one_dhs": "OneDHS",
}
"""The Secretary's five priorities, in the order of the PIA (R65)."""

SECTORS: Final[Mapping[str, str]] = {
    "general_public": "General public",
    "private_sector": "Private sector",
    "state": "State government",
    "local": "Local government",
    "tribal": "Tribal government",
    "territorial": "Territorial government",
    "international": "International government",
}
"""The classes of stakeholders (R8)."""

CONTACT_POINT_KINDS: Final[Mapping[str, str]] = {
    "cell": "Cell phone",
    "personal_phone": "Personal phone",
    "work_phone": "Work phone",
    "email": "E-mail",
    "work_address": "Work address",
}
"""What the contact layer holds of an individual (R30 to R34, T4)."""

PHONE_KINDS: Final = frozenset({"cell", "personal_phone", "work_phone"})

INTERACTION_MODES: Final[Mapping[str, str]] = {
    "phone": "Phone call",
    "email": "E-mail",
    "in_person": "In person",
    "video": "Video call",
    "letter": "Letter",
    "event": "Event",
    "other": "Other",
}
"""How an interaction was held (R49)."""

INITIATORS: Final[Mapping[str, str]] = {"department": "The department", "stakeholder": "The stakeholder"}
"""Who began an interaction (T33)."""

USE_PREFERENCES: Final[Mapping[str, str]] = {
    "no_phone": "No phone calls",
    "no_email": "No e-mail",
    "no_mail": "No letters",
    "no_invitations": "No invitations",
    "no_sharing": "Nothing shared between components",
}
"""How a person wants their information used, or not (R169, T33)."""

PREFERENCE_AGAINST: Final[Mapping[str, str]] = {"phone": "no_phone", "email": "no_email", "letter": "no_mail", "event": "no_invitations"}
"""Which preference stands against a mode of interaction that the department begins (T33)."""

REQUEST_MEDIA: Final[Mapping[str, str]] = {
    "in_person": "In person",
    "phone": "Phone",
    "email": "E-mail",
    "letter": "Letter",
    "other": "Other",
}
"""By which medium a no-contact request came: any will do (R168)."""

VERIFICATION_MEDIA: Final[Mapping[str, str]] = {"phone": "Phone", "email": "E-mail"}
"""How a person's details are verified with them (R115)."""

SOURCES: Final[Mapping[str, str]] = {
    "given_by_stakeholder": "Given by the stakeholder",
    "public": "Public information",
}
"""Where a record's information comes from (R81)."""

ISSUE_LINK_KINDS: Final[Mapping[str, str]] = {"engaged": "Engaged", "interested": "Interested"}
"""How a stakeholder stands to an issue (T22)."""

LEVELS: Final = ("reader", "contributor", "steward")
"""Access levels, lowest first; an account may also have none (T19)."""

ROLES: Final[Mapping[str, str]] = {
    "office_administrator": "Office administrator",
    "system_administrator": "System administrator",
    "system_owner": "System owner",
    "isso": "Information System Security Officer",
    "privacy_officer": "Privacy officer",
}
"""Roles, which users have in addition to a level (T19)."""

SYSTEM_OWNER_COMPONENTS: Final = frozenset({"WHL", "POLICY", "IGA"})
"""The components whose users may be system owners (R2, T19)."""

#: The most values of one kind that a component may keep for a person (T26).
VALUES_OF_A_KIND = 20
