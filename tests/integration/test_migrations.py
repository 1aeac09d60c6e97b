"""Databases and roles: each service has its own, owns nothing at run time, and bypasses nothing."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from sqlalchemy import text

from deploy import migrations
from services.lexicon.dictionary import BOOKKEEPING
from tests.support import Databases
from tests.support.databases import password_of
from tests.support.postgres import Server


@pytest.fixture(params=migrations.STORES)
def store(request: pytest.FixtureRequest, databases: Databases) -> str:
    """A service that has migrations, its database made and migrated."""
    databases.drop(databases.make(request.param))
    return str(request.param)


def ask(url: str, question: str, **values: object) -> list[tuple[object, ...]]:
    """Ask one thing over a connection of its own."""
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        return [tuple(row) for row in connection.execute(text(question), values)]


def test_upgrading_twice_changes_nothing_and_nothing_has_drifted(store: str, server: Server) -> None:
    first = migrations.upgrade(server.url, password_of, stores=[store])
    assert migrations.upgrade(server.url, password_of, stores=[store]) == first
    assert first[store]
    assert migrations.drift(server.url, password_of, stores=[store]) == []


@pytest.mark.parametrize("change", ["COMMENT ON TABLE alembic_version IS 'of other migrations'", "UPDATE alembic_version SET version_num = '0013'"])
def test_a_database_made_by_other_migrations_is_refused_with_a_sentence(store: str, change: str, server: Server) -> None:
    engine = sa.create_engine(server.url.set(database=migrations.database_of(store)), poolclass=sa.NullPool)
    with engine.begin() as connection:
        kept = connection.execute(text("SELECT obj_description('alembic_version'::regclass, 'pg_class')")).scalar_one()
        connection.exec_driver_sql(change)
    try:
        with pytest.raises(migrations.SchemaDiffers, match="made by another version"):
            migrations.upgrade(server.url, password_of, stores=[store])
        (told,) = migrations.drift(server.url, password_of, stores=[store])
        assert "made by another version" in told or told == f"liaison_{store} is at 0013, its migrations are at 0001."
    finally:
        with engine.begin() as connection:
            connection.exec_driver_sql(f"COMMENT ON TABLE alembic_version IS '{kept}'")
            connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0001'")
    assert migrations.upgrade(server.url, password_of, stores=[store])[store]


#: How a column is broken, and what the check then says of it.
BREAKING = {
    "drop": ("DROP COLUMN {column}", "column {table}.{column} is missing"),
    "alter": ("ALTER COLUMN {column} TYPE jsonb USING NULL", "column {table}.{column} is JSONB NOT NULL, storage says {type} NOT NULL"),
    "loosen": ("ALTER COLUMN {column} DROP NOT NULL", "column {table}.{column} is {type}, storage says {type} NOT NULL"),
    "add": ("ADD COLUMN nickname text", "column {table}.nickname is not declared"),
}
#: A column of each store.
COLUMNS = {
    "access": ("users", "name", "TEXT"),
    "contacts": ("hand_overs", "at", "TIMESTAMP WITH TIME ZONE"),
    "interactions": ("issue_updates", "kind", "TEXT"),
    "audit": ("reviews", "size", "BIGINT"),
    "retention": ("holds", "placed_by", "TEXT"),
    "keys": ("subject_keys", "wrapped", "BYTEA"),
}


@pytest.mark.parametrize("how", BREAKING)
def test_a_column_that_differs_is_told_by_name(store: str, how: str, databases: Databases) -> None:
    names = dict(zip(("table", "column", "type"), COLUMNS[store], strict=True))
    change, told = BREAKING[how]
    addresses = databases.make(store)
    with sa.create_engine(addresses.owner, poolclass=sa.NullPool).connect() as connection:
        connection.exec_driver_sql(f"ALTER TABLE {names['table']} {change.format(**names)}")
        assert [*migrations.differences(connection, store)] == [told.format(**names)]
    databases.drop(addresses)


def test_every_table_of_a_store_is_declared(store: str, databases: Databases) -> None:
    """A table that storage did not declare would be left out of the check."""
    addresses = databases.make(store)
    tables = ask(addresses.superuser, "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace")
    databases.drop(addresses)
    ours = {str(name) for (name,) in tables} - {table.name for table in BOOKKEEPING} - {"outbox_default", "entries_default"}
    assert ours == set(migrations.declared(store).tables)


def test_a_store_that_declares_no_table_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.access.storage.tables.metadata", sa.MetaData())
    with pytest.raises(migrations.SchemaDiffers, match=r"services\.access\.storage\.tables declares no table of liaison_access\."):
        migrations.declared("access")


def test_the_runtime_role_owns_nothing_and_no_role_bypasses_row_level_security(store: str, databases: Databases) -> None:
    addresses = databases.make(store)
    roles = ask(
        addresses.superuser,
        "SELECT rolname, rolsuper, rolbypassrls, rolcreatedb, rolcreaterole FROM pg_roles WHERE rolname LIKE 'liaison%'",
    )
    assert roles
    assert not [role for role in roles if any(role[1:])]
    owned = ask(addresses.superuser, "SELECT relname FROM pg_class WHERE relowner = CAST(:role AS regrole)", role=migrations.runtime_of(store))
    assert owned == []


def test_a_service_cannot_enter_the_database_of_another(databases: Databases) -> None:
    addresses = databases.make("access")
    role = migrations.runtime_of("intruder")
    migrations.provision(databases.server.url, password_of, stores=["intruder"])
    url = sa.make_url(addresses.runtime).set(username=role, password=password_of(role))
    with pytest.raises(sa.exc.OperationalError, match="permission denied"):
        sa.create_engine(url, poolclass=sa.NullPool).connect()


def test_the_runtime_role_cannot_change_tables(databases: Databases) -> None:
    addresses = databases.make("access")
    with pytest.raises(sa.exc.ProgrammingError, match="permission denied|must be owner"):
        ask(addresses.runtime, "CREATE TABLE mine (id integer)")
    with pytest.raises(sa.exc.ProgrammingError, match="must be owner"):
        ask(addresses.runtime, "ALTER TABLE outbox DISABLE TRIGGER ALL")
