"""What one process of contacts keeps: the contact layer with its keys, and the cursors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from nameko.extensions import DependencyProvider

from services.chassis.bus.providers import process_of
from services.chassis.config import Settings
from services.chassis.database import Database
from services.chassis.gathering import GatheredReads
from services.chassis.keyed import Keyed, keys_for
from services.contacts.domain import representations
from services.contacts.domain.cursors import Cursors
from services.contacts.service.registrations import Registrations
from services.contacts.storage import individuals
from services.contacts.storage.contact_layer import ContactLayer, Lookups
from services.contacts.storage.digests import Digests
from services.contacts.storage.vault import Keyring, Vault
from services.lexicon.screening.apart import screen_long_texts_apart


@dataclass(frozen=True, slots=True)
class Parts:
    """The contact layer, the cursors, and the reads and entries that are gathered."""

    layer: ContactLayer
    cursors: Cursors
    reads: GatheredReads
    registrations: Registrations
    #: Digests of what was sent in.
    keyed: Keyed

    @classmethod
    def of(cls, settings: Settings, database: Database) -> Parts:
        """Put them together; nothing is connected yet."""
        vault = Vault(settings.keys_database_url, Keyring.read(settings.vault_master_key), pool_size=settings.pool_size)
        layer = ContactLayer(vault, Digests(Keyring.read(settings.digest_key)), Lookups(settings.lookups_of_contributor, settings.lookups_of_steward))
        reads = GatheredReads(database, individuals.GATHERED, action="contacts:individual:read", fields=representations.INDIVIDUAL_FIELDS)
        cursors = Cursors(*keys_for(settings.cursor_key, "contacts cursors"))
        return cls(layer, cursors, reads, Registrations(database, layer), Keyed(settings.digest_key, "contacts sent in"))


class PartsProvider(DependencyProvider):
    """Gives the service its parts."""

    def setup(self) -> None:
        """Read the keys, and have long texts screened by a child."""
        process = process_of(self)
        screen_long_texts_apart()
        self._parts = Parts.of(process.settings, process.open_database())

    def stop(self) -> None:
        """Close the connections that are its own."""
        self._parts.reads.close()
        self._parts.layer.vault.close()

    def get_dependency(self, _worker: Any) -> Parts:
        """Return the parts."""
        return self._parts
