"""Entrypoints and dependency providers for service classes.

A service class uses these names::

    @rpc(action, ...)                    answers calls
    @announcement_handler(Announcement)  handles each announcement once
    @timer(seconds=, action=)            runs at intervals and when its `Wakeup` is used
    DatabaseProvider()  BusProvider()  SettingsProvider()
"""

from services.chassis.entrypoints.consumers import announcement_handler
from services.chassis.entrypoints.providers import Bus, BusProvider, DatabaseProvider, SettingsProvider
from services.chassis.entrypoints.rpc import rpc
from services.chassis.entrypoints.timers import Wakeup, timer

__all__ = [
    "Bus",
    "BusProvider",
    "DatabaseProvider",
    "SettingsProvider",
    "Wakeup",
    "announcement_handler",
    "rpc",
    "timer",
]
