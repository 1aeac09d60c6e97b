"""All tables of contacts' database, as the migration makes them; the key store's are in `storage.key_tables`."""

from services.contacts.storage.tables import cases, contact_layer, directory, imports, projections
from services.contacts.storage.tables.base import metadata

__all__ = ["cases", "contact_layer", "directory", "imports", "metadata", "projections"]
