"""Rows about a person, and the course of an erasure (N3). The role is `eraser`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, null, select, text, update
from sqlalchemy.dialects.postgresql import insert

from services.chassis.database import UnitOfWork
from services.chassis.database.rows import typed_or_none
from services.contacts.contract.answers.erasing import ReceiptAnswer, SoughtAnswer
from services.contacts.storage import dictionary
from services.contacts.storage.bulk import array, array_of_bytes
from services.contacts.storage.tables import metadata
from services.contacts.storage.tables.cases import erasures, tombstones
from services.contacts.storage.tables.directory import individuals

# Text SQL: table names come from the data dictionary, functions are our own, and sets go as arrays.

# Text where ids and digests go as one array, and for what the server alone can say.

#: Stores with rows about one individual, in the order in which they go; the column that says whose they are.
_LINKED = tuple((table.name, column) for table in dictionary.LINKED for column in table.linked)
_LINKED_TO_ORGANIZATION = (
    ("previous_facts", "organization_id"),
    ("offices", "organization_id"),
    ("stakeholder_issues", "stakeholder_id"),
    ("relationships", "stakeholder_id"),
    ("engagements", "stakeholder_id"),
    ("directory", "stakeholder_id"),
    ("organizations", "id"),
)


def delete_linked(work: UnitOfWork, individual_id: str) -> dict[str, int]:
    """Delete every row about an individual; return how many there were in each store."""
    return _delete(work, _LINKED, individual_id)


def delete_linked_to_organization(work: UnitOfWork, organization_id: str) -> dict[str, int]:
    """Delete every row about an organization; its people stay, without it."""
    return _delete(work, _LINKED_TO_ORGANIZATION, organization_id)


def delete_all_linked(work: UnitOfWork, individual_ids: Sequence[str]) -> None:
    """Delete every row about these individuals."""
    _delete_all(work, _LINKED, individual_ids)


def delete_all_linked_to_organizations(work: UnitOfWork, organization_ids: Sequence[str]) -> None:
    """Delete every row about these organizations; their people stay, without them."""
    _delete_all(work, _LINKED_TO_ORGANIZATION, organization_ids)


def left(work: UnitOfWork, individual_id: str) -> dict[str, int]:
    """Count the rows about an individual that are left."""
    counts: dict[str, int] = {}
    for store, column in _LINKED:
        table = metadata.tables[store]
        about = select(func.count()).select_from(table).where(table.c[column] == individual_id)
        counts[store] = counts.get(store, 0) + int(work.execute(about).scalar_one())
    return counts


def _delete(work: UnitOfWork, linked: Sequence[tuple[str, str]], subject_id: str) -> dict[str, int]:
    counts: dict[str, int] = {}
    for store, column in linked:
        table = metadata.tables[store]
        counts[store] = counts.get(store, 0) + work.execute(delete(table).where(table.c[column] == subject_id)).rowcount
    return counts


def _delete_all(work: UnitOfWork, linked: Sequence[tuple[str, str]], subject_ids: Sequence[str]) -> None:
    for store, column in linked:
        statement = text(f"DELETE FROM {store} WHERE {column} = ANY(CAST(:ids AS uuid[]))")  # noqa: S608 - names of our own list
        work.execute(statement, {"ids": array(subject_ids)})


def is_held(work: UnitOfWork, digests: Sequence[bytes], *, besides: str) -> bool:
    """Return whether another person's record, of any component, has a contact point with one of these digests."""
    statement = text(
        "SELECT EXISTS (SELECT FROM match_digests WHERE digest = ANY(CAST(:digests AS bytea[])) AND individual_id <> CAST(:besides AS uuid))"
    )
    return bool(work.execute(statement, {"digests": array_of_bytes(digests), "besides": besides}).scalar_one())


def phones_of_offices(work: UnitOfWork, tails: Sequence[str]) -> list[str]:
    """Return the telephones of offices that end in one of these digits."""
    statement = text("SELECT DISTINCT phone FROM offices WHERE regexp_replace(phone, '[^0-9]', '', 'g') LIKE ANY(CAST(:tails AS text[]))")
    return list(work.execute(statement, {"tails": [f"%{tail}%" for tail in tails]}).scalars())


def forget_former_names(work: UnitOfWork, needles: Sequence[str], bears: Callable[[str], bool]) -> dict[str, int]:
    """Delete former names of organizations and former employers that name a person; return counts by store."""
    counts = {}
    for store in ("former_names", "former_employers"):
        suspects = text(f"SELECT DISTINCT name FROM {store} WHERE squeezed(name) LIKE ANY(CAST(:needles AS text[]))")  # noqa: S608 - our own names
        names = [name for name in work.execute(suspects, {"needles": [f"%{needle}%" for needle in needles]}).scalars() if bears(name)]
        gone = text(f"DELETE FROM {store} WHERE name = ANY(CAST(:names AS text[]))")  # noqa: S608 - our own names
        counts[store] = work.execute(gone, {"names": names}).rowcount
    return counts


def names_of_family(work: UnitOfWork, family: str) -> list[tuple[str, str]]:
    """Return first and last name of everybody, frozen or not, of this family key."""
    found = select(individuals.c.first_name, individuals.c.last_name).where(individuals.c.family_key == family)
    return [(row.first_name, row.last_name) for row in work.execute(found)]


def insert_tombstone(work: UnitOfWork, stakeholder_id: str, *, now: datetime) -> None:
    """Store the id of an erased stakeholder, so that a late message does not bring anybody back."""
    work.execute(insert(tombstones).values(stakeholder_id=stakeholder_id, erased_at=now).on_conflict_do_nothing())


def insert_tombstones(work: UnitOfWork, stakeholder_ids: Sequence[str], *, now: datetime) -> None:
    """Store the ids of erased stakeholders, so that a late message does not bring anybody back."""
    work.execute(
        text("INSERT INTO tombstones (stakeholder_id, erased_at) SELECT id, :now FROM unnest(CAST(:ids AS uuid[])) AS t (id) ON CONFLICT DO NOTHING"),
        {"ids": array(stakeholder_ids), "now": now},
    )


@dataclass(frozen=True, slots=True)
class Erasure:
    """The course of an erasure."""

    id: str
    subject_id: str
    sealed_at: datetime
    erased_at: datetime | None
    sealed: str | None
    receipts: list[ReceiptAnswer] | None
    sought: SoughtAnswer | None
    closed_at: datetime | None
    look: str | None


def erasure(work: UnitOfWork, erasure_id: str) -> Erasure | None:
    """Return an erasure's course, locked until the end of the transaction."""
    return typed_or_none(Erasure, work.execute(select(erasures).where(erasures.c.id == erasure_id).with_for_update()).mappings().one_or_none())


def open_erasure(work: UnitOfWork, erasure_id: str, subject_id: str, *, now: datetime) -> None:
    """Begin an erasure's course, unless it has begun."""
    work.execute(insert(erasures).values(id=erasure_id, subject_id=subject_id, sealed_at=now).on_conflict_do_nothing())


def note_erasure(work: UnitOfWork, erasure_id: str, **columns: object) -> None:
    """Set `erased_at`, `sealed`, `receipts`, `sought`, `look` or `closed_at`."""
    # A None would be the JSON null, which is a value.
    values = {name: null() if value is None else value for name, value in columns.items()}
    work.execute(update(erasures).where(erasures.c.id == erasure_id).values(values))


def forget_in_statistics(work: UnitOfWork, words: Sequence[str]) -> None:
    """Make the server take anew the samples that contain one of these words (in `squeezed` form), and those of digests."""
    work.execute(text("SELECT forget_in_statistics(CAST(:words AS text[]))"), {"words": list(words)})


def people_of(work: UnitOfWork, organization_id: str) -> list[str]:
    """Return the ids of an organization's people."""
    return list(work.execute(select(individuals.c.id).where(individuals.c.organization_id == organization_id)).scalars())
