"""The field policy as data; what is not written here is withheld (T4).

``FIELDS`` says in which layer a field lies and whether people may edit it. ``ACTIONS`` says who
may do what: an action is allowed if one of its permits holds in full.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from services.lexicon.folding import words
from services.lexicon.vocabulary import CONTACT_POINT_KINDS


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a stakeholder, its layer, and whether contributors may edit it (T2)."""

    layer: str  # "directory" or "contact"
    editable: bool = True


@dataclass(frozen=True, slots=True)
class Permit:
    """One way to be allowed: the level or the role, where one is named, and every condition, by name."""

    rule: str
    level: str | None = None
    role: str | None = None
    when: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Action:
    """What can be done: to fields of which layers, by whom, and whether to a frozen record."""

    permits: tuple[Permit, ...]
    layers: frozenset[str] = frozenset()  # of which fields it may name; none: it names no field
    when_frozen: bool = False
    editing: bool = False
    integration: bool = False  # a component's own system may do it too (T13)
    operator: bool = False  # an operator at the command line may do it too
    not_oneself: bool = False  # nobody does it to their own account (T19)


_DIRECTORY: Final = frozenset({"directory"})
_CONTACT: Final = frozenset({"contact"})

DIRECTORY_LAYER: Final = words(
    """
    salutation first_name last_name title organization_id state issues interests notes relationships people
    groups events interactions declined use_preferences name sector offices address office_phone group_ids
    source source_url outcome follow_ups summary deputy
    """
)
"""What everyone with an access level sees, and a contributor corrects (T4)."""

READ_ONLY: Final = words(
    """
    id owner created_at updated_at verified_at last_contacted_at last_contact expires_on expires_because
    frozen fema_region history alias previous
    """
)
"""Directory layer, too, but nobody edits it; the owner moves by hand-over only (T2)."""

CONTACT_LAYER: Final = frozenset(CONTACT_POINT_KINDS)
"""Behind the firewall (R148, R149, R154, T4)."""

FIELDS: Final[Mapping[str, Field]] = {
    **{name: Field("directory") for name in sorted(DIRECTORY_LAYER)},
    **{name: Field("directory", editable=False) for name in sorted(READ_ONLY)},
    **{name: Field("contact") for name in sorted(CONTACT_LAYER)},
}

SHOWN_WHEN_FROZEN: Final = frozenset({"id", "first_name", "last_name", "name", "frozen", "owner"})
"""What is left of a frozen record: the name, "do not contact", and whom to ask (T21, R167)."""

REASON_FROM: Final = 50
REFUSED_FROM: Final = 100
"""Which of a user's reveals of a day, of people one does not own, is the first to need a reason, and the first refused (T11)."""

ROWS_OF_A_CONTRIBUTOR: Final = 2000
"""Rows that a contributor may import at a time (T19)."""


def _user(rule: str, level: str, *when: str) -> Permit:
    return Permit(rule, level=level, when=when)


def _role(rule: str, role: str, *when: str) -> Permit:
    return Permit(rule, role=role, when=when)


def _anybody(rule: str, *when: str) -> Permit:
    return Permit(rule, when=when)


def _always(*permits: Permit, operator: bool = False, not_oneself: bool = False) -> Action:
    """Return what may be done to a frozen record too, or concerns none."""
    return Action(permits, when_frozen=True, operator=operator, not_oneself=not_oneself)


_ADMINISTRATORS_OF_USERS: Final = (
    _role("T19", "office_administrator", "subject_of_own_office", "subject_without_role"),
    _role("T19", "system_administrator"),
    _role("T19", "system_owner"),
)
_CONCERNED: Final = (
    _anybody("T21", "is_owner"),
    _anybody("T21", "is_deputy"),
    _anybody("T21", "is_recorder"),
    _role("T21", "office_administrator", "owner_of_own_office"),
    _role("T21", "privacy_officer"),
)

ACTIONS: Final[Mapping[str, Action]] = {
    # The directory layer. Contact-layer fields are never part of a record or a question.
    "read": Action((_user("T4", "reader"), _role("T19", "privacy_officer", "case_open")), _DIRECTORY),
    "search": Action((_user("T4", "reader"),), _DIRECTORY),
    "create": Action((_user("T19", "contributor"),), _DIRECTORY, integration=True),
    "change": Action((_user("T2", "contributor"),), _DIRECTORY, editing=True),
    "write_note": Action((_user("T19", "reader"),)),
    "log_interaction": Action((_user("T19", "contributor"),)),
    "verify": Action((_user("T19", "contributor"),)),
    "import": Action((_user("T19", "contributor", "few_rows"), _user("T19", "steward", "rows_are_known"))),
    "contribute": Action((_user("T19", "contributor"),)),
    "look_up_in_bulk": Action((_user("T35", "steward"),)),
    "merge": Action((_user("T19", "steward"),)),
    "restore": Action((_user("T19", "steward"),)),
    # The contact layer.
    "reveal": Action(
        (
            _user("T5", "contributor", "own_point", "few_reveals"),
            _user("T5", "contributor", "granted_point", "few_reveals"),
            _role("T19", "privacy_officer", "case_open", "few_reveals"),
        ),
        _CONTACT,
    ),
    "add_contact_point": Action((_user("T5", "contributor", "not_declined"),), _CONTACT, integration=True),
    "correct_contact_point": Action((_user("T3", "contributor", "not_declined"),), _CONTACT),
    "grant": Action((_user("T5", "steward", "own_point"),), _CONTACT),
    "revoke_grant": Action((_user("T5", "steward", "own_point"),), _CONTACT),
    "export_contact_layer": Action((_role("T19", "office_administrator", "own_point"),), _CONTACT),
    "export_directory": Action((_role("T19", "system_administrator"),), _DIRECTORY),
    # Ownership, freezing and erasure.
    "hand_over": _always(_user("T2", "contributor", "is_owner"), _role("T2", "office_administrator", "owner_of_own_office")),
    "name_deputy": Action((_user("T10", "contributor", "is_owner"),)),
    "own": Action((_user("T10", "contributor"),)),
    "find_frozen": _always(_anybody("T21")),
    "stand_for_office": _always(_role("T36", "office_administrator", "subject_of_own_office")),
    "freeze": _always(_user("T19", "reader")),
    "erase": _always(
        _user("R165", "contributor", "is_owner"),
        _user("T10", "contributor", "is_deputy"),
        _role("T10", "office_administrator", "owner_of_own_office", "duty_of_office"),
        _role("T10", "system_owner", "duty_of_system_owner"),
    ),
    # Requests for no more contact: whose duty one is does not ask for a level, and erasing does.
    "list_requests": _always(
        _user("T21", "reader"),
        _role("T10", "office_administrator"),
        _role("T10", "system_owner"),
        _role("T19", "privacy_officer"),
    ),
    "follow_request": _always(*_CONCERNED, _anybody("T21", "is_requester"), _role("T21", "system_owner")),
    "answer_request": _always(
        _anybody("T10", "duty_of_owner", "is_owner"),
        _anybody("T10", "is_deputy"),
        _role("T10", "office_administrator", "duty_of_office_alone", "owner_of_own_office"),
        _role("T10", "system_owner", "duty_of_system_owner"),
    ),
    # Coordination requests, and the frozen individuals of whom lists still tell.
    "see_frozen": _always(*_CONCERNED),
    "answer_coordination": _always(
        _anybody("R86", "is_owner"),
        _anybody("R86", "is_deputy"),
        _role("T10", "office_administrator", "owner_of_own_office"),
    ),
    "withdraw_coordination": _always(_anybody("R87", "is_requester"), _role("T10", "office_administrator", "subject_of_own_office")),
    "read_destructions": _always(_role("T19", "privacy_officer"), _role("T19", "system_owner")),
    # Administration: about accounts and rules, never about stakeholders, so that no freeze concerns it.
    "administer": _always(_role("T19", "office_administrator"), _role("T19", "system_administrator"), _role("T19", "system_owner")),
    # Accounts and the rights that they have; of a user who moves, at both offices.
    "manage_users": _always(*_ADMINISTRATORS_OF_USERS, operator=True, not_oneself=True),
    # What gives no rights: the name, and whether the account is open.
    "change_user": _always(*_ADMINISTRATORS_OF_USERS, operator=True),
    # The office administrator approves users of the office; whoever has a role is approved from above.
    "approve_user": _always(
        _role("R179", "office_administrator", "subject_of_own_office", "subject_without_role"),
        _role("R180", "system_administrator", "subject_with_role"),
        _role("R180", "system_owner", "subject_with_role"),
        operator=True,
        not_oneself=True,
    ),
    "set_password": _always(operator=True),
    "manage_components": _always(_role("T19", "system_administrator"), _role("T19", "system_owner"), operator=True),
    "manage_policy": _always(_role("T19", "system_administrator"), _role("T19", "system_owner")),
    "read_trail": _always(_role("T14", "isso", "no_level")),
    "sign_review": _always(_role("R127", "isso", "no_level")),
    "open_case": _always(_role("T19", "privacy_officer")),
    "place_hold": _always(_role("T24", "privacy_officer")),
    "review_text": _always(_role("T19", "privacy_officer")),
}

ONLY_THE_TRAIL: Final = frozenset({"read_trail", "sign_review"})
"""All that the ISSO may do, whatever else the account has (T14)."""

WITHOUT_CONTACT_LAYER: Final = frozenset({"system_administrator", "system_owner"})
"""Roles that never see the contact layer and never export it, whatever else they have (T19)."""

OFFICERS: Final = frozenset({"isso", "privacy_officer"})
"""Roles whose account has no level and no other role (T14)."""
