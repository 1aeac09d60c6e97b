"""Every column of interactions' database (see `services.lexicon.dictionary`).

Ids, instants and numbers are told from the types of the tables; a column that can hold words is declared here, or a test fails.
"""

from __future__ import annotations

from functools import partial
from typing import Final

from services.interactions.storage.tables import metadata
from services.lexicon.dictionary import BOOKKEEPING, CODE, DELETED, NOBODY, STAKEHOLDER, USER, Column, typed_table, users

_RECORD: Final = "As long as the interaction: until it is left without a person"
_ISSUE: Final = "As long as the issue"
_GOOD: Final = "For good"

_table = partial(typed_table, metadata)

TABLES: Final = (
    _table(
        "issues",
        "Issues",
        kept=_ISSUE,
        why="R65",
        codes="priority component",
        searched="name summary",
        whys={"parent_id": "R71", "active": "R70"},
    ),
    _table("issue_updates", "What happened about an issue", kept=_ISSUE, why="R66", codes="kind component", searched="text"),
    _table("talking_points", "What to say", kept=_ISSUE, why="R68", codes="component", searched="text"),
    _table(
        "interactions",
        "Calls, letters, talks",
        kept=_RECORD,
        why="R48",
        codes="mode initiated_by component",
        searched="outcome",
        whys={"mode": "R49", "component": "R50", "user_id": "R51", "outcome": "R52", "initiated_by": "T33"},
    ),
    _table("follow_ups", "What was promised", kept=_RECORD, why="R53", codes="mode", searched="text"),
    _table(
        "events",
        "Meetings",
        kept=_GOOD,
        why="R58",
        codes="component",
        searched="name place agenda",
        whys={"starts_at": "R59", "ends_at": "R59", "agenda": "R60"},
    ),
    _table(
        "coordination_requests",
        "What one component asks of another about a person",
        kept="As long as the person's record",
        why="R86",
        linked="individual_id",
        codes="mode status closed_because requested_component asked_component",
        searched="message reason",
    ),
    _table(
        "kept_texts",
        "Text that was kept although screening found something: one component's alone",
        kept="As long as what it belongs to",
        why="T15",
        codes="subject_type field component classes",
        searched="text reason",
    ),
    _table("interaction_individuals", "Who took part", kept=_RECORD, why="R57", linked="individual_id"),
    _table("interaction_organizations", "Which organizations took part", kept=_RECORD, why="R57"),
    _table("interaction_issues", "What it was about", kept=_RECORD, why="R61", whose=NOBODY),
    _table("event_issues", "What a meeting is about", kept=_GOOD, why="R61", whose=NOBODY),
    _table("attendances", "Who attended", kept=_GOOD, why="R62", linked="individual_id", codes="component"),
    _table(
        "people",
        "Individuals, as contacts told of them: no name, no value",
        kept="As long as the person's record",
        why="R57",
        linked="id",
        codes="state component frozen_for",
        others=[Column("preferences", CODE, STAKEHOLDER, DELETED, "R169", "JSON of codes and days.")],
    ),
    _table("organizations", "Organizations, without their names", kept=_GOOD, why="R57", codes="state sector"),
    _table("notices", "What a user is told once", kept="Until it is dismissed", why="R87", whose=USER, codes="kind"),
    _table("tallies", "How many there are in each state", kept=_GOOD, why="R88", whose=NOBODY, codes="kind state"),
    users(),
    _table("withdrawn_requests", "Requests that were taken back", kept=_GOOD, why="T36", whose=NOBODY),
    _table("tombstones", "Who is gone, so that a late message brings nobody back", kept=_GOOD, why="N3", codes="kind"),
    _table("erasure_links", "Rows that an erased person was linked to", kept="Until the erasure ends", why="T27", codes="subject_type"),
    _table(
        "erasure_answers",
        "What a step of an erasure was answered",
        kept="Until the erasure ends",
        why="T27",
        codes="step answer",
        notes={"answer": "JSON of ids, counts and names of columns."},
    ),
    *BOOKKEEPING,
)
