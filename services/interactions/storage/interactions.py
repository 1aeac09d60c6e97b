"""Interactions and their follow-ups, in SQL."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, ColumnElement, Row, Select, Table, Text, Uuid, cast, delete, exists, func, insert, literal, null, select, text, update

from services.chassis.database import UnitOfWork
from services.chassis.messages import Caller
from services.interactions.storage.directory import employers_of, hidden_person
from services.interactions.storage.tables import (
    attendances,
    event_issues,
    events,
    follow_ups,
    interaction_individuals,
    interaction_issues,
    interaction_organizations,
    interactions,
    people,
)

LINKS: Mapping[str, tuple[Table, str]] = {
    "individual_ids": (interaction_individuals, "individual_id"),
    "organization_ids": (interaction_organizations, "organization_id"),
    "issue_ids": (interaction_issues, "issue_id"),
}

# Arrays go as text: as parameters of their own they cost more to put together than all that follows.
_LINK_NEW = text(
    """
    WITH people_linked AS (
        INSERT INTO interaction_individuals (interaction_id, individual_id, employer_id)
        SELECT CAST(:interaction AS uuid), id, organization_id FROM people WHERE id = ANY(CAST(:individuals AS uuid[]))
    ), organizations_linked AS (
        INSERT INTO interaction_organizations (interaction_id, organization_id)
        SELECT CAST(:interaction AS uuid), id FROM unnest(CAST(:organizations AS uuid[])) AS t (id)
    )
    INSERT INTO interaction_issues (interaction_id, issue_id)
    SELECT CAST(:interaction AS uuid), id FROM unnest(CAST(:issues AS uuid[])) AS t (id)
    """
)


def linked_ids(table: Table, column: str) -> ColumnElement[Any]:
    """Select, as an array, the ids that an interaction is linked to."""
    ids = select(table.c[column]).where(table.c.interaction_id == interactions.c.id).order_by(table.c[column])
    return func.array(ids.scalar_subquery(), type_=ARRAY(Uuid(as_uuid=False)))


def visible_individuals(by: Caller) -> ColumnElement[Any]:
    """Select, as an array, the individuals of an interaction whom the caller may find (T21)."""
    ids = (
        select(interaction_individuals.c.individual_id)
        .outerjoin(people, people.c.id == interaction_individuals.c.individual_id)
        .where(interaction_individuals.c.interaction_id == interactions.c.id, ~func.coalesce(hidden_person(by), False))
        .order_by(interaction_individuals.c.individual_id)
    )
    return func.array(ids.scalar_subquery(), type_=ARRAY(Uuid(as_uuid=False)))


def with_links(by: Caller) -> Select[Any]:
    """Select interactions as a caller sees them, with the ids they are linked to."""
    return select(
        interactions,
        visible_individuals(by).label("individual_ids"),
        linked_ids(interaction_organizations, "organization_id").label("organization_ids"),
        linked_ids(interaction_issues, "issue_id").label("issue_ids"),
    ).where(visible(by))


def visible(by: Caller) -> ColumnElement[bool]:
    """Say which interactions the caller may find."""
    # Frozen people are out of lists (T21), and an interaction with nobody else goes with them. There are few of them,
    # so these interactions are looked up once, and not the people of every interaction.
    other, others = interaction_individuals.alias("other"), people.alias("others")
    with_others = (
        exists()
        .where(other.c.interaction_id == interaction_individuals.c.interaction_id)
        .where(~exists().where(others.c.id == other.c.individual_id).where(hidden_person(by, others)))
    )
    with_organization = exists().where(interaction_organizations.c.interaction_id == interaction_individuals.c.interaction_id)
    hidden = (
        select(interaction_individuals.c.interaction_id)
        .join(people, people.c.id == interaction_individuals.c.individual_id)
        .where(hidden_person(by), ~with_others, ~with_organization)
    )
    return interactions.c.id.not_in(hidden)


def one(work: UnitOfWork, interaction_id: str, *, lock: bool = False) -> Row[Any] | None:
    """Return an interaction as the caller sees it."""
    query = with_links(work.caller).where(interactions.c.id == interaction_id)
    return work.execute(query.with_for_update(of=interactions) if lock else query).one_or_none()


def held(work: UnitOfWork, interaction_id: str) -> Row[Any]:
    """Return when an interaction was held and by which component, whoever may see it."""
    return work.execute(select(interactions.c.held_at, interactions.c.component).where(interactions.c.id == interaction_id)).one()


def matching(
    by: Caller,
    *,
    individual_id: str | None = None,
    organization_id: str | None = None,
    issue_ids: Sequence[str] | None = None,
    event_id: str | None = None,
    component: str | None = None,
    user: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Select[Any]:
    """Select interactions; an issue includes those below it, an organization those with its people (R57, R71)."""
    query = with_links(by)
    if individual_id is not None:
        query = query.where(interactions.c.id.in_(of_individual(individual_id, by)))
    if organization_id is not None:
        query = query.where(interactions.c.id.in_(of_organization(organization_id, by)))
    if issue_ids is not None:
        about = select(interaction_issues.c.interaction_id).where(interaction_issues.c.issue_id.in_(issue_ids))
        query = query.where(interactions.c.id.in_(about))
    if event_id is not None:
        query = query.where(interactions.c.event_id == event_id)
    if component is not None:
        query = query.where(interactions.c.component == component)
    if user is not None:
        query = query.where(interactions.c.user_id == user)
    if since is not None:
        query = query.where(interactions.c.held_at >= since)
    if until is not None:
        query = query.where(interactions.c.held_at <= until)
    return query


def of_individual(individual_id: str, by: Caller) -> Select[tuple[str]]:
    """Select the ids of the interactions with one individual; a frozen one has none to show."""
    frozen = exists().where(people.c.id == individual_id).where(hidden_person(by))
    return select(interaction_individuals.c.interaction_id).where(interaction_individuals.c.individual_id == individual_id, ~frozen)


def of_organization(organization_id: str, by: Caller) -> Any:
    """Select the ids of the interactions with an organization, with somebody who works there, or who did so then (T6)."""
    theirs = select(interaction_individuals.c.interaction_id).join(people, people.c.id == interaction_individuals.c.individual_id)
    return (
        select(interaction_organizations.c.interaction_id)
        .where(interaction_organizations.c.organization_id == organization_id)
        .union(
            theirs.where(people.c.organization_id == organization_id, ~hidden_person(by)),
            theirs.where(interaction_individuals.c.employer_id == organization_id, ~hidden_person(by)),
        )
    )


def history(by: Caller, *, individual_id: str | None, organization_id: str | None) -> Any:
    """Select the timeline of one stakeholder: interactions and attendances, as rows of one shape (R55-R57)."""
    if individual_id is not None:
        held = of_individual(individual_id, by)
        frozen = exists().where(people.c.id == individual_id).where(hidden_person(by))
        attended: Any = select(attendances.c.id).where(attendances.c.individual_id == individual_id, ~frozen)
    else:
        held = of_organization(organization_id or "", by)
        theirs = select(attendances.c.id).join(people, people.c.id == attendances.c.individual_id)
        attended = (
            select(attendances.c.id)
            .where(attendances.c.organization_id == organization_id)
            .union(
                theirs.where(people.c.organization_id == organization_id, ~hidden_person(by)),
                theirs.where(attendances.c.employer_id == organization_id, ~hidden_person(by)),
            )
        )
    discussed = select(event_issues.c.issue_id).where(event_issues.c.event_id == events.c.id).scalar_subquery()
    talks = select(
        literal("interaction").label("kind"),
        interactions.c.id.label("id"),
        interactions.c.held_at.label("at"),
        interactions.c.mode.label("mode"),
        interactions.c.initiated_by.label("initiated_by"),
        interactions.c.component.label("component"),
        interactions.c.user_id.label("user_id"),
        interactions.c.event_id.label("event_id"),
        linked_ids(interaction_issues, "issue_id").label("issue_ids"),
        interactions.c.outcome.label("outcome"),
        null().label("event_name"),
    ).where(interactions.c.id.in_(held))
    visits = (
        select(
            literal("attendance").label("kind"),
            attendances.c.id.label("id"),
            events.c.starts_at.label("at"),
            literal("event").label("mode"),
            cast(null(), Text).label("initiated_by"),
            attendances.c.component.label("component"),
            attendances.c.recorded_by.label("user_id"),
            attendances.c.event_id.label("event_id"),
            func.array(discussed, type_=ARRAY(Uuid(as_uuid=False))).label("issue_ids"),
            null().label("outcome"),
            events.c.name.label("event_name"),
        )
        .join(events, events.c.id == attendances.c.event_id)
        .where(attendances.c.id.in_(attended))
    )
    return talks.union_all(visits).subquery("history")


def add(work: UnitOfWork, **values: Any) -> None:
    """Insert an interaction."""
    work.execute(insert(interactions).values(**values))


def change(work: UnitOfWork, interaction_id: str, values: dict[str, Any]) -> int:
    """Update an interaction and return its new revision."""
    statement = update(interactions).where(interactions.c.id == interaction_id)
    statement = statement.values(revision=interactions.c.revision + 1, **values)
    revision: int = work.execute(statement.returning(interactions.c.revision)).scalar_one()
    return revision


def remove(work: UnitOfWork, interaction_ids: Iterable[str]) -> int:
    """Delete interactions with their links and follow-ups."""
    ids = list(interaction_ids)
    return work.execute(delete(interactions).where(interactions.c.id.in_(ids))).rowcount if ids else 0


def link(work: UnitOfWork, interaction_id: str, field: str, ids: Iterable[str], *, keeping: Iterable[str] = ()) -> None:
    """Link an interaction to exactly these ids, and to those in `keeping` that it is linked to already."""
    table, column = LINKS[field]
    wanted = list(dict.fromkeys(ids))
    work.execute(delete(table).where(table.c.interaction_id == interaction_id, table.c[column].not_in([*wanted, *keeping])))
    present = set(work.execute(select(table.c[column]).where(table.c.interaction_id == interaction_id)).scalars())
    new: list[dict[str, Any]] = [{"interaction_id": interaction_id, column: one} for one in wanted if one not in present]
    if table is interaction_individuals:
        employers = employers_of(work, [row[column] for row in new])
        new = [{**row, "employer_id": employers.get(row[column])} for row in new]
    if new:
        work.execute(insert(table), new)


def link_new(
    work: UnitOfWork, interaction_id: str, *, individual_ids: Iterable[str], organization_ids: Iterable[str], issue_ids: Iterable[str]
) -> None:
    """Link an interaction that was just added to stakeholders and issues, all of whom are known, in one statement."""
    given = {"individuals": individual_ids, "organizations": organization_ids, "issues": issue_ids}
    work.execute(_LINK_NEW, {"interaction": interaction_id} | {name: f"{{{','.join(sorted(set(ids)))}}}" for name, ids in given.items()})


def linked(work: UnitOfWork, interaction_id: str, field: str) -> list[str]:
    """Return all ids an interaction is linked to, whoever may see them."""
    table, column = LINKS[field]
    return list(work.execute(select(table.c[column]).where(table.c.interaction_id == interaction_id).order_by(table.c[column])).scalars())


def promises(work: UnitOfWork, interaction_ids: Iterable[str]) -> dict[str, list[Row[Any]]]:
    """Return follow-ups in their order, by interaction."""
    found: dict[str, list[Row[Any]]] = {}
    query = select(follow_ups).where(follow_ups.c.interaction_id.in_(list(interaction_ids)))
    for row in work.execute(query.order_by(follow_ups.c.position, follow_ups.c.id)):
        found.setdefault(row.interaction_id, []).append(row)
    return found


def put_promise(work: UnitOfWork, *, is_new: bool, **values: Any) -> None:
    """Insert or update a follow-up."""
    if is_new:
        work.execute(insert(follow_ups).values(**values))
    else:
        work.execute(update(follow_ups).where(follow_ups.c.id == values.pop("id")).values(**values))


def drop_promises(work: UnitOfWork, interaction_id: str, *, but: Iterable[str]) -> None:
    """Delete the follow-ups that are not named."""
    work.execute(delete(follow_ups).where(follow_ups.c.interaction_id == interaction_id, follow_ups.c.id.not_in(list(but))))
