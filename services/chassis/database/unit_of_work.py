"""The unit of work, which is one transaction for one caller, and the autocommit reader."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from types import TracebackType
from typing import Any, Protocol, Self, TypedDict

from sqlalchemy import Connection, CursorResult, Engine, Executable, TextClause, text
from sqlalchemy.exc import DBAPIError

from services.chassis.database.audit_entries import AuditEntry, entry_of, note_audited
from services.chassis.database.errors import DatabaseUnavailable, is_unavailable, translated
from services.chassis.database.locks import Lock, as_json, request_of
from services.chassis.database.stream import Numbered, Stream
from services.chassis.keyed import split_digests
from services.chassis.messages import Announcement, AnnouncementWire, Caller, IdempotencyMismatch, OutcomeUnknown, Refusal, chunks, new_id, wire_value

# Text SQL: what a transaction leaves behind goes in one statement.

#: One entry names at most this many subjects.
SUBJECTS_PER_ENTRY = 500
_KEY_LIFETIME = timedelta(hours=24)
_open_work: ContextVar[bool] = ContextVar("open_work", default=False)

_WHOSE = "set_config('app.component', :component, true), set_config('app.level', :level, true), set_config('app.actor', :actor, true)"
_BEGIN = text(f"SELECT {_WHOSE}")
# The lock is taken in an earlier statement than the read, because a statement sees only what was committed when it began.
_BEGIN_ALONE = text(
    f"SELECT {_WHOSE},"  # noqa: S608 - put together from our own constants
    " (SELECT count(pg_advisory_xact_lock(hashtextextended(r, 0))) FROM unnest(CAST(:requests AS text[])) AS r)"
)
# Work for several callers takes only free locks: waiting for one would block all the others.
_BEGIN_TRYING = text(
    f"SELECT {_WHOSE},"  # noqa: S608 - put together from our own constants
    " (SELECT json_agg(name) FROM json_to_recordset(CAST(:locks AS json)) AS l (seed integer, name text)"
    " WHERE pg_try_advisory_xact_lock(hashtextextended(name, seed))) AS held"
)
# Ordered, so that two transactions with the same locks do not deadlock.
_HOLD = (
    "SELECT {}(hashtextextended(name, seed)) FROM (SELECT seed, name FROM json_to_recordset(CAST(:locks AS json))"
    " AS l (seed integer, name text) ORDER BY seed, name) AS l"
)
_HOLD_ALONE = text(_HOLD.format("pg_advisory_xact_lock"))
_HOLD_SHARED = text(_HOLD.format("pg_advisory_xact_lock_shared"))
# Audit entries, outbox rows and the idempotency record are inserted in one statement to save round trips.
# Rows are passed as one JSON value, because psycopg quotes each item of a text array with a regular expression.
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
    """The stored result of an earlier request with the same Idempotency-Key."""

    status: int
    subject_id: str | None
    operation_id: str


class _OutboxRow(TypedDict):
    id: str
    routing_key: str
    body: AnnouncementWire


class _OperationRow(TypedDict):
    id: str
    user_id: str
    method: str
    path: str
    key: str | None
    body_hash: str
    status: int
    subject_id: str | None


def work_is_open() -> bool:
    """Whether the current greenlet is in a unit of work; it must not call the bus then."""
    return _open_work.get()


@lru_cache(maxsize=256)
def _combined(parts: tuple[tuple[str, str], ...]) -> TextClause:
    """Combine named statements into one, with all but the last as common table expressions."""
    *first, (_, last) = parts
    named = ", ".join(f"{name} AS ({part})" for name, part in first)
    return text(f"WITH {named} {last}" if first else last)


def _locks_as_json(locks: Iterable[Lock]) -> str:
    return as_json([{"seed": lock.seed, "name": lock.name} for lock in locks])


class OnCommit(Protocol):
    """Called after a commit with rows to ship."""

    def __call__(self, *, announced: bool) -> None:
        """Handle the commit; `announced` tells whether it has an announcement."""


class Opener(Protocol):
    """What a unit of work needs of the database that opens it."""

    service: str
    stream: Stream
    clock: Callable[[], datetime]
    engine: Engine
    on_commit: OnCommit

    def work(self, caller: Caller) -> UnitOfWork:
        """Return another unit of work."""


class UnitOfWork:
    """One transaction for one caller; commits on a clean exit and rolls back otherwise."""

    def __init__(self, database: Opener, caller: Caller, role: str | None, locks: Sequence[Lock] = ()) -> None:
        """Prepare; entering begins the transaction."""
        self.caller = caller
        self.database = database
        self._role = role
        self._locks = locks
        #: The locks that it got.
        self.held: frozenset[Lock] = frozenset()
        self._connection: Connection | None = None
        self._entries: list[AuditEntry] = []
        self._announcements: list[_OutboxRow] = []
        self._completed: list[_OperationRow] = []
        self._last: dict[str, str] = {}
        self._last_parameters: dict[str, object] = {}
        self._kept: dict[str, tuple[str, list[Mapping[str, object]]]] = {}
        #: Whether an audit entry was committed; without one, no answer may be sent.
        self.audited = False

    @property
    def connection(self) -> Connection:
        """The open connection."""
        if self._connection is None:
            raise RuntimeError("the unit of work is not open")
        return self._connection

    def __enter__(self) -> Self:
        """Begin the transaction, and set the caller for row-level security.

        :raises DatabaseUnavailable: there was no connection in time.
        """
        if _open_work.get():
            raise RuntimeError("units of work do not nest")
        with translated():
            self._connection = self._begin()
        _open_work.set(True)
        return self

    def _begin(self) -> Connection:
        # A pooled connection may have died while idle. The first statement detects that and empties the pool, so the
        # second attempt gets a new connection.
        for attempt in (1, 2):
            connection = self.database.engine.connect()
            try:
                who = {"component": self.caller.component or "", "level": self.caller.level or "", "actor": self.caller.id}
                if self._locks:
                    held = set(connection.execute(_BEGIN_TRYING, {**who, "locks": _locks_as_json(self._locks)}).one().held or ())
                    self.held = frozenset(lock for lock in self._locks if lock.name in held)
                elif requests := Lock.of_request(self.caller):
                    connection.execute(_BEGIN_ALONE, {**who, "requests": [lock.name for lock in requests]})
                else:
                    connection.execute(_BEGIN, who)
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

        :raises OutcomeUnknown: the connection was lost during the commit.
        """
        connection = self.connection
        try:
            if error is None:
                self._commit(connection)
            elif isinstance(error, Exception):
                with suppress(DBAPIError):
                    connection.rollback()
            else:
                # Killed by its deadline, perhaps during a statement: the connection must not return to the pool.
                connection.invalidate()
        finally:
            self._connection = None
            _open_work.set(False)
            connection.close()
        if isinstance(error, DBAPIError) and is_unavailable(error):
            raise DatabaseUnavailable from error
        if isinstance(error, Refusal) and self._kept:
            self._commit_kept()

    def _commit_kept(self) -> None:
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
                self._insert_all(connection, stream.id, numbered)
            try:
                connection.commit()
            except DBAPIError as error:
                # If the connection is alive, the server rolled back, for example for a deferred constraint.
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

    def _insert_all(self, connection: Connection, stream: str, numbered: Sequence[Numbered]) -> None:
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
            connection.execute(_combined(tuple(parts.items())), parameters)

    def execute(self, statement: Executable, parameters: Mapping[str, object] | Sequence[Mapping[str, object]] | None = None) -> CursorResult[Any]:
        """Run one statement in this transaction."""
        return self.connection.execute(statement, parameters)

    def hold(self, *locks: Lock, shared: bool = False) -> None:
        """Take these locks until the transaction ends, waiting for other holders.

        Call it before the statement that reads: a statement sees only what was committed when it began.

        :param shared: share the locks with other transactions that also share them.
        """
        self.execute(_HOLD_SHARED if shared else _HOLD_ALONE, {"locks": _locks_as_json(locks)})

    def insert_on_commit(self, parts: Mapping[str, str], parameters: Mapping[str, object]) -> None:
        """Run these INSERT statements at the commit, together with the audit entries and outbox rows.

        :param parts: statements by name; none may depend on rows that another one inserts.
        """
        self._last |= parts
        self._last_parameters |= parameters

    def keep(self, name: str, statement: str, rows: Iterable[Mapping[str, object]]) -> None:
        """Insert these rows even if a refusal rolls the transaction back: then in a transaction of their own.

        :param name: the statement's parameter, which gets all rows kept under this name as a JSON list.
        :param statement: an INSERT that does not depend on other rows of the transaction.
        """
        self._kept.setdefault(name, (statement, []))[1].extend(rows)

    def on_behalf_of(self, caller: Caller) -> Self:
        """Return this transaction for another caller: entries, announcements and results are recorded as theirs.

        :raises ValueError: the caller belongs to another component, and row-level security is set for this one.
        """
        if caller.component != self.caller.component:
            raise ValueError("a transaction is of one component")
        theirs = copy.copy(self)
        theirs.caller = caller
        return theirs

    def announce(self, announcement: Announcement) -> None:
        """Publish an announcement if this transaction commits."""
        message_id = new_id()
        wire: AnnouncementWire = {
            "id": message_id,
            # For people who read the outbox; receivers use the routing key and the sender.
            "name": announcement.name,
            "at": str(wire_value(self.database.clock())),
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
        """Add an audit entry to this transaction: ids and names of fields, never a value.

        More than 500 subjects are split into several entries.
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
        """Insert the message id into the inbox table; return whether it is new."""
        result = self.execute(
            text("INSERT INTO inbox (id, name) VALUES (:id, :name) ON CONFLICT DO NOTHING"),
            {"id": message_id, "name": name},
        )
        return result.rowcount == 1

    def mark_all_processed(self, name: str, message_ids: Iterable[str]) -> set[str]:
        """Insert the message ids into the inbox table; return those that are new."""
        result = self.execute(
            text(
                "INSERT INTO inbox (id, name) SELECT value::uuid, :name FROM json_array_elements_text(CAST(:ids AS json))"
                " ON CONFLICT DO NOTHING RETURNING id"
            ),
            # Sorted, so that two transactions with the same messages do not deadlock.
            {"name": name, "ids": as_json(sorted(message_ids))},
        )
        return {str(message_id) for message_id in result.scalars()}

    def idempotent_result(self) -> Replay | None:
        """Return the result of an earlier request with the same key within 24 hours, or None.

        A concurrent request with the same key waits at `__enter__` until the first has ended.

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
        """Store the command's result at the commit: a status and an id, never a body."""
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
        """Return the result of the caller's own operation, or None if this service has none."""
        row = self.execute(
            text("SELECT id, status, subject_id FROM operations WHERE id = :id AND user_id = :user"),
            {"id": operation_id, "user": self.caller.id},
        ).one_or_none()
        return Replay(row.status, row.subject_id, str(row.id)) if row else None


class AutocommitReader(UnitOfWork):
    """Runs each statement in autocommit, and inserts the audit entries at the end, before the answer is sent.

    This saves the round trips that begin and end a transaction and set the caller. Without a caller, row-level security
    hides all rows of the tables that it guards.
    """

    _asked = False

    def _begin(self) -> Connection:
        return self.database.engine.connect().execution_options(isolation_level="AUTOCOMMIT")

    def execute(self, statement: Executable, parameters: Mapping[str, object] | Sequence[Mapping[str, object]] | None = None) -> CursorResult[Any]:
        """Run one statement in autocommit."""
        first, self._asked = not self._asked, True
        try:
            return super().execute(statement, parameters)
        except DBAPIError as error:
            # A pooled connection may have died while idle, as in `UnitOfWork._begin`.
            if not first or not error.connection_invalidated:
                raise
        self.connection.close()
        self._connection = self._begin()
        return super().execute(statement, parameters)

    def announce(self, announcement: Announcement) -> None:
        """Refuse to announce, since nothing changes here.

        :raises RuntimeError: always.
        """
        raise RuntimeError(f"a reading does not announce {announcement.name}")
