"""Other records that may be of somebody who asked not to be contacted (T26); all of it as the caseworker."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import text

from services.chassis.database import UnitOfWork
from services.chassis.database.rows import plain, plains
from services.contacts.contract.announcements import IndividualFrozenFor
from services.contacts.storage.bulk import array, array_of_bytes

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
    """Return, by the id of each of a person's contact points, why it makes no mark by itself; None where it does."""
    rows = work.execute(
        text(
            f"SELECT p.id, {BECAUSE} FROM contact_points p JOIN individuals i ON i.id = p.individual_id"  # noqa: S608 - put together from our own constants
            " WHERE p.individual_id = CAST(:id AS uuid)"
        ),
        {"id": individual_id, "recorder": recorder, "since": since},
    )
    return {str(row.id): row.because for row in rows}


def holders(
    work: UnitOfWork, digests: Iterable[bytes], *, besides: str, recorder: str, since: datetime, families: Sequence[str] | None = None
) -> list[dict[str, Any]]:
    """Return who else holds one of these values: `individual_id`, name, `component`, `kind`, and `because` as above.

    :param families: only those of one of these family names: of work's numbers.
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
    return plains(rows.mappings())


def colleagues(work: UnitOfWork, organizations: Iterable[str], *, besides: str, families: Sequence[str]) -> list[dict[str, Any]]:
    """Return people of these family names at organizations that are, or were, called so (canonically)."""
    rows = work.execute(
        text(
            "SELECT i.id AS individual_id, i.first_name, i.last_name FROM individuals i JOIN organizations o ON o.id = i.organization_id"
            " WHERE i.family_key = ANY(CAST(:families AS text[])) AND o.canonical_name = ANY(CAST(:organizations AS text[]))"
            " AND i.id <> CAST(:besides AS uuid) AND i.frozen_at IS NULL ORDER BY i.id"
        ),
        {"organizations": list(organizations), "besides": besides, "families": list(families)},
    )
    return plains(rows.mappings())


def insert(work: UnitOfWork, case_id: str, source_id: str, found: Mapping[str, tuple[set[str], set[str]]], *, now: datetime) -> None:
    """Keep who may be the person of a case: by id, why, and which components see it frozen."""
    rows = [
        {"case": case_id, "id": individual_id, "source": source_id, "because": sorted(because), "components": sorted(components), "now": now}
        for individual_id, (because, components) in found.items()
    ]
    if rows:
        work.execute(
            text(
                "INSERT INTO twins (case_id, individual_id, source_id, because, components, found_at) VALUES (CAST(:case AS uuid),"
                " CAST(:id AS uuid), CAST(:source AS uuid), CAST(:because AS text[]), CAST(:components AS text[]), :now) ON CONFLICT DO NOTHING"
            ),
            rows,
        )
    show(work, [individual_id for individual_id, (_, components) in found.items() if components])


def show(work: UnitOfWork, ids: Iterable[str]) -> None:
    """Let each of these records be seen frozen by the components that undecided twins name, and by no others.

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
    """Forget the twins of a case that was taken back; whom no other case holds is free. Return who they were."""
    rows = work.execute(text("DELETE FROM twins WHERE case_id = CAST(:case AS uuid) RETURNING individual_id"), {"case": case_id})
    freed = [str(row.individual_id) for row in rows]
    show(work, freed)
    return freed


def find(work: UnitOfWork, case_id: str, individual_id: str) -> dict[str, Any] | None:
    """Return one twin of a case, held until the end of the transaction."""
    row = (
        work.execute(
            text("SELECT * FROM twins WHERE case_id = CAST(:case AS uuid) AND individual_id = CAST(:id AS uuid) FOR UPDATE"),
            {"case": case_id, "id": individual_id},
        )
        .mappings()
        .one_or_none()
    )
    return plain(row) if row else None


def decide(work: UnitOfWork, case_id: str, individual_id: str, *, decision: str, by: str, now: datetime) -> None:
    """Say whether a twin is the same person, or another."""
    work.execute(
        text(
            "UPDATE twins SET decision = :decision, decided_by = CAST(:by AS uuid), decided_at = :now"
            " WHERE case_id = CAST(:case AS uuid) AND individual_id = CAST(:id AS uuid)"
        ),
        {"case": case_id, "id": individual_id, "decision": decision, "by": by, "now": now},
    )
    show(work, [individual_id])


def undecided(work: UnitOfWork, *, case_id: str | None = None, after: Mapping[str, Any] | None = None, limit: int | None) -> list[dict[str, Any]]:
    """Return the twins that wait for the privacy officer, with both names as far as they are there, the oldest first.

    :param after: `at`, `id` and `case` of the last one before.
    """
    rows = work.execute(
        text(
            "SELECT t.*, i.first_name, i.last_name, i.owner_id, i.owner_component, s.first_name AS source_first_name,"
            " s.last_name AS source_last_name FROM twins t JOIN individuals i ON i.id = t.individual_id"
            " LEFT JOIN individuals s ON s.id = t.source_id WHERE t.decision IS NULL"
            " AND (CAST(:case AS uuid) IS NULL OR t.case_id = CAST(:case AS uuid))"
            " AND (CAST(:at AS timestamptz) IS NULL OR (t.found_at, t.individual_id, t.case_id)"
            " > (CAST(:at AS timestamptz), CAST(:id AS uuid), CAST(:after_case AS uuid)))"
            " ORDER BY t.found_at, t.individual_id, t.case_id LIMIT CAST(:limit AS bigint)"
        ),
        {
            "case": case_id,
            "limit": limit,
            "at": after["at"] if after else None,
            "id": after["id"] if after else None,
            "after_case": after["case"] if after else None,
        },
    )
    return plains(rows.mappings())


def count_undecided(work: UnitOfWork, *, case_id: str | None = None) -> int:
    """Count them."""
    statement = text(
        "SELECT count(*) FROM twins t JOIN individuals i ON i.id = t.individual_id"
        " WHERE t.decision IS NULL AND (CAST(:case AS uuid) IS NULL OR t.case_id = CAST(:case AS uuid))"
    )
    return int(work.execute(statement, {"case": case_id}).scalar_one())
