"""Statements over components, users and what their access depends on."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Row, Select, and_, delete, func, insert, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from services.access.domain.components import Component
from services.access.domain.users import Grounds, Term, User
from services.access.storage.tables import (
    approvals,
    components,
    credentials,
    integration_accounts,
    licenses,
    rules_of_behavior,
    trainings,
    user_roles,
    users,
)

if TYPE_CHECKING:
    from services.chassis.database import UnitOfWork


_components = select(components.c.code, components.c.name, components.c.parent_code, components.c.active)


def read_components(work: UnitOfWork) -> list[Component]:
    """Return every office, in the order of the PIA."""
    return [_component(row) for row in work.execute(_components.order_by(components.c.position, components.c.code))]


def _component(row: Row[Any]) -> Component:
    return Component(row.code, row.name, row.parent_code, row.active)


def component_is_open(work: UnitOfWork, code: str) -> bool:
    """Return whether there is such an office, and it is active."""
    return work.execute(select(components.c.active).where(components.c.code == code)).scalar_one_or_none() is True


def find_component(work: UnitOfWork, code: str) -> Component | None:
    """Return one office, or None."""
    row = work.execute(_components.where(components.c.code == code)).one_or_none()
    return _component(row) if row else None


def has_offices_below(work: UnitOfWork, code: str) -> bool:
    """Return whether an office has offices below it."""
    return work.execute(select(components.c.code).where(components.c.parent_code == code).limit(1)).first() is not None


def put_component(work: UnitOfWork, component: Component) -> int:
    """Insert an office at the end of the list, or change one; return its revision."""
    position = select(func.coalesce(func.max(components.c.position), -1) + 1).scalar_subquery()
    values = {"name": component.name, "parent_code": component.parent_code, "active": component.active}
    statement = upsert(components).values(code=component.code, position=position, revision=1, **values)
    changed = statement.on_conflict_do_update(index_elements=["code"], set_={**values, "revision": components.c.revision + 1})
    return int(work.execute(changed.returning(components.c.revision)).scalar_one())


def _users() -> Select[Any]:
    roles = select(func.array_agg(user_roles.c.role)).where(user_roles.c.user_id == users.c.id).scalar_subquery()
    return select(
        users.c.id,
        users.c.username,
        users.c.external_id,
        users.c.name,
        users.c.component,
        users.c.level,
        users.c.active,
        users.c.contractor,
        users.c.told_active,
        users.c.time_zone,
        roles.label("roles"),
    )


def _user(row: Row[Any]) -> User:
    return User(
        id=row.id,
        username=row.username,
        name=row.name,
        component=row.component,
        level=row.level,
        roles=frozenset(row.roles or ()),
        active=row.active,
        contractor=row.contractor,
        external_id=row.external_id,
        told_active=row.told_active,
        time_zone=row.time_zone,
    )


def _locked(query: Select[Any]) -> Select[Any]:
    # Not FOR UPDATE: that would wait for a transaction that inserts a row with a reference to the user. An
    # acknowledgement does so while it holds the lock on its session, for which this transaction may wait in turn.
    return query.with_for_update(of=users, key_share=True)


def find_user(work: UnitOfWork, user_id: str, *, lock: bool = False) -> User | None:
    """Return one user, or None."""
    query = _users().where(users.c.id == user_id)
    row = work.execute(_locked(query) if lock else query).one_or_none()
    return _user(row) if row else None


def find_user_by_name(work: UnitOfWork, username: str, *, lock: bool = False) -> User | None:
    """Return the user who signs in under that name, or None."""
    query = _users().where(users.c.username == username)
    row = work.execute(_locked(query) if lock else query).one_or_none()
    return _user(row) if row else None


def find_credential(work: UnitOfWork, username: str) -> tuple[str, str] | None:
    """Return (user id, stored password), or None for a name without a password, with one statement in both cases."""
    row = work.execute(
        select(users.c.id, credentials.c.password_hash).join(credentials, credentials.c.user_id == users.c.id).where(users.c.username == username)
    ).one_or_none()
    return (row.id, row.password_hash) if row else None


def list_users(
    work: UnitOfWork,
    *,
    ids: Collection[str] | None = None,
    component: str | None = None,
    words: str | None = None,
    after: str | None = None,
    limit: int = 200,
) -> list[User]:
    """Return users by user name, from `after` on."""
    query = _users().where(*_asked(ids, component, words))
    if after is not None:
        query = query.where(users.c.username > after)
    return [_user(row) for row in work.execute(query.order_by(users.c.username).limit(limit))]


def count_users(work: UnitOfWork, *, ids: Collection[str] | None, component: str | None, words: str | None, most: int) -> int:
    """Count users, up to `most`."""
    some = select(users.c.id).where(*_asked(ids, component, words)).limit(most).subquery()
    return int(work.execute(select(func.count()).select_from(some)).scalar_one())


def _asked(ids: Collection[str] | None, component: str | None, words: str | None) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if ids is not None:
        conditions.append(users.c.id.in_(list(ids)))
    if component is not None:
        conditions.append(users.c.component == component)
    for word in (words or "").split():
        pattern = word.casefold().replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_") + "%"
        conditions.append(
            or_(
                users.c.username.like(pattern),
                func.lower(users.c.name).like(pattern),
                func.lower(users.c.name).like("% " + pattern),
            )
        )
    return conditions


def insert_user(work: UnitOfWork, user: User, *, justification: str | None, by: str, at: datetime) -> bool:
    """Insert a user with their roles; return False if the name is taken."""
    entered = work.execute(
        upsert(users)
        .values(
            id=user.id,
            username=user.username,
            external_id=user.external_id,
            name=user.name,
            component=user.component,
            level=user.level,
            active=user.active,
            contractor=user.contractor,
            justification=justification,
            told_active=False,
            revision=0,
            created_at=at,
            created_by=by,
        )
        .on_conflict_do_nothing()
        .returning(users.c.id)
    )
    if entered.first() is None:
        return False
    set_roles(work, user.id, user.roles)
    return True


def update_user(work: UnitOfWork, user: User) -> None:
    """Update what is changed of a user: name, office, level, state and time zone."""
    work.execute(
        update(users)
        .where(users.c.id == user.id)
        .values(name=user.name, component=user.component, level=user.level, active=user.active, time_zone=user.time_zone)
    )


def tell(work: UnitOfWork, user_id: str, *, active: bool) -> int:
    """Store whether access is announced as in effect; return the revision of the announcement."""
    statement = update(users).where(users.c.id == user_id).values(told_active=active, revision=users.c.revision + 1).returning(users.c.revision)
    return int(work.execute(statement).scalar_one())


def set_roles(work: UnitOfWork, user_id: str, roles: Iterable[str]) -> None:
    """Replace the roles of a user."""
    held = sorted(set(roles))
    work.execute(delete(user_roles).where(and_(user_roles.c.user_id == user_id, user_roles.c.role.not_in(held))))
    if held:
        work.execute(upsert(user_roles).on_conflict_do_nothing(), [{"user_id": user_id, "role": role} for role in held])


def set_password(work: UnitOfWork, user_id: str, password_hash: str, *, at: datetime) -> None:
    """Store a password of the built-in directory."""
    statement = upsert(credentials).values(user_id=user_id, password_hash=password_hash, changed_at=at)
    work.execute(statement.on_conflict_do_update(index_elements=["user_id"], set_={"password_hash": password_hash, "changed_at": at}))


def set_license(work: UnitOfWork, user_id: str, term: Term, *, by: str) -> None:
    """Designate a license for a user."""
    values = {"since": term.since, "until": term.until, "designated_by": by}
    work.execute(upsert(licenses).values(user_id=user_id, **values).on_conflict_do_update(index_elements=["user_id"], set_=values))


def insert_approval(work: UnitOfWork, approval_id: str, user: User, *, by: str, at: datetime) -> None:
    """Insert the approval of a user by their office, unless there is one."""
    work.execute(
        upsert(approvals).values(id=approval_id, user_id=user.id, component=user.component, approved_by=by, approved_at=at).on_conflict_do_nothing()
    )


def withdraw_approval(work: UnitOfWork, user: User, *, by: str, at: datetime) -> int:
    """Withdraw the approval of the user's present office; return how many there were."""
    standing = and_(approvals.c.user_id == user.id, approvals.c.component == user.component, approvals.c.withdrawn_at.is_(None))
    return work.execute(update(approvals).where(standing).values(withdrawn_by=by, withdrawn_at=at)).rowcount


def withdraw_all_approvals(work: UnitOfWork, user_id: str, *, by: str, at: datetime) -> None:
    """Withdraw every approval of a user who moves or gets other rights."""
    standing = and_(approvals.c.user_id == user_id, approvals.c.withdrawn_at.is_(None))
    work.execute(update(approvals).where(standing).values(withdrawn_by=by, withdrawn_at=at))


def insert_training(work: UnitOfWork, training_id: str, user_id: str, kind: str, term: Term, *, by: str, at: datetime) -> None:
    """Insert a training."""
    work.execute(
        insert(trainings).values(
            id=training_id,
            user_id=user_id,
            kind=kind,
            completed_on=term.since,
            expires_on=term.until,
            recorded_by=by,
            recorded_at=at,
        )
    )


def insert_rules_of_behavior(work: UnitOfWork, record_id: str, user_id: str, version: str, *, accepted_on: date, expires_on: date, by: str) -> None:
    """Insert the acceptance of the rules of behavior."""
    work.execute(
        insert(rules_of_behavior).values(
            id=record_id,
            user_id=user_id,
            version=version,
            accepted_on=accepted_on,
            expires_on=expires_on,
            recorded_by=by,
        )
    )


def read_grounds(work: UnitOfWork, user_ids: Collection[str]) -> dict[str, Grounds]:
    """Return what the access of each user is based on."""
    wanted = list(user_ids)
    license_of = {row.user_id: Term(row.since, row.until) for row in work.execute(select(licenses).where(licenses.c.user_id.in_(wanted)))}
    approved: dict[str, set[str]] = {}
    for row in work.execute(
        select(approvals.c.user_id, approvals.c.component).where(approvals.c.user_id.in_(wanted), approvals.c.withdrawn_at.is_(None))
    ):
        approved.setdefault(row.user_id, set()).add(row.component)
    attended: dict[str, list[tuple[str, Term]]] = {}
    for row in work.execute(select(trainings).where(trainings.c.user_id.in_(wanted))):
        attended.setdefault(row.user_id, []).append((row.kind, Term(row.completed_on, row.expires_on)))
    rules = {
        row.user_id: Term(row.accepted_on, row.expires_on)
        for row in work.execute(select(rules_of_behavior).where(rules_of_behavior.c.user_id.in_(wanted)).order_by(rules_of_behavior.c.expires_on))
    }
    return {
        user_id: Grounds(
            license=license_of.get(user_id),
            approved_for=frozenset(approved.get(user_id, ())),
            trainings=tuple(attended.get(user_id, ())),
            rules_of_behavior=rules.get(user_id),
        )
        for user_id in wanted
    }


def component_of_account(work: UnitOfWork, account: str) -> str | None:
    """Return the component of an active integration account, or None."""
    return work.execute(
        select(integration_accounts.c.component).where(integration_accounts.c.account == account, integration_accounts.c.active)
    ).scalar_one_or_none()


def insert_integration_account(work: UnitOfWork, account: str, component: str, description: str, *, at: datetime) -> bool:
    """Insert the account of a component's own system; return False if it exists."""
    entered = work.execute(
        upsert(integration_accounts)
        .values(account=account, component=component, description=description, active=True, created_at=at)
        .on_conflict_do_nothing()
        .returning(integration_accounts.c.account)
    )
    return entered.first() is not None
