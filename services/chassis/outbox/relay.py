"""The relay: publishes outbox rows after each commit, and checks for others every two seconds."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import eventlet
from eventlet.event import Event

from services.chassis import metrics
from services.chassis.backoff import pauses
from services.chassis.database import Database
from services.chassis.database.stream import Stream
from services.chassis.logs import Log
from services.chassis.messages import Refusal, may_go_unheard
from services.chassis.outbox.backlog import Backlog
from services.chassis.outbox.partitions import OutboxPartitions
from services.chassis.outbox.store import BATCH, Answer, Outbox
from services.chassis.transport.publisher import Message, Publisher, PublishResult

_log = Log(__name__)

#: Seconds. Commits in this process wake the relay; the check finds rows of commands and dead processes.
_LOOK_EVERY = 2.0
#: Seconds to pause after a failure, doubled each time up to `_LONGEST_PAUSE`.
_FIRST_PAUSE = 1.0
#: Seconds that an announcement waits for others, the least time between two shipments, and the seconds that entries wait,
#: since nobody waits for them.
_MOMENT = 0.02
_BETWEEN = 0.1
_GATHER_ENTRIES = 0.2
_SETTLE_EVERY = 10.0
#: Seconds between heartbeats to audit, which do not need the database; audit reports a silent process after thirty.
_BEAT_EVERY = 10.0
_LOOK_FOR_DEAD_EVERY = 4.0
_LONGEST_PAUSE = 5.0
_STOP_WITHIN = 5.0
_HOUR = 3600.0


class Relay:
    """Ships one database's outbox in a greenlet."""

    def __init__(self, database: Database, publisher: Publisher, backlog: Backlog) -> None:
        """Prepare; `start` starts the greenlets."""
        self._service = database.service
        self._database = database
        self._outbox = Outbox(database)
        self._partitions = OutboxPartitions(database)
        self._publisher = publisher
        self._backlog = backlog
        self._commit = Event()
        self._announced = Event()
        self._stopping = False
        self._greenlet: Any = None
        self._beating: Any = None
        self._open_stream: Stream | None = None
        self._was_answered = True
        self._shipped_at = 0.0

    def start(self) -> None:
        """Start to ship, without waiting for the database or the broker."""
        self._database.on_commit = self.wake
        self._greenlet = eventlet.spawn(self._run)
        self._beating = eventlet.spawn(self._beat)

    def wake(self, *, announced: bool) -> None:
        """Ship now, after a commit.

        :param announced: whether the commit has an announcement, not only entries.
        """
        for happened in (self._commit, self._announced) if announced else (self._commit,):
            if not happened.ready():
                happened.send()

    def stop(self) -> None:
        """Ship the remaining rows, close the stream and stop."""
        self._stopping = True
        self.wake(announced=True)
        if self._greenlet is not None:
            with eventlet.Timeout(_STOP_WITHIN * 2, exception=False):
                self._greenlet.wait()
        self.kill()

    def kill(self) -> None:
        """Stop at once; the next process ships the rows."""
        if self._greenlet is not None:
            self._greenlet.kill()
            self._beating.kill()
            self._greenlet = None

    def _beat(self) -> None:
        # In its own greenlet, so that a blocked database does not stop the heartbeats.
        while not self._stopping:
            try:
                self._publisher.publish_confirmed([self._outbox.beat()])
            except Exception:  # noqa: BLE001 - the next heartbeat replaces this one
                _log.exception("relay.beat-failed")
            eventlet.sleep(_BEAT_EVERY)

    def _run(self) -> None:
        pause, waits = 0.0, pauses(first=_FIRST_PAUSE, longest=_LONGEST_PAUSE)
        next_settling = next_look = next_hour = 0.0
        while not self._stopping:
            try:
                if self._open_stream is not self._database.stream:
                    opened = self._database.stream
                    self._outbox.open_stream()
                    self._open_stream = opened
                now = eventlet.hubs.get_hub().clock()
                # Each next time is set before the work, so that a failing job does not run before every shipment.
                if now >= next_settling:
                    next_settling = now + _SETTLE_EVERY
                    self._settle()
                if now >= next_look:
                    next_look = now + _LOOK_FOR_DEAD_EVERY
                    self._look_for_dead()
                if now >= next_hour:
                    next_hour = now + _HOUR
                    self._partitions.make()
                count = self._ship()
                if self._was_answered:
                    pause, waits = 0.0, pauses(first=_FIRST_PAUSE, longest=_LONGEST_PAUSE)
                else:
                    pause = next(waits)
                if count >= BATCH:
                    continue
            except Refusal as error:
                pause = next(waits)
                _log.warning("relay.waits", code=error.code, pause=pause)
            except Exception:  # noqa: BLE001 - the relay survives every error; the rows wait
                pause = next(waits)
                _log.exception("relay.failed", pause=pause)
            self._rest(pause)
        self._close_stream()

    def _look_for_dead(self) -> None:
        # It runs so often that its failures must not delay shipments.
        try:
            self._outbox.close_dead_streams()
        except Exception as error:  # noqa: BLE001 - the next check tries again, and the shipment reports an unavailable database
            _log.warning("relay.no-look", error=type(error).__name__)

    def _rest(self, pause: float) -> None:
        # After a failure, commits do not shorten the pause: every one would cause another failing attempt.
        if pause:
            with eventlet.Timeout(pause, exception=False):
                while not self._stopping:
                    eventlet.sleep(_FIRST_PAUSE / 2)
        else:
            with eventlet.Timeout(_LOOK_EVERY, exception=False):
                self._commit.wait()
            if self._commit.ready():
                # A confirmed message for every read would cost more than the read, so entries are shipped in batches.
                with eventlet.Timeout(_GATHER_ENTRIES, exception=False):
                    self._announced.wait()
                if not self._stopping:
                    eventlet.sleep(max(_MOMENT, self._shipped_at + _BETWEEN - eventlet.hubs.get_hub().clock()))
        self._commit, self._announced = (Event() if happened.ready() else happened for happened in (self._commit, self._announced))

    def _ship(self) -> int:
        count = self._outbox.ship(self._publish)
        if count:
            self._shipped_at = eventlet.hubs.get_hub().clock()
            metrics.shipped.labels(self._service).inc(count)
        return count

    def _publish(self, messages: Sequence[Message]) -> list[Answer]:
        results = self._publisher.publish_confirmed(messages)
        self._was_answered = not {PublishResult.UNKNOWN, PublishResult.REFUSED} & set(results)
        return [
            None
            if result is PublishResult.NO_ROUTE and not may_go_unheard(message.routing_key)
            else result in {PublishResult.CONFIRMED, PublishResult.NO_ROUTE}
            for message, result in zip(messages, results, strict=True)
        ]

    def _settle(self) -> None:
        self._outbox.settle()
        oldest = self._outbox.oldest_waiting()
        age = 0.0 if oldest is None else (datetime.now(UTC) - oldest).total_seconds()
        self._backlog.seconds = age
        metrics.oldest_waiting.labels(self._service).set(age)
        if self._backlog.is_late:
            _log.error("outbox.late", seconds=round(age), refusing=self._backlog.is_overdue)

    def _close_stream(self) -> None:
        try:
            with eventlet.Timeout(_STOP_WITHIN):
                if self._open_stream is not None:
                    self._outbox.settle(closing=True)
                while self._ship() >= BATCH:
                    pass
        except (Exception, eventlet.Timeout) as error:  # noqa: BLE001 - stopping goes on
            # The rows stay, and the next process ships them.
            _log.warning("relay.unfinished", error=type(error).__name__)
