"""Being asked to stop: the signal, and what long work asks between two of its steps."""

from __future__ import annotations

import signal
from collections.abc import Callable
from contextvars import ContextVar, Token

import eventlet
from eventlet.event import Event

#: Whatever a process is doing, it has ended so many seconds after it was asked to: supervisors kill after thirty. A process
#: that hangs where no greenlet can be ended, in C or in a loop of ours, is ended by the system.
GRACE = 25

_asked: ContextVar[Callable[[], bool]] = ContextVar("asked_to_stop", default=lambda: False)


def wait_for_signal() -> Event:
    """Return an event that is sent on SIGTERM and SIGINT."""
    stop = Event()

    def ask_to_stop(*_: object) -> None:
        if not signal.alarm(0):
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(GRACE)
        # In a signal's frame nothing may wait: the hub sends the event.
        eventlet.hubs.get_hub().schedule_call_global(0, lambda: None if stop.ready() else stop.send())

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, ask_to_stop)
    return stop


def is_asked_to_stop() -> bool:
    """Whether the work of this greenlet should end at its next step: what is left is done after the next start.

    Work that takes more than a second asks between its steps; whoever does not is ended ten seconds after the signal,
    in the middle, and what it had not committed is undone.
    """
    return _asked.get()()


def set_stop_check(asked: Callable[[], bool]) -> Token[Callable[[], bool]]:
    """Have `is_asked_to_stop` answer by this, in this greenlet; for whoever runs work."""
    return _asked.set(asked)


def reset_stop_check(token: Token[Callable[[], bool]]) -> None:
    """Take back what `set_stop_check` said."""
    _asked.reset(token)
