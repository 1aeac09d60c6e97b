"""An access database with the cast, and sessions for tests."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from sqlalchemy import text

from services.access.contract import ComponentChanged, UserChanged
from services.access.domain.passwords import password_hash
from services.access.domain.secrets import service_secret
from services.access.service import AccessService
from services.access.usecases import seeding, sessions
from services.access.usecases.seeding import Account
from services.chassis.config import Settings
from services.chassis.database import Database
from services.chassis.messages import Caller, Operation, Refusal, new_id
from services.chassis.passport import PassportSigner, PassportVerifier
from services.chassis.revocations import Revocations
from services.chassis.runtime.process import Services, compose, declare_topology
from services.chassis.topology import compute
from services.chassis.transport.embedded import register
from services.chassis.transport.heartbeat import HeartbeatListener
from services.chassis.transport.rpc_client import RpcClient
from tests.support import Databases
from tests.support.databases import Addresses
from tests.support.keys import pem_of

MASTER = "a master secret of tests"
PASSWORD = "correct horse battery"
#: Whole milliseconds, as the clock of the service gives them to the tests.
START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
_STORED = password_hash(PASSWORD)

CAST = (
    Account("amina", "Amina Haddad", "ICE", "contributor", _STORED),
    Account("bruno", "Bruno Keller", "ICE", "contributor", _STORED),
    Account("chloe", "Chloé Martin", "PSO", "contributor", _STORED),
    Account("edda", "Edda Lind", "PRIV", None, _STORED, frozenset({"isso"})),
    Account("farid", "Farid Nasser", "PRIV", None, _STORED, frozenset({"privacy_officer"})),
    Account("grace", "Grace Owusu", "ICE", "steward", _STORED, frozenset({"office_administrator"})),
    Account("renata", "Renata Silva", "FEMA", "reader", _STORED),
    Account("sam", "Sam Ito", "WHL", "reader", _STORED, frozenset({"system_administrator"})),
    Account("olga", "Olga Brandt", "IGA", "reader", _STORED, frozenset({"system_owner"})),
)


def a_key() -> tuple[str, str]:
    """Return an Ed25519 key pair as PEM: private, public."""
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return private, key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


class Office:
    """Access's use cases on its database, with a clock that the test sets."""

    def __init__(self, database: Database) -> None:
        """Seed the cast."""
        self.database = database
        self.now = START
        self.private_key, self.public_key = a_key()
        self.signer = PassportSigner(self.private_key)
        with database.work(Caller.operator("tests")) as work:
            self.ids = seeding.seed_accounts(work, CAST, now=self.now - timedelta(days=1))

    def later(self, **spans: float) -> None:
        """Let time pass."""
        self.now += timedelta(**spans)

    def sign(self, caller: Caller, audience: str, now: datetime) -> tuple[str, str]:
        """Sign a passport."""
        return self.signer.issue(caller, audience, now)

    def read(self, passport: str, audience: str = "access") -> Caller:
        """Verify a passport as a service does."""
        return PassportVerifier(self.public_key, audience).verify(passport, self.now)

    def does(self, act: Callable[..., Any], *, by: Caller | None = None, **given: Any) -> Any:
        """Run a use case in its own unit of work; raise a returned refusal, as the service does."""
        offered = {"by": by or Caller.anonymous(), "now": self.now}
        taken = {name: value for name, value in offered.items() if name in inspect.signature(act).parameters}
        with self.database.work(offered["by"]) as work:
            outcome = act(work, **taken, **given)
        if isinstance(outcome, Refusal):
            raise outcome
        return outcome

    def sign_in(self, username: str) -> dict[str, Any]:
        """Sign in with the right password."""
        return self.does(sessions.sign_in, user_id=self.ids[username])

    def open(self, token: object) -> dict[str, Any]:
        """Open the session of a token."""
        return self.does(sessions.open_session, token=token, sign=self.sign, policy_version="1")

    def caller(self, token: str, audience: str = "access") -> Caller:
        """Return the caller of a session's passport."""
        return self.read(self.open(token)["passports"][audience], audience)

    def acknowledge(self, token: str, **given: Any) -> dict[str, Any]:
        """Acknowledge the statements in force."""
        by = self.caller(token)
        return self.does(sessions.acknowledge, by=by, **{"statements_version": "2.4-1", "accepted": True, **given})

    def signed_in(self, username: str) -> str:
        """Return a token of an acknowledged session."""
        token = self.sign_in(username)["token"]
        self.acknowledge(token)
        return str(token)

    def entries(self, action: str | None = None) -> list[dict[str, Any]]:
        """Return the audit entries."""
        with self.database.system_transaction() as connection:
            rows = connection.execute(text("SELECT body FROM entries WHERE n > 0 ORDER BY created_at, n")).scalars()
            return [body for body in rows if action in {None, body["action"]}]

    def announced(self, name: str) -> list[dict[str, Any]]:
        """Return the fields of the announcements of that name."""
        with self.database.system_transaction() as connection:
            bodies = connection.execute(text("SELECT body FROM outbox ORDER BY id")).scalars()
            return [body["fields"] for body in bodies if body["name"] == name]

    def rows(self, statement: str, **given: Any) -> list[Any]:
        """Query the database."""
        with self.database.system_transaction() as connection:
            return list(connection.execute(text(statement), given))


@pytest.fixture
def office(fresh_database: Callable[[str], Database]) -> Office:
    """Access with the cast seeded."""
    return Office(fresh_database("access"))


class Running:
    """Access as a running service on the in-process broker, and a client in the gateway's place."""

    def __init__(self, addresses: Addresses, name: str) -> None:
        """Start it, with the cast seeded."""
        register()
        self.addresses = addresses
        self.private_key, self.public_key = a_key()
        self.settings = Settings(
            service="access",
            database_url=addresses.runtime,
            broker_url=f"embedded://{name}",
            passport_private_key=self.private_key,
            passport_public_key=self.public_key,
            service_master_secret=MASTER,
            cursor_key="a key of tests",
            service_secret=service_secret(MASTER, "access"),
            service_key=pem_of("access"),
        )
        self.skew = timedelta()
        self.process = compose(self.settings, clock=self.now)
        self.database = self.process.open_database()
        with self.database.work(Caller.operator("tests")) as work:
            self.ids = seeding.seed_accounts(work, CAST, now=self.now() - timedelta(days=1))
        listened = {"access": [], "listener": [UserChanged.routing_key(), ComponentChanged.routing_key()]}
        declare_topology(self.process.address, compute(listened))
        self.services = Services([(AccessService, self.process)])
        self.heard = Revocations()
        self.client = RpcClient(self.process.address, identity="gateway", on_connect=HeartbeatListener(self.heard, identity="gateway"))

    def start(self) -> None:
        """Start, and wait until it answers."""
        assert self.services.start(seconds=20)
        self.client.start()
        assert self.client.wait_up(20)

    def now(self) -> datetime:
        """Return access's time."""
        return datetime.now(UTC) + self.skew

    def stop(self) -> None:
        """Stop everything."""
        self.client.stop()
        self.services.stop()

    def call(self, method: str, passport: str | None = None, /, *, command: bool = False, **kwargs: Any) -> Any:
        """Call a method as the gateway does."""
        operation = Operation(new_id(), "POST", f"/{method}", None, "none") if command else None
        return self.client.call("access", method, kwargs, passport=passport, trace_id=new_id(), operation=operation)

    def sign_in(self, username: str, password: str = PASSWORD, source: str = "198.51.100.7") -> dict[str, Any]:
        """Sign in over the bus."""
        signed_in: dict[str, Any] = self.call("sign_in", username=username, password=password, source=source)
        return signed_in

    def passport(self, token: str, audience: str = "access") -> str:
        """Return a session's passport."""
        return str(self.call("open_session", token=token)["passports"][audience])

    def signed_in(self, username: str) -> str:
        """Return a token of an acknowledged session."""
        token = str(self.sign_in(username)["token"])
        self.call("acknowledge", self.passport(token), statements_version="2.4-1", accepted=True)
        return token

    def entries(self) -> list[dict[str, Any]]:
        """Return the audit entries."""
        with self.database.system_transaction() as connection:
            return list(connection.execute(text("SELECT body FROM entries WHERE n > 0 ORDER BY created_at, n")).scalars())


@contextmanager
def _running(databases: Databases) -> Iterator[Running]:
    addresses = databases.make("access")
    office = Running(addresses, f"access-{new_id()[-12:]}")
    office.start()
    yield office
    office.stop()
    databases.drop(addresses)


@pytest.fixture
def running(databases: Databases) -> Iterator[Running]:
    """Access as it runs."""
    with _running(databases) as office:
        yield office


@pytest.fixture(scope="module")
def standing(databases: Databases) -> Iterator[Running]:
    """Running access, shared by tests that leave it as they found it."""
    with _running(databases) as office:
        yield office
