"""The directory that every acknowledged user sees: offices and employees."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from services.access.contract import ComponentUnknown, NotYourUsers, UserUnknown
from services.access.storage import directory
from services.access.usecases.sessions import describe_user
from services.chassis.messages import Caller

if TYPE_CHECKING:
    from services.chassis.database import UnitOfWork

PAGE = 200


def list_components(work: UnitOfWork) -> dict[str, Any]:
    """Return the offices of R139 as a flat list that makes a tree by `parent_id`."""
    rows = directory.read_components(work)
    items = [{"id": row.code, "code": row.code, "name": row.name, "parent_id": row.parent_code, "active": row.active} for row in rows]
    work.record("access:component:list", fields=["code", "name", "parent_id", "active"])
    return {"items": items, "next": None, "total": len(items)}


def read_component(work: UnitOfWork, *, code: str) -> dict[str, Any]:
    """Return one office.

    :raises ComponentUnknown: there is none of that code.
    """
    row = directory.find_component(work, code)
    if row is None:
        raise ComponentUnknown(errors={"code": ["There is no such office."]})
    work.record("access:component:read", subjects=[code])
    return {"id": row.code, "code": row.code, "name": row.name, "parent_id": row.parent_code, "active": row.active}


def list_users(
    work: UnitOfWork,
    *,
    ids: Collection[str] | None = None,
    component: str | None = None,
    words: str | None = None,
    after: str | None = None,
) -> dict[str, Any]:
    """Return employees by user name, at most 200; `next` is the name to go on after, or None."""
    found = directory.list_users(work, ids=ids, component=component, words=words, after=after, limit=PAGE + 1)
    page = found[:PAGE]
    work.record("access:user:list", subjects=[user.id for user in page], fields=["username", "name", "component"])
    return {
        "items": [describe_user(user) for user in page],
        "next": page[-1].username if len(found) > PAGE else None,
        "total": len(page) if after is None and len(found) <= PAGE else None,
    }


def read_user(work: UnitOfWork, *, user_id: str) -> dict[str, Any]:
    """Return one employee.

    :raises UserUnknown: there is none of that id.
    """
    user = directory.find_user(work, user_id)
    if user is None:
        raise UserUnknown
    work.record("access:user:read", subjects=[user.id], fields=["username", "name", "component", "level", "roles"])
    return describe_user(user)


def integration_owner(work: UnitOfWork, *, by: Caller, account: str, username: str) -> dict[str, Any]:
    """Return the employee that a component's system names as owner (T13).

    Owner of what it sends in is an active contributor or steward of the account's own component, and nobody else.

    :return: `{"component", "user": {...}}`.
    :raises NotYourUsers: the caller is no service.
    :raises UserUnknown: no active account of that name, or no such contributor there: one answer for all.
    """
    if by.kind != "service":
        raise NotYourUsers
    component = directory.component_of_account(work, account)
    user = directory.find_user_by_name(work, username.casefold())
    if (
        component is None
        or user is None
        or user.component != component
        or user.level not in {"contributor", "steward"}
        or not (user.active and user.told_active)
    ):
        raise UserUnknown
    work.record("access:integration:owner", subjects=[user.id])
    return {"component": component, "user": describe_user(user)}
