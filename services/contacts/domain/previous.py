"""Decide which of a person's facts become previous when others replace them."""

from __future__ import annotations

from services.contacts.domain.stakeholders import Individual, IndividualChanges
from services.lexicon.folding import fold


def replaced(before: Individual, changes: IndividualChanges) -> dict[str, str | None]:
    """Return the `title` and `organization_id` that changes replace, each None if it stays. Another spelling is the same title."""
    title, organization_id = before.title, before.organization_id
    another = "title" in changes and fold(title or "") != fold(changes["title"] or "")
    moved = "organization_id" in changes and organization_id != changes["organization_id"]
    return {"title": title if another else None, "organization_id": organization_id if moved else None}
