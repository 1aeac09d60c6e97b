"""Run the whole system in one process: PostgreSQL, the in-process broker, five services and the gateway.

Each service has its own database, role, identity and connections, as in containers. Only the transport, the number of
processes and the addresses differ, and only this module knows that.
"""

from __future__ import annotations

import ipaddress
import shlex
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

import eventlet
import eventlet.debug
from greenlet import GreenletExit

from deploy.demo import accounts
from deploy.environment import PROCESSES, Installation
from deploy.postgres import OwnServer, as_url
from deploy.provision import declare, migrate, read_address, service_classes
from deploy.state import StateFolder
from gateway.app import create_app
from gateway.context import context_of
from gateway.server import listen, serve
from services.chassis import logs
from services.chassis.config import Settings
from services.chassis.entrypoints.context import Process
from services.chassis.logs import Log
from services.chassis.runtime.key_renewal import KeyRenewal, watch_keys
from services.chassis.runtime.memory import settle, tune
from services.chassis.runtime.process import Services, compose
from services.chassis.signals import wait_for_signal
from services.chassis.transport import embedded
from services.chassis.transport.connection import Address

_log = Log(__name__)

#: Seconds for running requests to end when the system stops.
_LAST_REQUESTS = 3.0
_READY_SECONDS = 60.0


class NotReady(OSError):
    """A part did not start in time; the log names it."""


@dataclass(frozen=True, slots=True)
class Running:
    """The running system."""

    address: str
    processes: Mapping[str, Process]


def run_embedded(data: Path, *, host: str, port: int, seed: str, environ: Mapping[str, str]) -> None:
    """Run until SIGTERM or SIGINT; print `Ready:` when the system is up.

    :raises AlreadyRunning: another process uses the folder.
    :raises OSError: the port is in use.
    """
    settings = Settings.read(environ, service="liaison")
    tune(settings)
    logs.configure(level=environ.get("LOG_LEVEL", "WARNING"), form=environ.get("LOG_FORMAT", "json"), service="liaison")
    # Otherwise eventlet prints exception messages, which may contain personal data.
    eventlet.debug.hub_exceptions(False)
    stop = wait_for_signal()
    with StateFolder(data) as state, ExitStack() as stack:
        starting = eventlet.spawn(_try_to_start, stack, state, host, port, seed, environ)
        asked = eventlet.spawn(stop.wait)
        # Stop signals during the start are handled, too.
        asked.link(lambda _: starting.kill())
        try:
            running = starting.wait()
        except GreenletExit:
            return
        if isinstance(running, Exception):
            raise running
        settle(settings)
        print(f"Ready: {running.address}", flush=True)  # noqa: T201 - the line that programs wait for
        if not _has_accounts(running.processes["access"]):
            print(_first_account(state.path), flush=True)  # noqa: T201 - the operator has to know
        stop.wait()
        _log.info("system.stopping")


def _has_accounts(access: Process) -> bool:
    with access.open_database().system_transaction() as connection:
        return connection.exec_driver_sql("SELECT 1 FROM users LIMIT 1").first() is not None


def _first_account(data: Path) -> str:
    """Return the command that creates the first account, for another terminal or after a stop."""
    program = Path(sys.argv[0])
    liaison = shlex.quote(str(program)) if program.name == "liaison" else f"{shlex.quote(sys.executable)} -m deploy.cli"
    return (
        "Nobody can sign in yet. Make the first account, with a name and an office of your own (it asks for a password):\n"
        f'  {liaison} users add first --name "First Administrator" --component ICE --level steward --role office_administrator '
        f"--complete --data {shlex.quote(str(data))}"
    )


def _try_to_start(*parts: Any) -> Running | Exception:
    # eventlet's hub prints an exception that leaves a greenlet, with its message.
    try:
        return _start(*parts)
    except Exception as failed:  # noqa: BLE001 - raised again by the caller
        return failed


def _start(stack: ExitStack, state: StateFolder, host: str, port: int, seed: str, environ: Mapping[str, str]) -> Running:
    loopback = _is_loopback(host)
    listener = listen(Settings(service="gateway", listen_host=host, listen_port=port))
    stack.callback(listener.close)
    port = listener.getsockname()[1]
    given = read_address(environ, "DATABASE_URL")
    server = as_url(given) if given else stack.enter_context(OwnServer(state.postgres, state.secrets["postgres_password"])).url
    installation = Installation(
        secrets=state.secrets,
        server=server,
        broker=f"embedded://liaison/{quote(str(state.journal))}",
        checkpoints=state.checkpoints,
        erased_ids=state.erased_ids,
        host=host,
        port=port,
        cookie_secure=not loopback,
        ribbon=environ.get("RIBBON", "DEMO" if seed == "demo" else ""),
        # Their passwords are shown to whoever opens the page: only to people on this machine.
        demo_accounts=state.accounts if seed == "demo" and loopback else None,
        hosts=f"{environ.get('HOSTS', '')} {host}",
        # Browsers share cookies between the ports of a host, so two systems need different names.
        cookie_name=f"liaison_{port}",
        trusted_proxies=environ.get("TRUSTED_PROXIES", ""),
        proxy_header=environ.get("PROXY_HEADER", "X-Forwarded-For"),
    )
    for line in migrate(server, state.secrets):
        _log.info("system.migrated", line=line)
    embedded.register()
    declare(Address(url=installation.broker))

    def read(name: str) -> Settings:
        return Settings.read(_settings_of(installation, name, environ), service=name)

    processes = {name: compose(read(name)) for name in PROCESSES}
    if seed != "none":
        accounts.seed(processes["access"].open_database(), state.accounts, now=datetime.now(UTC))
    stack.enter_context(_services(processes))
    stack.enter_context(_gateway(processes["gateway"], listener))
    looking = eventlet.spawn(watch_keys, [KeyRenewal(each.settings, partial(read, name), each.renew) for name, each in processes.items()])
    stack.callback(looking.kill)
    with eventlet.Timeout(_READY_SECONDS, NotReady(NotReady.__doc__)):
        while not processes["gateway"].revocations.is_current:
            eventlet.sleep(0.02)
    address = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    if seed == "demo":
        from deploy.demo import stakeholders

        stakeholders.seed(address, state.accounts, marker=state.path / "demo-seeded")
    return Running(address, processes)


def _settings_of(installation: Installation, process: str, environ: Mapping[str, str]) -> dict[str, str]:
    settings = installation.environment_of(process)
    # Six pools of ten connections would be too many for one process and one server.
    settings.setdefault("POOL_SIZE", environ.get("POOL_SIZE", "8"))
    for name in ("WORKERS", "CALL_DEADLINE", "LOOKUPS_OF_CONTRIBUTOR", "LOOKUPS_OF_STEWARD"):
        if name in environ:
            settings[name] = environ[name]
    return settings


@contextmanager
def _services(processes: Mapping[str, Process]) -> Iterator[None]:
    services = Services([(service, processes[name]) for name, service in service_classes().items()])
    if not services.start(seconds=_READY_SECONDS):
        services.kill()
        raise NotReady(NotReady.__doc__)
    try:
        yield
    finally:
        services.stop()


@contextmanager
def _gateway(process: Process, listener: Any) -> Iterator[None]:
    process.start()
    process.client.wait_up(_READY_SECONDS)
    app = create_app(process.client, process.revocations, process.settings)
    process.renewals.append(context_of(app).renew)
    serving = eventlet.spawn(serve, app, listener)
    try:
        yield
    finally:
        # The first kill stops new connections, closes idle ones and waits for running requests; a second one ends it.
        serving.kill()
        with eventlet.Timeout(_LAST_REQUESTS, exception=False), suppress(GreenletExit):
            serving.wait()
        serving.kill()
        process.stop()


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
