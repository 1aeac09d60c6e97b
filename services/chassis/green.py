"""Cooperative waiting: the only module whose import does something.

Import it first, in `__main__` and at the top of the tests, before anything that opens sockets or locks. psycopg waits
in C unless it is told otherwise before *its* import, and would freeze every greenlet while one query runs.
"""

from __future__ import annotations

import os
import sys

if "psycopg" in sys.modules:  # pragma: no cover - a mistake of the program's order of imports
    _message = "psycopg was imported before services.chassis.green"
    raise ImportError(_message)
os.environ["PSYCOPG_WAIT_FUNC"] = "wait_selector"

import eventlet

eventlet.monkey_patch()
# What computes in a thread gives the interpreter back when it is asked to, and that is asked after this many seconds: at
# the usual five milliseconds, every statement that the loop waited for took eight beside such a thread, now about one.
sys.setswitchinterval(0.0002)

import psycopg  # noqa: E402 - the environment is set and the sockets are patched first
from eventlet import patcher  # noqa: E402 - after patching


def check() -> None:
    """Make sure that waiting is cooperative in this process.

    :raises RuntimeError: sockets are not patched, or psycopg waits in C.
    """
    if not patcher.is_monkey_patched("socket"):
        message = "sockets are not patched; import services.chassis.green first"
        raise RuntimeError(message)
    if psycopg.waiting.wait is not psycopg.waiting.wait_selector:
        message = "psycopg waits in C; import services.chassis.green before it"
        raise RuntimeError(message)


check()
