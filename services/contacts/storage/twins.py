"""Other records that may be of somebody who asked not to be contacted (T26). The role is `caseworker`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, delete, select, text, update
from sqlalchemy.dialects.postgresql import insert as insert_into

from services.chassis.database import UnitOfWork
from services.chassis.database.rows import all_typed, typed_or_none
from services.contacts.contract.announcements import IndividualFrozenFor
from services.contacts.domain.suppression import ORGANIZATION
from services.contacts.storage.bulk import array, array_of_bytes
from services.contacts.storage.tables.cases import twins

# Text SQL: holders are joined over four tables, and sets of records are changed in one statement.

# Text where tables are joined or ids and digests go as one array.

#: Why a contact point makes no mark and no match by itself, if it does not (T25, T26). What somebody was registered
#: with is the record; what was added to it by whoever records the request, or by a correction nobody verified, is not.
#: A verification says so only if neither who records the request nor who added the value made it.
BECAUSE = """
    CASE WHEN p.created_at <= :since OR EXISTS (SELECT FROM verifications v WHERE v.individual_id = p.individual_id
              AND v.verified_at >= p.created_at AND v.by_user <> p.created_by AND CAST(v.by_user AS text) <> :recorder) THEN NULL
         WHEN EXISTS (SELECT FROM corrections x WHERE x.individual_id = p.individual_id AND x.kind = p.kind AND x.component = p.component
              AND x.reported_by = p.created_by AND x.reported_at = p.created_at) THEN 'correction'
         WHEN CAST(p.created_by AS text) = :recorder AND NOT (p.created_at = i.created_at AND p.created_by = i.created_by) THEN 'recorder'
    END AS because
"""


def points(work: UnitOfWork, individual_id: str, *, recorder: str, since: datetime) -> dict[str, str | None]:
    """Return for the id of each of a person's contact points why it makes no mark by itself, or None if it makes one."""
    rows = work.execute(
        text(
            f"SELECT p.id, {BECAUSE} FROM contact_points p JOIN individuals i ON i.id = p.individual_id"  # noqa: S608 - put together from our own constants
            " WHERE p.individual_id = CAST(:id AS uuid)"
        ),
        {"id": individual_id, "recorder": recorder, "since": since},
    )
    return {str(row.id): row.because for row in rows}


@dataclass(frozen=True, slots=True)
class Holder:
    """Somebody who holds one of a person's values, or works where they do: kind and component of the value, and the reason."""

    individual_id: str
    first_name: str
    last_name: str
    kind: str
    component: str | None = None
    because: str | None = None


def holders(
    work: UnitOfWork, digests: Iterable[bytes], *, besides: str, recorder: str, since: datetime, families: Sequence[str] | None = None
) -> list[Holder]:
    """Return who else holds one of these values.

    :param families: only people of these family names, for work numbers.
    """
    named = " AND i.family_key = ANY(CAST(:families AS text[]))" if families is not None else ""
    rows = work.execute(
        text(
            "SELECT m.individual_id, m.component, m.kind, i.first_name, i.last_name,"  # noqa: S608 - put together from our own constants
            f" {BECAUSE} FROM match_digests m JOIN contact_points p ON p.id = m.contact_point_id"
            " JOIN individuals i ON i.id = m.individual_id AND i.frozen_at IS NULL"
            f" WHERE m.digest = ANY(CAST(:digests AS bytea[])) AND m.individual_id <> CAST(:besides AS uuid){named}"
            " ORDER BY m.individual_id"
        ),
        {
            "digests": array_of_bytes(digests),
            "besides": besides,
            "recorder": recorder,
            "since": since,
            "families": list(families or ()),
        },
    )
    return all_typed(Holder, rows.mappings())


def colleagues(work: UnitOfWork, organizations: Iterable[str], *, besides: str, families: Sequence[str]) -> list[Holder]:
    """Return people of these family names at organizations that have or had this canonical name."""
    rows = work.execute(
        text(
            "SELECT i.id AS individual_id, i.first_name, i.last_name FROM individuals i JOIN organizations o ON o.id = i.organization_id"
            " WHERE i.family_key = ANY(CAST(:families AS text[])) AND o.canonical_name = ANY(CAST(:organizations AS text[]))"
            " AND i.id <> CAST(:besides AS uuid) AND i.frozen_at IS NULL ORDER BY i.id"
        ),
        {"organizations": list(organizations), "besides": besides, "families": list(families)},
    )
    return [Holder(str(row.individual_id), row.first_name, row.last_name, ORGANIZATION) for row in rows]


def insert(work: UnitOfWork, case_id: str, source_id: str, found: Mapping[str, tuple[set[str], set[str]]], *, now: datetime) -> None:
    """Insert who may be the person of a case: id, reason, and which components see it frozen."""
    rows = [
        {
            "case_id": case_id,
            "individual_id": individual_id,
            "source_id": source_id,
            "because": sorted(because),
            "components": sorted(components),
            "found_at": now,
        }
        for individual_id, (because, components) in found.items()
    ]
    if rows:
        work.execute(insert_into(twins).on_conflict_do_nothing(), rows)
    show(work, [individual_id for individual_id, (_, components) in found.items() if components])


def show(work: UnitOfWork, ids: Iterable[str]) -> None:
    """Show each of these records as frozen to the components that undecided twins name, and to no others.

    Version and `updated_at` stay: for everybody else nothing changed.
    """
    wanted = {"ids": array(sorted(set(ids)))}
    work.execute(
        text(
            "UPDATE directory d SET frozen_for = ARRAY(SELECT DISTINCT c FROM twins t, unnest(t.components) AS c"
            " WHERE t.individual_id = d.stakeholder_id AND t.decision IS NULL ORDER BY c) WHERE d.stakeholder_id = ANY(CAST(:ids AS uuid[]))"
        ),
        wanted,
    )
    shown = work.execute(
        text(
            "UPDATE individuals i SET frozen_for_revision = i.frozen_for_revision + 1, frozen_for = ARRAY(SELECT DISTINCT c"
            " FROM twins t, unnest(t.components) AS c WHERE t.individual_id = i.id AND t.decision IS NULL ORDER BY c)"
            " WHERE i.id = ANY(CAST(:ids AS uuid[])) RETURNING i.id, i.frozen_for, i.frozen_for_revision"
        ),
        wanted,
    )
    for row in shown.all():
        work.announce(IndividualFrozenFor(str(row.id), list(row.frozen_for), row.frozen_for_revision))


def free(work: UnitOfWork, case_id: str) -> list[str]:
    """Delete the twins of a withdrawn case; return them. Whom no other case holds is free."""
    freed = list(work.execute(delete(twins).where(twins.c.case_id == case_id).returning(twins.c.individual_id)).scalars())
    show(work, freed)
    return freed


@dataclass(frozen=True, slots=True)
class Twin:
    """A twin of a case, and the privacy officer's decision."""

    case_id: str
    individual_id: str
    decision: str | None


def find(work: UnitOfWork, case_id: str, individual_id: str) -> Twin | None:
    """Return one twin of a case, locked until the end of the transaction."""
    of = twins.c
    found = select(of.case_id, of.individual_id, of.decision).where(_is(case_id, individual_id)).with_for_update()
    return typed_or_none(Twin, work.execute(found).mappings().one_or_none())


def decide(work: UnitOfWork, case_id: str, individual_id: str, *, decision: str, by: str, now: datetime) -> None:
    """Store whether a twin is the same person or another."""
    work.execute(update(twins).where(_is(case_id, individual_id)).values(decision=decision, decided_by=by, decided_at=now))
    show(work, [individual_id])


def _is(case_id: str, individual_id: str) -> ColumnElement[bool]:
    return and_(twins.c.case_id == case_id, twins.c.individual_id == individual_id)


@dataclass(frozen=True, slots=True)
class UndecidedTwin:
    """An undecided twin, with both names as far as they exist."""

    case_id: str
    individual_id: str
    source_id: str | None
    because: Sequence[str]
    components: Sequence[str]
    found_at: datetime
    first_name: str
    last_name: str
    owner_id: str
    owner_component: str
    source_first_name: str | None
    source_last_name: str | None


def undecided(work: UnitOfWork, *, case_id: str | None = None, after: Sequence[str] | None = None, limit: int) -> list[UndecidedTwin]:
    """Return the undecided twins, oldest first.

    :param after: instant, id and case of the twin before.
    """
    at, individual_id, after_case = after or (None, None, None)
    rows = work.execute(
        text(
            "SELECT t.case_id, t.individual_id, t.source_id, t.because, t.components, t.found_at, i.first_name, i.last_name, i.owner_id,"
            " i.owner_component, s.first_name AS source_first_name, s.last_name AS source_last_name"
            " FROM twins t JOIN individuals i ON i.id = t.individual_id"
            " LEFT JOIN individuals s ON s.id = t.source_id WHERE t.decision IS NULL"
            " AND (CAST(:case AS uuid) IS NULL OR t.case_id = CAST(:case AS uuid))"
            " AND (CAST(:at AS timestamptz) IS NULL OR (t.found_at, t.individual_id, t.case_id)"
            " > (CAST(:at AS timestamptz), CAST(:id AS uuid), CAST(:after_case AS uuid)))"
            " ORDER BY t.found_at, t.individual_id, t.case_id LIMIT :limit"
        ),
        {"case": case_id, "limit": limit, "at": at, "id": individual_id, "after_case": after_case},
    )
    return all_typed(UndecidedTwin, rows.mappings())


def count_undecided(work: UnitOfWork, *, case_id: str | None = None) -> int:
    """Count the undecided twins."""
    statement = text(
        "SELECT count(*) FROM twins t JOIN individuals i ON i.id = t.individual_id"
        " WHERE t.decision IS NULL AND (CAST(:case AS uuid) IS NULL OR t.case_id = CAST(:case AS uuid))"
    )
    return int(work.execute(statement, {"case": case_id}).scalar_one())
