"""Connections that are open, and which of them gives way when all places are taken and somebody comes.

Whoever opens a thousand connections and says nothing, or next to nothing, would otherwise shut everybody out.
"""

from __future__ import annotations

import errno
import itertools
import logging
import resource
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

import eventlet
from eventlet import greenio

#: What the system says when it can open nothing more; it may be able to a moment later.
_EXHAUSTED = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
_PAUSE = 0.1
#: Open files that are not connections of clients: of the databases and the broker, and of all services in the embedded run.
_OTHER_FILES = 256

log = logging.getLogger("gateway.connections")


def connection_limit(most: int) -> int:
    """Raise how many files this process may open as far as it may, and return for how many connections that is enough.

    :param most: how many are wanted.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = most + _OTHER_FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return most if soft == resource.RLIM_INFINITY else max(1, min(most, soft - _OTHER_FILES))


class Phase(IntEnum):
    """What a connection does, in the order in which connections give way."""

    #: It has sent no request, or only the beginning of one.
    WAITING = 0
    #: It is sending a body.
    SENDING = 1
    #: It has sent its request, and gets its answer: that one never gives way.
    ANSWERED = 2


_turns = itertools.count()


@dataclass(slots=True)
class TrackedConnection:
    """One open connection.

    :ivar host: from where it comes.
    :ivar since: when it began to wait, or its request came, as a count.
    """

    host: str
    socket: Any
    phase: Phase = Phase.WAITING
    since: int = field(default_factory=_turns.__next__)

    def enter(self, phase: Phase) -> None:
        """Begin another phase."""
        if Phase.WAITING in {phase, self.phase}:
            self.since = next(_turns)
        self.phase = phase


class RejectedConnection:
    """What stands for the greenlet of a connection that is not served: it has ended."""

    def link(self, ended: Callable[..., None], *given: Any) -> None:
        """Tell at once that it has ended."""
        ended(self, *given)


class Connections:
    """A pool for `eventlet.wsgi.server`: each connection in a greenlet, and no more than so many."""

    def __init__(self, places: int) -> None:
        """Begin with none."""
        self._most = places
        self._pool = eventlet.GreenPool(places)
        self._open: dict[int, TrackedConnection] = {}

    def spawn(self, serve: Callable[[list[Any]], None], connection: list[Any]) -> Any:
        """Serve a connection (its address, its socket, eventlet's state, and here its place); end another one if there is no room.

        Where every other one is being answered, the new one is closed.
        """
        place = TrackedConnection(str(connection[0][0]) if connection[0] else "", connection[1])
        connection.append(place)
        if len(self._open) >= self._most and not self.make_room():
            return RejectedConnection()
        self._open[id(place)] = place
        return self._pool.spawn(self._serve, serve, connection)

    def waitall(self) -> None:
        """Wait until every connection has ended."""
        self._pool.waitall()

    def _serve(self, serve: Callable[[list[Any]], None], connection: list[Any]) -> None:
        try:
            serve(connection)
        finally:
            self._open.pop(id(connection[3]), None)

    def make_room(self) -> bool:
        """End the one that has waited longest, of the host that holds most; then one that is still sending."""
        held = Counter(place.host for place in self._open.values())
        able = [place for place in self._open.values() if place.phase is not Phase.ANSWERED]
        if not able:
            return False
        least = min(able, key=lambda place: (place.phase, -held[place.host], place.since))
        # Its greenlet wakes up to a connection that has ended, and leaves.
        greenio.shutdown_safe(least.socket)
        self._open.pop(id(least), None)
        return True


class Listener:
    """A listening socket that goes on when nothing more can be opened; eventlet's server would end."""

    def __init__(self, listener: Any, connections: Connections) -> None:
        """Listen on a socket."""
        self._listener = listener
        self._connections = connections

    def accept(self) -> Any:
        """Take the next connection; while there is no room for one, end others."""
        while True:
            try:
                return self._listener.accept()
            except OSError as error:
                if error.errno not in _EXHAUSTED:
                    raise
                log.warning("no connection can be taken: %s", error.strerror)
                self._connections.make_room()
                eventlet.sleep(_PAUSE)

    def __getattr__(self, name: str) -> Any:
        """Be the socket in everything else."""
        return getattr(self._listener, name)
