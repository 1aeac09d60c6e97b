"""The process that an entrypoint runs in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import eventlet

from services.chassis.config import Settings
from services.chassis.database import Database
from services.chassis.database.stream import Stream
from services.chassis.identity import ServiceKey
from services.chassis.keyed import parts_of
from services.chassis.messages import tag_with
from services.chassis.outbox.backlog import Backlog
from services.chassis.passport import PassportVerifier
from services.chassis.revocations import Revocations
from services.chassis.transport.connection import Address
from services.chassis.transport.passport_cache import PassportCache
from services.chassis.transport.publisher import Publisher
from services.chassis.transport.rpc_client import RpcClient

#: The key of the `Process` in a container's configuration.
LIAISON = "liaison"


@dataclass(slots=True, kw_only=True, eq=False)
class Process:
    """Everything that one service in one process uses; its keys can be replaced at run time."""

    settings: Settings
    address: Address
    client: RpcClient
    publisher: Publisher
    passports: PassportCache
    revocations: Revocations
    database: Database | None = None
    verifier: PassportVerifier | None = None
    backlog: Backlog = field(default_factory=Backlog)
    clock: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))
    #: Maps a service to its broker account; deployments use the service's name.
    account_of: Callable[[str], str] = field(default=lambda service: service)
    #: Called with new settings before they are used; may raise ValueError.
    renewals: list[Callable[[Settings], object]] = field(default_factory=list)

    @property
    def service(self) -> str:
        """The service's name."""
        return self.settings.service

    def open_database(self) -> Database:
        """Return the database.

        :raises RuntimeError: this service has none.
        """
        if self.database is None:
            raise RuntimeError(f"{self.service} has no database")
        return self.database

    def renew(self, fresh: Settings) -> None:
        """Use other keys from now on.

        :raises ValueError: a key is unusable.
        """
        stream = None
        if self.database is not None and fresh.service_key != self.settings.service_key:
            stream = Stream(ServiceKey.parse(fresh.service, fresh.service_key))
        if self.verifier is not None:
            self.verifier.renew(fresh.passport_public_key)
        for renewed in self.renewals:
            renewed(fresh)
        tag_with(parts_of(fresh.cursor_key), instead_of=parts_of(self.settings.cursor_key))
        self.passports.renew(fresh)
        self.address.url = fresh.broker_url
        if self.database is not None:
            self.database.renew(fresh.database_url)
            if stream is not None:
                self.database.switch_stream(stream)
        self.settings = fresh

    def start(self) -> None:
        """Start to connect to the broker, without waiting."""
        self.client.start()
        self.publisher.start()

    def stop(self) -> None:
        """Close all connections at once, since each waits some seconds for a broker that does not answer."""
        for stopping in [eventlet.spawn(part.stop) for part in (self.client, self.publisher)]:
            stopping.wait()
        if self.database is not None:
            self.database.close()


def process_of(extension: Any) -> Process:
    """Return the process that a nameko extension runs in."""
    process: Process = extension.container.config[LIAISON][extension.container.service_name]
    return process
