"""The state folder of a system in one process, with a lock for exclusive use."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from deploy.secrets import Secrets


class AlreadyRunning(Exception):
    """Another process uses this folder."""


class StateFolder:
    """A folder with `secrets/`, `postgres/`, `witness/`, `broker/` and the demonstration accounts.

    As a context manager, it holds the lock, which the kernel releases when the process ends in any way.
    """

    def __init__(self, path: Path) -> None:
        """Set the folder; entering creates it."""
        self.path = path.resolve()
        self.secrets = Secrets(self.path / "secrets")
        #: The folder of the database server.
        self.postgres = self.path / "postgres"
        #: The journal of the in-process broker.
        self.journal = self.path / "broker" / "journal"
        #: The append-only file of witnessed checkpoints.
        self.checkpoints = self.path / "witness" / "checkpoints"
        #: The signed list of erased ids, which a restored backup does not overwrite.
        self.erased_ids = self.path / "witness" / "erased"
        #: The file with user names and passwords of the demonstration.
        self.accounts = self.path / "demo-accounts.json"
        self._lock: IO[str] | None = None

    def __enter__(self) -> Self:
        """Create the folder, lock it, and write missing secrets.

        :raises AlreadyRunning: with the other process's id.
        """
        # If root starts it, the server runs as another user who must enter the folder; files have their own modes.
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
