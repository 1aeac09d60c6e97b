"""Limits open connections. At the limit, a new connection closes one that sends nothing or little.

Without this, a client that opens a thousand idle connections would lock out all others.
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

#: Errors of the operating system while it can open nothing more.
_EXHAUSTED = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
_PAUSE = 0.1
#: Open files other than clients' connections: databases, the broker, and all services of the embedded run.
_OTHER_FILES = 256

log = logging.getLogger("gateway.connections")


def connection_limit(most: int) -> int:
    """Raise the limit of open files as far as possible, and return how many connections it allows.

    :param most: the wanted number of connections.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = most + _OTHER_FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return most if soft == resource.RLIM_INFINITY else max(1, min(most, soft - _OTHER_FILES))


class Phase(IntEnum):
    """What a connection does, in the order in which connections are closed at the limit."""

    #: It has sent no request, or the beginning of one.
    WAITING = 0
    #: It sends a body.
    SENDING = 1
    #: It has sent its request and gets the answer. It is never closed.
    ANSWERED = 2


_turns = itertools.count()


@dataclass(slots=True)
class TrackedConnection:
    """An open connection.

    :ivar host: the address of the client.
    :ivar since: when it began to wait, or its request came, as a count.
    """

    host: str
    socket: Any
    phase: Phase = Phase.WAITING
    since: int = field(default_factory=_turns.__next__)

    def enter(self, phase: Phase) -> None:
        """Change the phase."""
        if Phase.WAITING in {phase, self.phase}:
            self.since = next(_turns)
        self.phase = phase


class RejectedConnection:
    """Replaces the greenlet of a connection that is not served."""

    def link(self, ended: Callable[..., None], *given: Any) -> None:
        """Call back at once, because nothing runs."""
        ended(self, *given)


class Connections:
    """A pool for `eventlet.wsgi.server` with a limit: each connection runs in a greenlet."""

    def __init__(self, places: int) -> None:
        """Create an empty pool."""
        self._most = places
        self._pool = eventlet.GreenPool(places)
        self._open: dict[int, TrackedConnection] = {}

    def spawn(self, serve: Callable[[list[Any]], None], connection: list[Any]) -> Any:
        """Serve a connection: its address, its socket, eventlet's state, and the entry that is added here.

        At the limit, close another one; the new one where all others get answers.
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
        """Close the longest waiting connection of the host with most of them, else one that is sending."""
        held = Counter(place.host for place in self._open.values())
        able = [place for place in self._open.values() if place.phase is not Phase.ANSWERED]
        if not able:
            return False
        least = min(able, key=lambda place: (place.phase, -held[place.host], place.since))
        # Its greenlet wakes up, reads the end of the connection, and ends.
        greenio.shutdown_safe(least.socket)
        self._open.pop(id(least), None)
        return True


class Listener:
    """A listening socket that survives a lack of file descriptors; eventlet's server would stop."""

    def __init__(self, listener: Any, connections: Connections) -> None:
        """Wrap a listening socket."""
        self._listener = listener
        self._connections = connections

    def accept(self) -> Any:
        """Accept the next connection; close others while the system can open none."""
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
        """Delegate everything else to the socket."""
        return getattr(self._listener, name)
