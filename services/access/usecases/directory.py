"""The directory that every acknowledged user sees: offices and employees."""

from __future__ import annotations

from typing import TYPE_CHECKING

from services.access.contract import ComponentUnknown, NotYourUsers, UserUnknown
from services.access.contract.answers import ComponentAnswer, IntegrationOwner, UserAnswer
from services.access.contract.schemas import ListUsers
from services.access.domain.components import Component
from services.access.storage import directory
from services.access.usecases.authorization import may_own
from services.access.usecases.sessions import describe_user
from services.chassis.answers import Page, total_up_to
from services.chassis.cursors import Cursors
from services.chassis.messages import Caller

if TYPE_CHECKING:
    from services.chassis.database import UnitOfWork

_COUNTED = 10_000


def list_components(work: UnitOfWork) -> Page[ComponentAnswer]:
    """Return the offices of R139 as a flat list that makes a tree by `parent_id`."""
    items = [describe_component(component) for component in directory.read_components(work)]
    work.record("access:component:list", fields=["code", "name", "parent_id", "active"])
    return {"items": items, "next": None, "total": len(items)}


def read_component(work: UnitOfWork, *, code: str) -> ComponentAnswer:
    """Return an office.

    :raises ComponentUnknown: there is no office of that code.
    """
    component = directory.find_component(work, code)
    if component is None:
        raise ComponentUnknown(errors={"code": ["There is no such office."]})
    work.record("access:component:read", subjects=[code])
    return describe_component(component)


def describe_component(component: Component) -> ComponentAnswer:
    """Return an office as every acknowledged user sees it."""
    return {
        "id": component.code,
        "code": component.code,
        "name": component.name,
        "parent_id": component.parent_code,
        "active": component.active,
    }


def list_users(
    work: UnitOfWork,
    *,
    by: Caller,
    cursors: Cursors,
    query: ListUsers,
) -> Page[UserAnswer]:
    """Return a page of employees by user name, or all employees of the given ids.

    :raises CursorInvalid: the cursor is another user's, or another query's.
    """
    bound = {"ids": None if query.ids is None else sorted(query.ids), "component": query.component, "q": query.q}
    after = cursors.open(query.cursor, of="users", user_id=by.id, query=bound)
    size = query.limit if query.ids is None else max(query.limit, len(query.ids))
    found = directory.list_users(work, ids=query.ids, component=query.component, words=query.q, after=after, limit=size + 1)
    page = found[:size]
    following = None
    if len(found) > size:
        following = cursors.seal(page[-1].username, of="users", user_id=by.id, query=bound)
    counted = directory.count_users(work, ids=query.ids, component=query.component, words=query.q, most=_COUNTED + 1)
    work.record("access:user:list", subjects=[user.id for user in page], fields=["username", "name", "component"])
    return {
        "items": [describe_user(user) for user in page],
        "next": following,
        "total": total_up_to(counted, _COUNTED),
    }


def read_user(work: UnitOfWork, *, user_id: str) -> UserAnswer:
    """Return an employee.

    :raises UserUnknown: there is no user of that id.
    """
    user = directory.find_user(work, user_id)
    if user is None:
        raise UserUnknown
    work.record("access:user:read", subjects=[user.id], fields=["username", "name", "component", "level", "roles"])
    return describe_user(user)


def integration_owner(work: UnitOfWork, *, by: Caller, account: str, username: str) -> IntegrationOwner:
    """Return the employee whom a component's system names as owner (T13), who must be active there and may own records.

    :raises NotYourUsers: the caller is no service.
    :raises UserUnknown: there is no such active account, or no such owner at its component.
    """
    if by.kind != "service":
        raise NotYourUsers
    component = directory.component_of_account(work, account)
    user = directory.find_user_by_name(work, username.casefold())
    if component is None or user is None or user.component != component or not may_own(user) or not (user.active and user.told_active):
        raise UserUnknown
    work.record("access:integration:owner", subjects=[user.id])
    return {"component": component, "user": describe_user(user)}
