"""What one process of contacts holds: the contact layer with its keys, and the cursors."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import eventlet
from nameko.extensions import DependencyProvider

from services.chassis.config import Settings
from services.chassis.cursors import Cursors
from services.chassis.database import Database
from services.chassis.database.batching import BatchedReads
from services.chassis.entrypoints.context import process_of
from services.chassis.keyed import Keyed
from services.chassis.logs import Log
from services.chassis.signals import is_asked_to_stop
from services.contacts.domain import representations
from services.contacts.service.registrations import Registrations
from services.contacts.storage import individuals
from services.contacts.storage.contact_layer import ContactLayer, Lookups
from services.contacts.storage.digests import Digests
from services.contacts.storage.vault import KeyDestroyed, Keyring, KeyStoreAway, Vault
from services.contacts.usecases.registration import register_together
from services.lexicon.screening.apart import screen_long_texts_apart

_log = Log(__name__)

#: What the digests are for that `Dependencies.keyed` makes.
_SENT_IN = "contacts sent in"
#: Seconds after which keys are wrapped again, when their database was away.
_TRIED_AGAIN = 1.0


@dataclass(frozen=True, slots=True)
class Dependencies:
    """The contact layer, the cursors, and the batched reads and registrations."""

    layer: ContactLayer
    cursors: Cursors
    reads: BatchedReads
    registrations: Registrations
    #: Digests of what was sent in.
    keyed: Keyed

    @classmethod
    def of(cls, settings: Settings, database: Database) -> Dependencies:
        """Return them, without connecting."""
        vault = Vault(settings.keys_database_url, Keyring.read(settings.vault_master_key), pool_size=settings.pool_size)
        layer = ContactLayer(vault, Digests(Keyring.read(settings.digest_key)), Lookups(settings.lookups_of_contributor, settings.lookups_of_steward))
        reads = BatchedReads(database, individuals.GATHERED, action="contacts:individual:read", fields=representations.INDIVIDUAL_FIELDS)
        registrations = Registrations(database, lambda work, entries: register_together(work, layer, entries, now=database.clock()))
        return cls(layer, Cursors(settings.cursor_key, "contacts"), reads, registrations, Keyed(settings.digest_key, _SENT_IN))

    def under(self, settings: Settings) -> Dependencies:
        """Return them with other keys. Whoever uses the contact layer continues with it.

        :raises ValueError: one of the keys is invalid.
        """
        digests = Digests(Keyring.read(settings.digest_key))
        cursors, keyed = Cursors(settings.cursor_key, "contacts"), Keyed(settings.digest_key, _SENT_IN)
        self.layer.vault.renew(settings.keys_database_url, Keyring.read(settings.vault_master_key))
        self.layer.digests = digests
        return replace(self, cursors=cursors, keyed=keyed)


class DependenciesProvider(DependencyProvider):
    """Gives the service its `Dependencies`."""

    def setup(self) -> None:
        """Read the keys, and set up the child process that screens long texts."""
        process = process_of(self)
        screen_long_texts_apart()
        self._dependencies = Dependencies.of(process.settings, process.open_database())
        process.renewals.append(self._renew)

    def start(self) -> None:
        """Rewrap keys that a former process left wrapped under a retired key."""
        self.container.spawn_managed_thread(self._wrap_again, identifier="wrapping")

    def _renew(self, settings: Settings) -> None:
        self._dependencies = self._dependencies.under(settings)
        self.container.spawn_managed_thread(self._wrap_again, identifier="wrapping")

    def _wrap_again(self) -> None:
        vault = self._dependencies.layer.vault
        while not is_asked_to_stop():
            try:
                if not vault.rotate():
                    return
            except KeyStoreAway:
                # Whoever has its keys is asked for them by others too: it will be back, and nothing is lost meanwhile.
                eventlet.sleep(_TRIED_AGAIN)
            except KeyDestroyed:
                _log.error("keys.unknown", store="keys")
                return

    def stop(self) -> None:
        """Close its connections."""
        self._dependencies.reads.close()
        self._dependencies.layer.vault.close()

    def get_dependency(self, _worker: Any) -> Dependencies:
        """Return the `Dependencies`."""
        return self._dependencies
