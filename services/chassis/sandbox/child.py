"""The child process: reads function calls from its standard input, which is a socket, and answers there.

It has no secrets, no database and no broker, writes no files, and ends with its parent. It answers with plain values or
a refusal; of any other exception, only the type and location.
"""

from __future__ import annotations

import os
import resource
import signal
import socket
import sys
from importlib import import_module
from typing import Any

#: prctl(2): the signal that a process gets when its parent ends.
_PR_SET_PDEATHSIG = 1


def main(parent: int, memory: int) -> None:
    """Answer calls until the parent closes the socket."""
    _bind(parent, memory)
    # Imported after the limits are set.
    import pickle

    from services.chassis.sandbox.framing import receive, send

    pipe = socket.socket(fileno=os.dup(0))
    while True:
        try:
            asked = receive(pipe)
        except EOFError:
            return
        seconds, module, name, arguments = pickle.loads(asked)  # noqa: S301 - from the parent process
        _bound(seconds)
        answer = _answer(module, name, arguments)
        del asked, arguments
        send(pipe, (*answer, _resident()))
        del answer


def _answer(module: str, name: str, arguments: tuple[Any, ...]) -> tuple[str, Any]:
    from services.chassis.messages import Refusal

    try:
        return "made", getattr(import_module(module), name)(*arguments)
    except Refusal as refusal:
        return "refused", refusal.to_wire()
    except BaseException as error:  # noqa: BLE001 - compiled readers may raise what is not an Exception
        trace = error.__traceback__
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        place = f"{os.path.basename(trace.tb_frame.f_code.co_filename)}:{trace.tb_lineno}" if trace is not None else ""  # noqa: PTH119
        return "failed", f"{type(error).__name__} {place}"


def _bind(parent: int, memory: int) -> None:
    """Tie this process to its parent and set its memory and file limits, before anything large is imported."""
    import ctypes

    # Ctrl-C in a terminal is for the parent, which ends this process.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    prctl = getattr(ctypes.CDLL(None), "prctl", None)
    if prctl is not None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit()
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def _bound(seconds: int) -> None:
    """Limit the CPU time of this process to `seconds` from now."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    limit = int(used.ru_utime + used.ru_stime) + 1 + seconds
    resource.setrlimit(resource.RLIMIT_CPU, (limit, resource.getrlimit(resource.RLIMIT_CPU)[1]))


def _resident() -> int:
    """Return the resident memory in bytes, or the largest integer if it is unknown."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123 - one line, many times
            return int(file.read().split()[1]) * resource.getpagesize()
    except OSError:
        return sys.maxsize


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
