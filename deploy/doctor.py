"""`liaison doctor`: check a system and its machine without changing anything."""

from __future__ import annotations

import os
import shutil
import ssl
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError

from deploy import certificates, migrations
from deploy.failures import sentence_of
from deploy.init import password_file
from deploy.postgres import as_url, connected, embedded_programs, local_programs, url_for
from deploy.provision import read_address, read_broker, service_classes
from deploy.secrets import Secrets
from services.audit.storage.witness import WitnessFile
from services.chassis.config import Settings
from services.chassis.runtime.process import topology_of
from services.chassis.topology import DEAD_LETTERS, call_queue
from services.chassis.translog.checkpoints import CheckpointRefused, VerifierKey
from services.chassis.transport.connection import LOST, Address
from services.contacts.contract.integrations import components_of, topology

_ROOM = 1 << 30
_TESTED = ((3, 11), (3, 12), (3, 13))

#: Files that others may read: the salted hashes of the broker's passwords.
_PUBLIC = frozenset({"broker_definitions"})
_CLOCK_MAY_DIFFER = 5.0
#: Seconds that the oldest outbox row may wait, as in the services' own alarm.
_LATE = 60.0


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check."""

    subject: str
    good: bool
    sentence: str


def examine(data: Path, secrets: Path | None, environ: Mapping[str, str]) -> list[Finding]:
    """Run all checks and return their findings.

    :param data: the state folder of a system in one process.
    :param secrets: the secrets of a deployment in containers, to check that one instead.
    """
    found = [_python()]
    server = read_address(environ, "DATABASE_URL")
    if secrets is not None:
        return [*found, *_deployment(secrets, server, environ)]
    return [*found, *_machine(server, environ), *_folder(data)]


def _secrets(folder: Path, *, public: frozenset[str] = frozenset()) -> Finding:
    """Check that only the owner can read the files in a folder of secrets, except those in `public`."""
    exposed = sorted(file.name for file in folder.iterdir() if file.stat().st_mode & 0o077 and file.name not in public)
    # If the folder is closed to others, its files are, too.
    if exposed and folder.stat().st_mode & 0o077:
        return Finding("secrets", False, f"others can read {', '.join(exposed)}.")
    return Finding("secrets", True, f"{len(list(folder.iterdir()))} files, readable by their owner alone.")


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    return Finding("python", sys.version_info[:2] in _TESTED, f"{version}; Liaison is tested on 3.11.")


def _machine(server: str | None, environ: Mapping[str, str]) -> Iterator[Finding]:
    if server:
        yield Finding("database", True, "a server is given by DATABASE_URL.")
    else:
        programs = embedded_programs() or local_programs()
        yield Finding("database", programs is not None, f"PostgreSQL {programs.major} of our own." if programs else "no PostgreSQL programs.")
    node = shutil.which("rabbitmq-server", path=f"{environ.get('PATH', '')}:/usr/sbin")
    yield Finding("broker", True, "in this process" + (f"; for tests there is {node}." if node else "; no RabbitMQ for tests."))


def _folder(data: Path) -> Iterator[Finding]:
    existing = next(folder for folder in (data.resolve(), *data.resolve().parents) if folder.exists())
    yield Finding("folder", os.access(existing, os.W_OK), f"{data} {'is there' if existing == data.resolve() else 'will be made'}.")
    free = shutil.disk_usage(existing).free
    yield Finding("room", free > _ROOM, f"{free / (1 << 30):.1f} GiB free.")
    if (data / "secrets").is_dir():
        yield _secrets(data / "secrets")


def _deployment(folder: Path, server: str | None, environ: Mapping[str, str]) -> Iterator[Finding]:
    """Yield the findings on the deployment with this folder of secrets."""
    secrets = Secrets(folder)
    yield _secrets(folder, public=_PUBLIC)
    wanted = (*secrets.names(), *map(password_file, migrations.SERVICES), *certificates.files())
    if missing := [name for name in wanted if not (folder / name).exists()]:
        yield Finding("secrets", False, f"missing: {', '.join(sorted(missing))}; liaison init writes what is missing.")
        return
    yield _certificates(folder)
    if server is None:
        yield Finding("database", False, "DATABASE_URL (or DATABASE_URL_FILE) does not say where the databases are.")
    else:
        yield from _databases(as_url(server), secrets, environ)
    broker = read_broker(environ)
    if broker is None:
        yield Finding("broker", False, "BROKER_URL (or BROKER_URL_FILE) does not say where the broker is.")
    else:
        yield from _broker(broker, environ.get("INTEGRATIONS", ""))
    if gateway := environ.get("GATEWAY"):
        yield _gateway(gateway)


def _certificates(folder: Path) -> Finding:
    found = certificates.show(folder, certificates.dialled(folder))
    if faulty := [certificates.sentence_of(shown) for shown in found if shown.fault]:
        return Finding("certificates", False, " ".join(faulty))
    first = min(found, key=lambda shown: shown.days)
    return Finding("certificates", True, f"clients take all {len(found)}; that of {first.server} is the first to end, on {first.expires}.")


def _databases(server: URL, secrets: Secrets, environ: Mapping[str, str]) -> Iterator[Finding]:
    try:
        with connected(server) as connection:
            version = connection.execute(sa.text("SHOW server_version")).scalar_one()
            away = abs((connection.execute(sa.text("SELECT clock_timestamp()")).scalar_one() - datetime.now(UTC)).total_seconds())
    except SQLAlchemyError as failed:
        yield Finding("database", False, sentence_of(failed))
        return
    yield Finding("database", True, f"PostgreSQL {version} answers.")
    yield Finding("clock", away < _CLOCK_MAY_DIFFER, f"the database's clock and this one differ by {away:.1f} seconds.")
    try:
        drifted = migrations.drift(server, secrets.password_of)
    except SQLAlchemyError as failed:
        yield Finding("schema", False, sentence_of(failed))
        return
    yield Finding("schema", not drifted, " ".join(drifted) or "every database is at its newest migration, and as the code declares it.")
    for store in migrations.STORES:
        yield from _store(server, secrets, store)
    yield from _checkpoints(server, secrets, environ)


def _store(server: URL, secrets: Secrets, store: str) -> Iterator[Finding]:
    role = migrations.runtime_of(store)
    try:
        with connected(as_url(url_for(server, migrations.database_of(store), role, secrets.password_of(role)))) as connection:
            if store not in migrations.SERVICES:
                connection.execute(sa.text("SELECT 1"))
                return
            oldest = connection.execute(
                sa.text("SELECT least((SELECT min(created_at) FROM entries WHERE NOT done), (SELECT min(created_at) FROM outbox WHERE NOT done))")
            ).scalar_one()
    except SQLAlchemyError as failed:
        yield Finding(store, False, f"its role cannot use its database. {sentence_of(failed)}")
        return
    waits = (datetime.now(UTC) - oldest).total_seconds() if oldest else 0.0
    if waits > _LATE:
        yield Finding(store, False, f"entries or announcements have waited to be shipped for {waits:.0f} seconds.")


def _checkpoints(server: URL, secrets: Secrets, environ: Mapping[str, str]) -> Iterator[Finding]:
    key = VerifierKey.parse(secrets["checkpoint_public_key"], name=environ.get("CHECKPOINT_ORIGIN") or Settings(service="audit").checkpoint_origin)
    role = migrations.runtime_of("audit")
    address = as_url(url_for(server, migrations.database_of("audit"), role, secrets.password_of(role)))
    try:
        with connected(address) as connection:
            signed = connection.execute(sa.text("SELECT note, size FROM checkpoints ORDER BY size DESC LIMIT 1")).first()
            entries = connection.execute(sa.text("SELECT coalesce(max(position) + 1, 0) FROM trail")).scalar_one()
        if signed is None:
            yield Finding("checkpoints", not entries, f"none is signed; the trail has {entries} entries.")
            return
        newest = key.checkpoint(signed.note)
        witnessed = 0
        if path := environ.get("AUDIT_WITNESS_FILE"):
            note = WitnessFile(path).last_note()
            witnessed = key.checkpoint(note).size if note else 0
            if witnessed > newest.size:
                sentence = f"the witness remembers {witnessed} entries and the database signed {newest.size}: liaison audit verify."
                yield Finding("checkpoints", False, sentence)
                return
        yield Finding("checkpoints", True, f"the newest covers {newest.size} of {entries} entries; the witness has {witnessed}.")
    except (CheckpointRefused, OSError, SQLAlchemyError) as failed:
        said = sentence_of(failed) if isinstance(failed, SQLAlchemyError) else f"{failed}"
        yield Finding("checkpoints", False, f"they cannot be believed: {said}")


def _broker(address: Address, integrations: str) -> Iterator[Finding]:
    classes = service_classes()
    wanted = topology_of(classes.values())
    names = [queue.name for queue in wanted.queues]
    if components := components_of(integrations):
        names += [queue.name for queue in topology(components).queues]
    try:
        ask = _asker(address)
        # Asking for an undeclared queue closes the channel.
        found = {name: ask(name) for name in names}
    except LOST as failed:
        said = str(failed).splitlines()[0] if str(failed) else type(failed).__name__
        yield Finding("broker", False, f"it does not answer or refuses: {said}")
        return
    missing = sorted(name for name, counts in found.items() if counts is None)
    if missing:
        yield Finding("broker", False, f"these queues are not declared: {', '.join(missing)}; liaison migrate declares them.")
    else:
        yield Finding("broker", True, f"it answers, and all {len(names)} queues are declared.")
    for service in classes:
        counts = found[call_queue(service)]
        there = counts[1] if counts else 0
        yield Finding(
            service, there > 0, f"{there} {'process takes' if there == 1 else 'processes take'} its calls." if there else "nobody takes its calls."
        )
    waiting = {name: counts[0] for name, counts in found.items() if counts and counts[0] and name.endswith(f".{DEAD_LETTERS}")}
    said = ", ".join(f"{count} in {name}" for name, count in sorted(waiting.items()))
    yield Finding("dead-letters", not waiting, f"{said}; liaison dead-letters list." if waiting else "there are no dead letters.")


def _asker(address: Address) -> Callable[[str], tuple[int, int] | None]:
    """Return a function that returns (messages, consumers) of a queue, or None if it does not exist."""
    connection = address.connection(heartbeat=0)
    connection.connect()
    channels: list[Any] = []

    def ask(queue: str) -> tuple[int, int] | None:
        channel = channels.pop() if channels else connection.transport.create_channel(connection.connection)
        try:
            told = channel.queue_declare(queue=queue, passive=True)
        except connection.channel_errors:
            return None
        channels.append(channel)
        return int(told.message_count), int(told.consumer_count)

    return ask


def _gateway(address: str) -> Finding:
    try:
        with urllib.request.urlopen(f"{address.rstrip('/')}/health/ready", timeout=10):  # noqa: S310 - the operator's own setting
            return Finding("gateway", True, "it answers, and hears access.")
    except urllib.error.HTTPError as failed:
        return Finding("gateway", False, f"it answers {failed.code}: it does not hear access.")
    except (urllib.error.URLError, OSError, ssl.SSLError, ValueError) as failed:
        return Finding("gateway", False, f"it does not answer at {address}: {getattr(failed, 'reason', failed)}.")
