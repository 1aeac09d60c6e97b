"""What a service class is made of: methods that answer calls, handle announcements or run at intervals, and what they run on.

A service class uses these names::

    @rpc(action, ...)                    answers a call
    @announcement_handler(Announcement)  handles announcements, each once
    @timer(seconds=, action=)            runs at intervals, and when a `Wakeup` is rung
    @queue_handler(queue)                takes a queue in batches
    DatabaseProvider()  BusProvider()  SettingsProvider()
"""

from services.chassis.entrypoints.consumers import Received, announcement_handler, queue_handler
from services.chassis.entrypoints.providers import Bus, BusProvider, DatabaseProvider, SettingsProvider
from services.chassis.entrypoints.rpc import rpc
from services.chassis.entrypoints.timers import Wakeup, timer

__all__ = [
    "Bus",
    "BusProvider",
    "DatabaseProvider",
    "Received",
    "SettingsProvider",
    "Wakeup",
    "announcement_handler",
    "queue_handler",
    "rpc",
    "timer",
]
