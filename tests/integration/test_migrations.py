"""Databases and roles: each service has its own, owns nothing at run time, and bypasses nothing."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from sqlalchemy import text

from services.chassis import migrations
from services.chassis.postgres import Server
from services.chassis.testing import Databases
from services.chassis.testing.databases import password_of

STORES = [store for store in migrations.STORES if migrations.has_scripts(store)]


@pytest.fixture(params=STORES)
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


def test_a_database_made_by_other_migrations_is_refused_with_a_sentence(store: str, server: Server) -> None:
    engine = sa.create_engine(server.url.set(database=migrations.database_of(store)), poolclass=sa.NullPool)
    with engine.begin() as connection:
        kept = connection.execute(text("SELECT obj_description('alembic_version'::regclass, 'pg_class')")).scalar_one()
        connection.exec_driver_sql("COMMENT ON TABLE alembic_version IS 'of other migrations'")
    try:
        with pytest.raises(migrations.SchemaDiffers, match="made by another version"):
            migrations.upgrade(server.url, password_of, stores=[store])
        assert ["made by another version" in told for told in migrations.drift(server.url, password_of, stores=[store])] == [True]
    finally:
        with engine.begin() as connection:
            connection.exec_driver_sql(f"COMMENT ON TABLE alembic_version IS '{kept}'")
    assert migrations.upgrade(server.url, password_of, stores=[store])[store]


def test_a_column_that_is_missing_is_told_by_name(databases: Databases, server: Server) -> None:
    databases.make("access")
    engine = sa.create_engine(server.url.set(database="liaison_access"), poolclass=sa.NullPool)
    try:
        with engine.begin() as connection:
            connection.execute(text("ALTER TABLE components RENAME COLUMN position TO place"))
        assert migrations.drift(server.url, password_of, stores=["access"]) == [
            "liaison_access: column components.position is missing.",
            "liaison_access: column components.place is not declared.",
        ]
    finally:
        with engine.begin() as connection:
            connection.execute(text("ALTER TABLE components RENAME COLUMN place TO position"))


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
