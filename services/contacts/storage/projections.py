"""Copies of other services' facts: users, components, issues, and engagements."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import Select, Table, Uuid, cast, delete, func, literal, select, text, update
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlalchemy.sql.dml import ReturningDelete

from services.chassis.database import UnitOfWork
from services.chassis.database.rows import typed_or_none
from services.contacts.storage.tables.directory import stakeholder_issues
from services.contacts.storage.tables.projections import components, engagement_sources, engagements, erased_issues, issues, users

#: The revision of a withdrawn interaction: no other is later.
_LAST_REVISION = 2**31 - 1

# Text SQL: what is derived from engagements is set for many stakeholders in one statement each.


@dataclass(frozen=True, slots=True)
class User:
    """What access announced of an employee."""

    id: str
    component: str | None
    level: str | None
    roles: Sequence[str]
    active: bool


def user(work: UnitOfWork, user_id: str) -> User | None:
    """Return what access announced of an employee, or None."""
    columns = [users.c[each.name] for each in fields(User)]
    return typed_or_none(User, work.execute(select(*columns).where(users.c.id == user_id)).mappings().one_or_none())


def office_has_administrator(work: UnitOfWork, component: str) -> bool:
    """Return whether an active office administrator of that component is known."""
    administrators = select(users.c.id).where(users.c.active, users.c.component == component, users.c.roles.contains(["office_administrator"]))
    return bool(work.execute(select(administrators.exists())).scalar_one())


def _upsert(table: Table, values: Mapping[str, Any], *, unless: Select[Any] | None = None, **more: Any) -> Insert:
    """Insert a row, or change it unless a later revision is stored: announcements may arrive in any order.

    :param unless: insert and change nothing if this finds a row.
    """
    row = select(*(literal(value, table.c[name].type).label(name) for name, value in values.items()))
    new = insert(table).from_select(list(values), row if unless is None else row.where(~unless.exists()))
    key = list(table.primary_key)
    changed = {name: new.excluded[name] for name in values if table.c[name] not in key}
    return new.on_conflict_do_update(index_elements=key, set_=changed | more, where=table.c.revision <= new.excluded.revision)


def upsert_user_projection(work: UnitOfWork, known: Mapping[str, Any]) -> None:
    """Store what access announced of a user, unless something later is stored."""
    work.execute(_upsert(users, {"revision": 0, **known}, known_at=func.clock_timestamp()))


def upsert_component_projection(work: UnitOfWork, *, code: str, parent_code: str | None, active: bool, revision: int = 0) -> None:
    """Store what access announced of a component, unless something later is stored."""
    work.execute(_upsert(components, {"code": code, "parent_code": parent_code, "active": active, "revision": revision}))


def upsert_issue_projection(work: UnitOfWork, *, issue_id: str, priority: str, parent_id: str | None, active: bool, revision: int = 0) -> None:
    """Store what interactions announced of an issue, unless something later is stored or the issue was erased."""
    row = {"id": issue_id, "priority": priority, "parent_id": parent_id, "active": active, "revision": revision}
    work.execute(_upsert(issues, row, unless=select(erased_issues.c.id).where(erased_issues.c.id == issue_id)))


def delete_issue_projection(work: UnitOfWork, issue_id: str) -> None:
    """Delete an erased issue and every link to it (T7)."""
    work.execute(insert(erased_issues).values(id=issue_id).on_conflict_do_nothing())
    work.execute(delete(issues).where(issues.c.id == issue_id))
    work.execute(delete(stakeholder_issues).where(stakeholder_issues.c.issue_id == issue_id))
    remaining = func.array_remove(engagements.c.issue_ids, cast(issue_id, Uuid(as_uuid=False)))
    work.execute(update(engagements).where(engagements.c.issue_ids.contains([issue_id])).values(issue_ids=remaining))


def replace_engagement(work: UnitOfWork, told: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """Store an interaction or attendance as last announced; return (present, former) stakeholders.

    `told` has `source_id`, `revision`, `stakeholder_ids`, `component`, `user_id`, `held_at`, `mode`, `issue_ids`. An
    earlier revision that arrives late changes nothing. People and issues that do not exist are left out.
    """
    source = {"source_id": told["source_id"], "revision": told["revision"]}
    newest = work.execute(_upsert(engagement_sources, source).returning(engagement_sources.c.source_id)).first()
    if newest is None:
        return [], []
    former = work.execute(_delete_engagements(told["source_id"])).all()
    rows = work.execute(
        text(
            "INSERT INTO engagements (source_id, stakeholder_id, employer_id, component, user_id, held_at, mode, issue_ids, revision)"
            " SELECT CAST(:source_id AS uuid), s.id, s.employer, :component, CAST(:user_id AS uuid), CAST(:held_at AS timestamptz), :mode,"
            " ARRAY(SELECT i FROM unnest(CAST(:issue_ids AS uuid[])) AS i WHERE NOT EXISTS (SELECT FROM erased_issues x WHERE x.id = i)),"
            " :revision"
            # Held until the end: whoever erases one of them meanwhile waits, and reaches these rows, or was first.
            # Told again after somebody changed their employer, it is still the former one's.
            " FROM (SELECT p.id, CASE WHEN f.id IS NULL THEN p.organization_id ELSE f.employer END AS employer"
            " FROM (SELECT id, organization_id FROM individuals WHERE id = ANY(CAST(:stakeholder_ids AS uuid[])) ORDER BY id FOR KEY SHARE) AS p"
            " LEFT JOIN unnest(CAST(:former AS uuid[]), CAST(:employers AS uuid[])) AS f (id, employer) ON f.id = p.id"
            " UNION ALL SELECT id, NULL FROM"
            " (SELECT id FROM organizations WHERE id = ANY(CAST(:stakeholder_ids AS uuid[])) ORDER BY id FOR KEY SHARE) AS o) AS s"
            " RETURNING stakeholder_id"
        ),
        {
            **told,
            "stakeholder_ids": list(told["stakeholder_ids"]),
            "issue_ids": list(told["issue_ids"]),
            "former": [row.stakeholder_id for row in former],
            "employers": [row.employer_id for row in former],
        },
    )
    return [str(row.stakeholder_id) for row in rows], _concerned(former)


def _concerned(rows: Iterable[Any]) -> list[str]:
    """Return the stakeholders of deleted engagements, and their employers of that time."""
    return [str(one) for row in rows for one in (row.stakeholder_id, row.employer_id) if one is not None]


def _delete_engagements(source_id: str) -> ReturningDelete[Any]:
    of = engagements.c
    return delete(engagements).where(of.source_id == source_id).returning(of.stakeholder_id, of.employer_id)


def withdraw_engagement(work: UnitOfWork, source_id: str) -> list[str]:
    """Delete a withdrawn interaction for good; return whom it was with."""
    work.execute(_upsert(engagement_sources, {"source_id": source_id, "revision": _LAST_REVISION}))
    return _concerned(work.execute(_delete_engagements(source_id)))


def settle_contacts(work: UnitOfWork, stakeholder_ids: Iterable[str]) -> None:
    """Derive last contact, contacts by component and engaged issues anew from what is stored, in any order of arrival."""
    people = sorted(set(stakeholder_ids))
    if not people:
        return
    given = {"ids": people}
    # The latest for each, or none.
    work.execute(
        text(
            "UPDATE individuals t SET last_contacted_at = l.held_at, last_contact_by = l.user_id,"
            " last_contact_component = l.component, last_contact_mode = l.mode"
            " FROM unnest(CAST(:ids AS uuid[])) AS s (id) LEFT JOIN LATERAL (SELECT held_at, user_id, component, mode"
            " FROM engagements e WHERE e.stakeholder_id = s.id ORDER BY held_at DESC, source_id DESC LIMIT 1) l ON true"
            " WHERE t.id = s.id"
        ),
        given,
    )
    work.execute(
        text(
            "UPDATE directory d SET last_contacted_at = l.held_at FROM unnest(CAST(:ids AS uuid[])) AS s (id)"
            " LEFT JOIN LATERAL (SELECT max(held_at) AS held_at FROM engagements e WHERE e.stakeholder_id = s.id) l ON true"
            " WHERE d.stakeholder_id = s.id"
        ),
        given,
    )
    work.execute(
        text(
            "UPDATE relationships r SET last_contact_at = l.held_at FROM (SELECT r2.stakeholder_id, r2.component,"
            " (SELECT max(held_at) FROM engagements e WHERE e.stakeholder_id = r2.stakeholder_id AND e.component = r2.component)"
            " AS held_at FROM relationships r2 WHERE r2.stakeholder_id = ANY(CAST(:ids AS uuid[]))) l"
            " WHERE r.stakeholder_id = l.stakeholder_id AND r.component = l.component"
        ),
        given,
    )
    # A talk with a person is contact with their organization: that of then, and that of now (T6).
    work.execute(
        text(
            "SELECT settle_organizations(array_agg(id)) FROM (SELECT id FROM organizations WHERE id = ANY(CAST(:ids AS uuid[]))"
            " UNION SELECT organization_id FROM individuals WHERE id = ANY(CAST(:ids AS uuid[])) AND organization_id IS NOT NULL"
            " UNION SELECT employer_id FROM engagements WHERE stakeholder_id = ANY(CAST(:ids AS uuid[])) AND employer_id IS NOT NULL)"
            " AS concerned (id) HAVING count(*) > 0"
        ),
        given,
    )
    work.execute(
        text(
            "DELETE FROM stakeholder_issues s WHERE s.stakeholder_id = ANY(CAST(:ids AS uuid[])) AND s.derived AND NOT EXISTS"
            " (SELECT FROM engagements e WHERE e.stakeholder_id = s.stakeholder_id AND s.issue_id = ANY(e.issue_ids))"
        ),
        given,
    )
    work.execute(
        text(
            "INSERT INTO stakeholder_issues AS s (stakeholder_id, issue_id, kind, since, derived)"
            " SELECT e.stakeholder_id, i.id, 'engaged', min((e.held_at AT TIME ZONE 'UTC')::date), true"
            " FROM engagements e CROSS JOIN LATERAL unnest(e.issue_ids) AS i (id)"
            " WHERE e.stakeholder_id = ANY(CAST(:ids AS uuid[])) AND NOT EXISTS (SELECT FROM erased_issues x WHERE x.id = i.id)"
            " GROUP BY 1, 2 ON CONFLICT (stakeholder_id, issue_id, kind) DO UPDATE SET since = excluded.since WHERE s.derived"
        ),
        given,
    )
