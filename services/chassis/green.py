"""Cooperative waiting: the only module whose import does something.

Import it first, in `__main__` and at the top of the tests, before anything that opens sockets or locks. psycopg waits
in C unless it is told otherwise before *its* import, and would freeze every greenlet while one query runs.
"""

from __future__ import annotations

import gc
import os
import sys
from typing import Any

if "psycopg" in sys.modules:  # pragma: no cover - a mistake of the program's order of imports
    _message = "psycopg was imported before services.chassis.green"
    raise ImportError(_message)
os.environ["PSYCOPG_WAIT_FUNC"] = "wait_selector"
# eventlet's own resolver would load dnspython with all that secures DNS: eight MiB in every process.
os.environ["EVENTLET_NO_GREENDNS"] = "yes"
# What runs in threads holds the interpreter's lock or one of two cores: twenty threads would do it no faster than four.
os.environ.setdefault("EVENTLET_THREADPOOL_SIZE", "4")

import eventlet
from eventlet.green import socket

# What is imported lives as long as the process. At the usual threshold a fifth of a start goes into looking for garbage
# among it; `memory.settle` sets it for a process that is up.
gc.set_threshold(100_000, 20, 20)

_look_up = socket.getaddrinfo


def _look_up_in_a_thread(host: Any, port: Any, family: int = 0, type: int = 0, proto: int = 0, flags: int = 0) -> Any:  # noqa: A002 - getaddrinfo's
    # The system's resolver may wait for seconds, and in C; an address needs none.
    try:
        return _look_up(host, port, family, type, proto, flags | socket.AI_NUMERICHOST)
    except socket.gaierror:
        from eventlet import tpool

        return tpool.execute(_look_up, host, port, family, type, proto, flags)


socket.getaddrinfo = _look_up_in_a_thread
eventlet.monkey_patch()

from eventlet import patcher  # noqa: E402 - after patching


def check() -> None:
    """Make sure that waiting is cooperative in this process.

    :raises RuntimeError: sockets are not patched, or psycopg waits in C.
    """
    if not patcher.is_monkey_patched("socket"):
        message = "sockets are not patched; import services.chassis.green first"
        raise RuntimeError(message)
    # A process without a database has no psycopg.
    psycopg = sys.modules.get("psycopg")
    if psycopg is not None and psycopg.waiting.wait is not psycopg.waiting.wait_selector:
        message = "psycopg waits in C; import services.chassis.green before it"
        raise RuntimeError(message)
