"""Provide what one process of retention works with: the saga and the cursors."""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace
from typing import Any

from nameko.extensions import DependencyProvider

from services.chassis.config import Settings
from services.chassis.cursors import Cursors
from services.chassis.entrypoints import Bus
from services.chassis.entrypoints.context import process_of
from services.retention.service.saga import Saga
from services.retention.storage.erased_ids import ErasedIds
from services.retention.usecases import saga_steps


@dataclass(frozen=True, slots=True)
class Dependencies:
    """The dependencies of the service, apart from its database and the bus."""

    saga: Saga
    cursors: Cursors


class DependenciesProvider(DependencyProvider):
    """Provide the dependencies to the service."""

    def setup(self) -> None:
        """Create the saga and the cursors from the settings."""
        process = process_of(self)
        settings = process.settings
        self._erased = ErasedIds(settings.erased_ids_file, settings.erased_ids_key) if settings.erased_ids_file else None
        saga = Saga(
            process.open_database(),
            Bus(process.client, process.publisher, process.passports, token=None).call,
            clock=process.clock,
            note_erased=functools.partial(saga_steps.note_erased, self._erased),
            spawn=lambda act: self.container.spawn_managed_thread(act, identifier="erasure"),
        )
        self._dependencies = Dependencies(saga, Cursors(settings.cursor_key, "retention"))
        process.renewals.append(self._renew)

    def _renew(self, settings: Settings) -> None:
        if self._erased is not None:
            self._erased.renew(settings.erased_ids_key)
        self._dependencies = replace(self._dependencies, cursors=Cursors(settings.cursor_key, "retention"))

    def get_dependency(self, _worker: Any) -> Dependencies:
        """Return the dependencies."""
        return self._dependencies
