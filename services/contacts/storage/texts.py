"""Every column that people write into and that an erased person may be named in, though the row is about another (N3).

All of it as the eraser. Which columns these are says the data dictionary, which a test holds to the tables: statements are text,
for they are put together from it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import text

from services.chassis.database import UnitOfWork
from services.contacts.storage import dictionary, directory
from services.lexicon.canonical import canonical_organization

# Text SQL: table and column names come from the data dictionary.

Place = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Column:
    """A text column of rows about somebody or something else."""

    table: str
    name: str
    #: The column that says whom the row is about, where it is about a person.
    whose: str | None = None
    #: `text`, `text[]`, or `json`, of which the strings are read.
    kind: str = "text"
    #: Whether all of it goes where something of the person goes: nobody edits it, so that the rest would mean nothing.
    cleared: bool = False
    key: str = "id"
    #: What tells rows of one key apart.
    part: str | None = None

    @property
    def store(self) -> str:
        """The store's name in receipts and hits."""
        return f"contacts.{self.table}"

    @property
    def written(self) -> str:
        """The SQL of the whole text."""
        return {"text": self.name, "text[]": f"array_to_string({self.name}, ' ')", "json": f"CAST({self.name} AS text)"}[self.kind]


#: What the data dictionary says is to be searched, in its order.
COLUMNS: tuple[Column, ...] = tuple(
    Column(table.name, column.name, next(iter(table.linked), None), kind=column.sql, cleared=column.whole, key=table.key, part=table.part)
    for table in dictionary.TABLES
    for column in table.searched
)


@dataclass(frozen=True, slots=True)
class Written:
    """One text, as the strings that it consists of."""

    column: Column
    id: str
    part: str | None
    value: Any

    @property
    def place(self) -> Place:
        """Its place: store, row, field."""
        return self.column.store, self.id, self.column.name if self.part is None else f"{self.column.name} {self.part}"

    @property
    def strings(self) -> list[str]:
        """The strings in it."""
        found: list[str] = []
        _each(self.value, found.append)
        return found


def that_may_hold(work: UnitOfWork, *, besides: str, needles: Sequence[str]) -> Iterator[Written]:
    """Yield the texts about others whose letters and digits contain one of these runs, each locked."""
    for column in COLUMNS:
        apart = f"AND {column.whose} IS DISTINCT FROM CAST(:besides AS uuid)" if column.whose else ""
        condition = f"{column.name} IS NOT NULL {apart} AND squeezed({column.written}) LIKE ANY(CAST(:needles AS text[]))"
        given = {"besides": besides} if column.whose else {}
        yield from _read(work, column, condition, needles=[f"%{needle}%" for needle in needles], **given)


def read(work: UnitOfWork, places: Iterable[Place]) -> Iterator[Written]:
    """Yield the texts in these places; a missing one is left out."""
    for store, row_id, field in places:
        name, _, part = field.partition(" ")
        for column in COLUMNS:
            if (column.store, column.name) == (store, name):
                condition = f"{column.key} = CAST(:id AS uuid) AND {column.name} IS NOT NULL"
                given = {"id": row_id}
                if column.part:
                    condition, given = f"{condition} AND {column.part} = CAST(:part AS bigint)", {**given, "part": part}
                yield from _read(work, column, condition, **given)


def rewrite(work: UnitOfWork, written: Written, change: Callable[[str], str]) -> None:
    """Replace a text by what `change` returns for each of its strings."""
    column = written.column
    value = _each(written.value, change)
    sets = f"{column.name} = CAST(:value AS {column.kind})"
    given = {"id": written.id, "value": orjson.dumps(value).decode() if column.kind == "json" else value}
    if (column.table, column.name) == ("organizations", "name"):
        # By this it is found and compared.
        sets, given = f"{sets}, canonical_name = :canonical", {**given, "canonical": canonical_organization(value)}
    condition = f"{column.key} = CAST(:id AS uuid)"
    if column.part:
        condition, given = f"{condition} AND {column.part} = CAST(:part AS bigint)", {**given, "part": written.part}
    work.execute(text(f"UPDATE {column.table} SET {sets} WHERE {condition}"), given)  # noqa: S608 - names of our own list


def index(work: UnitOfWork, changed: Iterable[Written]) -> None:
    """Update the directory rows that show one of these texts."""
    ids: dict[str, dict[str, None]] = {"individuals": {}, "organizations": {}, "offices": {}}
    for written in changed:
        if written.column.table in ids:
            ids[written.column.table][written.id] = None
    homes = work.execute(text("SELECT DISTINCT organization_id FROM offices WHERE id = ANY(CAST(:ids AS uuid[]))"), {"ids": list(ids["offices"])})
    directory.index_individuals(work, ids["individuals"])
    directory.index_organizations(work, {**ids["organizations"], **{str(row.organization_id): None for row in homes}})
    for organization_id in ids["organizations"]:
        directory.index_people_of(work, organization_id)


def _read(work: UnitOfWork, column: Column, condition: str, **given: Any) -> Iterator[Written]:
    part = column.part or "NULL"
    statement = (
        f"SELECT {column.key} AS id, {part} AS part, {column.name} AS value FROM {column.table}"  # noqa: S608 - names of our own list
        f" WHERE {condition} ORDER BY 1, 2 FOR UPDATE"
    )
    for row in work.execute(text(statement), given).all():
        yield Written(column, str(row.id), None if row.part is None else str(row.part), row.value)


def _each(value: Any, change: Callable[[str], Any]) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        return {name: _each(one, change) for name, one in value.items()}
    if isinstance(value, list):
        return [_each(one, change) for one in value]
    return value
