"""Monkey-patch the process for eventlet; the only module whose import has effects.

Import it first, in `__main__` and in tests, before anything that opens sockets or locks. psycopg must be configured
before its import; otherwise it waits in C, and one query blocks every greenlet.
"""

from __future__ import annotations

import gc
import os
import sys
from typing import Any

if "psycopg" in sys.modules:  # pragma: no cover - only after a wrong order of imports
    raise ImportError("psycopg was imported before services.chassis.green")
os.environ["PSYCOPG_WAIT_FUNC"] = "wait_selector"
# eventlet's own resolver loads dnspython, which takes eight MiB in every process.
os.environ["EVENTLET_NO_GREENDNS"] = "yes"
# Work in threads holds the interpreter lock or one of two cores: twenty threads are no faster than four.
os.environ.setdefault("EVENTLET_THREADPOOL_SIZE", "4")

import eventlet
from eventlet.green import socket

# Imported objects live as long as the process. With the default threshold, garbage collection takes a fifth of the start;
# `memory.settle` sets the threshold of a running process.
gc.set_threshold(100_000, 20, 20)

_look_up = socket.getaddrinfo


def _look_up_in_a_thread(host: Any, port: Any, family: int = 0, type: int = 0, proto: int = 0, flags: int = 0) -> Any:  # noqa: A002 - getaddrinfo's
    # The system's resolver may block for seconds in C; a numeric address needs no lookup.
    try:
        return _look_up(host, port, family, type, proto, flags | socket.AI_NUMERICHOST)
    except socket.gaierror:
        from eventlet import tpool

        return tpool.execute(_look_up, host, port, family, type, proto, flags)


socket.getaddrinfo = _look_up_in_a_thread
eventlet.monkey_patch()

from eventlet import patcher  # noqa: E402 - after patching


def check() -> None:
    """Check that this process waits cooperatively.

    :raises RuntimeError: sockets are not patched, or psycopg waits in C.
    """
    if not patcher.is_monkey_patched("socket"):
        raise RuntimeError("sockets are not patched; import services.chassis.green first")
    # A process without a database has no psycopg.
    psycopg = sys.modules.get("psycopg")
    if psycopg is not None and psycopg.waiting.wait is not psycopg.waiting.wait_selector:
        raise RuntimeError("psycopg waits in C; import services.chassis.green before it")
