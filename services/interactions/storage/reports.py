"""Count who is known and who was spoken to, in SQL; no ids of people leave the database."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import text

from services.chassis.database import UnitOfWork
from services.interactions.contract.commands import SpokenToQuery

# Text SQL: counts by state are composed of several tables in one statement.


Counts = dict[str | None, int]


#: Frozen for everybody (T21), or for the component that asks (T26).
_OPEN = "p.frozen_request_id IS NULL AND NOT p.frozen_for @> ARRAY[CAST(:asking AS text)]"


def counted(work: UnitOfWork, asked: SpokenToQuery, issue_ids: Sequence[str] | None) -> tuple[Counts, Counts, Counts, Counts]:
    """Count by state who was spoken to and who is known: individuals, then organizations; in one statement.

    Individuals who are frozen for the caller are not counted (T21, T26). Triggers keep the tallies that are added up here.

    :param asked: with the end of its period.
    :param issue_ids: the issues that are asked about, or None for all.
    """
    talks = _of(asked, issue_ids, at="i.held_at", issues="interaction_issues")
    events = _of(asked, issue_ids, at="i.starts_at", issues="event_issues")
    statement = f"""
        SELECT 'spoken_to' AS what, p.state, count(*) AS counted FROM people p JOIN (
            SELECT l.individual_id AS id FROM interaction_individuals l JOIN interactions i ON i.id = l.interaction_id WHERE {talks}
            UNION SELECT l.individual_id FROM attendances l JOIN events i ON i.id = l.event_id WHERE l.individual_id IS NOT NULL AND {events}
        ) spoken ON spoken.id = p.id WHERE {_OPEN} GROUP BY p.state
        UNION ALL
        SELECT 'bodies', o.state, count(*) FROM organizations o JOIN (
            SELECT l.organization_id AS id FROM interaction_organizations l JOIN interactions i ON i.id = l.interaction_id WHERE {talks}
            UNION SELECT l.organization_id FROM attendances l JOIN events i ON i.id = l.event_id WHERE l.organization_id IS NOT NULL AND {events}
        ) spoken ON spoken.id = o.id GROUP BY o.state
        UNION ALL
        SELECT kind, state, sum(counted) FROM (SELECT kind, state, counted FROM tallies UNION ALL
            SELECT 'people', p.state, -1 FROM people p WHERE (p.frozen_request_id IS NOT NULL OR p.frozen_for <> '{{}}')
                AND p.frozen_request_id IS NULL AND NOT ({_OPEN})) known GROUP BY kind, state
    """  # noqa: S608 - put together from our own constants
    asking = work.caller.component or ""
    parameters = {"until": asked.until, "since": asked.since, "component": asked.component, "issues": list(issue_ids or ()), "asking": asking}
    found: dict[str, Counts] = {}
    for row in work.execute(text(statement), {name: value for name, value in parameters.items() if f":{name}" in statement}):
        found.setdefault(row.what, {})[row.state] = int(row.counted)
    spoken, known_people, bodies, known_bodies = (found.get(what, {}) for what in ("spoken_to", "people", "bodies", "organizations"))
    return spoken, known_people, bodies, known_bodies


def _of(asked: SpokenToQuery, issue_ids: Sequence[str] | None, *, at: str, issues: str) -> str:
    """Return a condition, in SQL: the interaction or event `i` is counted.

    :param at: the column of when they were.
    :param issues: the table of their issues.
    """
    conditions = [f"{at} <= :until"]
    if asked.since is not None:
        conditions.append(f"{at} >= :since")
    if asked.component is not None:
        conditions.append("i.component = :component")
    if issue_ids is not None:
        column = issues.replace("issues", "id")
        conditions.append(f"i.id IN (SELECT {column} FROM {issues} WHERE issue_id = ANY(CAST(:issues AS uuid[])))")  # noqa: S608 - our own names
    return " AND ".join(conditions)
