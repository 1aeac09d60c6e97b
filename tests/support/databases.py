"""Create migrated databases for tests: each store is migrated once and then copied."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import sqlalchemy as sa

from deploy import migrations
from deploy.postgres import url_for
from services.chassis.database import Database
from services.chassis.database.stream import Stream
from services.chassis.messages import new_id
from tests.support.keys import key_of
from tests.support.postgres import Server


def password_of(role: str) -> str:
    """Return the password of a role. It is not secret, because a test server has no real data."""
    return f"{role}-tests"


@dataclass(frozen=True, slots=True)
class Addresses:
    """The addresses of a test database for its service, its owner and a superuser."""

    name: str
    runtime: str
    owner: str
    superuser: str


class Databases:
    """The databases of a server, created on demand."""

    def __init__(self, server: Server) -> None:
        """Connect to the server; databases are created on demand."""
        self.server = server
        self._migrated: set[str] = set()
        self._engine = sa.create_engine(server.url, isolation_level="AUTOCOMMIT", pool_size=1)

    def make(self, store: str = "contacts") -> Addresses:
        """Create a migrated database of a service (or of `keys`), and return its addresses."""
        self._migrate(store)
        name = f"t_{store}_{new_id()[-12:]}"
        with self._engine.connect() as connection:
            migrations.make_database(connection, name, store, template=migrations.database_of(store))
        return self._addresses(name, store)

    def drop(self, addresses: Addresses) -> None:
        """Drop a database and its connections."""
        with self._engine.connect() as connection:
            connection.exec_driver_sql(f'DROP DATABASE IF EXISTS "{addresses.name}" WITH (FORCE)')

    def close(self) -> None:
        """Disconnect from the server."""
        self._engine.dispose()

    @contextmanager
    def opened(self, service: str) -> Iterator[Database]:
        """Yield a new database as the service uses it: with its role and its own stream."""
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
