"""Counting who is known and who was spoken to, in SQL; ids of people never leave the database here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, literal, select, union, union_all

from services.chassis.database import UnitOfWork
from services.interactions.storage.tables import (
    attendances,
    event_issues,
    events,
    interaction_individuals,
    interaction_issues,
    interaction_organizations,
    interactions,
    organizations,
    people,
    tallies,
)


@dataclass(frozen=True, slots=True)
class Asked:
    """About what, by whom and when."""

    issue_ids: Sequence[str] | None
    component: str | None
    since: datetime | None
    until: datetime


Counts = dict[str | None, int]


def counted(work: UnitOfWork, asked: Asked) -> tuple[Counts, Counts, Counts, Counts]:
    """Count by state who was spoken to and who is known: individuals, then organizations; in one statement.

    Frozen individuals are in neither (T21). How many are known is kept by the tables themselves and added up here.
    """
    of_people, of_organizations = _spoken_to(asked)
    known = select(tallies.c.kind.label("what"), tallies.c.state, func.sum(tallies.c.counted).label("counted"))
    rows = work.execute(union_all(of_people, of_organizations, known.group_by(tallies.c.kind, tallies.c.state)))
    found: dict[str, Counts] = {}
    for row in rows:
        found.setdefault(row.what, {})[row.state] = int(row.counted)
    spoken, known_people, bodies, known_bodies = (found.get(what, {}) for what in ("spoken_to", "people", "bodies", "organizations"))
    return spoken, known_people, bodies, known_bodies


def _spoken_to(asked: Asked) -> tuple[Select[Any], Select[Any]]:
    """Select by state the numbers of distinct individuals and organizations that were spoken to (R100)."""
    individuals = union(
        _in_talks(interaction_individuals.c.individual_id, interaction_individuals.c.interaction_id, asked),
        _at_events(attendances.c.individual_id, asked),
    ).subquery()
    bodies = union(
        _in_talks(interaction_organizations.c.organization_id, interaction_organizations.c.interaction_id, asked),
        _at_events(attendances.c.organization_id, asked),
    ).subquery()
    of_individuals = (
        select(literal("spoken_to").label("what"), people.c.state, func.count().label("counted"))
        .join(individuals, individuals.c.id == people.c.id)
        .where(people.c.frozen_request_id.is_(None))
        .group_by(people.c.state)
    )
    of_organizations = (
        select(literal("bodies").label("what"), organizations.c.state, func.count().label("counted"))
        .join(bodies, bodies.c.id == organizations.c.id)
        .group_by(organizations.c.state)
    )
    return of_individuals, of_organizations


def _in_talks(who: Any, where: Any, asked: Asked) -> Select[Any]:
    query = select(who.label("id")).join(interactions, interactions.c.id == where)
    query = query.where(interactions.c.held_at <= asked.until)
    if asked.since is not None:
        query = query.where(interactions.c.held_at >= asked.since)
    if asked.component is not None:
        query = query.where(interactions.c.component == asked.component)
    if asked.issue_ids is not None:
        about = select(interaction_issues.c.interaction_id).where(interaction_issues.c.issue_id.in_(asked.issue_ids))
        query = query.where(interactions.c.id.in_(about))
    return query


def _at_events(who: Any, asked: Asked) -> Select[Any]:
    query = select(who.label("id")).join(events, events.c.id == attendances.c.event_id).where(who.is_not(None))
    query = query.where(events.c.starts_at <= asked.until)
    if asked.since is not None:
        query = query.where(events.c.starts_at >= asked.since)
    if asked.component is not None:
        query = query.where(events.c.component == asked.component)
    if asked.issue_ids is not None:
        about = select(event_issues.c.event_id).where(event_issues.c.issue_id.in_(asked.issue_ids))
        query = query.where(events.c.id.in_(about))
    return query
