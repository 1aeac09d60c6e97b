"""The whole system, as tests and benchmarks start it: embedded in one process, or as six over RabbitMQ.

Both are real processes that this one only talks to over HTTP, and signals.
"""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote

import amqp
import psycopg
import requests

from deploy.broker import VHOST, definitions, users
from deploy.environment import PROCESSES, Installation
from deploy.migrations import SERVICES
from deploy.postgres import stop_with_parent
from deploy.provision import declare, migrate
from deploy.state import StateFolder
from services.chassis.database import Database
from services.chassis.database.stream import Stream
from services.chassis.identity import ServiceKey
from services.chassis.outbox.store import Outbox
from services.chassis.topology import call_queue
from services.chassis.transport.connection import Address
from services.contacts.contract.integrations import components_of
from tests.support import eventually
from tests.support.postgres import DisposableServer
from tests.support.rabbitmq import Node, start_node

_ROOT = Path(__file__).parents[1]
_READY = 90.0
_STOP = 20.0


class Running(Protocol):
    """What the journeys need to know of a system, however it runs."""

    base: str
    data: Path
    started_at: str

    def account(self, component: str | None = None, level: str | None = None, index: int = 0, *, role: str | None = None) -> dict[str, Any]:
        """Return a demonstration account."""

    @property
    def audit_arguments(self) -> list[str]:
        """Return what `liaison audit verify` needs to find this system."""


class _Accounts:
    """The demonstration accounts of a state folder."""

    data: Path
    started_at: str

    def account(self, component: str | None = None, level: str | None = None, index: int = 0, *, role: str | None = None) -> dict[str, Any]:
        accounts = json.loads((self.data / "demo-accounts.json").read_text())
        fitting = [
            account
            for account in accounts
            if (component is None or account["component"] == component)
            and (level is None or account["level"] == level)
            and (role in account["roles"] if role else not account["roles"])
        ]
        return dict(fitting[index])


class Embedded(_Accounts):
    """`liaison run`, in a folder of its own."""

    def __init__(self, data: Path, *, seed: str = "accounts", environ: Mapping[str, str] | None = None) -> None:
        """Describe it; `start` starts it."""
        self.data = data
        self.base = ""
        self.started_at = ""
        self._seed = seed
        self._environ = dict(environ or {})
        self.process: subprocess.Popen[str] | None = None

    @property
    def audit_arguments(self) -> list[str]:
        """Return what `liaison audit verify` needs to find this system."""
        return ["--data", str(self.data)]

    def start(self) -> Embedded:
        """Start it and wait for `Ready:`."""
        self.started_at = _now()
        self.data.parent.mkdir(parents=True, exist_ok=True)
        with (self.data.parent / f"{self.data.name}.log").open("a") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "deploy.cli", "run", "--data", str(self.data), "--port", "0", "--seed", self._seed],
                cwd=_ROOT,
                env={**os.environ, **self._environ},
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        assert self.process.stdout
        for line in self.process.stdout:
            if line.startswith("Ready: "):
                self.base = line.removeprefix("Ready: ").strip()
                return self
        raise AssertionError(f"it ended with {self.process.wait()}: {(self.data.parent / f'{self.data.name}.log').read_text()[-3000:]}")

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Ask it to stop, and return how it ended."""
        assert self.process
        self.process.send_signal(number)
        code = self.process.wait(_STOP)
        assert self.process.stdout
        self.process.stdout.close()
        return code


class Full(_Accounts):
    """Six processes, a RabbitMQ node and a durable PostgreSQL server; each part may be killed and started again."""

    def __init__(
        self, data: Path, *, settings: Mapping[str, str] | None = None, environ: Mapping[str, str] | None = None, integrations: str = ""
    ) -> None:
        """Describe it; `start` starts it.

        :param settings: of the PostgreSQL server.
        :param environ: more settings for every process.
        :param integrations: codes of components with a system of their own, such as `ICE`.
        """
        self.data = data
        self.started_at = ""
        self.port = 20000 + secrets.randbelow(12000)
        self.base = f"http://127.0.0.1:{self.port}"
        self._settings = dict(settings or {})
        self._environ = dict(environ or {})
        self._integrations = integrations
        self._state = StateFolder(data)
        self.postgres: DisposableServer | None = None
        self.broker: Node | None = None
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self._environments: dict[str, dict[str, str]] = {}

    @property
    def audit_arguments(self) -> list[str]:
        """Return what `liaison audit verify` needs to find this system."""
        return ["--data", str(self.data), "--database", self.database_url("audit")]

    def database_url(self, service: str) -> str:
        """Return where a service's database is, under the service's role."""
        return self._environments[service]["DATABASE_URL"]

    @contextmanager
    def opened(self, service: str) -> Iterator[Database]:
        """Give a service's database as an operator's command has it."""
        stream = Stream(ServiceKey.parse(service, self._environments[service]["SERVICE_KEY"]), beats=False)
        database = Database(self.database_url(service), service=service, stream=stream)
        outbox = Outbox(database)
        outbox.open_stream()
        yield database
        outbox.settle(closing=True)
        database.close()

    def broker_url(self, process: str) -> str:
        """Return where the broker is, under a process's user."""
        return self._environments[process]["BROKER_URL"]

    def start(self) -> Full:
        """Start everything from nothing, the broker's users and permissions and the demonstration accounts included."""
        from deploy.demo import accounts

        self.started_at = _now()
        self._state.__enter__()
        self.postgres = DisposableServer(self._state.postgres, self._state.secrets["postgres_password"], settings=self._settings).start()
        self.broker = start_node()
        components = components_of(self._integrations)
        passwords = {user: secrets.token_urlsafe(12) for user in users(SERVICES, components)}
        wanted = definitions(SERVICES, passwords, integrations=components)
        # The node's administrator looks into the queues for the tests.
        everything = {"configure": ".*", "write": ".*", "read": ".*"}
        self._define({**wanted, "permissions": [*wanted["permissions"], {"user": "liaison", "vhost": VHOST, **everything}]})
        for _ in migrate(self.postgres.url, self._state.secrets):
            pass
        declare(Address(url=self._broker_url("deployer", passwords)), integrations=self._integrations)
        installation = Installation(
            secrets=self._state.secrets,
            server=self.postgres.url,
            broker="",
            checkpoints=self._state.checkpoints,
            erased_ids=self._state.erased_ids,
            port=self.port,
            cookie_secure=False,
            integrations=self._integrations,
        )
        for name in PROCESSES:
            environment = {**installation.environment_of(name), "BROKER_URL": self._broker_url(name, passwords), **self._environ}
            self._environments[name] = self.environment_of(name, environment)
        with self.opened("access") as database:
            accounts.seed(database, self._state.accounts, now=datetime.now(UTC))
        for name in PROCESSES:
            self.spawn(name)
        self.wait_ready()
        return self

    def environment_of(self, process: str, environment: Mapping[str, str]) -> dict[str, str]:
        """Return what a process is told, as it is composed; a system of another kind may tell it otherwise."""
        return dict(environment)

    def contributors(self, count: int) -> list[dict[str, Any]]:
        """Return that many accounts of contributors of ICE, made for this run."""
        from services.access.domain.passwords import password_hash
        from services.access.usecases.seeding import Account, seed_accounts
        from services.chassis.messages import Caller

        password = secrets.token_urlsafe(12)
        names = [f"extra-{secrets.token_hex(4)}" for _ in range(count)]
        made = [
            Account(username=name, name=name, component="ICE", level="contributor", roles=frozenset(), password_hash=password_hash(password))
            for name in names
        ]
        with self.opened("access") as database, database.work(Caller.operator("tests")) as work:
            seed_accounts(work, made, now=datetime.now(UTC))
        return [{"username": name, "password": password} for name in names]

    def sql(self, service: str, statement: str) -> list[tuple[Any, ...]]:
        """Run a statement in a service's database, as the superuser, and return its rows."""
        assert self.postgres
        url = self.postgres.url.set(database=f"liaison_{service}", drivername="postgresql")
        with psycopg.connect(url.render_as_string(hide_password=False)) as connection:
            return connection.execute(statement.encode()).fetchall()

    def look_into_queues(self) -> amqp.Connection:
        """Connect to the broker as its administrator."""
        assert self.broker
        user, _, password = self.broker.url.removeprefix("amqp://").partition("@")[0].partition(":")
        return amqp.Connection(host=f"127.0.0.1:{self.broker.port}", userid=user, password=password, virtual_host=VHOST, connect_timeout=10)

    def answers(self) -> bool:
        """Whether the gateway says that every part answers; a part that ended is started again."""
        for name, process in self.processes.items():
            if process.poll() is not None:
                self.spawn(name)
        try:
            return requests.get(f"{self.base}/api/v1/health/ready", timeout=5).status_code == requests.codes.ok
        except requests.RequestException:
            return False

    def spawn(self, name: str, *, through: Sequence[str] = (), environ: Mapping[str, str] | None = None) -> None:
        """Start one process; wait for nothing. When the tests are killed, it is.

        :param through: a module, with arguments, that runs the process's own.
        """
        module = "gateway" if name == "gateway" else f"services.{name}"
        with (self.data / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [sys.executable, "-m", *through, module],
                cwd=_ROOT,
                env={**os.environ, **self._environments[name], **(environ or {})},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=stop_with_parent(signal.SIGKILL),  # noqa: PLW1509 - one system call, through a function that was looked up before
            )

    def kill(self, name: str) -> None:
        """Kill one process, as a power cut would."""
        self.processes[name].kill()
        self.processes[name].wait(_STOP)

    def wait_ready(self, seconds: float = _READY) -> None:
        """Wait until the gateway hears access, and every service takes calls."""
        eventually(self._is_ready, seconds, why="the system is ready")
        eventually(lambda: all(map(self.takes_calls, SERVICES)), seconds, why="every service takes calls")

    def takes_calls(self, service: str) -> bool:
        """Whether somebody takes the service's calls, as the broker knows it."""
        with self.look_into_queues() as connection:
            return connection.channel().queue_declare(call_queue(service), passive=True).consumer_count > 0

    def _is_ready(self) -> bool:
        for name, process in self.processes.items():
            if process.poll() is not None:
                raise RuntimeError(f"{name} ended with {process.returncode}: {(self.data / f'{name}.log').read_text()[-3000:]}")
        try:
            return requests.get(f"{self.base}/api/v1/health/ready", timeout=5).status_code == requests.codes.ok
        except requests.RequestException:
            return False

    def stop(self) -> None:
        """Stop everything in order."""
        for process in self.processes.values():
            process.terminate()
        deadline = time.monotonic() + _STOP
        for process in self.processes.values():
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if self.broker:
            self.broker.stop()
        if self.postgres:
            self.postgres.stop()
        self._state.__exit__(None, None, None)

    def _broker_url(self, user: str, passwords: Mapping[str, str]) -> str:
        assert self.broker
        return f"amqp://{user}:{quote(passwords[user], safe='')}@127.0.0.1:{self.broker.port}/{VHOST}"

    def _define(self, wanted: Mapping[str, Any]) -> None:
        assert self.broker
        file = self.broker.folder / "definitions.json"
        file.write_text(json.dumps(wanted))
        file.chmod(0o644)
        self.broker.control("import_definitions", str(file))


@contextmanager
def running(kind: str, data: Path, **options: Any) -> Iterator[Running]:
    """Run a system of that kind (`embedded` or `rabbitmq`) for as long as the block lasts."""
    system: Embedded | Full = Embedded(data, **options) if kind == "embedded" else Full(data, **options)
    try:
        yield system.start()
    finally:
        system.stop()


def memory_of(pids: Sequence[int]) -> int:
    """Return the proportional set size of processes and their children, in bytes."""
    total = 0
    for pid in pids:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1]) * 1024
    return total


#: What the check of one password takes while it lasts, in bytes.
ONE_PASSWORD = 19 << 20


def kept_of_sign_ins(base: str, account: dict[str, Any], pid: int) -> int:
    """Return how much more memory a process has after it has checked a password in each of its threads, in bytes."""
    from tests.journeys.client import Person

    # What the first ones load stays loaded.
    Person(base).sign_in(account)
    before = memory_of([pid])
    for _ in range(8):
        Person(base).sign_in(account)
    return memory_of([pid]) - before


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
