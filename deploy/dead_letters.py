"""`liaison dead-letters`: list dead letters without their content, replay them or discard them.

A dead letter is an alarm. A system in one process must be stopped first, because its broker is not shared; the command
then starts its database, because an operator's acts are recorded in the audit trail.
"""

from __future__ import annotations

import services.chassis.green  # isort: skip  # noqa: F401 - patches before anything else is imported

import functools
import json
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import click

from deploy.migrations import SERVICES
from deploy.operators import Operator, installation
from deploy.options import takes_json, takes_operator_and_system
from deploy.postgres import OwnServer, ServerFailed
from deploy.provision import declare, read_address, read_broker
from deploy.state import AlreadyRunning, StateFolder
from services.chassis.entrypoints.dead_letters import DeadLetter, discard, list_dead_letters, replay
from services.chassis.messages import Caller, Refusal
from services.chassis.topology import ENTRIES, OPERATOR, inbox
from services.chassis.transport import embedded
from services.chassis.transport.connection import Address

#: Every queue with a dead-letter queue, and its service.
QUEUES = {**{inbox(service): service for service in SERVICES}, ENTRIES: "audit"}


@dataclass(frozen=True, slots=True)
class Session:
    """The broker, and the operator whose acts are recorded."""

    operator: Operator
    address: Address

    def record(self, queue: str, act: str, ids: list[str]) -> None:
        """Record the act in the audit trail before it is done."""
        service = QUEUES[queue]
        with self.operator.database(service) as database, database.work(Caller.operator(self.operator.name)) as work:
            work.record(f"{service}:dead-letter:{act}", subjects=ids)


@contextmanager
def _session(data: Path, secrets: Path | None, operator: str) -> Iterator[Session]:
    broker = read_broker(os.environ, known_as=OPERATOR)
    with ExitStack() as stack:
        if broker is None:
            state = stack.enter_context(StateFolder(data))
            if not read_address(os.environ, "DATABASE_URL"):
                stack.enter_context(OwnServer(state.postgres, state.secrets["postgres_password"]))
            embedded.register()
            broker = Address(url=f"embedded://dead-letters/{quote(str(state.journal))}", known_as=OPERATOR)
            declare(broker)
        yield Session(Operator(operator, installation(data, secrets)), broker)


def _with_session(command: Callable[..., Any]) -> Callable[..., Any]:
    @takes_operator_and_system
    @functools.wraps(command)
    def wrapped(data: Path, secrets: Path | None, operator: str, **options: Any) -> Any:
        try:
            with _session(data, secrets, operator) as session:
                return command(session, **options)
        except (AlreadyRunning, ServerFailed) as failed:
            raise click.ClickException(str(failed)) from failed
        except Refusal as refusal:
            raise click.ClickException(refusal.detail) from refusal

    return wrapped


@click.group()
def dead_letters() -> None:
    """List, replay or discard dead letters; their content is never shown."""


@dead_letters.command("list")
@takes_json
@_with_session
def list_all(session: Session, *, as_json: bool) -> None:
    """List all dead letters: queue, id, reason, attempts and size."""
    found = [(queue, message) for queue in QUEUES for message in list_dead_letters(session.address, queue)]
    if as_json:
        click.echo(json.dumps([{"queue": queue, **asdict(message)} for queue, message in found]))
        return
    for queue, message in found:
        click.echo(f"{queue}  {message.id}  {message.routing_key}  {message.reason}  tries: {message.attempts}  {message.size} bytes")
    if not found:
        click.echo("There are no dead letters.")


@dead_letters.command("show")
@click.argument("queue", type=click.Choice(sorted(QUEUES)))
@click.argument("message_id")
@_with_session
def show(session: Session, *, queue: str, message_id: str) -> None:
    """Show one dead letter without its content."""
    for message in _chosen(session, queue, message_id):
        for name, value in asdict(message).items():
            click.echo(f"{name}: {value}")


@dead_letters.command("replay")
@click.argument("queue", type=click.Choice(sorted(QUEUES)))
@click.argument("message_id", required=False)
@_with_session
def replay_some(session: Session, *, queue: str, message_id: str | None) -> None:
    """Return one dead letter, or all of a queue, to the queue, and reset the attempts."""
    session.record(queue, "replay", [message.id for message in _chosen(session, queue, message_id)])
    click.echo(f"{replay(session.address, queue, message_id)} replayed.")


@dead_letters.command("discard")
@click.argument("queue", type=click.Choice(sorted(QUEUES)))
@click.argument("message_id", required=False)
@click.confirmation_option(prompt="A discarded message is gone for good. Discard?")
@_with_session
def discard_some(session: Session, *, queue: str, message_id: str | None) -> None:
    """Delete one dead letter, or all of a queue."""
    session.record(queue, "discard", [message.id for message in _chosen(session, queue, message_id)])
    click.echo(f"{discard(session.address, queue, message_id)} discarded.")


def _chosen(session: Session, queue: str, message_id: str | None) -> list[DeadLetter]:
    found = [message for message in list_dead_letters(session.address, queue) if message_id in {None, message.id}]
    if not found:
        raise click.ClickException("There is no such message." if message_id else f"{queue} has no dead letters.")
    return found
