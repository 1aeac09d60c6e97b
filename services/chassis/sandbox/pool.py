"""A pool of child processes that are started on demand and ended when idle.

Children are spawned, because a fork would copy eventlet's hub. Waiting for them is cooperative. If a child dies, exceeds
its limits or takes too long, only its call fails; the next call gets a new child.
"""

from __future__ import annotations

import os
import pickle
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Any

import eventlet
from eventlet import greenio, patcher
from eventlet.semaphore import Semaphore

import services
from services.chassis.logs import Log
from services.chassis.messages import KNOWN, Refusal, Unavailable
from services.chassis.sandbox.framing import plain, receive, send

_log = Log(__name__)
_system = patcher.original("socket")
_os = patcher.original("os")

#: The most children at a time, and the most with long work, so that long work cannot block all short calls.
_CHILDREN = 3
_AT_LONG_WORK = 2
#: Limits of one call: CPU seconds, elapsed seconds, and bytes of address space.
_SECONDS = 30
_WAITED = 60
_MEMORY = 1 << 30
#: Limits of an idle child: bytes of resident memory, and seconds.
_SMALL = 96 << 20
_IDLE = 30.0


class Child:
    """A child process and the socket to it."""

    def __init__(self, memory: int) -> None:
        """Start the process with a memory limit in bytes."""
        ours, theirs = _system.socketpair()
        try:
            nothing = os.open(os.devnull, os.O_WRONLY)
            try:
                actions = [(os.POSIX_SPAWN_DUP2, theirs.fileno(), 0), (os.POSIX_SPAWN_DUP2, nothing, 1), (os.POSIX_SPAWN_DUP2, nothing, 2)]
                arguments = [sys.executable, "-P", "-m", "services.chassis.sandbox.child", str(os.getpid()), str(memory)]
                self.pid = os.posix_spawn(sys.executable, arguments, _environment(), file_actions=actions, setsigmask=())
            finally:
                os.close(nothing)
        finally:
            theirs.close()
        self.pipe = greenio.GreenSocket(ours)
        #: The timer that ends it when idle.
        self.resting: Any = None
        self._has_ended = False

    def ask(self, seconds: int, module: str, name: str, arguments: tuple[Any, ...]) -> tuple[str, Any, int]:
        """Return the outcome (`made`, `refused` or `failed`), its value, and the child's resident memory in bytes.

        :raises EOFError, OSError, pickle.UnpicklingError: the child has ended or is compromised.
        """
        send(self.pipe, (seconds, module, name, arguments))
        what, made, resident = plain(receive(self.pipe))
        return what, made, resident

    def end(self) -> None:
        """Kill the process."""
        if self.resting is not None:
            self.resting.cancel()
        with suppress(OSError):
            self.pipe.close()
        if not self._has_ended:
            os.kill(self.pid, signal.SIGKILL)
            # In the background, because the system needs time to free hundreds of megabytes.
            eventlet.spawn_n(self._reaped)

    def wait(self) -> None:
        """Wait until the process is reaped."""
        if not self._has_ended:
            self._has_ended = True
            with suppress(ChildProcessError):
                _os.waitpid(self.pid, 0)

    def _reaped(self) -> None:
        while not self._has_ended:
            try:
                self._has_ended = _os.waitpid(self.pid, os.WNOHANG)[0] == self.pid
            except ChildProcessError:
                self._has_ended = True
            eventlet.sleep(0.02)


class Pool:
    """Runs module-level functions in child processes; arguments are pickled, results are plain values."""

    def __init__(self, *, seconds: int = _SECONDS, waited: float = _WAITED, idle: float = _IDLE) -> None:
        """Set the limits of one call; start nothing."""
        self.memory, self.seconds, self.waited, self.idle = _MEMORY, seconds, waited, idle
        self._turns, self._long_turns = Semaphore(_CHILDREN), Semaphore(_AT_LONG_WORK)
        self._resting: list[Child] = []
        self._at_work: set[Child] = set()
        self._ended: set[Child] = set()
        self._thread = threading.get_ident()

    @property
    def pids(self) -> list[int]:
        """Return the ids of the current processes."""
        return [child.pid for child in (*self._resting, *self._at_work)]

    @property
    def is_here(self) -> bool:
        """Whether this is the thread that created the pool; only its event loop can wait for children."""
        return threading.get_ident() == self._thread

    def run(self, function: Callable[..., Any], *arguments: Any, refusal: type[Refusal], is_long: bool = False) -> Any:
        """Call a module-level function in a child process and return its result.

        :param refusal: raised if the function fails or exceeds its limits.
        :param is_long: whether it may take seconds.
        :raises Refusal: the one that the function raised, or `refusal`.
        :raises Unavailable: the pool was ended during the call, or no process can be started.
        """
        with self._long_turns if is_long else nullcontext(), self._turns:
            child = self._taken()
            answer = None
            late = eventlet.Timeout(self.waited)
            try:
                answer = child.ask(self.seconds, function.__module__, function.__qualname__, arguments)
            except eventlet.Timeout as timeout:
                if timeout is not late:
                    raise
            except (EOFError, OSError, pickle.UnpicklingError, ValueError):
                pass
            finally:
                late.cancel()
                self._at_work.discard(child)
                if answer is None:
                    child.end()
            if child in self._ended:
                self._ended.discard(child)
                raise Unavailable
            if answer is None:
                _log.warning("apart.ended", function=function.__qualname__)
                raise refusal
            what, made, resident = answer
            self._rest(child, resident)
        if what == "refused":
            raise _again(made)
        if what == "failed":
            _log.warning("apart.failed", function=function.__qualname__, why=made)
            raise refusal
        return made

    def end(self) -> None:
        """Kill all children; running calls raise `Unavailable`."""
        self._ended |= self._at_work
        children = [*self._resting, *self._at_work]
        self._resting.clear()
        for child in children:
            child.end()
        for child in children:
            child.wait()

    def _taken(self) -> Child:
        if self._resting:
            child = self._resting.pop()
            child.resting.cancel()
        else:
            try:
                child = Child(self.memory)
            except OSError as error:
                # The system has no process or no memory left.
                raise Unavailable from error
        self._at_work.add(child)
        return child

    def _rest(self, child: Child, resident: int) -> None:
        if self._resting or resident > _SMALL or not self.idle:
            child.end()
            return
        self._resting.append(child)
        child.resting = eventlet.spawn_after(self.idle, self._let_go, child)

    def _let_go(self, child: Child) -> None:
        if child in self._resting:
            self._resting.remove(child)
            child.resting = None
            child.end()


def _environment() -> dict[str, str]:
    """Return a child's environment: the path of the program, and no secrets."""
    kept = {name: value for name, value in os.environ.items() if name in {"PATH", "LANG", "LC_ALL", "TZ", "LD_LIBRARY_PATH"}}
    root = str(Path(services.__file__ or "").resolve().parents[1])
    return kept | {"PYTHONPATH": root, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONWARNINGS": "ignore", "MALLOC_ARENA_MAX": "1"}


def _again(wire: Any) -> Refusal:
    """Rebuild a refusal, of its original class if that is loaded."""
    plainly = Refusal.from_wire(wire)
    known = KNOWN.get((plainly.branch, plainly.code), type(plainly))
    again = known.__new__(known)
    Refusal.__init__(again, plainly.detail, code=plainly.code, errors=plainly.errors, extra=plainly.extra)
    return again


_pool: Pool | None = None


def pool() -> Pool:
    """Return the pool that all services of this process share."""
    global _pool  # noqa: PLW0603 - a process has one
    if _pool is None:
        _pool = Pool()
    return _pool


def end_all() -> None:
    """End the pool of this process, if there is one."""
    if _pool is not None:
        _pool.end()
