"""The names of stakeholders whom lists hold by id, read under the caller's rights when a list is shown."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from gateway.clients import query
from gateway.permissions import may
from services.chassis.messages import Forbidden, Unavailable
from services.contacts.contract.answers.search import NamesAnswer
from services.lexicon.policy import Facts

#: How many names contacts answers at a time.
AT_A_TIME = 500


def stakeholder_names(ids: Iterable[str | None]) -> dict[str, str]:
    """Return id → name of the individuals and organizations that the caller may know of.

    For an account that sees no stakeholders contacts is not asked: each refusal would be an entry of the trail.
    """
    wanted = sorted({one for one in ids if one}) if may("read", "first_name", Facts(by_exact_id=True)) else []
    names: dict[str, str] = {}
    for start in range(0, len(wanted), AT_A_TIME):
        try:
            found: NamesAnswer = query("contacts", "name_stakeholders", ids=wanted[start : start + AT_A_TIME])
        except (Forbidden, Unavailable):
            # Without contacts, or when rights change at this moment, lists have no names.
            return names
        names |= {item["id"]: item["name"] for item in found["items"]}
    return names


def is_id(text: str) -> bool:
    """Tell whether a text is an id."""
    try:
        return str(UUID(text)) == text.lower()
    except ValueError:
        return False
