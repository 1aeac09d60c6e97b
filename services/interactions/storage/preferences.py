"""Find interactions that the department began against a preference, in SQL (T33)."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import DateTime, case, cast, func, literal_column, or_, select, true

from services.chassis.database import UnitOfWork
from services.interactions.contract.commands import AgainstPreferencesQuery
from services.interactions.domain.records import AgainstPreference
from services.interactions.domain.rights import Scope
from services.interactions.storage import pages
from services.interactions.storage.directory import hidden_person
from services.interactions.storage.tables import interaction_individuals, interactions, people
from services.lexicon.vocabulary import PREFERENCE_AGAINST

_INSTANT = DateTime(timezone=True)


def against(work: UnitOfWork, scope: Scope, *, asked: AgainstPreferencesQuery, after: Sequence[object] | None) -> pages.Page[AgainstPreference]:
    """Return a page of (interaction, individual, preference), most recent first."""
    spans = func.jsonb_array_elements(people.c.preferences).table_valued("value").render_derived("span")
    preference = spans.c.value.op("->>")(0)
    stated_at = cast(spans.c.value.op("->>")(1), _INSTANT)
    until = cast(spans.c.value.op("->>")(2), _INSTANT)
    wanted = (
        select(
            interactions.c.id,
            interactions.c.held_at,
            interactions.c.mode,
            interactions.c.component,
            interactions.c.user_id,
            interaction_individuals.c.individual_id,
            preference.label("preference"),
            stated_at.label("stated_at"),
        )
        .select_from(interactions)
        .join(interaction_individuals, interaction_individuals.c.interaction_id == interactions.c.id)
        .join(people, people.c.id == interaction_individuals.c.individual_id)
        .join(spans, true())
        .where(
            people.c.preferences != literal_column("'[]'::jsonb"),
            interactions.c.initiated_by == "department",
            preference == case(dict(PREFERENCE_AGAINST), value=interactions.c.mode, else_=None),
            interactions.c.held_at >= stated_at,
            or_(until.is_(None), interactions.c.held_at < until),
            # What was held about the very request for no more contact is the request's course.
            interactions.c.no_contact_request_id.is_(None),
            ~func.coalesce(hidden_person(scope), False),
            *pages.equal({interactions.c.component: asked.component, people.c.id: asked.individual_id, preference: asked.preference}),
            *pages.within(interactions.c.held_at, asked.since, asked.until),
        )
    )
    # Of one person and preference one span holds an instant: these name one row.
    keys = [interactions.c.held_at, interactions.c.id, interaction_individuals.c.individual_id]
    return pages.page(work, AgainstPreference, wanted, keys=keys, after=after, limit=asked.limit)
