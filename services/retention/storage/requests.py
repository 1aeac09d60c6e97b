"""Read and write requests for no more contact, holds, and the projections of users and individuals."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import ARRAY, and_, any_, delete, func, literal, or_, select, text, true, tuple_, update
from sqlalchemy.dialects.postgresql import insert as upsert

from services.chassis.database import Lock
from services.chassis.database.rows import all_typed, typed_or_none
from services.retention.domain.records import Hold, Recording, Request, Scope
from services.retention.storage.tables import erasures, holds, individuals, no_contact_requests, recordings, tombstones, users

if TYPE_CHECKING:
    from services.chassis.database import UnitOfWork

# Text SQL: announcements come by the thousand: a set goes in one statement.


def upsert_user_projection(
    work: UnitOfWork, user_id: str, *, component: str | None, level: str | None, roles: list[str], active: bool, revision: int
) -> None:
    """Store what access announced of a user, unless a later revision is stored."""
    known = {"component": component, "level": level, "roles": roles, "active": active, "revision": revision}
    statement = upsert(users).values(id=user_id, **known)
    work.execute(statement.on_conflict_do_update(index_elements=["id"], set_=known, where=users.c.revision <= revision))


def one_at_a_time(work: UnitOfWork, individual_id: str) -> None:
    """Lock an individual until the end of the transaction.

    Announcements about one person are handled concurrently. Without the lock, a new request and a new owner would not see
    each other's rows, and the request would have no owner.
    """
    work.hold(Lock(0, individual_id))


def upsert_individual_projection(
    work: UnitOfWork, individual_id: str, *, owner_id: str, component: str, deputy_id: str | None = None, revision: int = 0, first: bool = False
) -> None:
    """Store the owner of an individual, unless they are erased or being erased.

    :param revision: the highest revision wins, in any order of arrival.
    :param first: this is the owner at registration, which replaces nothing.
    """
    one_at_a_time(work, individual_id)
    if gone(work, [individual_id]):
        return
    values = {"owner_id": owner_id, "component": component, "deputy_id": deputy_id, "revision": revision}
    statement = upsert(individuals).values(id=individual_id, **values)
    if first:
        statement = statement.on_conflict_do_nothing()
    else:
        statement = statement.on_conflict_do_update(index_elements=["id"], set_=values, where=individuals.c.revision <= revision)
    if work.execute(statement.returning(individuals.c.id)).first() is None:
        return
    work.execute(
        update(no_contact_requests).where(no_contact_requests.c.individual_id == individual_id).values(owner_id=owner_id, owner_component=component)
    )


def gone(work: UnitOfWork, individual_ids: Sequence[str]) -> set[str]:
    """Return those of the individuals who are erased or being erased."""
    going = select(erasures.c.subject_id).where(erasures.c.subject_id.in_(individual_ids), erasures.c.step != "seal")
    return set(work.execute(going.union(select(tombstones.c.id).where(tombstones.c.id.in_(individual_ids)))).scalars())


#: Individuals who have a request, an erasure or a tombstone. The ids go as one text: five hundred parameters would cost
#: more than the statement itself.
_CAREFUL = text(
    "SELECT individual_id FROM no_contact_requests WHERE individual_id = ANY(CAST(:ids AS uuid[]))"
    " UNION SELECT subject_id FROM erasures WHERE subject_id = ANY(CAST(:ids AS uuid[]))"
    " UNION SELECT id FROM tombstones WHERE id = ANY(CAST(:ids AS uuid[]))"
)
_KNOW_INDIVIDUALS = text(
    "INSERT INTO individuals (id, owner_id, component) SELECT id, owner_id, component"
    " FROM json_to_recordset(CAST(:individuals AS json)) AS t (id uuid, owner_id uuid, component text) ON CONFLICT DO NOTHING"
)


def upsert_individual_projections(work: UnitOfWork, told: Iterable[tuple[str, str, str]]) -> None:
    """Store the owners of new individuals, given as (id, owner's id, component), unless they are known already.

    Individuals who have a request or an erasure are stored one by one, because the order of events matters for them.
    """
    owners = {individual_id: (owner_id, component) for individual_id, owner_id, component in told}
    ids = {"ids": f"{{{','.join(owners)}}}"}
    work.hold(*(Lock(0, individual_id) for individual_id in owners))
    for individual_id in sorted(map(str, work.execute(_CAREFUL, ids).scalars())):
        owner_id, component = owners.pop(individual_id)
        upsert_individual_projection(work, individual_id, owner_id=owner_id, component=component, first=True)
    rows = [{"id": individual_id, "owner_id": owner_id, "component": component} for individual_id, (owner_id, component) in owners.items()]
    work.execute(_KNOW_INDIVIDUALS, {"individuals": orjson.dumps(rows).decode()})


def forget_individual(work: UnitOfWork, individual_id: str) -> int:
    """Delete the projection of an individual; return the number of rows."""
    return work.execute(delete(individuals).where(individuals.c.id == individual_id)).rowcount


def forget_proposals(work: UnitOfWork, individual_id: str) -> int:
    """Clear the reasons of proposals to withdraw requests about an individual; return their number."""
    theirs = and_(no_contact_requests.c.individual_id == individual_id, no_contact_requests.c.proposal_reason.is_not(None))
    return work.execute(update(no_contact_requests).where(theirs).values(proposal_reason=None)).rowcount


def insert_tombstone(work: UnitOfWork, individual_id: str) -> None:
    """Delete the projection of an individual for good: a tombstone keeps late messages from storing it again."""
    one_at_a_time(work, individual_id)
    work.execute(upsert(tombstones).values(id=individual_id).on_conflict_do_nothing())
    forget_individual(work, individual_id)


_BURY_ALL = text("INSERT INTO tombstones (id) SELECT unnest(CAST(:ids AS uuid[])) ON CONFLICT DO NOTHING")


def insert_tombstones(work: UnitOfWork, individual_ids: Iterable[str]) -> None:
    """Delete the projections of these individuals for good, as `insert_tombstone` does for one."""
    ids = list(individual_ids)
    work.hold(*(Lock(0, individual_id) for individual_id in ids))
    work.execute(_BURY_ALL, {"ids": f"{{{','.join(ids)}}}"})
    work.execute(delete(individuals).where(individuals.c.id == any_(literal(ids, ARRAY(individuals.c.id.type)))))


def held(work: UnitOfWork, subject_ids: Iterable[str], *, today: date) -> list[str]:
    """Return the subjects that have an active hold."""
    asked = holds.c.subject_id == any_(literal(list(subject_ids), ARRAY(holds.c.subject_id.type)))
    return list(work.execute(select(holds.c.subject_id).where(asked, standing_hold(today)).distinct().order_by(holds.c.subject_id)).scalars())


def owner_of(work: UnitOfWork, individual_id: str) -> tuple[str | None, str | None]:
    """Return the owner and component of an individual, or Nones."""
    row = work.execute(select(individuals).where(individuals.c.id == individual_id)).one_or_none()
    return (row.owner_id, row.component) if row else (None, None)


def is_active(work: UnitOfWork, user_id: str | None) -> bool:
    """Return whether a user is active. An unknown user counts as active, because the duty passes on known facts only."""
    if user_id is None:
        return False
    row = work.execute(select(users.c.active).where(users.c.id == user_id)).one_or_none()
    return row is None or bool(row.active)


def has_administrator(work: UnitOfWork, component: str | None) -> bool:
    """Return whether an office has an active administrator."""
    query = select(users.c.id).where(users.c.component == component, users.c.active, users.c.roles.contains(["office_administrator"]))
    return component is not None and work.execute(query.limit(1)).first() is not None


def insert_request(work: UnitOfWork, **values: str | date | datetime | None) -> bool:
    """Insert a request; return False if it or another one about the individual exists."""
    entered = work.execute(upsert(no_contact_requests).values(**values).on_conflict_do_nothing().returning(no_contact_requests.c.id))
    return entered.first() is not None


def find_request(work: UnitOfWork, request_id: str, *, lock: bool = False) -> Request | None:
    """Return a request by its id, or None."""
    return _one(work, no_contact_requests.c.id == request_id, lock=lock)


def find_request_about(work: UnitOfWork, individual_id: str) -> Request | None:
    """Return the request about an individual that was not withdrawn, or None."""
    return _one(work, and_(no_contact_requests.c.individual_id == individual_id, no_contact_requests.c.withdrawn_at.is_(None)))


def _one(work: UnitOfWork, condition: Any, *, lock: bool = False) -> Request | None:
    query = _with_completion().where(condition)
    row = work.execute(query.with_for_update(of=no_contact_requests) if lock else query).mappings().one_or_none()
    return typed_or_none(Request, row)


def _with_completion() -> Any:
    return (
        select(no_contact_requests, erasures.c.completed_at, individuals.c.deputy_id)
        .join(erasures, erasures.c.id == no_contact_requests.c.erasure_id, isouter=True)
        .join(individuals, individuals.c.id == no_contact_requests.c.individual_id, isouter=True)
    )


def list_requests(work: UnitOfWork, scope: Scope, *, state: str | None, after: tuple[datetime, str] | None, limit: int) -> list[Request]:
    """Return the requests in the scope, the newest first."""
    table = no_contact_requests.c
    query = _with_completion().where(_in_scope(scope), _in_state(state))
    if after is not None:
        query = query.where(tuple_(table.recorded_at, table.id) < after)
    query = query.order_by(table.recorded_at.desc(), table.id.desc()).limit(limit)
    return all_typed(Request, work.execute(query).mappings())


def _in_state(state: str | None) -> Any:
    return {
        None: true(),
        "open": and_(no_contact_requests.c.erasure_id.is_(None), no_contact_requests.c.withdrawn_at.is_(None)),
        "withdrawn": no_contact_requests.c.withdrawn_at.is_not(None),
        "erasing": and_(no_contact_requests.c.erasure_id.is_not(None), erasures.c.completed_at.is_(None)),
        "done": erasures.c.completed_at.is_not(None),
    }[state]


def open_requests(work: UnitOfWork, scope: Scope) -> list[Request]:
    """Return all requests in the scope whose erasure has not begun."""
    table = no_contact_requests.c
    query = _with_completion().where(table.erasure_id.is_(None), table.withdrawn_at.is_(None), _in_scope(scope))
    return all_typed(Request, work.execute(query.order_by(table.recorded_at, table.id)).mappings())


def _in_scope(scope: Scope) -> Any:
    table = no_contact_requests.c
    if scope.everything:
        return true()
    # Compared as text, because the id of an operator or a service is not a UUID.
    ways = [
        func.cast(table.owner_id, table.recorded_by.type) == scope.user_id,
        func.cast(individuals.c.deputy_id, table.recorded_by.type) == scope.user_id,
    ]
    if scope.recorded:
        ways.append(table.recorded_by == scope.user_id)
    if scope.office is not None:
        ways.append(table.owner_component == scope.office)
    return or_(*ways)


def count_requests(work: UnitOfWork, scope: Scope, *, state: str | None, most: int) -> int:
    """Count the requests in a state and in the scope, up to `most`."""
    some = _with_completion().where(_in_scope(scope), _in_state(state)).with_only_columns(no_contact_requests.c.id).limit(most).subquery()
    return int(work.execute(select(func.count()).select_from(some)).scalar_one())


def begin_erasing(work: UnitOfWork, request_id: str, erasure_id: str) -> None:
    """Store which erasure answers a request."""
    work.execute(update(no_contact_requests).where(no_contact_requests.c.id == request_id).values(erasure_id=erasure_id))


def note_recording(work: UnitOfWork, recording: Recording) -> None:
    """Store that a user recorded a request, unless it is stored."""
    work.execute(upsert(recordings).values(**asdict(recording)).on_conflict_do_nothing())


def recordings_of(work: UnitOfWork, request_id: str) -> list[Recording]:
    """Return the recordings of a request that were not withdrawn, the oldest first."""
    query = select(recordings).where(recordings.c.request_id == request_id, recordings.c.withdrawn_at.is_(None))
    return all_typed(Recording, work.execute(query.order_by(recordings.c.recorded_at, recordings.c.recorded_by)).mappings())


def withdraw_recording(work: UnitOfWork, request_id: str, recorded_by: str, *, at: datetime) -> None:
    """Withdraw a user's recording."""
    mine = and_(recordings.c.request_id == request_id, recordings.c.recorded_by == recorded_by)
    work.execute(update(recordings).where(mine).values(withdrawn_at=at))


def change_request(work: UnitOfWork, request_id: str, **values: str | date | datetime | None) -> None:
    """Update these columns of a request."""
    work.execute(update(no_contact_requests).where(no_contact_requests.c.id == request_id).values(**values))


def twins_of(work: UnitOfWork, request_id: str) -> list[Request]:
    """Return the open requests about other records of the same person (T26)."""
    table = no_contact_requests.c
    query = _with_completion().where(table.twin_of == request_id, table.erasure_id.is_(None), table.withdrawn_at.is_(None))
    return all_typed(Request, work.execute(query.order_by(table.id)).mappings())


def unreleased(work: UnitOfWork, *, limit: int = 50) -> list[Request]:
    """Return withdrawn requests whose individuals contacts has not unfrozen yet."""
    table = no_contact_requests.c
    query = _with_completion().where(table.withdrawn_at.is_not(None), table.released_at.is_(None))
    return all_typed(Request, work.execute(query.order_by(table.withdrawn_at).limit(limit)).mappings())


def proposed(work: UnitOfWork) -> list[Request]:
    """Return the open requests with a proposal to withdraw them, the oldest proposal first."""
    table = no_contact_requests.c
    query = _with_completion().where(table.proposed_at.is_not(None), table.erasure_id.is_(None), table.withdrawn_at.is_(None))
    return all_typed(Request, work.execute(query.order_by(table.proposed_at)).mappings())


def standing_hold(today: date) -> Any:
    """Return the condition that a hold is active on a day."""
    return and_(holds.c.lifted_at.is_(None), or_(holds.c.until.is_(None), holds.c.until >= today))


def insert_hold(work: UnitOfWork, hold: Hold) -> None:
    """Insert a hold."""
    work.execute(upsert(holds).values(**asdict(hold)))


def lift_hold(work: UnitOfWork, hold_id: str, *, by: str, at: datetime) -> bool:
    """Lift a hold; return False if there is no active hold of that id."""
    standing = and_(holds.c.id == hold_id, holds.c.lifted_at.is_(None))
    return work.execute(update(holds).where(standing).values(lifted_by=by, lifted_at=at)).rowcount == 1


def list_holds(work: UnitOfWork, *, today: date) -> list[Hold]:
    """Return the active holds."""
    query = select(holds).where(standing_hold(today)).order_by(holds.c.placed_at)
    return all_typed(Hold, work.execute(query).mappings())
