"""Migrated databases for tests: each store is migrated once, and every test copies that one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import sqlalchemy as sa

from deploy import migrations
from deploy.postgres import Server, url_for
from services.chassis.database import Database
from services.chassis.database.stream import Stream
from services.chassis.messages import new_id
from tests.support.keys import key_of


def password_of(role: str) -> str:
    """Return a role's password; such a server holds nothing worth one."""
    return f"{role}-tests"


@dataclass(frozen=True, slots=True)
class Addresses:
    """One test's database, as its service, its owner and a superuser see it."""

    name: str
    runtime: str
    owner: str
    superuser: str


class Databases:
    """The databases of one server, made on demand."""

    def __init__(self, server: Server) -> None:
        """Take the server; nothing is made yet."""
        self.server = server
        self._migrated: set[str] = set()
        self._engine = sa.create_engine(server.url, isolation_level="AUTOCOMMIT", pool_size=1)

    def make(self, store: str = "contacts") -> Addresses:
        """Return a fresh, migrated database of that service (or of `keys`)."""
        self._migrate(store)
        name = f"t_{store}_{new_id()[-12:]}"
        with self._engine.connect() as connection:
            migrations.make_database(connection, name, store, template=migrations.database_of(store))
        return self._addresses(name, store)

    def drop(self, addresses: Addresses) -> None:
        """Delete it, whoever is still connected."""
        with self._engine.connect() as connection:
            connection.exec_driver_sql(f'DROP DATABASE IF EXISTS "{addresses.name}" WITH (FORCE)')

    def close(self) -> None:
        """Part from the server."""
        self._engine.dispose()

    @contextmanager
    def opened(self, service: str) -> Iterator[Database]:
        """Give a fresh database as the service has it: under its own role, with a stream of its own."""
        addresses = self.make(service)
        database = Database(addresses.runtime, service=service, stream=Stream(key_of(service)), pool_size=5)
        try:
            yield database
        finally:
            database.close()
            self.drop(addresses)

    def _migrate(self, store: str) -> None:
        if store not in self._migrated:
            migrations.provision(self.server.url, password_of, stores=[store])
            migrations.upgrade(self.server.url, password_of, stores=[store])
            self._migrated.add(store)

    def _addresses(self, name: str, store: str) -> Addresses:
        owner, runtime = migrations.owner_of(store), migrations.runtime_of(store)
        return Addresses(
            name=name,
            runtime=url_for(self.server.url, name, runtime, password_of(runtime)),
            owner=url_for(self.server.url, name, owner, password_of(owner)),
            superuser=url_for(self.server.url, name),
        )
