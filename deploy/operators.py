"""The operator at the command line, and the system that they act on."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from sqlalchemy.exc import SQLAlchemyError

from deploy.environment import Installation
from deploy.failures import sentence_of
from deploy.options import takes_operator_and_system
from deploy.postgres import OwnServer, ServerFailed, as_url
from deploy.provision import read_address
from deploy.secrets import Secrets
from deploy.state import AlreadyRunning, StateFolder
from services.chassis.config import Settings
from services.chassis.database import Database
from services.chassis.database.stream import Stream
from services.chassis.identity import ServiceKey
from services.chassis.messages import Refusal
from services.chassis.outbox.store import Outbox


@dataclass(frozen=True, slots=True)
class Operator:
    """A named operator and their system."""

    name: str
    installation: Installation

    @contextmanager
    def database(self, service: str) -> Iterator[Database]:
        """Open a service's database under the service's role, with a new stream for audit entries.

        The running service's relay ships the entries.
        """
        settings = Settings.read(self.installation.environment_of(service))
        stream = Stream(ServiceKey.parse(service, settings.service_key), beats=False)
        database = Database(settings.database_url, service=service, stream=stream, pool_size=2)
        outbox = Outbox(database)
        try:
            outbox.open_stream()
            yield database
            outbox.settle(closing=True)
        finally:
            database.close()


def as_operator(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options for the system and the operator to a command, which gets an `Operator` as first argument."""

    @takes_operator_and_system
    @functools.wraps(command)
    def wrapped(data: Path, secrets: Path | None, operator: str, **options: Any) -> Any:
        try:
            with nullcontext(True) if secrets is not None else database_runs(data):
                return command(Operator(operator, installation(data, secrets)), **options)
        except (Refusal, SQLAlchemyError, ServerFailed) as failed:
            raise click.ClickException(sentence_of(failed)) from failed

    return wrapped


@contextmanager
def database_runs(data: Path) -> Iterator[bool]:
    """Keep the database of a state folder running during the block; yield whether the whole system runs.

    A stopped database is started for the block.
    """
    if not (data / "postgres").is_dir() or read_address(os.environ, "DATABASE_URL"):
        yield True
        return
    state = StateFolder(data)
    with ExitStack() as stack:
        try:
            stack.enter_context(state)
        except AlreadyRunning:
            yield True
            return
        stack.enter_context(OwnServer(state.postgres, state.secrets["postgres_password"]))
        yield False


def installation(data: Path, secrets: Path | None) -> Installation:
    """Return the system to act on.

    :raises click.ClickException: there is none.
    """
    given = read_address(os.environ, "DATABASE_URL")
    state = StateFolder(data)
    if secrets is not None and given is None:
        raise click.ClickException("With --secrets, DATABASE_URL (or DATABASE_URL_FILE) says where the databases are.")
    if secrets is None and not (state.secrets.folder.is_dir() and (state.postgres.is_dir() or given)):
        raise click.ClickException(f"There is no system in {data}; --data names its state folder.")
    held = state.secrets if secrets is None else Secrets(secrets)
    return Installation(
        secrets=held,
        server=as_url(given) if given else OwnServer(state.postgres, held["postgres_password"]).locate().url,
        broker=(secrets and read_address(os.environ, "BROKER_URL")) or "",
        checkpoints=state.checkpoints,
        erased_ids=state.erased_ids,
    )
