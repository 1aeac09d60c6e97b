"""`liaison doctor`: what this machine has and how the state folder is, without changing either."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from services.chassis.postgres import embedded_programs, local_programs

_ROOM = 1 << 30


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    subject: str
    good: bool
    sentence: str

    def as_dict(self) -> dict[str, Any]:
        """Return it for a program."""
        return asdict(self)


def examine(data: Path, environ: Mapping[str, str]) -> list[Finding]:
    """Return every finding, good or not."""
    return [*_machine(environ), *_folder(data)]


def _machine(environ: Mapping[str, str]) -> Iterator[Finding]:
    version = ".".join(map(str, sys.version_info[:3]))
    yield Finding("python", sys.version_info[:2] == (3, 11), f"{version}; 3.11 is what Liaison is tested on.")
    if environ.get("DATABASE_URL") or environ.get("DATABASE_URL_FILE"):
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
    secrets = data / "secrets"
    if secrets.is_dir():
        exposed = sorted(file.name for file in secrets.iterdir() if file.stat().st_mode & 0o077)
        sentence = f"others can read {', '.join(exposed)}." if exposed else "readable by their owner alone."
        yield Finding("secrets", not exposed, sentence)
