"""The data dictionary matches the databases: an undeclared column fails, and so does a declared one that is missing (P27, R13)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest
import sqlalchemy as sa

from deploy.dictionary import PAGE, STORES, every_column, render, unknown_reasons
from deploy.migrations import STORES as DATABASES
from services.lexicon.dictionary import CODE, DELETED, DIGEST, ENCRYPTED, ID, NUMBER, PLAIN, SENTENCES, STAKEHOLDER, STAYS, TIME
from tests.support import Databases

pytestmark = pytest.mark.row("P27")

#: What a column of a type may hold.
HOLDS: Mapping[str, set[str]] = {
    "uuid": {ID},
    "uuid[]": {ID},
    "date": {TIME},
    "timestamp with time zone": {TIME},
    "boolean": {NUMBER},
    "smallint": {NUMBER},
    "integer": {NUMBER},
    "bigint": {NUMBER},
    "bytea": {ENCRYPTED, DIGEST},
    "bytea[]": {DIGEST},
    "tsvector": {PLAIN},
    "text": {ID, CODE, PLAIN, ENCRYPTED, DIGEST},
    "text[]": {CODE, PLAIN},
    "json": {CODE, PLAIN},
    "jsonb": {CODE, PLAIN},
    "character varying(32)": {CODE},
}
_COLUMNS = """
SELECT c.relname || '.' || a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
WHERE c.relkind IN ('r', 'p', 'm', 'f') AND NOT c.relispartition AND a.attnum > 0 AND NOT a.attisdropped
  AND c.relnamespace NOT IN (SELECT oid FROM pg_namespace WHERE nspname LIKE 'pg\\_%' OR nspname = 'information_schema')
"""


def columns_of(databases: Databases, store: str, *, before: str | None = None) -> dict[str, str]:
    """Return the columns of a migrated database with their types, after running a statement as its owner."""
    addresses = databases.make(store)
    engine = sa.create_engine(addresses.owner.replace("postgresql://", "postgresql+psycopg://"), poolclass=sa.NullPool)
    try:
        with engine.begin() as connection:
            if before:
                connection.exec_driver_sql(before)
            return {f"{store}.{row.name}": row.type for row in connection.execute(sa.text(_COLUMNS))}
    finally:
        databases.drop(addresses)


def declared(store: str) -> set[str]:
    """Return the columns that the service declares."""
    return {name for name, _ in every_column() if name.startswith(f"{store}.")}


def differences(store: str, columns: Mapping[str, str]) -> Iterator[str]:
    """Return, in sentences, where a database differs from its declaration."""
    yield from (
        f"{name} is in no storage/dictionary.py: say what it holds, and what an erasure makes of it." for name in columns.keys() - declared(store)
    )
    yield from (f"{name} is declared and not there." for name in declared(store) - columns.keys())
    for name, column in every_column():
        if name in columns and column.holds not in HOLDS.get(columns[name], set()):
            yield f"{name} is {columns[name]}, and is declared to hold {column.holds}."


@pytest.mark.requirement("R13", "N3")
@pytest.mark.parametrize("store", DATABASES)
def test_every_column_is_declared_and_nothing_else(databases: Databases, store: str) -> None:
    assert sorted(differences(store, columns_of(databases, store))) == []


@pytest.mark.requirement("R13", "N3")
@pytest.mark.parametrize(
    ("statement", "name"),
    [
        ("ALTER TABLE notes ADD COLUMN nickname text", "contacts.notes.nickname"),
        ("ALTER TABLE individuals ADD COLUMN born_on date", "contacts.individuals.born_on"),
        ("CREATE TABLE spouses (id uuid, of jsonb)", "contacts.spouses.of"),
        ("CREATE MATERIALIZED VIEW names AS SELECT last_name FROM individuals", "contacts.names.last_name"),
    ],
)
def test_a_column_that_nobody_declared_is_found(databases: Databases, statement: str, name: str) -> None:
    assert any(sentence.startswith(f"{name} is in no") for sentence in differences("contacts", columns_of(databases, "contacts", before=statement)))


@pytest.mark.requirement("R13")
def test_every_column_has_its_requirement_and_its_fate() -> None:
    assert unknown_reasons() == []
    assert {column.erased for _, column in every_column()} <= SENTENCES.keys()


@pytest.mark.requirement("N3")
def test_nothing_that_people_write_about_stakeholders_stays() -> None:
    stays = {name for name, column in every_column() if column.holds == PLAIN and column.whose == STAKEHOLDER and column.erased == STAYS}
    assert stays == set()
    # What goes with the row alone is what the row's own person is called, and what its keys and ids are.
    with_the_row = {name for name, column in every_column() if column.holds == PLAIN and column.erased == DELETED}
    assert with_the_row == {f"contacts.individuals.{name}" for name in ("first_name", "last_name", "canonical_name", "family_key")}


def test_no_column_is_declared_twice() -> None:
    names = [name for name, _ in every_column()]
    assert sorted(set(names)) == sorted(names)
    assert set(STORES) == set(DATABASES)


def test_the_page_says_what_is_declared() -> None:
    assert PAGE.read_text() == render(), "run: liaison dictionary"


#: Who is found, and compared, by these: the planner needs samples of them, and `forget_in_statistics` has them taken anew.
SAMPLED = {
    "contacts.directory.letters",
    "contacts.directory.sort_name",
    "contacts.directory.words",
    "contacts.individuals.canonical_name",
    "contacts.individuals.family_key",
    "contacts.organizations.canonical_name",
}


@pytest.mark.requirement("N3")
@pytest.mark.parametrize("store", ["contacts", "interactions", "retention"])
def test_the_server_samples_no_column_that_people_write_into(databases: Databases, store: str) -> None:
    """Samples in pg_statistic outlive rows: most common values, histograms, words. Indexes on expressions have their own."""
    written = {name for name, column in every_column() if column.holds == PLAIN and column.whose == STAKEHOLDER and name.startswith(f"{store}.")}
    addresses = databases.make(store)
    engine = sa.create_engine(addresses.owner.replace("postgresql://", "postgresql+psycopg://"), poolclass=sa.NullPool)
    with engine.connect() as connection:
        names = "SELECT c.relname || '.' || a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid WHERE"
        silent = set(connection.execute(sa.text(f"{names} a.attstattarget = 0")).scalars())
        expressions = connection.execute(
            sa.text(
                "SELECT c.relname FROM pg_class c JOIN pg_index i ON i.indexrelid = c.oid"
                " WHERE i.indexprs IS NOT NULL AND c.relnamespace = 'public'::regnamespace"
            )
        )
        assert set(expressions.scalars()) <= {"individuals_organization", "directory_last_contacted", "follow_ups_open"}
    databases.drop(addresses)
    assert written - {f"{store}.{name}" for name in silent} == {name for name in SAMPLED if name.startswith(f"{store}.")}
