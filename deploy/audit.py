"""`liaison audit`: verify the trail, prove an entry, print the newest checkpoint, export the entries."""

from __future__ import annotations

import functools
import json
import os
import sys
import time
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any, TextIO

import click

from deploy.audit_cli import Evidence, Unverifiable, newest_checkpoint, verify_trail
from deploy.audit_cli import export as export_entries
from deploy.audit_cli import prove as prove_from
from deploy.migrations import SERVICES
from deploy.operators import database_runs, installation
from deploy.options import takes_data, takes_json
from deploy.postgres import ServerFailed
from deploy.provision import read_address
from deploy.secrets import SERVICE_PUBLIC_KEYS
from services.audit.domain.verification import Report, as_wire
from services.audit.storage.witness import WitnessFile
from services.chassis.config import Settings
from services.chassis.identity import IdentityRefused, ServiceKeys
from services.chassis.translog.checkpoints import CheckpointRefused, VerifierKey

_FILE = click.Path(dir_okay=False, path_type=Path)
_EVERY = 2.0


@click.group()
def audit() -> None:
    """Verify, prove and export the audit trail, trusting only the public keys of the trail and the services."""


def _evidence(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options for the trail and its witnesses to a command, which gets an `Evidence`."""

    @takes_data
    @click.option("--database", envvar="AUDIT_DATABASE_URL", help="The audit database; a role that may only read will do.")
    @click.option("--witness", type=_FILE, envvar="AUDIT_WITNESS_FILE", help="The file in which the checkpoints are witnessed.")
    @click.option("--key", envvar="CHECKPOINT_PUBLIC_KEY", help="The public key: a file, or the key itself.")
    @click.option("--services", envvar="SERVICE_PUBLIC_KEYS_FILE", type=_FILE, help="The services' public keys, by which each line is believed.")
    @click.option(
        "--origin", envvar="CHECKPOINT_ORIGIN", default=Settings(service="audit").checkpoint_origin, show_default=True, help="The trail's name."
    )
    @functools.wraps(command)
    def wrapped(data: Path, database: str | None, witness: Path | None, key: str | None, services: Path | None, origin: str, **options: Any) -> Any:
        entries = options.pop("entries", None)
        try:
            with database_runs(data) if database is None and entries is None else nullcontext(True) as living:
                if not living and "wait" in options:
                    # Without a running system there are no new checkpoints to wait for.
                    options["wait"] = 0.0
                return command(_gathered(data, database, witness, key, services, origin, entries), **options)
        except (Unverifiable, CheckpointRefused, IdentityRefused, ServerFailed) as failed:
            raise click.ClickException(str(failed)) from failed

    return wrapped


@audit.command("verify")
@_evidence
@click.option("--entries", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="An exported file, instead of the database.")
@click.option("--wait", default=90.0, show_default=True, help="Seconds to wait for a checkpoint that covers the newest entry.")
@takes_json
def verify(evidence: Evidence, *, wait: float, as_json: bool) -> None:
    """Verify every entry against every checkpoint, and name the first bad one; exit status 0 only when all verifies."""
    report = verify_trail(evidence, wait=wait, tell=_be_silent if as_json else _tell, progress=_be_silent if as_json else _Progress())
    if as_json:
        click.echo(json.dumps(as_wire(report), ensure_ascii=False))
    else:
        _print(report)
    sys.exit(0 if report.ok else 1)


@audit.command("prove")
@_evidence
@click.argument("position", type=click.IntRange(0), required=False)
@click.option("--first", type=click.IntRange(1), help="With --second: prove that one checkpoint continues another.")
@click.option("--second", type=click.IntRange(1))
@takes_json
def prove(evidence: Evidence, *, position: int | None, first: int | None, second: int | None, as_json: bool) -> None:
    """Prove that an entry is in the trail, or that a later checkpoint continues an earlier one."""
    if (position is None) == (first is None) or (first is None) != (second is None):
        raise click.UsageError("Give an entry's position, or --first and --second.")
    proof = prove_from(evidence, position=position, first=first, second=second)
    if as_json:
        click.echo(json.dumps(proof, ensure_ascii=False))
        return
    if proof["kind"] == "inclusion":
        click.echo(f"Entry {position} is in the trail of {proof['size']} entries: proven by {len(proof['path'])} hashes.")
        click.echo(proof["body"])
    else:
        click.echo(f"The trail of {second} entries continues the one of {first}: proven by {len(proof['path'])} hashes.")
    for step in proof["path"]:
        click.echo(f"  {step}")
    click.echo(proof["note"], nl=False)


@audit.command("checkpoint")
@_evidence
@click.option("--wait", default=90.0, show_default=True, help="Seconds to wait for a checkpoint that covers the newest entry.")
@takes_json
def checkpoint(evidence: Evidence, *, wait: float, as_json: bool) -> None:
    """Print the newest checkpoint, once it covers all present entries. Keep it: no later change behind it goes unnoticed."""
    note = newest_checkpoint(evidence, wait=wait, tell=_be_silent if as_json else _tell)
    if as_json:
        opened = evidence.key.checkpoint(note)
        click.echo(json.dumps({"origin": opened.origin, "size": opened.size, "root": opened.root.hex(), "note": note}, ensure_ascii=False))
    else:
        click.echo(note, nl=False)


@audit.command("export")
@_evidence
@click.argument("file", type=click.File("w", encoding="utf-8", lazy=True))
def export(evidence: Evidence, *, file: TextIO) -> None:
    """Write all entries to a file, for `verify --entries` on another machine; they are ids and names of fields."""
    count = export_entries(evidence, file.write)
    click.echo(f"{count} entries.", err=True)


def _gathered(
    data: Path, database: str | None, witness: Path | None, key: str | None, services: Path | None, origin: str, entries: Path | None
) -> Evidence:
    witnesses: tuple[tuple[str, str], ...] = ()
    held = os.environ.get("SECRETS")
    folder = Path(held) if held else data / "secrets"
    key = key or read_address(os.environ, "CHECKPOINT_PUBLIC_KEY")
    if key is None:
        key = str(folder / "checkpoint_public_key")
        if not Path(key).exists():
            raise Unverifiable(f"There is no public key: give --key, or with --data a state folder (there is no {key}).")
    if witness is None and (data / "witness" / "checkpoints").exists():
        witness = data / "witness" / "checkpoints"
    if database is None and entries is None and not folder.is_dir():
        # In a container of the audit service, its own database.
        database = read_address(os.environ, "DATABASE_URL")
    if database is None and entries is None:
        # The databases of the system in this folder: audit's, and the other services' as witnesses.
        system = installation(data, folder if held else None)
        database = system.environment_of("audit")["DATABASE_URL"]
        witnesses = tuple((name, system.environment_of(name)["DATABASE_URL"]) for name in SERVICES)
    text = key if "-----BEGIN" in key else Path(key).read_text()
    return Evidence(
        key=VerifierKey.parse(text.strip(), name=origin),
        witness=WitnessFile(witness) if witness is not None else None,
        database=database,
        entries=entries,
        services=witnesses,
        lines=_services_keys(services, folder),
    )


def _services_keys(file: Path | None, folder: Path) -> ServiceKeys | None:
    given = os.environ.get("SERVICE_PUBLIC_KEYS")
    file = file or folder / SERVICE_PUBLIC_KEYS
    if given is not None:
        return ServiceKeys.parse(given)
    return ServiceKeys.parse(file.read_text()) if file.exists() else None


class _Progress:
    """Shows progress in one line of a terminal; elsewhere, as a line every two seconds."""

    def __init__(self) -> None:
        self._told = time.monotonic()

    def __call__(self, done: int, total: int) -> None:
        now = time.monotonic()
        terminal = sys.stderr.isatty()
        if now - self._told < (0.1 if terminal else _EVERY):
            return
        self._told = now
        share = f"{done:,} of {total:,} entries ({done * 100 // max(total, 1)} %)" if total else f"{done:,} entries"
        click.echo(f"\r{share}" if terminal else share, nl=not terminal, err=True)


def _print(report: Report) -> None:
    if sys.stderr.isatty():
        click.echo("\r", nl=False, err=True)
    if report.root is not None:
        click.echo(f"Verified: {report.size:,} entries of {report.streams:,} streams; root {report.root}.")
    click.echo(f"Checkpoints: {report.checkpoints:,} signed by the trail's key.")
    if report.in_flight:
        click.echo(f"In flight: {report.in_flight:,} numbers settled within the last two minutes.")
    if report.excused:
        click.echo(f"Crashes: {report.excused:,} numbers that a process took and never committed before it died.")
    for service, stream, n in report.unproven:
        click.echo(f"Died: a process of {service}; what it wrote from number {n} of stream {stream} on is unproven.")
    for problem in report.problems:
        click.echo(f"BAD  {problem.sentence}")
    if report.more_problems:
        click.echo(f"... and {report.more_problems:,} more.")
    first = report.first_bad
    if first is None:
        click.echo("The trail verifies.")
    elif first.position is not None:
        click.echo(f"The trail does NOT verify. First bad entry: {first.position}.")
    else:
        click.echo(f"The trail does NOT verify. First: {first.sentence}")


def _tell(sentence: str) -> None:
    click.echo(sentence, err=True)


def _be_silent(*_: object) -> None:
    return
