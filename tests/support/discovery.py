"""Find the database and the broker for a test run, in this order. A required backend is never skipped silently.

Database: DATABASE_URL, Docker, the PostgreSQL programs of this machine, the embedded wheel.
Broker: BROKER_URL, Docker, a RabbitMQ node of our own, the in-process broker.

REQUIRE_DB is `postgres` (any of them) or a backend's name; REQUIRE_BROKER is `rabbitmq` (any but the last) or a backend's name.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

from deploy.postgres import Programs, ServerFailed, as_url, embedded_programs, local_programs
from tests.support.postgres import FAST, DisposableServer, GivenServer, Server

Thing = TypeVar("Thing")
#: The name of a backend and the function that provides it, which returns None if it is not available.
Backend = tuple[str, Callable[[], "Taken[Any] | None"]]

POSTGRES_IMAGE = "postgres:18"
RABBITMQ_IMAGE = "rabbitmq:4-management"
#: The prefix of the folder of a run's databases; the process id of the run follows.
_FOLDERS = "liaison-db-"
_MEMORY = Path("/dev/shm")
#: The space in bytes that the databases of a run need.
_ROOM = 4 << 30
_PASSWORD = "liaison-tests"


class Absent(Exception):
    """A backend that a test needs is not available."""


@dataclass(frozen=True)
class Taken(Generic[Thing]):
    """A backend, the line that reports it, and the function that releases it."""

    thing: Thing
    backend: str
    sentence: str
    stop: Callable[[], None] = field(default=lambda: None, repr=False)


def take_database(environ: Mapping[str, str] = os.environ, *, settings: Mapping[str, str] | None = None) -> Taken[Server]:
    """Return the first available PostgreSQL. A server that is started here has a folder that is deleted when it stops.

    :param settings: for a server that is started here; by default it is fast and not durable.
    :raises Absent: none is available, or not the one that REQUIRE_DB names.
    """
    backends: list[Backend] = [
        ("url", lambda: _given_database(environ)),
        ("docker", _docker_database),
        ("local", lambda: _own_database("local", local_programs(), FAST if settings is None else settings)),
        ("embedded", lambda: _own_database("embedded", embedded_programs(), FAST if settings is None else settings)),
    ]
    return _take("database", backends, environ.get("REQUIRE_DB", ""), {"postgres": {"url", "docker", "local", "embedded"}})


def take_broker(environ: Mapping[str, str] = os.environ, *, in_process: bool = True) -> Taken[str]:
    """Return the AMQP address of the first available broker.

    :param in_process: whether the in-process broker, the last backend, is enough for this test.
    :raises Absent: none is available, or not the one that REQUIRE_BROKER names.
    """
    backends: list[Backend] = [
        ("url", lambda: _given_broker(environ)),
        ("docker", _docker_broker),
        ("node", _own_node),
    ]
    if in_process:
        backends.append(("in-process", lambda: Taken("embedded://", "in-process", "in this process")))
    return _take("broker", backends, environ.get("REQUIRE_BROKER", ""), {"rabbitmq": {"url", "docker", "node"}})


def _take(what: str, backends: list[Backend], demanded: str, families: Mapping[str, set[str]]) -> Taken[Any]:
    allowed = families.get(demanded, {demanded}) if demanded else {name for name, _ in backends}
    reasons = []
    for name, stand in backends:
        if name not in allowed:
            continue
        try:
            taken = stand()
        except ServerFailed as failed:
            reasons.append(f"{name}: {failed}")
            continue
        if taken:
            return taken
        reasons.append(f"{name}: not there")
    raise Absent(f"No {what}{f' of the kind demanded ({demanded})' if demanded else ''}: {'; '.join(reasons) or 'unknown kind'}.")


def is_demanded(what: str, environ: Mapping[str, str] = os.environ) -> bool:
    """Return whether a missing `DB` or `BROKER` is a failure, and not a reason to skip."""
    return bool(environ.get(f"REQUIRE_{what}"))


def _given_database(environ: Mapping[str, str]) -> Taken[Server] | None:
    url = environ.get("DATABASE_URL")
    if not url:
        return None
    server = GivenServer(as_url(url))
    return Taken(server, "url", f"PostgreSQL at {server.url.host}:{server.url.port or 5432}, from DATABASE_URL")


def _in_memory() -> Path | None:
    """Return a folder in memory, where the many files of databases are created faster, or None if it is too small."""
    try:
        return _MEMORY if shutil.disk_usage(_MEMORY).free >= _ROOM else None
    except OSError:
        return None


def _clear_away() -> None:
    """Delete the folders in memory of killed runs."""
    for former in _MEMORY.glob(f"{_FOLDERS}*"):
        if not Path("/proc", former.name.removeprefix(_FOLDERS).split("-")[0]).exists():
            shutil.rmtree(former, ignore_errors=True)


def _own_database(backend: str, programs: Programs | None, settings: Mapping[str, str]) -> Taken[Server] | None:
    if programs is None:
        return None
    _clear_away()
    is_durable = settings.get("fsync") != "off"
    folder = Path(tempfile.mkdtemp(prefix=f"{_FOLDERS}{os.getpid()}-", dir=None if is_durable else _in_memory()))
    folder.chmod(0o711)
    server = DisposableServer(folder / "pg", _PASSWORD, programs=programs, settings=settings)

    def stop() -> None:
        server.forget()
        shutil.rmtree(folder, ignore_errors=True)

    try:
        server.start()
    except ServerFailed:
        stop()
        raise
    return Taken(server, backend, f"PostgreSQL {programs.major}, {'the embedded wheel' if backend == 'embedded' else 'local programs'}", stop)


def _docker_is_there() -> bool:
    if not (os.environ.get("DOCKER_HOST") or Path("/var/run/docker.sock").exists()):
        return False
    import docker

    try:
        client = docker.from_env(timeout=3)
        try:
            return bool(client.ping())
        finally:
            client.close()
    except docker.errors.DockerException:
        return False


def _docker_database() -> Taken[Server] | None:
    if not _docker_is_there():
        return None
    from testcontainers.community.postgres import PostgresContainer

    container = PostgresContainer(POSTGRES_IMAGE, username="postgres", password=_PASSWORD, dbname="postgres")
    container.start()
    server = GivenServer(as_url(container.get_connection_url(driver="psycopg")))
    return Taken(server, "docker", f"{POSTGRES_IMAGE} in Docker", container.stop)


def _docker_broker() -> Taken[str] | None:
    if not _docker_is_there():
        return None
    from testcontainers.community.rabbitmq import RabbitMqContainer

    container = RabbitMqContainer(RABBITMQ_IMAGE, username="liaison", password=_PASSWORD)
    container.start()
    address = f"{container.get_container_host_ip()}:{container.get_exposed_port(5672)}"
    return Taken(f"amqp://liaison:{_PASSWORD}@{address}//", "docker", f"{RABBITMQ_IMAGE} in Docker", container.stop)


def _given_broker(environ: Mapping[str, str]) -> Taken[str] | None:
    url = environ.get("BROKER_URL")
    return Taken(url, "url", "RabbitMQ, from BROKER_URL") if url else None


def _own_node() -> Taken[str] | None:
    if not any(Path(folder, "rabbitmq-server").exists() for folder in _program_folders()):
        return None
    from tests.support.rabbitmq import start_node

    node = start_node()
    return Taken(node.url, "node", "a RabbitMQ node of our own", node.stop)


def _program_folders() -> Iterator[str]:
    # Debian installs servers outside the PATH of ordinary users.
    yield from os.environ.get("PATH", os.defpath).split(os.pathsep)
    yield from ("/usr/sbin", "/usr/local/sbin", "/usr/lib/rabbitmq/bin")
