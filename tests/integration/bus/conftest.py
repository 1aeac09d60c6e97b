"""A service called *probe*; every test of the bus runs on both brokers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from kombu.utils.url import parse_url

from deploy.postgres import url_for
from services.chassis.config import Settings
from services.chassis.database import Database
from services.chassis.database.stream import Stream
from services.chassis.entrypoints.context import Process
from services.chassis.messages import Caller, new_id
from services.chassis.outbox.partitions import partition_functions
from services.chassis.outbox.store import chassis_tables
from services.chassis.passport import PassportSigner
from services.chassis.runtime.process import Services, compose, declare_topology, topology_of
from services.chassis.topology import Topology
from services.chassis.transport import embedded
from services.chassis.transport.rpc_client import RpcClient
from tests.support import eventually
from tests.support.keys import key_of, pem_of
from tests.support.postgres import Server

embedded.register()

_ROLE, _PASSWORD = "liaison_probe", "probe-tests"


@dataclass
class Keys:
    private: str
    public: str

    @classmethod
    def make(cls) -> Keys:
        key = Ed25519PrivateKey.generate()
        return cls(
            key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
            key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode(),
        )


@pytest.fixture(scope="session")
def keys() -> Keys:
    return Keys.make()


@pytest.fixture(scope="session")
def bare_database(server: Server) -> Iterator[Callable[[], str]]:
    """Make databases with only the chassis's tables."""
    engine = sa.create_engine(server.url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    made: list[str] = []
    with engine.connect() as connection:
        if not connection.execute(sa.text("SELECT 1 FROM pg_roles WHERE rolname = :r"), {"r": _ROLE}).first():
            connection.exec_driver_sql(f"CREATE ROLE {_ROLE} LOGIN PASSWORD '{_PASSWORD}'")
        connection.exec_driver_sql('CREATE DATABASE "t_bus"')
    made.append("t_bus")
    template = sa.create_engine(url_for(server.url, "t_bus"), isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with template.connect() as connection:
        connection.connection.cursor().execute(chassis_tables("probe") + partition_functions("probe"))

    def make() -> str:
        name = f"t_bus_{new_id()[-12:]}"
        with engine.connect() as connection:
            connection.exec_driver_sql(f'CREATE DATABASE "{name}" TEMPLATE "t_bus"')
        made.append(name)
        return url_for(server.url, name, _ROLE, _PASSWORD)

    yield make
    with engine.connect() as connection:
        for name in reversed(made):
            connection.exec_driver_sql(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@pytest.fixture(params=["embedded", "rabbitmq"])
def broker_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """Yield the address of an empty broker."""
    if request.param == "embedded":
        name = f"b{new_id()[-12:]}"
        yield f"embedded://{name}"
        embedded.Broker.by_name.pop(name, None)
        return
    url = request.getfixturevalue("rabbitmq")
    yield url
    _empty(url)


def _empty(url: str) -> None:
    """Delete the queues that a test declared, so that its messages do not reach the next test."""
    from services.chassis.transport.connection import Address

    for topology in declared.pop(url, []):
        with Address(url=url).connection() as connection:
            connection.connect()
            channel = connection.transport.create_channel(connection.connection)
            for queue in topology.queues:
                channel.queue_delete(queue=queue.name)
            for exchange in topology.exchanges:
                channel.exchange_delete(exchange=exchange.name)


declared: dict[str, list[Topology]] = {}


class World:
    """Everything that a test makes: services on one broker, and calls to them."""

    def __init__(self, stack: ExitStack, url: str, keys: Keys, make_database: Callable[[], str]) -> None:
        self.url = url
        self.keys = keys
        self._stack = stack
        self._make_database = make_database
        self.signer = PassportSigner(keys.private)
        self.processes: dict[str, Process] = {}
        self.services: dict[str, Services] = {}

    def settings(self, service: str, **given: Any) -> Settings:
        return Settings(
            service=service,
            broker_url=self.url,
            passport_public_key=self.keys.public,
            service_secret="a secret",
            service_key=pem_of(service),
            **{"workers": 10, "pool_size": 5, **given},
        )

    def declare(self, *services: type[Any], **options: Any) -> Topology:
        topology = topology_of(services, **options)
        process = compose(self.settings("deploy"))
        declare_topology(process.address, topology)
        declared.setdefault(self.url, []).append(topology)
        return topology

    def process(self, service: str, **given: Any) -> Process:
        """Compose a process with its own database; it handles access's announcements unless the test says otherwise."""
        process = compose(self.settings(service, **given))
        database = Database(self._make_database(), service=service, stream=Stream(key_of(service)), pool_size=5)
        account = parse_url(self.url)["userid"]
        # On RabbitMQ all share the account of the tests; tests of their own give every service its own.
        process = replace(process, database=database, account_of=lambda service: account or service)
        process.revocations._monotonic = lambda: 0.0
        process.revocations.hear(1, [], "1")
        self.processes[service] = process
        return process

    def run(self, *classes: type[Any], **given: Any) -> Services:
        parts = [(service, self.process(service.name, **given)) for service in classes]
        services = Services(parts)
        self._stack.callback(services.stop)
        assert services.start(seconds=20)
        for service in classes:
            self.services[service.name] = services
        return services

    def client(self, identity: str = "gateway", deadline: float = 10.0) -> RpcClient:
        client = RpcClient(compose(self.settings(identity)).address, identity=identity, deadline=deadline)
        self._stack.callback(client.stop)
        client.start()
        assert client.wait_up(10)
        return client

    def passport(self, caller: Caller, audience: str = "probe") -> str:
        return self.signer.issue(caller, audience, datetime.now(UTC))[0]

    def rows(self, service: str, query: str, **parameters: Any) -> list[Any]:
        with self.processes[service].open_database().system_transaction() as connection:
            return list(connection.execute(sa.text(query), parameters))

    def entries(self, service: str = "probe") -> list[dict[str, Any]]:
        return [row.body for row in self.rows(service, "SELECT body FROM entries WHERE n > 0 ORDER BY created_at, n")]

    def depth(self, queue: str) -> int:
        with compose(self.settings("deploy")).address.connection() as connection:
            connection.connect()
            channel = connection.transport.create_channel(connection.connection)
            return int(channel.queue_declare(queue=queue, passive=True).message_count)

    def drained(self, service: str = "probe") -> None:
        eventually(lambda: not self.rows(service, "SELECT 1 FROM outbox WHERE NOT done LIMIT 1"))


@pytest.fixture
def world(broker_url: str, keys: Keys, bare_database: Callable[[], str]) -> Iterator[World]:
    with ExitStack() as stack:
        yield World(stack, broker_url, keys, bare_database)
