"""Preconditions of commands: every id that a command names must be known and allowed."""

from __future__ import annotations

from collections.abc import Iterable

from services.chassis.database import UnitOfWork
from services.chassis.messages import Invalid
from services.interactions.domain.rights import Person
from services.interactions.storage import directory, issues
from services.lexicon.refusals import IndividualFrozen, IssueUnknown


def require_issues(work: UnitOfWork, issue_ids: Iterable[str]) -> None:
    """Require that every issue exists.

    :raises IssueUnknown: one doesn't.
    """
    wanted = set(issue_ids)
    if wanted and (missing := wanted - issues.known(work, wanted)):
        raise IssueUnknown(errors={"issue_ids": [f"There is no issue {one}." for one in sorted(missing)]})


def require_individuals(
    work: UnitOfWork, individual_ids: Iterable[str], *, request_id: str | None = None, field: str = "individual_ids"
) -> dict[str, Person]:
    """Require that every individual is known, and not frozen unless the command is about the request that froze them (T21, T26).

    :raises Invalid: one is not known, or is gone.
    :raises IndividualFrozen: one asked not to be contacted.
    """
    wanted = list(dict.fromkeys(individual_ids))
    found = directory.persons(work, wanted, lock=True) if wanted else {}
    if missing := [one for one in wanted if one not in found]:
        raise Invalid(errors={field: [f"There is no individual {one}." for one in missing]})
    for one in found.values():
        if one.is_frozen_for(work.caller.component) and (one.frozen_request_id is None or one.frozen_request_id != request_id):
            raise IndividualFrozen
    return found


def require_organizations(work: UnitOfWork, organization_ids: Iterable[str]) -> None:
    """Require that every organization is known.

    :raises Invalid: one is not.
    """
    wanted = list(dict.fromkeys(organization_ids))
    found = directory.known_organizations(work, wanted) if wanted else set()
    if missing := [one for one in wanted if one not in found]:
        raise Invalid(errors={"organization_ids": [f"There is no organization {one}." for one in missing]})


def require_own_component(work: UnitOfWork, component: str | None) -> None:
    """Require the caller's own component.

    :raises Invalid: another one is named.
    """
    if component is not None and component != work.caller.component:
        raise Invalid(errors={"component": ["Only your own component's."]})


def require_colleague(work: UnitOfWork, user_id: str) -> None:
    """Require the caller, or an active colleague of the same component (R50, R51).

    :raises Invalid: it is somebody else.
    """
    if user_id == work.caller.id:
        return
    component, active = directory.known_users(work, [user_id]).get(user_id, (None, False))
    if not active or component != work.caller.component:
        raise Invalid(errors={"user": ["An active colleague of your own component."]})
