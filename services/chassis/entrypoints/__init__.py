"""What a service class is made of: methods that answer calls, handle announcements or run at intervals, and what they run on.

A service class uses these names::

    @answers(action, ...)      answers a call
    @listens(Announcement)     works off announcements, each once
    @every(seconds=, action=)  works at intervals, and when a `Bell` is rung
    @gathers(queue)            takes a queue in batches
    DatabaseProvider()  BusProvider()  SettingsProvider()
"""

from services.chassis.entrypoints.consumers import Received, gathers, listens
from services.chassis.entrypoints.providers import Bus, BusProvider, DatabaseProvider, SettingsProvider
from services.chassis.entrypoints.rpc import answers
from services.chassis.entrypoints.timers import Bell, every

__all__ = ["Bell", "Bus", "BusProvider", "DatabaseProvider", "Received", "SettingsProvider", "answers", "every", "gathers", "listens"]
