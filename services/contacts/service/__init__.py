"""What contacts answers and listens to: load, call the use case, return."""

from services.contacts.service.answers import ContactsService

__all__ = ["ContactsService"]
