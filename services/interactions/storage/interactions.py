"""Interactions and their follow-ups, in SQL."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import ARRAY, ColumnElement, Select, Table, Text, Uuid, cast, delete, exists, func, insert, literal, null, select, text, update

from services.chassis.database import UnitOfWork
from services.chassis.database.rows import columns_of, typed, typed_or_none
from services.interactions.contract.commands import HistoryQuery, InteractionListQuery
from services.interactions.domain.records import FollowUp, Interaction, Moment
from services.interactions.domain.rights import Scope
from services.interactions.storage import pages
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

# Text SQL: links of three tables are written in one statement.

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
    """Select, as an array, the linked ids of an interaction."""
    ids = select(table.c[column]).where(table.c.interaction_id == interactions.c.id).order_by(table.c[column])
    return func.array(ids.scalar_subquery(), type_=ARRAY(Uuid(as_uuid=False)))


def visible_individuals(scope: Scope) -> ColumnElement[Any]:
    """Select, as an array, the individuals of an interaction whom the caller may find (T21)."""
    ids = (
        select(interaction_individuals.c.individual_id)
        .outerjoin(people, people.c.id == interaction_individuals.c.individual_id)
        .where(interaction_individuals.c.interaction_id == interactions.c.id, ~func.coalesce(hidden_person(scope), False))
        .order_by(interaction_individuals.c.individual_id)
    )
    return func.array(ids.scalar_subquery(), type_=ARRAY(Uuid(as_uuid=False)))


def with_links(scope: Scope) -> Select[Any]:
    """Select interactions as a caller sees them, with their linked ids."""
    return select(
        interactions,
        visible_individuals(scope).label("individual_ids"),
        linked_ids(interaction_organizations, "organization_id").label("organization_ids"),
        linked_ids(interaction_issues, "issue_id").label("issue_ids"),
    ).where(visible(scope))


def visible(scope: Scope) -> ColumnElement[bool]:
    """Return a condition: the caller may find the interaction."""
    # Frozen people are out of lists (T21), and an interaction with nobody else goes with them. There are few of them,
    # so these interactions are looked up once, and not the people of every interaction.
    other, others = interaction_individuals.alias("other"), people.alias("others")
    with_others = (
        exists()
        .where(other.c.interaction_id == interaction_individuals.c.interaction_id)
        .where(~exists().where(others.c.id == other.c.individual_id).where(hidden_person(scope, others)))
    )
    with_organization = exists().where(interaction_organizations.c.interaction_id == interaction_individuals.c.interaction_id)
    hidden = (
        select(interaction_individuals.c.interaction_id)
        .join(people, people.c.id == interaction_individuals.c.individual_id)
        .where(hidden_person(scope), ~with_others, ~with_organization)
    )
    return interactions.c.id.not_in(hidden)


def one(work: UnitOfWork, scope: Scope, interaction_id: str, *, lock: bool = False) -> Interaction | None:
    """Return an interaction as the caller sees it.

    :param lock: lock it until the end of the transaction.
    """
    query = with_links(scope).where(interactions.c.id == interaction_id)
    return typed_or_none(Interaction, work.execute(query.with_for_update(of=interactions) if lock else query).mappings().one_or_none())


def matching(
    work: UnitOfWork, scope: Scope, wanted: InteractionListQuery, *, issue_ids: Sequence[str] | None, after: Sequence[object] | None
) -> pages.Page[Interaction]:
    """Return a page of interactions, most recent first; an organization's include those with its people (R57).

    :param issue_ids: the interactions are about one of these, if there are any.
    """
    asked = {interactions.c.event_id: wanted.event_id, interactions.c.component: wanted.component, interactions.c.user_id: wanted.user}
    query = with_links(scope).where(*pages.equal(asked), *pages.within(interactions.c.held_at, wanted.since, wanted.until))
    if wanted.individual_id is not None:
        query = query.where(interactions.c.id.in_(of_individual(wanted.individual_id, scope)))
    if wanted.organization_id is not None:
        query = query.where(interactions.c.id.in_(of_organization(wanted.organization_id, scope)))
    if issue_ids is not None:
        about = select(interaction_issues.c.interaction_id).where(interaction_issues.c.issue_id.in_(issue_ids))
        query = query.where(interactions.c.id.in_(about))
    return pages.page(work, Interaction, query, keys=[interactions.c.held_at, interactions.c.id], after=after, limit=wanted.limit)


def of_individual(individual_id: str, scope: Scope) -> Select[tuple[str]]:
    """Select the ids of the interactions with an individual; none if the individual is hidden."""
    frozen = exists().where(people.c.id == individual_id).where(hidden_person(scope))
    return select(interaction_individuals.c.interaction_id).where(interaction_individuals.c.individual_id == individual_id, ~frozen)


def of_organization(organization_id: str, scope: Scope) -> Any:
    """Select the ids of the interactions with an organization, with an individual who works there, or who worked there then (T6)."""
    theirs = select(interaction_individuals.c.interaction_id).join(people, people.c.id == interaction_individuals.c.individual_id)
    return (
        select(interaction_organizations.c.interaction_id)
        .where(interaction_organizations.c.organization_id == organization_id)
        .union(
            theirs.where(people.c.organization_id == organization_id, ~hidden_person(scope)),
            theirs.where(interaction_individuals.c.employer_id == organization_id, ~hidden_person(scope)),
        )
    )


def history(work: UnitOfWork, scope: Scope, wanted: HistoryQuery) -> pages.Page[Moment]:
    """Return a page of the timeline of one stakeholder: interactions and attendances, as rows of one shape (R55-R57)."""
    individual_id, organization_id = wanted.individual_id, wanted.organization_id
    if individual_id is not None:
        held = of_individual(individual_id, scope)
        frozen = exists().where(people.c.id == individual_id).where(hidden_person(scope))
        attended: Any = select(attendances.c.id).where(attendances.c.individual_id == individual_id, ~frozen)
    else:
        held = of_organization(organization_id or "", scope)
        theirs = select(attendances.c.id).join(people, people.c.id == attendances.c.individual_id)
        attended = (
            select(attendances.c.id)
            .where(attendances.c.organization_id == organization_id)
            .union(
                theirs.where(people.c.organization_id == organization_id, ~hidden_person(scope)),
                theirs.where(attendances.c.employer_id == organization_id, ~hidden_person(scope)),
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
    moments = talks.union_all(visits).subquery("history")
    return pages.page(work, Moment, select(moments), keys=[moments.c.at, moments.c.id], after=wanted.after, limit=wanted.limit)


def add(work: UnitOfWork, interaction: Interaction) -> None:
    """Insert an interaction, without its links."""
    work.execute(insert(interactions), columns_of(interaction, interactions))


def change(work: UnitOfWork, interaction: Interaction) -> int:
    """Store a changed interaction, which is locked, without its links; return its new revision."""
    revision = interaction.revision + 1
    values = {**columns_of(interaction, interactions), "revision": revision}
    work.execute(update(interactions).where(interactions.c.id == interaction.id).values(values))
    return revision


def remove(work: UnitOfWork, interaction_id: str) -> None:
    """Delete an interaction with its links and follow-ups."""
    work.execute(delete(interactions).where(interactions.c.id == interaction_id))


def link(work: UnitOfWork, interaction_id: str, field: str, ids: Iterable[str], *, keeping: Iterable[str] = ()) -> None:
    """Link an interaction to these ids, and unlink all others except those in `keeping`."""
    table, column = LINKS[field]
    wanted = list(dict.fromkeys(ids))
    work.execute(delete(table).where(table.c.interaction_id == interaction_id, table.c[column].not_in([*wanted, *keeping])))
    present = set(work.execute(select(table.c[column]).where(table.c.interaction_id == interaction_id)).scalars())
    new = [{"interaction_id": interaction_id, column: one} for one in wanted if one not in present]
    if new and table is interaction_individuals:
        employers = employers_of(work, [row[column] for row in new])
        work.execute(insert(table), [{**row, "employer_id": employers.get(row[column])} for row in new])
    elif new:
        work.execute(insert(table), new)


def link_new(
    work: UnitOfWork, interaction_id: str, *, individual_ids: Iterable[str], organization_ids: Iterable[str], issue_ids: Iterable[str]
) -> None:
    """Link a new interaction to known stakeholders and issues, in one statement."""
    given = {"individuals": individual_ids, "organizations": organization_ids, "issues": issue_ids}
    work.execute(_LINK_NEW, {"interaction": interaction_id} | {name: f"{{{','.join(sorted(set(ids)))}}}" for name, ids in given.items()})


def linked(work: UnitOfWork, interaction_id: str, field: str) -> list[str]:
    """Return all ids that an interaction is linked to, also those that the caller may not see."""
    table, column = LINKS[field]
    return list(work.execute(select(table.c[column]).where(table.c.interaction_id == interaction_id).order_by(table.c[column])).scalars())


def promises(work: UnitOfWork, interaction_ids: Iterable[str]) -> dict[str, list[FollowUp]]:
    """Return follow-ups in their order, by interaction."""
    found: dict[str, list[FollowUp]] = {}
    query = select(follow_ups).where(follow_ups.c.interaction_id.in_(list(interaction_ids)))
    for row in work.execute(query.order_by(follow_ups.c.position, follow_ups.c.id)).mappings():
        promise = typed(FollowUp, row)
        found.setdefault(promise.interaction_id, []).append(promise)
    return found


def add_promise(work: UnitOfWork, promise: FollowUp) -> None:
    """Insert a follow-up."""
    work.execute(insert(follow_ups), asdict(promise))


def change_promise(work: UnitOfWork, promise: FollowUp) -> None:
    """Store a changed follow-up; its interaction is locked."""
    work.execute(update(follow_ups).where(follow_ups.c.id == promise.id).values(asdict(promise)))


def drop_promises(work: UnitOfWork, interaction_id: str, *, but: Iterable[str]) -> None:
    """Delete the follow-ups that are not named."""
    work.execute(delete(follow_ups).where(follow_ups.c.interaction_id == interaction_id, follow_ups.c.id.not_in(list(but))))
