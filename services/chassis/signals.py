"""Stop signals of the process, and the check that long work makes between its steps."""

from __future__ import annotations

import signal
from collections.abc import Callable
from contextvars import ContextVar, Token

import eventlet
from eventlet.event import Event

#: Seconds from the stop signal until the system ends the process by SIGALRM, for one that hangs in C or in a loop.
#: Supervisors kill after thirty seconds.
GRACE = 25

_asked: ContextVar[Callable[[], bool]] = ContextVar("asked_to_stop", default=lambda: False)


def wait_for_signal() -> Event:
    """Install handlers for SIGTERM and SIGINT, and return the event that they send."""
    stop = Event()

    def ask_to_stop(*_: object) -> None:
        if not signal.alarm(0):
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(GRACE)
        # A signal handler must not wait, so the hub sends the event.
        eventlet.hubs.get_hub().schedule_call_global(0, lambda: None if stop.ready() else stop.send())

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, ask_to_stop)
    return stop


def is_asked_to_stop() -> bool:
    """Whether the work of this greenlet should end; the rest is done after the next start.

    Work of more than a second must check this between its steps. Otherwise it is killed ten seconds after the signal,
    and its open transaction is rolled back.
    """
    return _asked.get()()


def set_stop_check(asked: Callable[[], bool]) -> Token[Callable[[], bool]]:
    """Set the function behind `is_asked_to_stop` in this greenlet."""
    return _asked.set(asked)


def reset_stop_check(token: Token[Callable[[], bool]]) -> None:
    """Undo `set_stop_check`."""
    _asked.reset(token)
