"""PostgreSQL servers of tests: given ones, and disposable ones of our own."""

from __future__ import annotations

import shutil
import signal
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy.engine import URL

from deploy.postgres import OwnServer

#: Settings for disposable clusters.
FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "autovacuum": "off"}


class Server(Protocol):
    """A PostgreSQL server."""

    @property
    def url(self) -> URL:
        """The URL of a superuser, or of a role that may create databases and roles."""


@dataclass(frozen=True, slots=True)
class GivenServer:
    """An existing server."""

    url: URL


class DisposableServer(OwnServer):
    """A server of our own that may crash and be deleted."""

    @property
    def pid(self) -> int | None:
        """The process id of the running postmaster, or None."""
        return self._process.pid if self._process and self._process.poll() is None else None

    def crash(self) -> None:
        """Stop at once without a checkpoint, like a power failure."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(60)

    def forget(self) -> None:
        """Delete the stopped cluster, wherever it is."""
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)
        shutil.rmtree(self._asked, ignore_errors=True)
