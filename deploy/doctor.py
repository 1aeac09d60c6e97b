"""`liaison doctor`: check a system and its machine without changing anything."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from deploy.postgres import embedded_programs, local_programs
from deploy.provision import read_address

_ROOM = 1 << 30
_TESTED = ((3, 11), (3, 12), (3, 13))


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
        from deploy.doctor_full import examine_deployment

        return [*found, *examine_deployment(secrets, server, environ)]
    return [*found, *_machine(server, environ), *_folder(data)]


def look_at_secrets(folder: Path, *, public: frozenset[str] = frozenset()) -> Finding:
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
        yield look_at_secrets(data / "secrets")
