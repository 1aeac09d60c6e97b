"""The bus: nameko's containers and timers of our own making, over one kept connection for each purpose.

A service class uses six names::

    @answers(action, ...)      answers a call
    @listens(Announcement)     works off announcements, each once
    @every(seconds=, action=)  works at intervals, and when a `Bell` is rung
    @gathers(queue)            takes a queue in batches
    DatabaseProvider()  BusProvider()  SettingsProvider()
"""

from services.chassis.bus.answering import answers
from services.chassis.bus.calls import Client, InternalError
from services.chassis.bus.listening import Received, gathers, listens
from services.chassis.bus.providers import Bus, BusProvider, DatabaseProvider, SettingsProvider
from services.chassis.bus.publishing import Fate, Publisher
from services.chassis.bus.ticking import Bell, every
from services.chassis.bus.wire import Address, LinkDown

__all__ = [
    "Address",
    "Bell",
    "Bus",
    "BusProvider",
    "Client",
    "DatabaseProvider",
    "Fate",
    "InternalError",
    "LinkDown",
    "Publisher",
    "Received",
    "SettingsProvider",
    "answers",
    "every",
    "gathers",
    "listens",
]
