"""Copies of other services' facts: users, components, issues, and who was spoken to when."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import select, text

from services.chassis.database import UnitOfWork
from services.chassis.database.rows import typed_or_none
from services.contacts.storage.tables.projections import users


@dataclass(frozen=True, slots=True)
class User:
    """What is known of an employee."""

    id: str
    component: str | None
    level: str | None
    roles: Sequence[str]
    active: bool


def user(work: UnitOfWork, user_id: str) -> User | None:
    """Return what is known of an employee."""
    columns = [users.c[each.name] for each in fields(User)]
    return typed_or_none(User, work.execute(select(*columns).where(users.c.id == user_id)).mappings().one_or_none())


def office_has_administrator(work: UnitOfWork, component: str) -> bool:
    """Whether an active office administrator of that component is known."""
    return bool(
        work.execute(
            text("SELECT EXISTS (SELECT FROM users WHERE active AND component = :component AND 'office_administrator' = ANY(roles))"),
            {"component": component},
        ).scalar_one()
    )


def upsert_user_projection(work: UnitOfWork, known: Mapping[str, Any]) -> None:
    """Keep what access told of a user."""
    work.execute(
        text(
            "INSERT INTO users (id, component, level, roles, active, revision)"
            " VALUES (:id, :component, :level, CAST(:roles AS text[]), :active, :revision)"
            " ON CONFLICT (id) DO UPDATE SET component = excluded.component, level = excluded.level, roles = excluded.roles,"
            " active = excluded.active, revision = excluded.revision, known_at = clock_timestamp()"
            # Announcements overtake each other: what was told before, and comes later, is old.
            " WHERE users.revision <= excluded.revision"
        ),
        {"revision": 0, **known},
    )


def upsert_component_projection(work: UnitOfWork, *, code: str, parent_code: str | None, active: bool, revision: int = 0) -> None:
    """Keep what access told of an office, unless something later is known."""
    work.execute(
        text(
            "INSERT INTO components (code, parent_code, active, revision) VALUES (:code, :parent, :active, :revision)"
            " ON CONFLICT (code) DO UPDATE SET parent_code = excluded.parent_code, active = excluded.active, revision = excluded.revision"
            " WHERE components.revision <= excluded.revision"
        ),
        {"code": code, "parent": parent_code, "active": active, "revision": revision},
    )


def upsert_issue_projection(work: UnitOfWork, *, issue_id: str, priority: str, parent_id: str | None, active: bool, revision: int = 0) -> None:
    """Keep what interactions told of an issue, unless something later is known; an erased one does not come back."""
    work.execute(
        text(
            "INSERT INTO issues (id, priority, parent_id, active, revision)"
            " SELECT CAST(:id AS uuid), :priority, CAST(:parent AS uuid), :active, :revision"
            " WHERE NOT EXISTS (SELECT FROM erased_issues WHERE id = CAST(:id AS uuid))"
            " ON CONFLICT (id) DO UPDATE SET priority = excluded.priority, parent_id = excluded.parent_id, active = excluded.active,"
            " revision = excluded.revision WHERE issues.revision <= excluded.revision"
        ),
        {"id": issue_id, "priority": priority, "parent": parent_id, "active": active, "revision": revision},
    )


def delete_issue_projection(work: UnitOfWork, issue_id: str) -> None:
    """Drop an erased issue and every link to it (T7)."""
    work.execute(text("INSERT INTO erased_issues (id) VALUES (CAST(:id AS uuid)) ON CONFLICT DO NOTHING"), {"id": issue_id})
    work.execute(text("DELETE FROM issues WHERE id = CAST(:id AS uuid)"), {"id": issue_id})
    work.execute(text("DELETE FROM stakeholder_issues WHERE issue_id = CAST(:id AS uuid)"), {"id": issue_id})
    work.execute(
        text("UPDATE engagements SET issue_ids = array_remove(issue_ids, CAST(:id AS uuid)) WHERE issue_ids @> ARRAY[CAST(:id AS uuid)]"),
        {"id": issue_id},
    )


def replace_engagement(work: UnitOfWork, told: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """Keep an interaction or attendance as its owner last told of it; return (present, former) stakeholders.

    `source_id`, `revision`, `stakeholder_ids`, `component`, `user_id`, `held_at`, `mode`, `issue_ids`. An earlier
    revision that comes late changes nothing; people and issues that are gone, or not there any more, are left out.
    """
    newest = work.execute(
        text(
            "INSERT INTO engagement_sources AS s (source_id, revision) VALUES (CAST(:source_id AS uuid), :revision)"
            " ON CONFLICT (source_id) DO UPDATE SET revision = excluded.revision WHERE s.revision <= excluded.revision"
            " RETURNING source_id"
        ),
        {"source_id": told["source_id"], "revision": told["revision"]},
    ).first()
    if newest is None:
        return [], []
    former = work.execute(
        text("DELETE FROM engagements WHERE source_id = CAST(:source_id AS uuid) RETURNING stakeholder_id, employer_id"),
        {"source_id": told["source_id"]},
    ).all()
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
    """Return the stakeholders of engagements that are gone, and where those worked then."""
    return [str(one) for row in rows for one in (row.stakeholder_id, row.employer_id) if one is not None]


def withdraw_engagement(work: UnitOfWork, source_id: str) -> list[str]:
    """Drop a withdrawn interaction, for good; return whom it was with."""
    work.execute(
        text(
            "INSERT INTO engagement_sources (source_id, revision) VALUES (CAST(:id AS uuid), 2147483647)"
            " ON CONFLICT (source_id) DO UPDATE SET revision = 2147483647"
        ),
        {"id": source_id},
    )
    rows = work.execute(text("DELETE FROM engagements WHERE source_id = CAST(:id AS uuid) RETURNING stakeholder_id, employer_id"), {"id": source_id})
    return _concerned(rows)


def settle_contacts(work: UnitOfWork, stakeholder_ids: Iterable[str]) -> None:
    """Derive last contact, contacts by component and engaged issues again from what is kept; in any order of arrival."""
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
