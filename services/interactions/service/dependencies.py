"""What one process of interactions holds: its cursors, under the active key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from nameko.extensions import DependencyProvider

from services.chassis.config import Settings
from services.chassis.cursors import Cursors
from services.chassis.entrypoints.context import process_of
from services.lexicon.screening.apart import screen_long_texts_apart


@dataclass(frozen=True, slots=True)
class Dependencies:
    """What the service works with, apart from its database and the bus."""

    cursors: Cursors


class DependenciesProvider(DependencyProvider):
    """Gives the service its dependencies."""

    def setup(self) -> None:
        """Read the cursors' key, and have long texts screened by a child process."""
        process = process_of(self)
        screen_long_texts_apart()
        self._renew(process.settings)
        process.renewals.append(self._renew)

    def _renew(self, settings: Settings) -> None:
        self._dependencies = Dependencies(Cursors(settings.cursor_key, "interactions"))

    def get_dependency(self, _worker: Any) -> Dependencies:
        """Return the dependencies."""
        return self._dependencies
