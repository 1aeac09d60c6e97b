"""Issues and relationships of stakeholders, individuals and organizations alike."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import datetime

from sqlalchemy import delete, select, text
from sqlalchemy.dialects.postgresql import insert

from services.chassis.database import UnitOfWork
from services.chassis.database.rows import all_typed
from services.contacts.contract.commands import GivenLink
from services.contacts.storage.bulk import array
from services.contacts.storage.tables.directory import relationships, stakeholder_issues
from services.contacts.storage.tables.projections import erased_issues

# Text SQL: the set of pairs goes as two arrays in one statement.

# Text where many rows are inserted in one statement.


def set_issues(work: UnitOfWork, stakeholder_id: str, links: Iterable[GivenLink]) -> None:
    """Make these the stakeholder's issues: `issue_id`, `kind`, `since`, `ended_on`."""
    work.execute(delete(stakeholder_issues).where(stakeholder_issues.c.stakeholder_id == stakeholder_id))
    add_issues(work, stakeholder_id, links)


def add_issues(work: UnitOfWork, stakeholder_id: str, links: Iterable[GivenLink]) -> None:
    """Link a stakeholder to issues; existing links stay as they are."""
    rows = [
        {
            "stakeholder_id": stakeholder_id,
            "issue_id": link["issue_id"],
            "kind": link.get("kind") or "engaged",
            "since": link.get("since"),
            "ended_on": link.get("ended_on"),
            "derived": False,
        }
        for link in links
    ]
    if rows:
        work.execute(insert(stakeholder_issues).on_conflict_do_nothing(), rows)


def unknown_issues(work: UnitOfWork, issue_ids: Iterable[str]) -> list[str]:
    """Return those of these issues that were erased. One that was not announced yet is accepted."""
    return list(work.execute(select(erased_issues.c.id).where(erased_issues.c.id.in_(list(issue_ids)))).scalars())


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


@dataclass(frozen=True, slots=True)
class Held:
    """A component's relationship with a stakeholder, and who stands for it there."""

    component: str
    since: datetime
    last_contact_at: datetime | None
    user_id: str | None


def relationships_of(work: UnitOfWork, stakeholder_id: str) -> list[Held]:
    """Return a stakeholder's relationships: component, since, last contact, and who stands for it there."""
    columns = [relationships.c[each.name] for each in fields(Held)]
    held = select(*columns).where(relationships.c.stakeholder_id == stakeholder_id).order_by(relationships.c.component)
    return all_typed(Held, work.execute(held).mappings())
