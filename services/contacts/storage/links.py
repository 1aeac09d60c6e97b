"""Issues and relationships of stakeholders, individuals and organizations alike."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import text

from services.chassis.database import UnitOfWork
from services.contacts.storage.bulk import array
from services.contacts.storage.rows import plains


def set_issues(work: UnitOfWork, stakeholder_id: str, links: Iterable[Mapping[str, Any]]) -> None:
    """Make these the stakeholder's issues: `issue_id`, `kind`, `since`, `ended_on`."""
    work.execute(text("DELETE FROM stakeholder_issues WHERE stakeholder_id = CAST(:id AS uuid)"), {"id": stakeholder_id})
    add_issues(work, [(stakeholder_id, link) for link in links])


def add_issues(work: UnitOfWork, links: Iterable[tuple[str, Mapping[str, Any]]]) -> None:
    """Link stakeholders to issues; what is linked already stays as it is."""
    rows = [
        {
            "stakeholder": stakeholder_id,
            "issue": link["issue_id"],
            "kind": link.get("kind") or "engaged",
            "since": link.get("since"),
            "ended_on": link.get("ended_on"),
        }
        for stakeholder_id, link in links
    ]
    if rows:
        work.execute(
            text(
                "INSERT INTO stakeholder_issues (stakeholder_id, issue_id, kind, since, ended_on)"
                " VALUES (:stakeholder, :issue, :kind, :since, :ended_on) ON CONFLICT DO NOTHING"
            ),
            rows,
        )


def unknown_issues(work: UnitOfWork, issue_ids: Iterable[str]) -> list[str]:
    """Return those of these issues that were erased; one not yet told of is taken on trust."""
    rows = work.execute(text("SELECT id FROM erased_issues WHERE id = ANY(CAST(:ids AS uuid[]))"), {"ids": list(issue_ids)})
    return [str(row.id) for row in rows]


def establish(work: UnitOfWork, pairs: Iterable[tuple[str, str]], *, user_id: str | None, since: datetime) -> list[tuple[str, str]]:
    """Give components a relationship with stakeholders: (stakeholder id, component); return those that are new (R43)."""
    wanted = sorted(set(pairs))
    if not wanted:
        return []
    rows = work.execute(
        text(
            "INSERT INTO relationships (stakeholder_id, component, since, user_id)"
            " SELECT s, c, :since, CAST(:user AS uuid)"
            " FROM unnest(CAST(:stakeholders AS uuid[]), CAST(:components AS text[])) AS t (s, c)"
            " ON CONFLICT DO NOTHING RETURNING stakeholder_id, component"
        ),
        {
            "since": since,
            "user": user_id,
            "stakeholders": array(stakeholder for stakeholder, _ in wanted),
            "components": array(component for _, component in wanted),
        },
    )
    return [(str(row.stakeholder_id), row.component) for row in rows]


def relationships(work: UnitOfWork, stakeholder_id: str) -> list[dict[str, Any]]:
    """Return a stakeholder's relationships: component, since, last contact, and who stands for it there."""
    rows = work.execute(
        text("SELECT component, since, last_contact_at, user_id FROM relationships WHERE stakeholder_id = CAST(:id AS uuid) ORDER BY component"),
        {"id": stakeholder_id},
    )
    return plains(rows.mappings())


def of_stakeholders(work: UnitOfWork, ids: Iterable[str]) -> dict[str, list[str]]:
    """Return the components that have a relationship with each of these stakeholders."""
    found: dict[str, list[str]] = {}
    rows = work.execute(
        text("SELECT stakeholder_id, component FROM relationships WHERE stakeholder_id = ANY(CAST(:ids AS uuid[])) ORDER BY 1, 2"),
        {"ids": list(ids)},
    )
    for row in rows:
        found.setdefault(str(row.stakeholder_id), []).append(row.component)
    return found
