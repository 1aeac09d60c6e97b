"""Reaching every row that is about a person, and searching the rows that are not (N3). All of it as the eraser."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text

from services.chassis.database import UnitOfWork
from services.contacts.storage.rows import plain, plains

#: Stores with rows about one individual, in the order in which they go; the column that says whose they are.
_LINKED = (
    ("match_queue", "individual_id"),
    ("match_digests", "individual_id"),
    ("corrections", "individual_id"),
    ("contact_point_grants", "individual_id"),
    ("contact_points", "individual_id"),
    ("likenesses", "held_id"),
    ("likenesses", "other_id"),
    ("reveal_reasons", "individual_id"),
    ("notes", "individual_id"),
    ("hand_overs", "individual_id"),
    ("stakeholder_issues", "stakeholder_id"),
    ("relationships", "stakeholder_id"),
    ("engagements", "stakeholder_id"),
    ("directory", "stakeholder_id"),
    ("individuals", "id"),
)
_LINKED_TO_ORGANIZATION = (
    ("offices", "organization_id"),
    ("stakeholder_issues", "stakeholder_id"),
    ("relationships", "stakeholder_id"),
    ("engagements", "stakeholder_id"),
    ("directory", "stakeholder_id"),
    ("organizations", "id"),
)


@dataclass(frozen=True, slots=True)
class Text:
    """A column of shared text in rows that are about somebody or something else."""

    store: str
    column: str
    whose: str | None
    #: Whether all of it goes where the person is in it: nobody edits it, so nobody could take a name out by hand.
    cleared: bool = False


_TEXTS = (
    Text("notes", "text", "individual_id"),
    Text("notes", "provenance", "individual_id"),
    Text("notes", "keep_reason", "individual_id"),
    Text("individuals", "title", "id"),
    Text("contact_point_grants", "reason", "individual_id", cleared=True),
    Text("reveal_reasons", "reason", "individual_id", cleared=True),
    Text("organizations", "name", None),
    Text("organizations", "source_url", None),
    Text("offices", "label", None),
    Text("offices", "street", None),
)


def delete_linked(work: UnitOfWork, individual_id: str) -> dict[str, int]:
    """Delete every row about an individual; return how many there were in each store."""
    return _delete(work, _LINKED, individual_id)


def delete_linked_to_organization(work: UnitOfWork, organization_id: str) -> dict[str, int]:
    """Delete every row about an organization; its people stay, without it."""
    return _delete(work, _LINKED_TO_ORGANIZATION, organization_id)


def left(work: UnitOfWork, individual_id: str) -> dict[str, int]:
    """Count the rows about an individual that are there still."""
    counts: dict[str, int] = {}
    for store, column in _LINKED:
        statement = text(f"SELECT count(*) FROM {store} WHERE {column} = CAST(:id AS uuid)")  # noqa: S608 - names of our own list
        counts[store] = counts.get(store, 0) + int(work.execute(statement, {"id": individual_id}).scalar_one())
    return counts


def _delete(work: UnitOfWork, linked: Sequence[tuple[str, str]], subject_id: str) -> dict[str, int]:
    counts: dict[str, int] = {}
    for store, column in linked:
        statement = text(f"DELETE FROM {store} WHERE {column} = CAST(:id AS uuid)")  # noqa: S608 - names of our own list
        counts[store] = counts.get(store, 0) + work.execute(statement, {"id": subject_id}).rowcount
    return counts


def texts_that_may_hold(work: UnitOfWork, *, besides: str, families: Sequence[str], digits: Sequence[str]) -> Iterator[tuple[Text, str, str]]:
    """Give (column, row id, text) of texts about others that bear one of these words, runs of digits, or an e-mail.

    A rough sieve, so that only what it lets through is looked at closely.
    """
    for column in _TEXTS:
        apart = f"AND {column.whose} <> CAST(:besides AS uuid)" if column.whose else ""
        rows = work.execute(
            text(
                f"SELECT id, {column.column} AS words FROM {column.store} WHERE {column.column} IS NOT NULL {apart}"  # noqa: S608 - names of our own list
                f" AND ({column.column} ILIKE ANY(CAST(:families AS text[])) OR {column.column} ~* '@|[(\\[]at[)\\]]| at .* dot '"
                f" OR regexp_replace({column.column}, '[^0-9]', '', 'g') LIKE ANY(CAST(:digits AS text[])))"
            ),
            {
                "besides": besides,
                "families": [f"%{family}%" for family in families if family],
                "digits": [f"%{run}%" for run in digits if run],
            },
        ).all()
        for row in rows:
            yield column, str(row.id), row.words


def rewrite(work: UnitOfWork, column: Text, row_id: str, words: str) -> None:
    """Set a text that something was taken out of."""
    work.execute(
        text(f"UPDATE {column.store} SET {column.column} = :words WHERE id = CAST(:id AS uuid)"),  # noqa: S608 - names of our own list
        {"words": words, "id": row_id},
    )


def is_tombstone(work: UnitOfWork, stakeholder_id: str) -> bool:
    """Whether this stakeholder was erased."""
    return bool(
        work.execute(text("SELECT EXISTS (SELECT FROM tombstones WHERE stakeholder_id = CAST(:id AS uuid))"), {"id": stakeholder_id}).scalar_one()
    )


def bury(work: UnitOfWork, stakeholder_id: str, *, now: datetime) -> None:
    """Keep the id, so that a late message brings nobody back."""
    work.execute(
        text("INSERT INTO tombstones (stakeholder_id, erased_at) VALUES (CAST(:id AS uuid), :now) ON CONFLICT DO NOTHING"),
        {"id": stakeholder_id, "now": now},
    )


def erasure(work: UnitOfWork, erasure_id: str) -> dict[str, Any] | None:
    """Return an erasure's course: ids, instants and counts."""
    row = work.execute(text("SELECT * FROM erasures WHERE id = CAST(:id AS uuid) FOR UPDATE"), {"id": erasure_id}).mappings().one_or_none()
    return plain(row) if row else None


def open_erasure(work: UnitOfWork, erasure_id: str, subject_id: str, *, now: datetime) -> None:
    """Begin an erasure's course, unless it has begun."""
    work.execute(
        text("INSERT INTO erasures (id, subject_id, sealed_at) VALUES (CAST(:id AS uuid), CAST(:subject AS uuid), :now) ON CONFLICT DO NOTHING"),
        {"id": erasure_id, "subject": subject_id, "now": now},
    )


def note_erasure(work: UnitOfWork, erasure_id: str, columns: Mapping[str, Any]) -> None:
    """Set `erased_at`, `receipts`, `sought`, `look` or `closed_at` (receipts as JSON text)."""
    assert set(columns) <= {"erased_at", "receipts", "sought", "look", "closed_at"}  # noqa: S101 - the names become SQL
    sets = ", ".join(f"{name} = {f'CAST(:{name} AS json)' if name in {'receipts', 'sought'} else f':{name}'}" for name in columns)
    work.execute(text(f"UPDATE erasures SET {sets} WHERE id = CAST(:id AS uuid)"), {**columns, "id": erasure_id})  # noqa: S608 - names of our own list


def people_of(work: UnitOfWork, organization_id: str) -> list[str]:
    """Return the ids of an organization's people."""
    rows = plains(work.execute(text("SELECT id FROM individuals WHERE organization_id = CAST(:id AS uuid)"), {"id": organization_id}).mappings())
    return [row["id"] for row in rows]
