"""Counting who is known and who was spoken to, in SQL; ids of people never leave the database here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select, union

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
)


@dataclass(frozen=True, slots=True)
class Asked:
    """About what, by whom and when."""

    issue_ids: Sequence[str] | None
    component: str | None
    since: datetime | None
    until: datetime


Counts = dict[str | None, int]


def known(work: UnitOfWork) -> tuple[Counts, Counts]:
    """Count individuals and organizations by state; frozen individuals are left out (T21)."""
    counted = select(people.c.state, func.count().label("counted")).where(people.c.frozen_request_id.is_(None)).group_by(people.c.state)
    held = select(organizations.c.state, func.count().label("counted")).group_by(organizations.c.state)
    return _counts(work, counted), _counts(work, held)


def spoken_to(work: UnitOfWork, asked: Asked) -> tuple[Counts, Counts]:
    """Count by state the distinct individuals and organizations that were spoken to (R100)."""
    individuals = union(
        _in_talks(interaction_individuals.c.individual_id, interaction_individuals.c.interaction_id, asked),
        _at_events(attendances.c.individual_id, asked),
    ).subquery()
    bodies = union(
        _in_talks(interaction_organizations.c.organization_id, interaction_organizations.c.interaction_id, asked),
        _at_events(attendances.c.organization_id, asked),
    ).subquery()
    of_individuals = (
        select(people.c.state, func.count().label("counted"))
        .join(individuals, individuals.c.id == people.c.id)
        .where(people.c.frozen_request_id.is_(None))
        .group_by(people.c.state)
    )
    of_organizations = (
        select(organizations.c.state, func.count().label("counted"))
        .join(bodies, bodies.c.id == organizations.c.id)
        .group_by(organizations.c.state)
    )
    return _counts(work, of_individuals), _counts(work, of_organizations)


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


def _counts(work: UnitOfWork, query: Select[Any]) -> Counts:
    return {row.state: row.counted for row in work.execute(query)}
