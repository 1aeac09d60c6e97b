"""The bus: nameko's containers and timers of our own making, over one kept connection for each purpose.

A service class uses six names::

    @answers(action, ...)      answers a call
    @listens(Announcement)     works off announcements, each once
    @every(seconds=, action=)  works at intervals, and when a `Bell` is rung
    @gathers(queue)            takes a queue in batches
    DatabaseProvider()  BusProvider()  SettingsProvider()
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from services.chassis.bus.answering import answers
    from services.chassis.bus.calls import Client, InternalError
    from services.chassis.bus.listening import Received, gathers, listens
    from services.chassis.bus.providers import Bus, BusProvider, DatabaseProvider, SettingsProvider
    from services.chassis.bus.publishing import Fate, Publisher
    from services.chassis.bus.ticking import Bell, every
    from services.chassis.bus.wire import Address, LinkDown

#: In which module each name is. The gateway calls and has no service of its own: what services are made of (nameko,
#: SQLAlchemy, psycopg) would be a third of its memory, so a name's module is loaded when the name is asked for.
_WHERE = {
    "Address": "wire",
    "Bell": "ticking",
    "Bus": "providers",
    "BusProvider": "providers",
    "Client": "calls",
    "DatabaseProvider": "providers",
    "Fate": "publishing",
    "InternalError": "calls",
    "LinkDown": "wire",
    "Publisher": "publishing",
    "Received": "listening",
    "SettingsProvider": "providers",
    "answers": "answering",
    "every": "ticking",
    "gathers": "listening",
    "listens": "listening",
}

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


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(name)
    return getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)
