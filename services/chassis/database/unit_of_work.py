"""The unit of work: one transaction in the name of one caller, and the reading, which has none."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from sqlalchemy import Connection, CursorResult, Executable, TextClause, text
from sqlalchemy.exc import DBAPIError

from services.chassis.database.audit_entries import entry_of, note_audited
from services.chassis.database.errors import DatabaseUnavailable, is_unavailable, translated
from services.chassis.database.locks import Lock, as_json, request_of
from services.chassis.keyed import split_digests
from services.chassis.messages import Announcement, Caller, IdempotencyMismatch, OutcomeUnknown, Refusal, chunks, new_id, wire_value

if TYPE_CHECKING:
    from services.chassis.database.engine import Database
    from services.chassis.database.stream import Numbered

#: One entry names at most this many subjects.
SUBJECTS_PER_ENTRY = 500
_KEY_LIFETIME = timedelta(hours=24)
_open_work: ContextVar[bool] = ContextVar("open_work", default=False)

_WHOSE = "set_config('app.component', :component, true), set_config('app.level', :level, true), set_config('app.actor', :actor, true)"
_BEGIN = text(f"SELECT {_WHOSE}")
# A lock is taken in a statement before the one that reads under it: a statement sees only what was committed when it began.
_BEGIN_ALONE = text(
    f"SELECT {_WHOSE},"  # noqa: S608 - put together from our own constants
    " (SELECT count(pg_advisory_xact_lock(hashtextextended(r, 0))) FROM unnest(CAST(:requests AS text[])) AS r)"
)
# Whoever does things for many takes what is free: one that waited would hold up all the others.
_BEGIN_TRYING = text(
    f"SELECT {_WHOSE},"  # noqa: S608 - put together from our own constants
    " (SELECT json_agg(name) FROM json_to_recordset(CAST(:locks AS json)) AS l (seed integer, name text)"
    " WHERE pg_try_advisory_xact_lock(hashtextextended(name, seed))) AS held"
)
# In one order, so that two transactions that hold several of the same do not wait for each other.
_HOLD = (
    "SELECT {}(hashtextextended(name, seed)) FROM (SELECT seed, name FROM json_to_recordset(CAST(:locks AS json))"
    " AS l (seed integer, name text) ORDER BY seed, name) AS l"
)
_HOLD_ALONE = text(_HOLD.format("pg_advisory_xact_lock"))
_HOLD_SHARED = text(_HOLD.format("pg_advisory_xact_lock_shared"))
# What a transaction leaves behind goes in one statement: each is a turn of the event loop and a way to the server.
# Rows go as one JSON value: psycopg quotes arrays of text one by one, with a regular expression.
_INSERT_ENTRIES = (
    "INSERT INTO entries (day, stream, n, body) SELECT day, :stream, n, body"
    " FROM json_to_recordset(CAST(:entries AS json)) AS e (day date, n bigint, body json)"
)
_INSERT_ANNOUNCEMENTS = (
    "INSERT INTO outbox (id, routing_key, body) SELECT id, routing_key, body"
    " FROM json_to_recordset(CAST(:announcements AS json)) AS a (id uuid, routing_key text, body json)"
)
_INSERT_OPERATIONS = (
    "INSERT INTO operations (id, user_id, method, path, key, body_hash, status, subject_id)"
    " SELECT id, user_id, method, path, key, body_hash, status, subject_id FROM json_to_recordset(CAST(:operations AS json))"
    " AS o (id uuid, user_id text, method text, path text, key text, body_hash text, status integer, subject_id text)"
)


@dataclass(frozen=True, slots=True)
class Replay:
    """What an earlier request with the same Idempotency-Key came to."""

    status: int
    subject_id: str | None
    operation_id: str


def work_is_open() -> bool:
    """Whether this thread of work holds a transaction; no bus call is made then."""
    return _open_work.get()


@lru_cache(maxsize=256)
def _together(parts: tuple[tuple[str, str], ...]) -> TextClause:
    """Return one statement of several, by name."""
    *first, (_, last) = parts
    named = ", ".join(f"{name} AS ({part})" for name, part in first)
    return text(f"WITH {named} {last}" if first else last)


def _locks_as_json(locks: Iterable[Lock]) -> str:
    return as_json([{"seed": lock.seed, "name": lock.name} for lock in locks])


class UnitOfWork:
    """One transaction in the name of one caller; commits on a clean exit, else rolls back."""

    def __init__(self, database: Database, caller: Caller, role: str | None, locks: Sequence[Lock] = ()) -> None:
        """Prepare; the transaction begins on entering."""
        self.caller = caller
        self.database = database
        self._role = role
        self._locks = locks
        #: Which of the locks it has.
        self.held: frozenset[Lock] = frozenset()
        self._connection: Connection | None = None
        self._entries: list[dict[str, Any]] = []
        self._announcements: list[dict[str, Any]] = []
        self._completed: list[dict[str, Any]] = []
        self._last: dict[str, str] = {}
        self._last_parameters: dict[str, Any] = {}
        self._kept: dict[str, tuple[str, list[Mapping[str, Any]]]] = {}
        #: Whether an entry was committed here; without one, no answer may leave.
        self.audited = False

    @property
    def connection(self) -> Connection:
        """The open connection."""
        if self._connection is None:
            message = "the unit of work is not open"
            raise RuntimeError(message)
        return self._connection

    def __enter__(self) -> Self:
        """Begin, and set whose rows may be seen.

        :raises DatabaseUnavailable: no connection could be had in time.
        """
        if _open_work.get():
            message = "units of work do not nest"
            raise RuntimeError(message)
        with translated():
            self._connection = self._begin()
        _open_work.set(True)
        return self

    def _begin(self) -> Connection:
        # A pooled connection may have died while it lay idle: the first statement finds out, and a second
        # attempt gets a fresh one, for the first failure has emptied the pool.
        for attempt in (1, 2):
            connection = self.database.engine.connect()
            try:
                whose = {"component": self.caller.component or "", "level": self.caller.level or "", "actor": self.caller.id}
                if self._locks:
                    held = set(connection.execute(_BEGIN_TRYING, {**whose, "locks": _locks_as_json(self._locks)}).one().held or ())
                    self.held = frozenset(lock for lock in self._locks if lock.name in held)
                elif requests := Lock.of_request(self.caller):
                    connection.execute(_BEGIN_ALONE, {**whose, "requests": [lock.name for lock in requests]})
                else:
                    connection.execute(_BEGIN, whose)
                if self._role:
                    role = f"liaison_{self.database.service}_{self._role}"
                    connection.exec_driver_sql(f'SET LOCAL ROLE "{role}"')
            except DBAPIError as error:
                connection.close()
                if attempt == 1 and error.connection_invalidated:
                    continue
                raise
            except BaseException:
                connection.invalidate()
                connection.close()
                raise
            return connection
        raise AssertionError  # pragma: no cover - the loop returns or raises

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Commit or roll back.

        :raises OutcomeUnknown: the connection was lost while the commit was under way.
        """
        connection = self.connection
        try:
            if error is None:
                self._commit(connection)
            elif isinstance(error, Exception):
                with suppress(DBAPIError):
                    connection.rollback()
            else:
                # Killed by its deadline: the server may be in the middle of a statement, so the connection is
                # closed and never returned to the pool.
                connection.invalidate()
        finally:
            self._connection = None
            _open_work.set(False)
            connection.close()
        if isinstance(error, DBAPIError) and is_unavailable(error):
            raise DatabaseUnavailable from error
        if isinstance(error, Refusal) and self._kept:
            self._keep_apart()

    def _keep_apart(self) -> None:
        with self.database.work(self.caller.within(trace_id=self.caller.trace_id)) as work:
            for name, (statement, rows) in self._kept.items():
                work.keep(name, statement, rows)

    def _commit(self, connection: Connection) -> None:
        stream = self.database.stream
        numbered = stream.take(self._entries)
        numbers = [entry.n for entry in numbered]
        settled = False
        try:
            with translated():
                self._leave_behind(connection, stream.id, numbered)
            try:
                connection.commit()
            except DBAPIError as error:
                # A deferred constraint answers with its own error and the connection lives: that is a rollback.
                stream.voided(numbers, unknown=error.connection_invalidated)
                settled = True
                if error.connection_invalidated:
                    operation = self.caller.operation
                    raise OutcomeUnknown(extra={"operation_id": operation.id} if operation else None) from error
                raise
            except BaseException:
                stream.voided(numbers, unknown=True)
                settled = True
                connection.invalidate()
                raise
            stream.committed(numbers)
            settled = True
        except BaseException:
            if not settled:
                stream.voided(numbers, unknown=False)
            if not connection.invalidated:
                with suppress(DBAPIError):
                    connection.rollback()
            raise
        self.audited = bool(self._entries)
        if self.audited:
            note_audited()
        if self._entries or self._announcements:
            self.database.on_commit(announced=bool(self._announcements))

    def _leave_behind(self, connection: Connection, stream: str, numbered: Sequence[Numbered]) -> None:
        parts = dict(self._last)
        parameters = dict(self._last_parameters)
        for name, (statement, rows) in self._kept.items():
            parts[name] = statement
            parameters[name] = as_json(rows)
        if self._entries:
            parts["entered"] = _INSERT_ENTRIES
            rows = [{"day": entry.day, "n": entry.n, "body": entry.body} for entry in numbered]
            parameters |= {"stream": stream, "entries": as_json(rows)}
        if self._announcements:
            parts["announced"] = _INSERT_ANNOUNCEMENTS
            parameters["announcements"] = as_json(self._announcements)
        if self._completed:
            parts["completed"] = _INSERT_OPERATIONS
            parameters["operations"] = as_json(self._completed)
        if parts:
            connection.execute(_together(tuple(parts.items())), parameters)

    def execute(self, statement: Executable, parameters: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None) -> CursorResult[Any]:
        """Run one statement in this transaction."""
        return self.connection.execute(statement, parameters)

    def hold(self, *locks: Lock, shared: bool = False) -> None:
        """Hold these locks until the transaction ends; wait for whoever holds them.

        Call it in a statement before the one that reads: a statement sees only what was committed when it began.

        :param shared: with others who share them, against whoever wants them alone.
        """
        self.execute(_HOLD_SHARED if shared else _HOLD_ALONE, {"locks": _locks_as_json(locks)})

    def insert_on_commit(self, parts: Mapping[str, str], parameters: Mapping[str, Any]) -> None:
        """Insert these rows with what the transaction leaves behind, in one statement, when it commits.

        :param parts: INSERT statements by name, none of which sees what another inserts.
        """
        self._last |= parts
        self._last_parameters |= parameters

    def keep(self, name: str, statement: str, rows: Iterable[Mapping[str, Any]]) -> None:
        """Leave these rows behind even where a refusal rolls the transaction back: then in one of their own, before the refusal goes out.

        :param name: of the statement's parameter, a JSON list of every row that was given under that name.
        :param statement: an INSERT that sees nothing of what the transaction leaves besides.
        """
        self._kept.setdefault(name, (statement, []))[1].extend(rows)

    def on_behalf_of(self, caller: Caller) -> Self:
        """Return this transaction as another caller has it: entries, announcements and operations are theirs.

        :raises ValueError: they are of another component, and would see and write as this one.
        """
        if caller.component != self.caller.component:
            message = "a transaction is of one component"
            raise ValueError(message)
        theirs = copy.copy(self)
        theirs.caller = caller
        return theirs

    def announce(self, announcement: Announcement) -> None:
        """Tell the other services, if and when this transaction commits."""
        message_id = new_id()
        wire = {
            "id": message_id,
            # For whoever reads an outbox; receivers go by the routing key and the sender.
            "name": announcement.name,
            "at": wire_value(self.database.clock()),
            "service": self.database.service,
            "trace_id": self.caller.trace_id,
            "fields": announcement.to_wire(),
        }
        self._announcements.append({"id": message_id, "routing_key": announcement.routing_key(), "body": wire})

    def record(
        self,
        action: str,
        *,
        subjects: Iterable[str] = (),
        fields: Iterable[str] = (),
        outcome: str = "allowed",
        rule: str | None = None,
    ) -> None:
        """Record for the audit trail, in this transaction: ids and names of fields, never a value.

        More than 500 subjects make several entries.
        """
        names = sorted(set(fields))
        for part in list(chunks([str(s) for s in subjects], SUBJECTS_PER_ENTRY)) or [[]]:
            self._entries.append(
                entry_of(
                    self.caller,
                    service=self.database.service,
                    at=self.database.clock(),
                    action=action,
                    subjects=part,
                    fields=names,
                    outcome=outcome,
                    rule=rule,
                )
            )

    def mark_processed(self, message_id: str, name: str) -> bool:
        """Whether this message is new here; its id is kept in the same transaction as its effect."""
        result = self.execute(
            text("INSERT INTO inbox (id, name) VALUES (:id, :name) ON CONFLICT DO NOTHING"),
            {"id": message_id, "name": name},
        )
        return result.rowcount == 1

    def mark_all_processed(self, name: str, message_ids: Iterable[str]) -> set[str]:
        """Return which of these messages are new here; as `mark_processed`."""
        result = self.execute(
            text(
                "INSERT INTO inbox (id, name) SELECT value::uuid, :name FROM json_array_elements_text(CAST(:ids AS json))"
                " ON CONFLICT DO NOTHING RETURNING id"
            ),
            # In one order, so that two who were given the same messages do not wait for each other.
            {"name": name, "ids": as_json(sorted(message_ids))},
        )
        return {str(message_id) for message_id in result.scalars()}

    def idempotent_result(self) -> Replay | None:
        """Return what an earlier request with the same key came to, if there was one within 24 hours.

        A second request with the same key waits on entering until the first has committed.

        :raises IdempotencyMismatch: the key was used with another body.
        """
        operation, where = self.caller.operation, request_of(self.caller)
        if operation is None or where is None:
            return None
        row = self.execute(
            text(
                "SELECT id, body_hash, status, subject_id, created_at FROM operations"
                " WHERE user_id = :user AND method = :method AND path = :path AND key = ANY(CAST(:keys AS text[]))"
            ),
            where,
        ).one_or_none()
        if row is None:
            return None
        if self.database.clock() - row.created_at > _KEY_LIFETIME:
            self.execute(text("DELETE FROM operations WHERE id = :id"), {"id": row.id})
            return None
        if row.body_hash not in split_digests(operation.body_hash):
            raise IdempotencyMismatch
        return Replay(row.status, row.subject_id, str(row.id))

    def store_idempotent_result(self, status: int, subject_id: str | None = None) -> None:
        """Remember what this command came to, when this transaction commits: a status and an id, never a body."""
        operation = self.caller.operation
        if operation is None:
            return
        self._completed.append(
            {
                "id": operation.id,
                "user_id": self.caller.id,
                "method": operation.method,
                "path": operation.path,
                "key": operation.key and split_digests(operation.key)[0],
                "body_hash": split_digests(operation.body_hash)[0],
                "status": status,
                "subject_id": subject_id,
            }
        )

    def find_operation(self, operation_id: str) -> Replay | None:
        """Return what the caller's own operation came to, or None when nothing is known of it here."""
        row = self.execute(
            text("SELECT id, status, subject_id FROM operations WHERE id = :id AND user_id = :user"),
            {"id": operation_id, "user": self.caller.id},
        ).one_or_none()
        return Replay(row.status, row.subject_id, str(row.id)) if row else None


class AutocommitReader(UnitOfWork):
    """Statements that each stand by themselves, and at the end their entry, durable before anything leaves.

    Without a transaction around them there is no way to the server for its beginning and its end, nor for whose rows may
    be seen: what row-level security guards is not seen here at all.
    """

    _asked = False

    def _begin(self) -> Connection:
        return self.database.engine.connect().execution_options(isolation_level="AUTOCOMMIT")

    def execute(self, statement: Executable, parameters: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None) -> CursorResult[Any]:
        """Run one statement by itself."""
        first, self._asked = not self._asked, True
        try:
            return super().execute(statement, parameters)
        except DBAPIError as error:
            # As in a transaction's beginning: a pooled connection may have died while it lay idle.
            if not first or not error.connection_invalidated:
                raise
        self.connection.close()
        self._connection = self._begin()
        return super().execute(statement, parameters)

    def announce(self, announcement: Announcement) -> None:
        """Refuse: a reading changes nothing.

        :raises RuntimeError: always.
        """
        message = f"a reading does not announce {announcement.name}"
        raise RuntimeError(message)
