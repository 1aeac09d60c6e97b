"""Whether the duty to erase is the caller's (T10), and who may know of a request or an erasure."""

from __future__ import annotations

from collections.abc import Iterable

from services.chassis.messages import Caller
from services.lexicon.vocabulary import at_least


def is_on(by: Caller, duty_of: str, *, owner_id: str | None, owner_component: str | None, deputy_id: str | None = None) -> bool:
    """Whether the duty lies on this caller; an owner's deputy may always see to it."""
    if deputy_id is not None and by.id == deputy_id:
        return True
    if duty_of == "owner":
        return by.id == owner_id
    if duty_of == "office_administrator":
        return "office_administrator" in by.roles and by.component == owner_component
    return "system_owner" in by.roles


def may_erase(by: Caller, duty_of: str, *, owner_id: str | None, owner_component: str | None, deputy_id: str | None) -> bool:
    """Whether this caller may answer a request with the erasure, as the policy says: the owner and the deputy at any time (T10)."""
    if by.id in {owner_id, deputy_id}:
        return at_least(by.level, "contributor")
    if "office_administrator" in by.roles and by.component is not None and by.component == owner_component:
        return duty_of != "owner"
    return duty_of == "system_owner" and "system_owner" in by.roles


def may_look(by: Caller) -> bool:
    """Whether this caller may ask which requests there are (T14, T19, T21).

    Everybody with an access level may: they record requests, or own those whom they are about. Without one, the
    privacy officer and those to whom the duty passes may. Others, such as the security officer, see the trail.
    """
    if by.kind != "user" or "isso" in by.roles:
        return False
    return at_least(by.level, "reader") or bool(by.roles & {"privacy_officer", "office_administrator", "system_owner"})


def may_know(by: Caller, *, owner_id: str | None, owner_component: str | None, involved: Iterable[str | None]) -> bool:
    """Whether this caller may know of a request or an erasure (T21).

    :param involved: who recorded the request, who asked for the erasure.
    """
    return (
        by.id == owner_id
        or by.id in set(involved)
        or ("office_administrator" in by.roles and by.component == owner_component)
        or bool(by.roles & {"privacy_officer", "system_owner"})
    )
