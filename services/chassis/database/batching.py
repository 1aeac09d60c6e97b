"""Run the work of concurrent requests in batches.

While one batch runs, the next one collects; a single request runs at once. A batch saves round trips to the server,
commits and turns of the event loop.
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

from services.chassis.database import AuditEntry, Database, entry_of, note_audited
from services.chassis.database.connecting import KEPT_ALIVE, STATEMENT_MS, Dialed
from services.chassis.logs import Log
from services.chassis.messages import Caller, wire_value

_log = Log(__name__)

#: The size of the largest batch.
_MOST = 100

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")


@dataclass(eq=False, slots=True)
class _Waiting(Generic[Asked]):
    asked: Asked
    answered: Event = field(default_factory=Event)


class Batcher(Generic[Asked, Answer]):
    """Collects requests and answers them in batches, one batch at a time."""

    def __init__(self, answer: Callable[[Sequence[Asked]], Sequence[Answer]]) -> None:
        """Prepare.

        :param answer: returns an answer for each request of a batch, in order. What it raises is raised for all of them.
        """
        self._answer = answer
        self._waiting: list[_Waiting[Asked]] = []
        self._busy = False

    def ask(self, asked: Asked) -> Answer:
        """Wait for the answer to one request; it may be handled even if the waiting greenlet is killed."""
        waiting = _Waiting(asked)
        self._waiting.append(waiting)
        if not self._busy:
            self._busy = True
            # In its own greenlet, because the one that asks may be killed while others wait for the same batch.
            eventlet.spawn(self._work_off)
        answer: Answer = waiting.answered.wait()
        return answer

    def _work_off(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[:_MOST], self._waiting[_MOST:]
                try:
                    answers = self._answer([waiting.asked for waiting in batch])
                except Exception as error:  # noqa: BLE001 - it is raised in the greenlets that ask
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
    entry: AuditEntry


class BatchedReads:
    """Reads records of one kind by id, and inserts the audit entries, with one statement for each batch.

    psycopg returns from an autocommit statement after its commit, so every returned row has a durable entry. A batch may
    serve callers of several components, so the statement must not read tables with row-level security. It uses psycopg
    directly, because a read through SQLAlchemy takes 0.25 ms longer (measured).
    """

    def __init__(self, database: Database, select: str, *, action: str, fields: tuple[str, ...]) -> None:
        """Prepare; the first read connects.

        :param select: a SELECT that joins `asked` (id, place) and returns `place` and the columns, only for rows that
            every caller may see in full.
        :param action: the action of the audit entries.
        :param fields: the names of the fields in the audit entries.
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
        """  # noqa: S608 - composed of a service's own constants
        self._action = action
        self._fields = sorted(fields)
        self._batcher = Batcher(self._read_batch)
        self._connection: psycopg.Connection[dict[str, Any]] | None = None

    def read(self, caller: Caller, subject: str) -> Mapping[str, Any] | None:
        """Return the row after recording the read, or None if it must be read in a unit of work.

        None means that the row is not in `select`, or that the database failed.

        :param subject: an id in canonical form.
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
        except Exception as error:  # noqa: BLE001 - every caller falls back to a unit of work, which raises the error
            _log.warning("gathered.failed", action=self._action, error=type(error).__name__)
            stream.voided(numbers, unknown=True)
            self.close()
            return [None] * len(batch)
        rows: dict[int, Mapping[str, Any]] = {row.pop("place"): row for row in found}
        stream.committed(n for place, n in enumerate(numbers) if place in rows)
        stream.voided((n for place, n in enumerate(numbers) if place not in rows), unknown=False)
        self._database.on_commit(announced=False)
        return [rows.get(place) for place in range(len(batch))]

    def _execute(self, parameters: Mapping[str, object]) -> list[dict[str, Any]]:
        if self._connection is None or self._connection.closed:
            self._connection = self._database.logins.open(_connect)
        return self._connection.execute(self._statement.encode(), parameters).fetchall()

    def close(self) -> None:
        """Close the connection; the next read reconnects."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


def _connect(url: str) -> psycopg.Connection[dict[str, Any]]:
    options = f"-c statement_timeout={STATEMENT_MS} -c timezone=UTC"
    return Dialed.connect(url, autocommit=True, row_factory=dict_row, prepare_threshold=0, options=options, **KEPT_ALIVE)
