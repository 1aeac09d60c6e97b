"""List what the department began against a preference, for the privacy officer (T33)."""

from __future__ import annotations

from dataclasses import asdict

from services.chassis.answers import Page
from services.chassis.cursors import Cursors
from services.chassis.database import UnitOfWork
from services.interactions.contract.answers import AgainstPreferenceAnswer
from services.interactions.contract.commands import AgainstPreferencesQuery
from services.interactions.storage import preferences
from services.interactions.usecases.authorization import require_privacy_officer, scope_of
from services.interactions.usecases.listing import Listing
from services.interactions.usecases.writing import answer_of

_FIELDS = ("held_at", "mode", "initiated_by", "preference")


def list_against_preferences(work: UnitOfWork, *, cursors: Cursors, query: AgainstPreferencesQuery) -> Page[AgainstPreferenceAnswer]:
    """List interactions that the department began against a preference that stood then, the most recent first.

    The list shows who, when and how, and no text.

    :raises Forbidden: the caller is not the privacy officer.
    """
    require_privacy_officer(work.caller)
    listing = Listing(cursors, "preferences", work.caller.id, asdict(query))
    page = preferences.against(work, scope_of(work.caller), asked=query, after=listing.after(query.cursor))
    subjects = dict.fromkeys(one for row in page.rows for one in (row.id, row.individual_id))
    work.record("interactions:interaction:list-against-preferences", subjects=list(subjects), fields=_FIELDS)
    return listing.answer(page, [answer_of(AgainstPreferenceAnswer, row, interaction_id=row.id, user=row.user_id) for row in page.rows])
