"""Detect services that take no calls: their call queue has no consumer.

Every answer proves that its service is present, so busy services cost nothing. Otherwise the broker is asked with a
passive queue declaration, over a connection of its own and once for all concurrent callers. A service is gone only
after two checks, because a consumer that lost its connection reconnects quickly; if the broker cannot be asked, the
service counts as present.
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

#: Seconds for which an answer or a check proves that a service is present.
FRESH = 0.5
#: Seconds before the second check of a queue without a consumer.
SURE_AFTER = 0.25
#: Seconds that a check may take; after that the service counts as present.
_LOOK_WITHIN = 1.5
#: Errors after which the presence is unknown.
_UNKNOWN: tuple[type[BaseException], ...] = (*LOST, BrokerUnavailable)


class Presence:
    """Tracks which services take calls, for one process."""

    def __init__(self, address: Address, *, name: str) -> None:
        """Prepare; the first check connects to `address`."""
        self._address = address
        self._name = name
        self._alive: dict[str, float] = {}
        #: Services that were gone at their last check.
        self._gone: set[str] = set()
        self._looks: dict[str, Event] = {}
        self._lock = Semaphore()
        self._connection: Any = None
        self._channel: Any = None
        self._stopped = False

    def heard(self, service: str) -> None:
        """Record that the service has just answered."""
        self._alive[service] = _now()
        self._gone.discard(service)

    def heard_within(self, service: str, seconds: float) -> bool:
        """Return whether the service was known to be present within the last `seconds`."""
        alive = self._alive.get(service)
        return alive is not None and _now() - alive < seconds

    def is_gone(self, service: str) -> bool:
        """Return whether the service takes no calls; asks the broker without a recent proof."""
        return not self.heard_within(service, FRESH) and self.unserved(service) is not None

    def unserved(self, service: str) -> int | None:
        """Check the call queue; return the number of waiting calls if the service is gone, else None (present or unknown)."""
        look = self._looks.get(service)
        if look is None:
            look = self._looks[service] = Event()
            eventlet.spawn(self._look, service, look)
        found: list[int | None] = [None]
        with eventlet.Timeout(_LOOK_WITHIN, exception=False):
            found = [look.wait()]
        return found[0]

    def stop(self) -> None:
        """Close the connection and stop checking."""
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
        """Return the number of waiting calls if the queue has no consumer, else None."""
        with self._lock:
            # The kept connection may have been lost since the last check.
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
                # Interrupted: the rest of an answer may still arrive on this connection.
                self._close()
        return None if found.consumer_count else int(found.message_count)

    def _open(self) -> None:
        if self._stopped:
            raise BrokerUnavailable(f"{self._name}: stopped")
        # Without heartbeats, because nothing reads between two checks; each check has a deadline.
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
