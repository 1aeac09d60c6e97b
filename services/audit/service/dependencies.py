"""What one process of audit holds: its cursors, and the leader's greenlet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import eventlet
from nameko.extensions import DependencyProvider

from services.audit.service.entries_consumer import EntriesConsumer
from services.audit.service.leader import Leader
from services.chassis.config import Settings
from services.chassis.cursors import Cursors
from services.chassis.entrypoints.context import process_of
from services.chassis.logs import Log

_log = Log(__name__)

#: Seconds for the whole end of the lead when the process is asked to stop.
LAST_WORDS = 10.0


@dataclass(frozen=True, slots=True)
class Dependencies:
    """What the service works with, apart from its database and the bus."""

    cursors: Cursors


class DependenciesProvider(DependencyProvider):
    """Gives the service its dependencies, and runs the leader beside it."""

    def setup(self) -> None:
        """Read the keys.

        :raises CheckpointRefused, IdentityRefused: see `Leader`.
        """
        process = process_of(self)
        self._entries = EntriesConsumer(process)
        self.leader = Leader(process, self._entries)
        self._renew(process.settings)
        process.renewals += [self.leader.renew, self._renew]

    def _renew(self, settings: Settings) -> None:
        self._dependencies = Dependencies(Cursors(settings.cursor_key, "audit"))

    def start(self) -> None:
        """Begin to ask for the lead."""
        self._greenlet = self.container.spawn_managed_thread(self.leader.run, identifier="leader")

    def stop(self) -> None:
        """Have the leader finish what has arrived and let go of the lead.

        What is still in the queue, or not written in time, is the next leader's: nothing of it was acknowledged.
        """
        self.leader.stop()
        with eventlet.Timeout(LAST_WORDS, exception=False):
            self._greenlet.wait()
        if not self._greenlet.dead:
            _log.warning("sequencer.unfinished")
            self.kill()

    def kill(self) -> None:
        """Stop at once."""
        self._greenlet.kill()
        self._entries.stop()

    def wait_up(self, seconds: float | None) -> bool:
        """Tell that this process may be used whether or not it leads."""
        return True

    def get_dependency(self, _worker: Any) -> Dependencies:
        """Return the dependencies."""
        return self._dependencies
