"""What those are called whom lists know by their ids; asked under the caller's rights, at the moment of showing."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from flask import g

from gateway.clients import query
from services.chassis.messages import Caller, Forbidden, Unavailable
from services.lexicon.policy import Facts, decide

#: How many contacts names at a time.
AT_A_TIME = 500


def stakeholder_names(ids: Iterable[str | None]) -> dict[str, str]:
    """Return id → name of individuals and organizations; whoever is gone, or not the caller's to know of, is left out.

    An account that sees no stakeholders has tasks without names. It is not asked for: its refusal would stand in the trail.
    """
    wanted = sorted({one for one in ids if one}) if _sees_names() else []
    names: dict[str, str] = {}
    for start in range(0, len(wanted), AT_A_TIME):
        try:
            found = query("contacts", "name_stakeholders", ids=wanted[start : start + AT_A_TIME])["items"]
        except (Forbidden, Unavailable):
            # While contacts is away, or rights change at this moment, lists are shown without names.
            return names
        names |= {item["id"]: item["name"] for item in found}
    return names


def _sees_names() -> bool:
    user = g.session.details["user"]
    caller = Caller("user", user["id"], user["component"], user["level"], frozenset(user["roles"]))
    return bool(decide(caller, "read", "first_name", Facts(by_exact_id=True)))


def is_id(text: str) -> bool:
    """Tell whether a text is an id; what is typed into an address may be anything."""
    try:
        return str(UUID(text)) == text.lower()
    except ValueError:
        return False
