"""Handle other services' announcements: last contact, engaged issues, relationships, users, offices and issues.

Each handler is idempotent, and the order in which announcements arrive does not matter.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from services.access.contract import ComponentChanged, UserChanged
from services.chassis.database import UnitOfWork
from services.contacts.contract.announcements import RelationshipEstablished
from services.contacts.storage import links, projections
from services.interactions.contract.announcements import IssueChanged, IssueRegistered

#: How attendance counts as contact (R56).
EVENT = "event"


def note_engagement(
    work: UnitOfWork,
    *,
    source_id: str,
    individual_ids: Iterable[str],
    organization_ids: Iterable[str],
    issue_ids: Iterable[str],
    component: str,
    user_id: str,
    held_at: str,
    mode: str,
    revision: int = 1,
) -> None:
    """Record that a component spoke with stakeholders; it has a relationship with them from then on (R43, R55)."""
    organizations = set(organization_ids)
    present, former = projections.replace_engagement(
        work,
        {
            "source_id": source_id,
            "stakeholder_ids": [*individual_ids, *organizations],
            "issue_ids": list(issue_ids),
            "component": component,
            "user_id": user_id,
            "held_at": held_at,
            "mode": mode,
            "revision": revision,
        },
    )
    since = datetime.fromisoformat(held_at)
    for stakeholder_id, established in links.establish(
        work, [(stakeholder_id, component) for stakeholder_id in present], user_id=user_id, since=since
    ):
        kind = "organization" if stakeholder_id in organizations else "individual"
        work.announce(RelationshipEstablished(kind, stakeholder_id, established, since.date().isoformat()))
    projections.settle_contacts(work, [*present, *former])


def forget_engagement(work: UnitOfWork, *, source_id: str) -> None:
    """Withdraw an interaction and everything derived from it alone, except the relationship."""
    projections.settle_contacts(work, projections.withdraw_engagement(work, source_id))


def note_issue(work: UnitOfWork, announcement: IssueRegistered | IssueChanged) -> None:
    """Store what interactions announced of an issue."""
    projections.upsert_issue_projection(work, **announcement.to_wire())


def forget_issue(work: UnitOfWork, *, issue_id: str) -> None:
    """Delete an issue and every link to it (T7)."""
    projections.delete_issue_projection(work, issue_id)


def note_user(work: UnitOfWork, announcement: UserChanged) -> None:
    """Store what access announced of a user."""
    known = {"component": announcement.component, "level": announcement.level, "roles": list(announcement.roles), "active": announcement.active}
    projections.upsert_user_projection(work, {"id": announcement.user_id, **known, "revision": announcement.revision})


def note_component(work: UnitOfWork, announcement: ComponentChanged) -> None:
    """Store what access announced of a component."""
    projections.upsert_component_projection(work, **announcement.to_wire())
