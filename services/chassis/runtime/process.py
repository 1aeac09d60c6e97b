"""Compose, start and stop the services of one process.

A process has one service (full deployment) or several (embedded deployment). Each service has its own `Process` with its
own database, identity and connections, so both deployments work alike.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import eventlet
from greenlet import GreenletExit
from sqlalchemy.exc import SQLAlchemyError

from services.chassis import logs
from services.chassis.backoff import pauses
from services.chassis.config import Settings
from services.chassis.database import Database
from services.chassis.database.stream import Stream
from services.chassis.entrypoints.consumers import CONCURRENTLY, AnnouncementHandler
from services.chassis.entrypoints.container import Container
from services.chassis.entrypoints.context import LIAISON, Process
from services.chassis.identity import ServiceKey
from services.chassis.keyed import parts_of
from services.chassis.logs import Log, where
from services.chassis.messages import Unavailable, tag_with
from services.chassis.passport import PassportVerifier
from services.chassis.runtime.clients import address_of, client_and_revocations
from services.chassis.runtime.key_renewal import KeyRenewal, watch_keys
from services.chassis.runtime.memory import settle, tune
from services.chassis.sandbox.pool import end_all
from services.chassis.signals import wait_for_signal
from services.chassis.topology import Topology, compute, declare
from services.chassis.transport.connection import LOST, Address
from services.chassis.transport.passport_cache import PassportCache
from services.chassis.transport.publisher import Publisher

_log = Log(__name__)

#: Workers for timers, batches and background work, on top of those for calls and announcements.
_SPARE_WORKERS = 16
#: Seconds between two health checks, and the seconds that each of their two parts may take.
_HEALTH_EVERY = 5.0
_HEALTH_WITHIN = 5.0


def compose(settings: Settings, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> Process:
    """Build a `Process` from its settings; nothing is connected before `start`.

    :raises IdentityRefused: a service with a database has no key to sign its entries with.
    """
    address = address_of(settings)
    client, revocations = client_and_revocations(settings, address)
    tag_with(parts_of(settings.cursor_key))
    database = None
    if settings.database_url:
        stream = Stream(ServiceKey.parse(settings.service, settings.service_key))
        database = Database(settings.database_url, service=settings.service, stream=stream, pool_size=settings.pool_size, clock=clock)
    verifier = PassportVerifier(settings.passport_public_key, settings.service) if settings.passport_public_key else None
    return Process(
        settings=settings,
        address=address,
        client=client,
        publisher=Publisher(address, identity=settings.service),
        passports=PassportCache(client, settings),
        revocations=revocations,
        database=database,
        verifier=verifier,
        clock=clock,
    )


class Services:
    """Starts and stops the services of one process."""

    def __init__(self, parts: Sequence[tuple[type[Any], Process]]) -> None:
        """Prepare the service classes with their processes."""
        self._processes = [process for _, process in parts]
        self.containers: dict[str, Container] = {}
        for service, process in parts:
            config = {
                LIAISON: {service.name: process},
                "max_workers": process.settings.workers + CONCURRENTLY + _SPARE_WORKERS,
            }
            self.containers[service.name] = Container(service, config)

    def start(self, *, seconds: float | None = None) -> bool:
        """Start all services and wait until they take calls, at most `seconds`; return whether they do.

        Connecting to the broker is retried, with pauses of at most five seconds.
        """
        from services.chassis import green

        green.check()
        for process in self._processes:
            process.start()
        for container in self.containers.values():
            container.start()
        return self.wait_ready(seconds)

    def wait_ready(self, seconds: float | None = None) -> bool:
        """Wait until all connections are up, at most `seconds`; return whether they are."""
        deadline = eventlet.Timeout(seconds)
        try:
            for process in self._processes:
                process.client.wait_up()
                process.publisher.wait_up()
            for container in self.containers.values():
                for extension in container.extensions:
                    if hasattr(extension, "wait_up"):
                        extension.wait_up(None)
        except eventlet.Timeout as timeout:
            if timeout is not deadline:
                raise
            return False
        finally:
            deadline.cancel()
        return True

    def say_healthy(self) -> None:
        """Touch the health files, if any, every five seconds while all connections are up and the databases answer."""
        while files := [Path(process.settings.health_file) for process in self._processes if process.settings.health_file]:
            if self._is_healthy():
                for file in files:
                    file.touch()
            eventlet.sleep(_HEALTH_EVERY)

    def _is_healthy(self) -> bool:
        if not self.wait_ready(_HEALTH_WITHIN):
            return False
        try:
            with eventlet.Timeout(_HEALTH_WITHIN):
                for process in self._processes:
                    if process.database is not None:
                        with process.database.system_transaction() as connection:
                            connection.exec_driver_sql("SELECT 1")
        except (eventlet.Timeout, SQLAlchemyError, Unavailable) as error:
            _log.warning("process.unwell", error=type(error).__name__)
            return False
        return True

    def stop(self) -> None:
        """Stop taking work, finish running work, ship the outbox and close the connections."""
        # Concurrently, so that one service's work does not use up the time of the others.
        for stopping in [eventlet.spawn(container.stop) for container in reversed(self.containers.values())]:
            stopping.wait()
        for process in reversed(self._processes):
            process.stop()
        end_all()

    def kill(self) -> None:
        """Stop at once."""
        for container in self.containers.values():
            container.kill()
        for process in self._processes:
            process.stop()
        end_all()

    def wait(self) -> None:
        """Wait until a container ends by itself, which is a bug.

        :raises Exception: the error that ended it.
        """
        for container in self.containers.values():
            container.wait()


def run_service(service: type[Any]) -> None:
    """Run one service until SIGTERM, with its settings from the environment."""

    def read(name: str) -> Settings:
        return Settings.read(os.environ, service=name)

    settings = read(service.name)
    logs.configure(level=settings.log_level, form=settings.log_format, service=settings.service)
    run([(service, compose(settings))], read=read)


def run(
    parts: Sequence[tuple[type[Any], Process]],
    *,
    read: Callable[[str], Settings] | None = None,
) -> None:
    """Run services until SIGTERM or SIGINT.

    :param read: returns the settings of a service again, for replacing keys without a restart.
    :raises SystemExit: a service could not start, or ended by itself; the supervisor restarts the process.
    """
    settings = parts[0][1].settings
    tune(settings)
    stop = wait_for_signal()
    services = Services(parts)
    failures: list[BaseException] = []
    background: list[Any] = []
    looking = [KeyRenewal(process.settings, partial(read, service.name), process.renew) for service, process in parts] if read else []

    def start_and_watch() -> None:
        services.start()
        settle(settings)
        _log.info("process.ready")
        background.extend((eventlet.spawn(services.say_healthy), eventlet.spawn(watch_keys, looking)))
        services.wait()

    def ended(greenlet: Any) -> None:
        try:
            greenlet.wait()
        except GreenletExit:
            return
        except Exception as error:  # noqa: BLE001 - whatever it is, the process cannot go on
            _log.critical("process.failed", **where(error))
            failures.append(error)
        if not stop.ready():
            stop.send()

    watching = eventlet.spawn(start_and_watch)
    watching.link(ended)
    stop.wait()
    _log.info("process.stopping")
    for greenlet in (watching, *background):
        greenlet.kill()
    (services.kill if failures else services.stop)()
    _log.info("process.stopped")
    if failures:
        raise SystemExit(1)


def topics_handled_by(service: type[Any]) -> list[str]:
    """Return the routing keys of the announcements that a service class handles."""
    keys: list[str] = []
    for name in dir(service):
        keys.extend(
            entrypoint.announcement.routing_key()
            for entrypoint in getattr(getattr(service, name), "nameko_entrypoints", ())
            if isinstance(entrypoint, AnnouncementHandler)
        )
    return sorted(set(keys))


def topology_of(services: Iterable[type[Any]], **options: Any) -> Topology:
    """Return the topology of service classes; `options` are those of `compute`."""
    return compute({service.name: topics_handled_by(service) for service in services}, **options)


def declare_topology(address: Address, topology: Topology, *, seconds: float = 60.0) -> None:
    """Declare exchanges, queues and bindings, waiting for the broker.

    :raises Unavailable: the broker did not answer within `seconds`.
    """
    with eventlet.Timeout(seconds, Unavailable("The broker did not come in time.")):
        waits = pauses(first=0.1, longest=2.0)
        while True:
            connection = address.connection()
            try:
                connection.connect()
                inner = connection.connection
                declare(connection.transport.create_channel(inner), topology)
            except LOST as error:
                if not isinstance(error, OSError) and not getattr(error, "recoverable", False):
                    code = getattr(error, "reply_code", None) or getattr(error, "code", None)
                    if code in {403, 406}:
                        raise
                _log.warning("broker.waited-for", error=type(error).__name__)
                eventlet.sleep(next(waits))
            else:
                return
            finally:
                try:
                    connection.release()
                except LOST:
                    connection.collect()
