"""List what the department began against a preference, for the privacy officer (T33)."""

from __future__ import annotations

from dataclasses import asdict

from services.chassis.answers import Page
from services.chassis.cursors import Cursors
from services.chassis.database import UnitOfWork
from services.chassis.messages import Caller
from services.interactions.contract.answers import AgainstPreferenceAnswer
from services.interactions.contract.commands import AgainstPreferencesQuery
from services.interactions.storage import preferences
from services.interactions.usecases.authorization import require_privacy_officer, scope_of
from services.interactions.usecases.writing import wire

_FIELDS = ("held_at", "mode", "initiated_by", "preference")


def list_against_preferences(work: UnitOfWork, *, by: Caller, cursors: Cursors, query: AgainstPreferencesQuery) -> Page[AgainstPreferenceAnswer]:
    """List interactions that the department began against a preference that stood then, the most recent first.

    The list shows who, when and how, and no text.

    :raises Forbidden: the caller is not the privacy officer.
    """
    require_privacy_officer(by)
    bound = asdict(query)
    after = cursors.open(query.cursor, of="preferences", user_id=by.id, query=bound)
    page = preferences.against(work, scope_of(by), asked=query, after=after)
    last = page.last
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
        "next": cursors.seal([last.held_at.isoformat(), last.id, last.individual_id], of="preferences", user_id=by.id, query=bound) if last else None,
        "total": page.total,
    }
