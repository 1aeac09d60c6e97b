"""What concurrent requests have in common, done for all of them at once.

While one batch is under way the next gathers; somebody alone waits for nobody. It saves each its own turn of the event
loop, way to the server and commit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import eventlet
import orjson
import psycopg
from eventlet.event import Event
from psycopg.rows import dict_row

from services.chassis.database import Database, entry_of, note_audited
from services.chassis.database.connecting import KEPT_ALIVE, STATEMENT_MS, Dialed
from services.chassis.logs import Log
from services.chassis.messages import Caller, wire_value

_log = Log(__name__)

_MOST = 100

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")


@dataclass(eq=False, slots=True)
class _Waiting(Generic[Asked]):
    asked: Asked
    answered: Event = field(default_factory=Event)


class Batcher(Generic[Asked, Answer]):
    """Gathers what is asked, and has it answered in batches, one at a time."""

    def __init__(self, answer: Callable[[Sequence[Asked]], Sequence[Answer]], *, most: int = _MOST) -> None:
        """Take what answers a batch: an answer for each, in their order.

        What it raises, everybody in the batch is raised.
        """
        self._answer = answer
        self._most = most
        self._waiting: list[_Waiting[Asked]] = []
        self._busy = False

    def ask(self, asked: Asked) -> Answer:
        """Wait for the answer; whoever is killed meanwhile by a deadline may have been served all the same."""
        waiting = _Waiting(asked)
        self._waiting.append(waiting)
        if not self._busy:
            self._busy = True
            # A greenlet of its own: whoever asked may be killed, and others wait for the same batch.
            eventlet.spawn(self._work_off)
        answer: Answer = waiting.answered.wait()
        return answer

    def _work_off(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
                try:
                    answers = self._answer([waiting.asked for waiting in batch])
                except Exception as error:  # noqa: BLE001 - it is raised where it was asked
                    for waiting in batch:
                        waiting.answered.send_exception(error)
                else:
                    for waiting, answer in zip(batch, answers, strict=True):
                        waiting.answered.send(answer)
        finally:
            self._busy = False


@dataclass(frozen=True, slots=True)
class _Read:
    subject: str
    entry: dict[str, Any]


class BatchedReads:
    """Hot reads of one kind of record by its id: the row and the entry of its reading in one statement.

    psycopg returns from a statement in autocommit only after its commit, so what is returned has been audited durably:
    it fails closed. A batch may serve callers of different components, so its statement reads nothing that row-level
    security guards. This speaks psycopg and not SQLAlchemy: measured, a hot read through SQLAlchemy costs a quarter of
    a millisecond more.
    """

    def __init__(self, database: Database, select: str, *, action: str, fields: tuple[str, ...]) -> None:
        """Take what is read.

        :param select: selects from `asked` (id, place) and gives `place` and the row's columns, for rows that every
            caller may see alike; others it leaves out.
        :param action: of the entries.
        :param fields: names of what is shown, for the entries.
        """
        self._database = database
        self._statement = f"""
            WITH asked AS (
                SELECT * FROM json_to_recordset(%(asked)s::json) AS a (place integer, id uuid, day date, n bigint, body json)
            ), shown AS ({select}), entered AS (
                INSERT INTO entries (day, stream, n, body)
                SELECT asked.day, %(stream)s, asked.n, asked.body FROM asked WHERE asked.place IN (SELECT place FROM shown)
            )
            SELECT * FROM shown
        """  # noqa: S608 - put together from a service's own constants
        self._action = action
        self._fields = sorted(fields)
        self._batcher = Batcher(self._read_batch)
        self._connection: psycopg.Connection[dict[str, Any]] | None = None

    def read(self, caller: Caller, subject: str) -> Mapping[str, Any] | None:
        """Return the row, its reading audited; None when it is not among those (or the database failed): ask the long way.

        :param subject: an id in its canonical form.
        """
        entry = entry_of(
            caller,
            service=self._database.service,
            at=self._database.clock(),
            action=self._action,
            subjects=[subject],
            fields=self._fields,
            outcome="allowed",
            rule=None,
        )
        row = self._batcher.ask(_Read(subject, entry))
        if row is not None:
            note_audited()
        return row

    def _read_batch(self, batch: Sequence[_Read]) -> list[Mapping[str, Any] | None]:
        stream = self._database.stream
        entries = stream.take([read.entry for read in batch])
        numbers = [entry.n for entry in entries]
        try:
            asked = [
                {"place": place, "id": read.subject, "day": entry.day, "n": entry.n, "body": entry.body}
                for place, (read, entry) in enumerate(zip(batch, entries, strict=True))
            ]
            found = self._execute({"asked": orjson.dumps(asked, default=wire_value).decode(), "stream": stream.id})
        except Exception as error:  # noqa: BLE001 - whatever it is, everybody asks the long way, which says what it is
            _log.warning("gathered.failed", action=self._action, error=type(error).__name__)
            stream.voided(numbers, unknown=True)
            self.close()
            return [None] * len(batch)
        rows: dict[int, Mapping[str, Any]] = {row.pop("place"): row for row in found}
        stream.committed(n for place, n in enumerate(numbers) if place in rows)
        stream.voided((n for place, n in enumerate(numbers) if place not in rows), unknown=False)
        self._database.on_commit(announced=False)
        return [rows.get(place) for place in range(len(batch))]

    def _execute(self, parameters: Mapping[str, Any]) -> list[dict[str, Any]]:
        if self._connection is None or self._connection.closed:
            self._connection = self._database.logins.open(_connect)
        return self._connection.execute(self._statement.encode(), parameters).fetchall()

    def close(self) -> None:
        """Close the connection; the next read opens another."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


def _connect(url: str) -> psycopg.Connection[dict[str, Any]]:
    options = f"-c statement_timeout={STATEMENT_MS} -c timezone=UTC"
    return Dialed.connect(url, autocommit=True, row_factory=dict_row, prepare_threshold=0, options=options, **KEPT_ALIVE)
