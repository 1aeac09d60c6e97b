"""Being asked to stop."""

from __future__ import annotations

import signal

import eventlet
from eventlet.event import Event


def wait_for_signal() -> Event:
    """Return an event that is sent on SIGTERM and SIGINT."""
    stop = Event()

    def ask_to_stop(*_: object) -> None:
        # In a signal's frame nothing may wait: the hub sends the event.
        eventlet.hubs.get_hub().schedule_call_global(0, lambda: None if stop.ready() else stop.send())

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, ask_to_stop)
    return stop
