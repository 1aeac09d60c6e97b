"""The folder in which an embedded system keeps all its state, and the lock that lets one process at a time have it."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from deploy.secrets import Secrets


class AlreadyRunning(Exception):
    """Another process has this folder."""


class StateFolder:
    """One folder: `secrets/`, `postgres/`, `witness/`, `broker/`, the demonstration accounts.

    As a context manager it holds the lock, which the kernel releases however the process ends.
    """

    def __init__(self, path: Path) -> None:
        """Name the folder; entering makes it."""
        self.path = path.resolve()
        self.secrets = Secrets(self.path / "secrets")
        self._lock: IO[str] | None = None

    @property
    def postgres(self) -> Path:
        """Where the database server of our own lives."""
        return self.path / "postgres"

    @property
    def journal(self) -> Path:
        """Where the in-process broker keeps what must survive a kill."""
        return self.path / "broker" / "journal"

    @property
    def checkpoints(self) -> Path:
        """The append-only file in which checkpoints are witnessed, apart from any database."""
        return self.path / "witness" / "checkpoints"

    @property
    def erased_ids(self) -> Path:
        """The signed list of what was erased, outside what a restore brings back."""
        return self.path / "witness" / "erased"

    @property
    def accounts(self) -> Path:
        """User names and passwords of the demonstration, for whoever may read this folder."""
        return self.path / "demo-accounts.json"

    def __enter__(self) -> Self:
        """Make the folder, take its lock, write the secrets that are missing.

        :raises AlreadyRunning: with the other process's number.
        """
        # Root's server runs as another user, who must pass through; every file within says for itself who may read it.
        self.path.mkdir(parents=True, exist_ok=True, mode=0o711 if os.geteuid() == 0 else 0o700)
        lock = (self.path / "lock").open("a+")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            process = lock.read().strip()
            lock.close()
            raise AlreadyRunning(f"Liaison is already running on {self.path} (process {process}); stop that one first.") from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        self._lock = lock
        self.secrets.make()
        for folder in (self.checkpoints.parent, self.journal.parent):
            folder.mkdir(exist_ok=True, mode=0o700)
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        """Release the lock."""
        if self._lock:
            self._lock.close()
            self._lock = None
