"""The relay: publishes what waits in the outbox, woken by commits, and looks by itself every two seconds."""

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
from services.chassis.outbox.store import BATCH, Answer, Outbox, Outgoing
from services.chassis.transport.publisher import Publisher, PublishResult

_log = Log(__name__)

#: What was committed in this process wakes it: this is for rows that a command or a process that is gone has left.
_LOOK_EVERY = 2.0
#: After trouble a look waits this long, and twice as long each time.
_FIRST_PAUSE = 1.0
#: How long an announcement waits for others of its moment, and at least after the shipment before; and how long entries do,
#: for which nobody waits.
_MOMENT = 0.02
_BETWEEN = 0.1
_GATHER_ENTRIES = 0.2
_SETTLE_EVERY = 10.0
#: How often the process says that it lives, past every database; audit misses it after thirty seconds.
_BEAT_EVERY = 10.0
_LOOK_FOR_DEAD_EVERY = 4.0
_LONGEST_PAUSE = 5.0
_LAST_WORDS = 5.0
_HOUR = 3600.0


class Relay:
    """Ships the outbox of one database, in a greenlet of its own."""

    def __init__(self, database: Database, publisher: Publisher, backlog: Backlog) -> None:
        """Prepare; `start` begins."""
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
        """Begin to ship; wait for neither database nor broker."""
        self._database.on_commit = self.wake
        self._greenlet = eventlet.spawn(self._run)
        self._beating = eventlet.spawn(self._beat)

    def wake(self, *, announced: bool) -> None:
        """Look now: something was committed.

        :param announced: an announcement, beside entries.
        """
        for happened in (self._commit, self._announced) if announced else (self._commit,):
            if not happened.ready():
                happened.send()

    def stop(self) -> None:
        """Ship what is left, say up to where the stream is settled, and stop."""
        self._stopping = True
        self.wake(announced=True)
        if self._greenlet is not None:
            with eventlet.Timeout(_LAST_WORDS * 2, exception=False):
                self._greenlet.wait()
        self.kill()

    def kill(self) -> None:
        """Stop at once; the rows stay for the next process."""
        if self._greenlet is not None:
            self._greenlet.kill()
            self._beating.kill()
            self._greenlet = None

    def _beat(self) -> None:
        # In a greenlet of its own: whoever holds up the database does not silence the process.
        while not self._stopping:
            try:
                self._publisher.publish_confirmed([self._outbox.beat()])
            except Exception:  # noqa: BLE001 - the next beat says the same and more
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
                # The next time is set first: what fails here is not tried again before every shipment.
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
            except Exception:  # noqa: BLE001 - the relay outlives every mistake; rows wait
                pause = next(waits)
                _log.exception("relay.failed", pause=pause)
            self._rest(pause)
        self._say_goodbye()

    def _look_for_dead(self) -> None:
        # So often that, if it failed like the rest, it would hold up every shipment.
        try:
            self._outbox.close_dead_streams()
        except Exception as error:  # noqa: BLE001 - the next look tries again; what is away is told by the shipping
            _log.warning("relay.no-look", error=type(error).__name__)

    def _rest(self, pause: float) -> None:
        # After trouble a commit does not cut the pause short: each one would try, and fail, again.
        if pause:
            with eventlet.Timeout(pause, exception=False):
                while not self._stopping:
                    eventlet.sleep(_FIRST_PAUSE / 2)
        else:
            with eventlet.Timeout(_LOOK_EVERY, exception=False):
                self._commit.wait()
            if self._commit.ready():
                # One confirmed message for every read would cost more than the read: those of a moment go together.
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

    def _publish(self, messages: Sequence[Outgoing]) -> list[Answer]:
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

    def _say_goodbye(self) -> None:
        try:
            with eventlet.Timeout(_LAST_WORDS):
                if self._open_stream is not None:
                    self._outbox.settle(closing=True)
                while self._ship() >= BATCH:
                    pass
        except (Exception, eventlet.Timeout) as error:  # noqa: BLE001 - stopping goes on
            # The rows stay, and the next process ships them.
            _log.warning("relay.unfinished", error=type(error).__name__)
