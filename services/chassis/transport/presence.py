"""Whether a service takes calls just now: the broker knows, for the service's queue then has a consumer.

A call costs nothing for it while answers come: each proves that its service is there. Where none came lately the
broker is asked (a passive declaration, which tells a queue's consumers and what waits in it), once for all who ask at
the same time, over a connection of its own. Nobody is called gone on a guess: not when the broker cannot be asked, and
only after a second look, since a consumer that lost its connection comes back within a moment.
"""

from __future__ import annotations

from typing import Any

import eventlet
from eventlet.event import Event
from eventlet.semaphore import Semaphore

from services.chassis.logs import Log
from services.chassis.topology import call_queue
from services.chassis.transport.connection import LOST, Address, BrokerUnavailable

_log = Log(__name__)

#: Seconds for which an answer, or a look, proves that a service is there.
FRESH = 0.5
#: A queue without a consumer is looked at again after so long, before its service is called gone.
SURE_AFTER = 0.25
#: How long a look may take; whoever cannot find out sends the call, as if there were a consumer.
_LOOK_WITHIN = 1.5
#: What keeps a process from finding out.
_UNKNOWN: tuple[type[BaseException], ...] = (*LOST, BrokerUnavailable)


class Presence:
    """What one process knows of the services that it calls."""

    def __init__(self, address: Address, *, name: str) -> None:
        """Ask the broker at `address`; nothing is connected before the first look."""
        self._address = address
        self._name = name
        self._alive: dict[str, float] = {}
        #: Those that were gone at the last look.
        self._gone: set[str] = set()
        self._looks: dict[str, Event] = {}
        self._lock = Semaphore()
        self._connection: Any = None
        self._channel: Any = None
        self._stopped = False

    def heard(self, service: str) -> None:
        """Take note: the service has just answered."""
        self._alive[service] = _now()
        self._gone.discard(service)

    def heard_within(self, service: str, seconds: float) -> bool:
        """Whether there was a proof of life so lately."""
        alive = self._alive.get(service)
        return alive is not None and _now() - alive < seconds

    def is_gone(self, service: str) -> bool:
        """Whether nobody takes the service's calls, as far as can be known before one is sent."""
        return not self.heard_within(service, FRESH) and self.unserved(service) is not None

    def unserved(self, service: str) -> int | None:
        """Look; return how many calls wait in the queue of a service that is gone, None of one that is there or unknown."""
        look = self._looks.get(service)
        if look is None:
            look = self._looks[service] = Event()
            eventlet.spawn(self._look, service, look)
        found: list[int | None] = [None]
        with eventlet.Timeout(_LOOK_WITHIN, exception=False):
            found = [look.wait()]
        return found[0]

    def stop(self) -> None:
        """Close the connection, and look no more."""
        self._stopped = True
        self._close()

    def _look(self, service: str, look: Event) -> None:
        unserved: int | None = None
        try:
            with eventlet.Timeout(_LOOK_WITHIN, exception=False):
                unserved = self._ask(service)
                if unserved is not None and service not in self._gone:
                    eventlet.sleep(SURE_AFTER)
                    unserved = self._ask(service)
                if unserved is None:
                    self._alive[service] = _now()
        except _UNKNOWN as error:
            unserved = None
            _log.warning("presence.unknown", service=service, error=type(error).__name__)
        finally:
            if unserved is None:
                self._gone.discard(service)
            elif service not in self._gone:
                _log.warning("service.gone", service=service, waiting=unserved)
                self._gone.add(service)
            self._looks.pop(service, None)
            look.send(unserved)

    def _ask(self, service: str) -> int | None:
        """Return how many calls wait where nobody takes them; None if somebody does."""
        with self._lock:
            # A connection that was kept may have been lost since, which shows only now.
            if self._channel is not None:
                try:
                    return self._declare(service)
                except LOST:
                    pass
            return self._declare(service)

    def _declare(self, service: str) -> int | None:
        found = None
        try:
            if self._channel is None:
                self._open()
            found = self._channel.queue_declare(queue=call_queue(service), passive=True)
        finally:
            if found is None:
                # Whatever interrupted it, half an answer may be on its way.
                self._close()
        return None if found.consumer_count else int(found.message_count)

    def _open(self) -> None:
        if self._stopped:
            message = f"{self._name}: stopped"
            raise BrokerUnavailable(message)
        # Without heartbeats, for nobody reads between two looks; each look has its own deadline.
        self._connection = self._address.connection(heartbeat=0, client_properties={"connection_name": self._name})
        self._connection.connect()
        self._channel = self._connection.transport.create_channel(self._connection.connection)

    def _close(self) -> None:
        connection, self._connection, self._channel = self._connection, None, None
        if connection is not None:
            try:
                connection.collect()
            except LOST:
                return


def _now() -> float:
    now: float = eventlet.hubs.get_hub().clock()
    return now
