"""The directory: one row for each stakeholder that search may find, with directory-layer fields only (T4, T17).

A frozen individual has no row here, so no search, list, count or audience includes them (T21).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import TextClause, delete, select, text

from services.chassis.database import UnitOfWork
from services.chassis.messages import chunks
from services.contacts.domain.stakeholders import Employer, Individual
from services.contacts.storage.bulk import as_json, records
from services.contacts.storage.tables.directory import directory, individuals
from services.lexicon.folding import fold, plain

# Text SQL: one statement derives directory rows from several tables, for a whole set of stakeholders.

_CHUNK = 500

# Text where many lines are written in one statement.

_INDIVIDUALS = text(
    """
    SELECT i.id, 'individual' AS type, trim(i.first_name || ' ' || i.last_name) AS name, i.first_name, i.last_name, i.title,
           i.organization_id, o.name AS organization_name, o.sector, i.state, i.interests, o.group_ids,
           i.owner_id, i.owner_component, i.created_at, i.last_contacted_at, NULL AS places
    FROM individuals i LEFT JOIN organizations o ON o.id = i.organization_id
    WHERE i.id = ANY(CAST(:ids AS uuid[])) AND i.frozen_at IS NULL
    """
)
_ORGANIZATIONS = text(
    """
    SELECT o.id, 'organization' AS type, o.name, NULL AS first_name, NULL AS last_name, NULL AS title,
           NULL AS organization_id, NULL AS organization_name, o.sector, o.state, '{}'::text[] AS interests, o.group_ids,
           o.owner_id, o.owner_component, o.created_at, o.last_contacted_at,
           (SELECT string_agg(concat_ws(' ', f.label, f.city), ' ') FROM offices f WHERE f.organization_id = o.id) AS places
    FROM organizations o WHERE o.id = ANY(CAST(:ids AS uuid[]))
    """
)
#: Columns with their types; the words are those of the letters.
ENTRY = {
    "id": "uuid",
    "type": "text",
    "name": "text",
    "sort_name": "text",
    "first_name": "text",
    "last_name": "text",
    "title": "text",
    "organization_id": "uuid",
    "organization_name": "text",
    "sector": "text",
    "state": "text",
    "interests": "text[]",
    "group_ids": "uuid[]",
    "owner_id": "uuid",
    "owner_component": "text",
    "created_at": "timestamptz",
    "last_contacted_at": "timestamptz",
    "letters": "text",
}
_INSERT = """
    INSERT INTO directory AS d (stakeholder_id, type, name, sort_name, first_name, last_name, title, organization_id,
        organization_name, sector, state, interests, group_ids, owner_id, owner_component, created_at, last_contacted_at,
        words, letters)
    SELECT t.id, t.type, t.name, t.sort_name, t.first_name, t.last_name, t.title, t.organization_id, t.organization_name,
        t.sector, t.state, t.interests, t.group_ids, t.owner_id, t.owner_component, t.created_at, t.last_contacted_at,
        array_to_tsvector(string_to_array(t.letters, ' ')), t.letters
    FROM {source}
"""


def insert(source: str) -> str:
    """Return the SQL that inserts directory rows from a source `t` with the columns of `ENTRY`."""
    return _INSERT.format(source=source)


INSERT = insert(records("entries", ENTRY))
_UPSERT = text(
    f"""
    {INSERT}
    ON CONFLICT (stakeholder_id) DO UPDATE SET (name, sort_name, first_name, last_name, title, organization_id,
        organization_name, sector, state, interests, group_ids, owner_id, owner_component, last_contacted_at, words, letters)
      = (excluded.name, excluded.sort_name, excluded.first_name, excluded.last_name, excluded.title,
        excluded.organization_id, excluded.organization_name, excluded.sector, excluded.state, excluded.interests,
        excluded.group_ids, excluded.owner_id, excluded.owner_component, excluded.last_contacted_at, excluded.words,
        excluded.letters)
    """
)


def index_individuals(work: UnitOfWork, ids: Iterable[str]) -> None:
    """Write these individuals' directory rows anew; a frozen individual gets none."""
    _index(work, _INDIVIDUALS, ids)


def index_organizations(work: UnitOfWork, ids: Iterable[str]) -> None:
    """Write these organizations' directory rows anew."""
    _index(work, _ORGANIZATIONS, ids)


def index_people_of(work: UnitOfWork, organization_id: str) -> None:
    """Write the rows of an organization's people anew, after its name, sector or groups changed."""
    index_individuals(work, work.execute(select(individuals.c.id).where(individuals.c.organization_id == organization_id)).scalars().all())


def leave(work: UnitOfWork, stakeholder_id: str) -> None:
    """Delete a stakeholder's directory row."""
    work.execute(delete(directory).where(directory.c.stakeholder_id == stakeholder_id))


def letters(shown: Iterable[str | None]) -> str:
    """Return the words that find a row: "A.J. Al-Rashid" by a, j, al and rashid, and also by aj and alrashid."""
    written = " ".join(part for part in shown if part)
    folded = fold(written)
    joined = [unit.replace(" ", "") for unit in map(" ".join, terms(written)) if " " in unit]
    return " ".join([folded, *joined]) if joined else folded


def terms(written: str) -> list[tuple[str, ...]]:
    """Return the folded words of a text, each once. Parts of one written word stay together, and initials in a row, too."""
    units: list[tuple[str, ...]] = []
    initials: list[str] = []
    for token in plain(written).split():
        words = tuple(fold(token).split())
        if all(len(word) == 1 for word in words):
            initials += words
            continue
        if initials:
            units.append(tuple(initials))
            initials = []
        units.append(words)
    if initials:
        units.append(tuple(initials))
    return list(dict.fromkeys(units))


def entry_of_new(individual: Individual, organization: Employer | None) -> dict[str, Any]:
    """Return the row of an individual who is being registered, as `index_individuals` would make it of the stored row."""
    taken = ("id", "first_name", "last_name", "title", "organization_id", "state", "interests", "owner_id", "owner_component", "created_at")
    return _entry(
        {
            **{name: getattr(individual, name) for name in (*taken, "last_contacted_at")},
            "type": "individual",
            "name": f"{individual.first_name} {individual.last_name}".strip(" "),
            "organization_name": organization.name if organization else None,
            "sector": organization.sector if organization else None,
            "group_ids": organization.group_ids if organization else None,
            "places": None,
        }
    )


def _index(work: UnitOfWork, present: TextClause, ids: Iterable[str]) -> None:
    for part in chunks(ids, _CHUNK):
        rows = work.execute(present, {"ids": part}).mappings().all()
        if rows:
            work.execute(_UPSERT, {"entries": as_json([_entry(row) for row in rows])})


def _entry(row: Mapping[Any, Any]) -> dict[str, Any]:
    shown: Sequence[str | None] = (row["name"], row["title"], row["organization_name"], *row["interests"], row["places"])
    order = f"{row['last_name']} {row['first_name']}" if row["type"] == "individual" else row["name"]
    return {
        **row,
        "group_ids": row["group_ids"] or [],
        "sort_name": fold(order),
        "letters": letters(shown),
    }
