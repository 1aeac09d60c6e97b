"""The outbox: announcements and audit entries, inserted in the transaction of the change that they describe.

An entry's number is (stream, n). A stream is one process instance, and n a counter in its memory that is taken just
before the commit. If the commit fails, a *void* is shipped for the number. Every ten seconds, and when the process
stops, the stream's *mark* gives the number up to which all are settled. So audit detects a row that was deleted before
it was shipped, and numbering needs no lock. Lines are signed and chained in memory (`chassis.database.stream`).

Lines on the wire to audit, each with a `signature`::

    {"stream", "n": 0, "service", "certificate", ...}  the certificate, sent before lines of its stream
    {"stream", "n", "prev", "at", "service", ...}      an entry
    {"stream", "n", "prev", "void": true, "replaced", "attempted"}   its commit failed
    {..., "unknown": true}                             its commit had no answer, and the entry is not in the table
    {"stream", "mark": n, "head", "beat"}              every number up to n is settled; the process is alive
    {..., "closed": true}                              the same, and the stream ends
    {"stream", "mark": n, "crashed": true, "highest", "by"}  another process found it dead: numbers may be missing
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import Connection, Row, text

from services.chassis.database.stream import Crash, Mark, Stream, Void
from services.chassis.messages import new_id, wire_value
from services.chassis.topology import ANNOUNCEMENTS, AUDIT, ENTRIES
from services.chassis.transport.publisher import Message

if TYPE_CHECKING:
    from services.chassis.database import Database

# Text SQL: the tables are the chassis's own in each database, made by scripts and not declared.

BATCH = 500
#: Checks, four seconds apart, without a settled number after which a process is dead; a living one settles every ten seconds.
DEAD_AFTER_LOOKS = 6
#: The result for one message: confirmed (True), rejected or unknown (False), unroutable (None).
Answer = bool | None
Publish = Callable[[Sequence[Message]], Sequence[Answer]]

_TABLES = """
CREATE TABLE outbox (
    day date NOT NULL DEFAULT (timezone('utc', clock_timestamp()))::date,
    id uuid NOT NULL,
    routing_key text NOT NULL,
    body json NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- When it is due: what found no queue steps back, so that it never stands before what can be shipped.
    due_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    done boolean NOT NULL DEFAULT false,
    PRIMARY KEY (day, id)
) PARTITION BY RANGE (day);
CREATE INDEX outbox_due ON outbox (due_at) WHERE NOT done;
CREATE INDEX outbox_waiting ON outbox (created_at) WHERE NOT done;
CREATE TABLE outbox_default PARTITION OF outbox DEFAULT;

CREATE TABLE entries (
    day date NOT NULL DEFAULT (timezone('utc', clock_timestamp()))::date,
    stream uuid NOT NULL,
    n bigint NOT NULL,
    body json NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    done boolean NOT NULL DEFAULT false,
    -- The stream first: whoever writes a mark looks up one stream's numbers, and would read the whole day's otherwise.
    PRIMARY KEY (stream, n, day)
) PARTITION BY RANGE (day);
CREATE INDEX entries_waiting ON entries (created_at) WHERE NOT done;
CREATE TABLE entries_default PARTITION OF entries DEFAULT;

CREATE TABLE streams (
    id uuid PRIMARY KEY,
    certificate text NOT NULL,
    started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    mark bigint NOT NULL DEFAULT 0,
    settled_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    closed_at timestamptz
);

CREATE TABLE inbox (
    id uuid NOT NULL,
    name text NOT NULL,
    received_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- With the name, or one service could use up another's id, and what the other announces would count as heard.
    PRIMARY KEY (id, name)
);
CREATE INDEX inbox_received_at ON inbox (received_at);

CREATE TABLE operations (
    id uuid PRIMARY KEY,
    user_id text NOT NULL,
    method text NOT NULL,
    path text NOT NULL,
    key text,
    body_hash text NOT NULL,
    status integer NOT NULL,
    subject_id text,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE UNIQUE INDEX operations_key ON operations (user_id, method, path, key) WHERE key IS NOT NULL;
CREATE INDEX operations_created_at ON operations (created_at);

CREATE TABLE checkpoints_seen (
    origin text NOT NULL,
    size bigint NOT NULL,
    root bytea NOT NULL,
    note text NOT NULL,
    seen_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (origin, size)
);

GRANT SELECT, INSERT, UPDATE (done) ON outbox, entries TO {role};
GRANT UPDATE (due_at) ON outbox TO {role};
GRANT SELECT, INSERT, UPDATE (mark, settled_at, closed_at) ON streams TO {role};
GRANT SELECT, INSERT, DELETE ON inbox TO {role};
GRANT SELECT, INSERT, DELETE ON operations TO {role};
GRANT SELECT, INSERT ON checkpoints_seen TO {role};
"""


_STEP_BACK = "due_at = clock_timestamp() + least(greatest(clock_timestamp() - outbox.created_at, interval '0.4 seconds'), interval '60 seconds')"


def chassis_tables(service: str, *, narrow_roles: Iterable[str] = ()) -> str:
    """Return the SQL that creates the chassis's tables in a service's database, for its migration.

    :param narrow_roles: other roles of the service, such as `eraser`, that may announce and record, too.
    """
    script = _TABLES.replace("{role}", f"liaison_{service}")
    for role in narrow_roles:
        script += f"GRANT SELECT, INSERT ON outbox, entries, inbox, operations TO liaison_{service}_{role};\n"
    return script


class Outbox:
    """Reads and updates the outbox tables for the relay.

    Rows are selected by flag and row lock, never by `id > last`, because commits become visible out of order.
    """

    def __init__(self, database: Database) -> None:
        """Use the database of one service."""
        self._database = database
        self._marked: dict[str, int] = {}
        self._known = {database.stream.id: database.stream.certificate}
        self._looked: dict[str, tuple[datetime, int]] = {}

    def ship(self, publish: Publish, *, limit: int = BATCH) -> int:
        """Publish waiting rows and mark the confirmed ones as done; return their number.

        :param publish: returns an `Answer` for each message, in order. An unconfirmed row stays and is published again;
            the receiver's inbox table detects duplicates. An unroutable row waits until it is twice as old, at most a
            minute.
        """
        return self._ship_entries(publish, limit) + self._ship_announcements(publish, limit)

    def _ship_entries(self, publish: Publish, limit: int) -> int:
        with self._database.system_transaction() as connection:
            rows = connection.execute(
                # Rows of a stream that is not registered yet wait for its certificate, but at most a minute: audit reports
                # lines without one.
                text(
                    "SELECT day, stream, n, body::text AS body FROM entries"
                    " WHERE NOT done AND (stream = :own OR created_at < clock_timestamp() - interval '1 minute'"
                    " OR EXISTS (SELECT FROM streams WHERE id = stream))"
                    " ORDER BY created_at LIMIT :limit FOR UPDATE SKIP LOCKED"
                ),
                {"own": self._database.stream.id, "limit": limit},
            ).all()
            if not rows:
                return 0
            lines = [*self._certificates(connection, rows), *(row.body for row in rows)]
            body = b'{"entries":[' + b",".join(line.encode() for line in lines) + b"]}"
            (confirmed,) = publish([Message(new_id(), AUDIT, ENTRIES, body)])
            if not confirmed:
                return 0
            connection.execute(
                text(
                    "UPDATE entries SET done = true FROM"
                    " unnest(CAST(:days AS date[]), CAST(:streams AS uuid[]), CAST(:ns AS bigint[])) AS s (day, stream, n)"
                    " WHERE entries.day = s.day AND entries.stream = s.stream AND entries.n = s.n"
                ),
                {"days": [r.day for r in rows], "streams": [r.stream for r in rows], "ns": [r.n for r in rows]},
            )
        return len(rows)

    def _ship_announcements(self, publish: Publish, limit: int) -> int:
        with self._database.system_transaction() as connection:
            rows = connection.execute(
                text(
                    "SELECT day, id, routing_key, body::text AS body FROM outbox WHERE NOT done AND due_at <= clock_timestamp()"
                    " ORDER BY due_at LIMIT :limit FOR UPDATE SKIP LOCKED"
                ),
                {"limit": limit},
            ).all()
            if not rows:
                return 0
            answers = publish([Message(str(r.id), ANNOUNCEMENTS, r.routing_key, r.body.encode()) for r in rows])
            confirmed = [row for row, answer in zip(rows, answers, strict=True) if answer]
            unroutable = [row for row, answer in zip(rows, answers, strict=True) if answer is None]
            for change, changed in (("done = true", confirmed), (_STEP_BACK, unroutable)):
                if changed:
                    connection.execute(
                        text(
                            f"UPDATE outbox SET {change} FROM"  # noqa: S608 - one of two constants
                            " unnest(CAST(:days AS date[]), CAST(:ids AS uuid[])) AS s (day, id)"
                            " WHERE outbox.day = s.day AND outbox.id = s.id"
                        ),
                        {"days": [r.day for r in changed], "ids": [r.id for r in changed]},
                    )
        return len(confirmed)

    def oldest_waiting(self) -> datetime | None:
        """Return when the oldest unshipped row was inserted (alarm after 60 s, refusals after 15 min)."""
        with self._database.system_transaction() as connection:
            oldest: datetime | None = connection.execute(
                text("SELECT least((SELECT min(created_at) FROM entries WHERE NOT done), (SELECT min(created_at) FROM outbox WHERE NOT done))")
            ).scalar_one()
        return oldest

    def open_stream(self) -> None:
        """Register this process's stream."""
        stream = self._database.stream
        self._known[stream.id] = stream.certificate
        with self._database.system_transaction() as connection:
            connection.execute(
                text("INSERT INTO streams (id, certificate) VALUES (:id, :certificate) ON CONFLICT DO NOTHING"),
                {"id": stream.id, "certificate": stream.certificate},
            )

    def settle(self, *, closing: bool = False) -> None:
        """Write the voids and marks of this process's streams, every ten seconds and at the stop.

        A former stream is closed once all its numbers are settled.
        """
        ending = self._database.ending
        for stream in [*ending]:
            self._write_voids(stream)
            if not closing and not stream.is_settled:
                self._write_mark(stream)
                continue
            # Removed before its closing mark, because no heartbeat may follow that.
            ending.remove(stream)
            try:
                self._write_mark(stream, closing=True)
            except BaseException:
                ending.append(stream)
                raise
            self._marked.pop(stream.id, None)
        self._write_voids(self._database.stream)
        self._write_mark(self._database.stream, closing=closing)

    def _write_voids(self, stream: Stream) -> None:
        """Write the voids for numbers whose commit failed.

        A void has the primary key of its entry, so an entry that was committed after all stays.
        """
        voids = stream.take_voids()
        try:
            with self._database.system_transaction() as connection:
                for void in voids:
                    _insert_void(connection, stream.id, void)
        except BaseException:
            for void in voids:
                stream.voided([void.n], unknown=void.unknown)
            raise
        stream.committed(void.n for void in voids)

    def _write_mark(self, stream: Stream, *, closing: bool = False) -> None:
        wire = stream.sign_mark(closing=closing)
        mark = wire["mark"]
        with self._database.system_transaction() as connection:
            if closing or mark != self._marked.get(stream.id, 0):
                _insert_mark(connection, wire)
            connection.execute(
                text(
                    "UPDATE streams SET mark = :mark, settled_at = clock_timestamp(),"
                    " closed_at = CASE WHEN :closing THEN clock_timestamp() END WHERE id = :id"
                ),
                {"mark": mark, "closing": closing, "id": stream.id},
            )
        self._marked[stream.id] = mark

    def beat(self) -> Message:
        """Return a heartbeat for audit with the certificates and marks of this process; it needs no database."""
        streams = [*self._database.ending, self._database.stream]
        lines = [line for stream in streams for line in (stream.certificate.encode(), orjson.dumps(stream.sign_mark()))]
        return Message(new_id(), AUDIT, ENTRIES, b'{"entries":[' + b",".join(lines) + b"]}")

    def close_dead_streams(self) -> int:
        """Close the streams of processes that settled nothing during six checks; return how many.

        Checks are counted instead of seconds, so that a suspended machine makes no process dead.
        """
        own = self._database.stream
        with self._database.system_transaction() as connection:
            open_streams = connection.execute(
                text("SELECT id::text AS id, settled_at FROM streams WHERE closed_at IS NULL AND id <> ALL(CAST(:own AS uuid[]))"),
                {"own": [own.id, *(stream.id for stream in self._database.ending)]},
            ).all()
            before, self._looked = self._looked, {}
            for row in open_streams:
                settled_at, looks = before.get(row.id, (row.settled_at, 0))
                self._looked[row.id] = row.settled_at, looks + 1 if settled_at == row.settled_at else 1
            dead = [
                found
                for stream, (settled_at, looks) in self._looked.items()
                if looks >= DEAD_AFTER_LOOKS and (found := _take_dead(connection, stream, settled_at)) is not None
            ]
            for row in dead:
                highest = connection.execute(
                    text("SELECT coalesce(max(n), 0) FROM entries WHERE stream = :id AND n > 0"), {"id": row.id}
                ).scalar_one()
                _insert_mark(connection, own.sign_crash(row.id, mark=row.mark, highest=max(highest, row.mark)))
                connection.execute(text("UPDATE streams SET closed_at = clock_timestamp() WHERE id = :id"), {"id": row.id})
        return len(dead)

    def _certificates(self, connection: Connection, rows: Sequence[Row[Any]]) -> list[str]:
        """Return the certificates of the streams in these rows; audit accepts no line without one."""
        streams = {str(row.stream) for row in rows}
        streams |= {by for row in rows if row.n < 0 and (by := orjson.loads(row.body).get("by"))}
        if unknown := streams - self._known.keys():
            found = connection.execute(
                text("SELECT id::text AS id, certificate FROM streams WHERE id = ANY(CAST(:ids AS uuid[]))"), {"ids": sorted(unknown)}
            )
            self._known |= {row.id: row.certificate for row in found}
        return [self._known[stream] for stream in sorted(streams) if stream in self._known]


def _take_dead(connection: Connection, stream: str, settled_at: datetime) -> Row[Any] | None:
    """Lock and return a stream to close; None if another process has it or its own has settled a number."""
    return connection.execute(
        text("SELECT id::text AS id, mark FROM streams WHERE id = :id AND closed_at IS NULL AND settled_at = :settled_at FOR UPDATE SKIP LOCKED"),
        {"id": stream, "settled_at": settled_at},
    ).one_or_none()


def _insert_void(connection: Connection, stream: str, void: Void) -> None:
    connection.execute(
        text("INSERT INTO entries (day, stream, n, body) VALUES (CAST(:day AS date), :stream, :n, CAST(:body AS json)) ON CONFLICT DO NOTHING"),
        {"day": void.day, "stream": stream, "n": void.n, "body": orjson.dumps(void.body, default=wire_value).decode()},
    )


def _insert_mark(connection: Connection, wire: Mark | Crash) -> None:
    # Marks are in the same table, so that they are shipped after the entries that they cover; their n is negative.
    connection.execute(
        text(
            "INSERT INTO entries (stream, n, body) SELECT :stream, coalesce(min(n), 0) - 1, CAST(:body AS json)"
            " FROM entries WHERE stream = :stream AND n < 0"
        ),
        {"stream": wire["stream"], "body": orjson.dumps(wire).decode()},
    )
