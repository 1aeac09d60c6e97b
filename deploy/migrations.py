"""Databases, roles and migrations of all services.

Each service has a database with three kinds of roles. `liaison_<service>_owner` owns it and runs the migrations;
`liaison_<service>` is the login of the running service and owns nothing; narrow roles such as `liaison_contacts_eraser`
cannot log in and are set for one unit of work. None bypasses row-level security. The key store is a separate database of
contacts, with its own owner and runtime role.
"""

from __future__ import annotations

import hashlib
import importlib
import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import URL

from deploy.postgres import connected, url_for

#: Returns the password of a role.
Passwords = Callable[[str], str]

SERVICES = ("access", "contacts", "interactions", "audit", "retention")
KEYS = "keys"
STORES = (*SERVICES, KEYS)
NARROW_ROLES: Mapping[str, tuple[str, ...]] = MappingProxyType({"contacts": ("matcher", "eraser", "caseworker"), "interactions": ("eraser",)})
_PACKAGES = Path(__file__).resolve().parents[1] / "services"
#: The advisory lock for upgrades, which allows one at a time per server.
_LOCK = 7_031_977_205
_OTHER_HISTORY = (
    "{} was made by another version of this program and cannot be brought up to this one."
    " Start with an empty folder or server, or run the version that made it."
)


class SchemaDiffers(Exception):
    """A database differs from its migrations or declared tables."""


def database_of(store: str) -> str:
    """Return the name of a service's database (or of the key store)."""
    return f"liaison_{store}"


def owner_of(store: str) -> str:
    """Return the role that owns and migrates a database."""
    return f"liaison_{store}_owner"


def runtime_of(store: str) -> str:
    """Return the login role of the service."""
    return f"liaison_{store}"


def scripts_of(store: str) -> Path:
    """Return the folder of a database's migration scripts."""
    return _PACKAGES / "contacts" / "migrations" / "keys" if store == KEYS else _PACKAGES / store / "migrations"


def provision(server: URL, password_of: Passwords, *, stores: Iterable[str] = STORES) -> None:
    """Create missing roles and databases, and set the attributes and passwords of existing roles.

    :param server: the URL of a superuser, or of a role that may create databases and roles.
    """
    with _locked(server) as connection:
        for store in stores:
            _make_roles(connection, store, password_of)
            make_database(connection, database_of(store), store)


def make_database(connection: sa.Connection, name: str, store: str, *, template: str | None = None) -> None:
    """Create a database unless it exists, and let only its two roles connect.

    :param connection: in autocommit, because databases cannot be created in a transaction.
    :param template: a database to copy; without it, the new one is empty.
    """
    if connection.execute(sa.text("SELECT 1 FROM pg_database WHERE datname = :name"), {"name": name}).first():
        return
    # Only template0 can be copied with another encoding; the locale stays the server's.
    # FILE_COPY takes half as long as copying through the write-ahead log, the default since PostgreSQL 15.
    source = f'TEMPLATE "{template}" STRATEGY FILE_COPY' if template else "TEMPLATE template0 ENCODING 'UTF8'"
    connection.exec_driver_sql(f'CREATE DATABASE "{name}" OWNER "{owner_of(store)}" {source}')
    connection.exec_driver_sql(f'REVOKE ALL ON DATABASE "{name}" FROM PUBLIC')
    connection.exec_driver_sql(f'GRANT CONNECT ON DATABASE "{name}" TO "{runtime_of(store)}"')


def upgrade(server: URL, password_of: Passwords, *, stores: Iterable[str] = STORES) -> dict[str, str]:
    """Upgrade every database to its newest revision; return the revisions by database.

    Concurrent upgrades wait for each other.

    :raises SchemaDiffers: a database was created by other migrations; it is not changed.
    """
    from alembic import command

    revisions: dict[str, str] = {}
    with _locked(server):
        for store in stores:
            with _opened(server, store, password_of) as connection:
                configuration = _configuration(store, connection)
                _require_same_history(configuration, connection, store)
                command.upgrade(configuration, "head")
                revisions[store] = _revision(connection)
                _keep_history(configuration, connection)
    return revisions


def drift(server: URL, password_of: Passwords, *, stores: Iterable[str] = STORES) -> list[str]:
    """Return sentences on databases that are behind their migrations or differ from the declared tables."""
    from alembic.script import ScriptDirectory

    found: list[str] = []
    for store in stores:
        with _opened(server, store, password_of) as connection:
            configuration = _configuration(store, connection)
            head = ScriptDirectory.from_config(configuration).get_current_head()
            if (revision := _revision(connection)) != head:
                found.append(f"{database_of(store)} is at {revision or 'no revision'}, its migrations are at {head}.")
                continue
            if not _has_same_history(configuration, connection, revision):
                found.append(_OTHER_HISTORY.format(database_of(store)))
                continue
            found += [f"{database_of(store)}: {difference}." for difference in differences(connection, store)]
    return found


def declared(store: str) -> sa.MetaData:
    """Return the tables that a service's storage declares.

    :raises SchemaDiffers: it declares none, so a comparison would find nothing.
    """
    name = "services.contacts.storage.key_tables" if store == KEYS else f"services.{store}.storage.tables"
    metadata: sa.MetaData = importlib.import_module(name).metadata
    if not metadata.tables:
        raise SchemaDiffers(f"{name} declares no table of {database_of(store)}.")
    return metadata


def differences(connection: sa.Connection, store: str) -> Iterator[str]:
    """Compare a database's columns with the declared ones, by name, type and nullability.

    Undeclared tables (the chassis's) are ignored.
    """
    metadata = declared(store)
    reflected = sa.inspect(connection).get_multi_columns(filter_names=list(metadata.tables))
    for name, table in metadata.tables.items():
        if (None, name) not in reflected:
            yield f"table {name} is missing"
            continue
        present = {column["name"]: column for column in reflected[None, name]}
        for column in table.columns:
            if column.name not in present:
                yield f"column {name}.{column.name} is missing"
                continue
            wanted = _kind(connection, column.type, nullable=bool(column.nullable))
            found = _kind(connection, present[column.name]["type"], nullable=present[column.name]["nullable"])
            if found != wanted:
                yield f"column {name}.{column.name} is {found}, storage says {wanted}"
        yield from (f"column {name}.{added} is not declared" for added in present.keys() - table.columns.keys())


def check(server: URL, password_of: Passwords) -> None:
    """Check that all databases are as the code expects.

    :raises SchemaDiffers: with all differences.
    """
    if found := drift(server, password_of):
        raise SchemaDiffers(" ".join(found))


def _make_roles(connection: sa.Connection, store: str, password_of: Passwords) -> None:
    superuser = connection.execute(sa.text("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")).scalar_one()
    # Only a superuser may write NOSUPERUSER or NOBYPASSRLS; others cannot create roles with these attributes anyway.
    harmless = "NOCREATEDB NOCREATEROLE" + (" NOSUPERUSER NOBYPASSRLS NOREPLICATION" if superuser else "")
    narrow = [f"{runtime_of(store)}_{role}" for role in NARROW_ROLES.get(store, ())]
    signing_in = [owner_of(store), runtime_of(store)]
    present = set(
        connection.execute(sa.text("SELECT rolname FROM pg_roles WHERE rolname = ANY(:names)"), {"names": [*signing_in, *narrow]}).scalars()
    )
    for role in [*signing_in, *narrow]:
        verb = "ALTER" if role in present else "CREATE"
        login = "LOGIN PASSWORD " + _literal(connection, password_of(role)) if role in signing_in else "NOLOGIN"
        # The owner inherits `pg_database_owner`, which may create tables; no other role inherits anything.
        inherits = "INHERIT" if role == owner_of(store) else "NOINHERIT"
        connection.exec_driver_sql(f'{verb} ROLE "{role}" {inherits} {harmless} {login}')
    for role in narrow:
        connection.exec_driver_sql(f'GRANT "{role}" TO "{runtime_of(store)}"')
    if not superuser:
        connection.exec_driver_sql(f'GRANT "{owner_of(store)}" TO CURRENT_USER')


def _literal(connection: sa.Connection, text: str) -> str:
    quoted: str = connection.execute(sa.text("SELECT quote_literal(:text)"), {"text": text}).scalar_one()
    return quoted.replace("%", "%%")


@contextmanager
def _locked(server: URL) -> Iterator[sa.Connection]:
    with connected(server, autocommit=True) as connection:
        connection.execute(sa.text("SELECT pg_advisory_lock(:number)"), {"number": _LOCK})
        try:
            yield connection
        finally:
            connection.execute(sa.text("SELECT pg_advisory_unlock(:number)"), {"number": _LOCK})


def _opened(server: URL, store: str, password_of: Passwords) -> AbstractContextManager[sa.Connection]:
    role = owner_of(store)
    return connected(url_for(server, database_of(store), role, password_of(role)))


def _configuration(store: str, connection: sa.Connection) -> Any:
    from alembic.config import Config

    configuration = Config()
    configuration.set_main_option("script_location", str(scripts_of(store)).replace("%", "%%"))
    configuration.set_main_option("path_separator", "os")
    configuration.attributes["connection"] = connection
    return configuration


def _require_same_history(configuration: Any, connection: sa.Connection, store: str) -> None:
    """Refuse a database whose migrations were edited later, as they may be until the first release."""
    revision = _revision(connection)
    if revision and not _has_same_history(configuration, connection, revision):
        raise SchemaDiffers(_OTHER_HISTORY.format(database_of(store)))


def _has_same_history(configuration: Any, connection: sa.Connection, revision: str) -> bool:
    kept = connection.execute(sa.text("SELECT obj_description(to_regclass('alembic_version'), 'pg_class')")).scalar_one()
    connection.rollback()
    return kept is not None and kept == _history(configuration, revision)


def _keep_history(configuration: Any, connection: sa.Connection) -> None:
    history = _history(configuration, _revision(connection))
    connection.exec_driver_sql(f"COMMENT ON TABLE alembic_version IS '{history}'")
    connection.commit()


def _history(configuration: Any, revision: str) -> str | None:
    """Return a hexadecimal digest of the migrations' statements up to a revision, or None for an unknown revision.

    It covers statements and not files, because the chassis and the lexicon generate a part of them.
    """
    from alembic.operations import Operations
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory
    from alembic.util import CommandError

    statements = io.StringIO()
    context = MigrationContext.configure(dialect_name="postgresql", opts={"as_sql": True, "output_buffer": statements})
    try:
        with Operations.context(context):
            for script in ScriptDirectory.from_config(configuration).walk_revisions("base", revision):
                script.module.upgrade()
    except CommandError:
        return None
    return hashlib.sha256(statements.getvalue().encode()).hexdigest()


def _revision(connection: sa.Connection) -> str:
    from alembic.runtime.migration import MigrationContext

    revision = MigrationContext.configure(connection).get_current_revision() or ""
    connection.rollback()
    return revision


def _kind(connection: sa.Connection, type_: sa.types.TypeEngine[Any], *, nullable: bool) -> str:
    # Declared tables have no collations, because SQLAlchemy would add them to every comparison.
    name, _, _ = type_.compile(connection.dialect).partition(" COLLATE ")
    return name if nullable else f"{name} NOT NULL"
