"""What the department began although somebody had said that they do not want it, for the privacy officer (T33)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.chassis.cursors import Cursors
from services.chassis.database import UnitOfWork
from services.chassis.messages import Caller
from services.interactions.storage import preferences
from services.interactions.usecases.authorization import require_privacy_officer
from services.interactions.usecases.writing import wire

_FIELDS = ("held_at", "mode", "initiated_by", "preference")


def list_against_preferences(work: UnitOfWork, *, by: Caller, cursors: Cursors, query: Mapping[str, Any]) -> dict[str, Any]:
    """List interactions that the department began against a preference that stood then, the most recent first.

    It says who, when and how, and nothing of what was spoken of.

    :raises Forbidden: the caller is not the privacy officer.
    """
    require_privacy_officer(by)
    after = cursors.open(query.get("cursor"), of="preferences", user_id=by.id, query=query)
    page = preferences.against(work, by, query=query, after=after)
    last = page.rows[-1] if page.has_more else None
    subjects = dict.fromkeys(one for row in page.rows for one in (row.id, row.individual_id))
    work.record("interactions:interaction:list-against-preferences", subjects=list(subjects), fields=_FIELDS)
    return {
        "items": [
            {
                "interaction_id": row.id,
                "individual_id": row.individual_id,
                "preference": row.preference,
                "stated_at": wire(row.stated_at),
                "held_at": wire(row.held_at),
                "mode": row.mode,
                "component": row.component,
                "user": row.user_id,
            }
            for row in page.rows
        ],
        "next": cursors.seal([last.held_at.isoformat(), last.id, last.individual_id], of="preferences", user_id=by.id, query=query) if last else None,
        "total": page.total,
    }
