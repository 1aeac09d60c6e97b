"""What the sequencer writes and everybody reads: lines, subtrees, checkpoints, streams, findings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

import orjson
from sqlalchemy import Connection, Row, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import BigInteger, Uuid

from services.audit.domain.lines import Kind, Line
from services.audit.domain.numbers import Numbers
from services.chassis.translog import merkle

#: Rows that are read at a time; between two reads the event loop may turn to something else.
CHUNK = 500
#: Under this name the size of the last announced checkpoint is kept.
ANNOUNCED = "announced"
_TILE = 8

# As one JSON value: the driver quotes arrays of text one by one, with a regular expression.
_INSERT_LINES = text(
    "INSERT INTO trail (position, leaf, body)"
    " SELECT position, leaf, body FROM json_to_recordset(CAST(:lines AS json)) AS new (position bigint, leaf bytea, body text)"
)
_FIND_LINES = text(
    "SELECT trail.stream::text AS stream, trail.n, trail.kind, trail.leaf FROM trail"
    " JOIN (SELECT DISTINCT * FROM unnest(:streams, :ns) AS given (stream, n)) AS wanted USING (stream, n)"
).bindparams(bindparam("streams", type_=ARRAY(Uuid(as_uuid=False))), bindparam("ns", type_=ARRAY(BigInteger)))
_SAVE_STREAM = text(
    "INSERT INTO trail_streams (stream, contiguous, mark, marked_at, crashed, closed, beat)"
    " VALUES (:stream, :contiguous, :mark, :marked_at, :crashed, :closed, :beat) ON CONFLICT (stream) DO UPDATE SET"
    " contiguous = excluded.contiguous, mark = excluded.mark, marked_at = excluded.marked_at,"
    " crashed = excluded.crashed, closed = excluded.closed, beat = excluded.beat"
)


@dataclass(frozen=True, slots=True)
class Finding:
    """Something about the trail that a person must look into; `key` tells it from others of its kind."""

    kind: str
    key: str
    position: int | None = None
    stream: str | None = None
    n: int | None = None
    service: str | None = None


@dataclass(slots=True)
class Known:
    """What is kept of a stream beside its lines."""

    numbers: Numbers
    #: When a mark first left something open, or somebody said that its process is gone.
    marked_at: datetime | None = None
    #: The last time, by its process's count, that it said it lives.
    beat: int = 0


def size_of(connection: Connection) -> int:
    """Return how many lines the trail has."""
    return cast(int, connection.execute(text("SELECT coalesce(max(position) + 1, 0) FROM trail")).scalar_one())


def append_lines(connection: Connection, first: int, lines: Sequence[Line]) -> None:
    """Write lines at the end of the trail."""
    rows = [{"position": first + place, "leaf": f"\\x{line.leaf.hex()}", "body": line.body} for place, line in enumerate(lines)]
    connection.execute(_INSERT_LINES, {"lines": orjson.dumps(rows).decode()})


def append_nodes(connection: Connection, nodes: Iterable[tuple[int, int, bytes]]) -> None:
    """Keep those completed subtrees that are kept at all."""
    kept = [{"level": level, "index": index, "hash": value} for level, index, value in nodes if level % _TILE == 0]
    if kept:
        connection.execute(text("INSERT INTO trail_nodes (level, index, hash) VALUES (:level, :index, :hash)"), kept)


def find_numbers(connection: Connection, lines: Sequence[Line]) -> dict[tuple[str, int], list[tuple[Kind, bytes]]]:
    """Return what the trail has under the numbers of these lines."""
    found: dict[tuple[str, int], list[tuple[Kind, bytes]]] = {}
    rows = connection.execute(_FIND_LINES, {"streams": [line.stream for line in lines], "ns": [column_n(line) for line in lines]})
    for row in rows:
        found.setdefault((row.stream, row.n), []).append((row.kind, bytes(row.leaf)))
    return found


def column_n(line: Line) -> int:
    """Return the number under which a line is indexed: marks have theirs beside the entries'."""
    return -line.n if line.kind == "mark" else line.n


def read_rows(connection: Connection, start: int, end: int) -> Iterator[tuple[int, bytes, str]]:
    """Yield the lines from `start` to `end` as they are stored: position, leaf, body."""
    while start < end:
        rows = connection.execute(
            text("SELECT position, leaf, body FROM trail WHERE position >= :start AND position < :end ORDER BY position LIMIT :chunk"),
            {"start": start, "end": end, "chunk": CHUNK},
        ).all()
        for row in rows:
            yield row.position, bytes(row.leaf), row.body
        if len(rows) < CHUNK:
            return
        start = rows[-1].position + 1


class StoredTree:
    """Answers for every perfect subtree of the trail, from the stored ones and the leaves; small ranges are read once."""

    def __init__(self, connection: Connection) -> None:
        """Read over this connection."""
        self._connection = connection
        self._known: dict[tuple[int, int], bytes] = {}

    def subtree(self, level: int, index: int) -> bytes:
        """Return the root over leaves `index << level` up to `(index + 1) << level`.

        :raises merkle.ProofImpossible: the trail does not have all of these leaves.
        """
        if (level, index) not in self._known:
            self._known[level, index] = self._read(level, index)
        return self._known[level, index]

    def _read(self, level: int, index: int) -> bytes:
        stored = level - level % _TILE
        count = 1 << (level - stored)
        start = index * count
        if stored:
            statement = text("SELECT hash FROM trail_nodes WHERE level = :level AND index >= :start AND index < :end ORDER BY index")
        else:
            statement = text("SELECT leaf AS hash FROM trail WHERE position >= :start AND position < :end ORDER BY position")
        hashes = self._connection.execute(statement, {"level": stored, "start": start, "end": start + count}).scalars().all()
        if len(hashes) != count:
            raise merkle.ProofImpossible("The trail does not have that many lines.")
        return merkle.root_of(bytes(value) for value in hashes)


def add_checkpoint(connection: Connection, size: int, root: bytes, note: str, signed_at: datetime) -> None:
    """Keep a signed checkpoint."""
    connection.execute(
        text("INSERT INTO checkpoints (size, root, note, signed_at) VALUES (:size, :root, :note, :signed_at) ON CONFLICT (size) DO NOTHING"),
        {"size": size, "root": root, "note": note, "signed_at": signed_at},
    )


def last_checkpoint(connection: Connection) -> Row[Any] | None:
    """Return the newest checkpoint: size, root, note, signed_at."""
    return connection.execute(text("SELECT size, root, note, signed_at FROM checkpoints ORDER BY size DESC LIMIT 1")).one_or_none()


def sizes_before(connection: Connection, size: int, *, most: int) -> list[int]:
    """Return the sizes of the last checkpoints before one, the newest first."""
    statement = text("SELECT size FROM checkpoints WHERE size < :size ORDER BY size DESC LIMIT :most")
    return list(connection.execute(statement, {"size": size, "most": most}).scalars())


_STREAM_COLUMNS = "stream::text AS stream, contiguous, mark, marked_at, crashed, closed, beat"
_MAY_SAY_MORE = "(NOT s.closed OR s.contiguous < s.mark OR s.marked_at IS NOT NULL)"


def load_streams(connection: Connection) -> dict[str, Known]:
    """Return what is known of each stream that may still grow, lacks numbers, or has an end that was not looked at."""
    rows = connection.execute(text(f"SELECT {_STREAM_COLUMNS} FROM trail_streams s WHERE {_MAY_SAY_MORE}"))  # noqa: S608 - constants
    streams = {row.stream: _known(row) for row in rows}
    for row in connection.execute(
        text(
            "SELECT s.stream::text AS stream, t.n FROM trail_streams s JOIN trail t ON t.stream = s.stream AND t.n > s.contiguous"  # noqa: S608 - constants
            f" WHERE {_MAY_SAY_MORE}"
        )
    ):
        streams[row.stream].numbers.came(row.n)
    return streams


def load_stream(connection: Connection, stream: str) -> Known:
    """Return what is known of one stream, closed or not."""
    row = connection.execute(
        text(f"SELECT {_STREAM_COLUMNS} FROM trail_streams WHERE stream = :stream"),  # noqa: S608 - a constant
        {"stream": stream},
    ).one_or_none()
    if row is None:
        return Known(Numbers())
    known = _known(row)
    for n in connection.execute(
        text("SELECT n FROM trail WHERE stream = :stream AND n > :contiguous"), {"stream": stream, "contiguous": row.contiguous}
    ).scalars():
        known.numbers.came(n)
    return known


def _known(row: Row[Any]) -> Known:
    numbers = Numbers(contiguous=row.contiguous, mark=row.mark, crashed=row.crashed, closed=row.closed)
    return Known(numbers, row.marked_at, row.beat)


def load_certificate(connection: Connection, stream: str) -> str | None:
    """Return the certificate of a stream as it stands in the trail."""
    return connection.execute(
        text("SELECT body FROM trail WHERE stream = :stream AND n = 0 AND kind = 'certificate'"), {"stream": stream}
    ).scalar_one_or_none()


def save_streams(connection: Connection, streams: Iterable[tuple[str, Known]]) -> None:
    """Write what is known of streams."""
    rows = [
        {
            "stream": stream,
            "contiguous": known.numbers.contiguous,
            "mark": known.numbers.mark,
            "marked_at": known.marked_at,
            "crashed": known.numbers.crashed,
            "closed": known.numbers.closed,
            "beat": known.beat,
        }
        for stream, known in streams
    ]
    if rows:
        connection.execute(_SAVE_STREAM, rows)


def add_passports(connection: Connection, passports: Iterable[tuple[str, int, str]]) -> None:
    """Keep which passports access issued, at which position it said so, and to whom; the first to say so is believed."""
    rows = [{"jti": jti, "position": position, "holder": holder} for jti, position, holder in passports]
    if rows:
        connection.execute(
            text("INSERT INTO issued_passports (jti, position, holder) VALUES (:jti, :position, :holder) ON CONFLICT DO NOTHING"), rows
        )


def unknown_passports(connection: Connection, start: int, before: datetime) -> tuple[list[Row[Any]], int]:
    """Return entries from `start` on with a passport that access did not issue to their actor, and where the next search begins.

    An entry is position, jti, stream, n, service. Those younger than `before` are left for the next search: the issuing may still be on its way.
    """
    limit = before.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    rows = connection.execute(
        text(
            "SELECT position, jti, at, stream::text AS stream, n, service,"
            " EXISTS (SELECT FROM issued_passports i WHERE i.jti = w.jti AND i.holder = w.actor) AS known FROM"
            " (SELECT position, jti, at, actor, stream, n, service FROM trail"
            " WHERE position >= :start AND kind = 'entry' ORDER BY position LIMIT 5000) AS w"
            " ORDER BY position"
        ),
        {"start": start},
    ).all()
    unknown = []
    for row in rows:
        if row.at >= limit:
            break
        start = row.position + 1
        if row.jti is not None and not row.known:
            unknown.append(row)
    return unknown, start


def read_progress(connection: Connection, name: str) -> int:
    """Return how far a search through the trail has come."""
    return connection.execute(text("SELECT position FROM progress WHERE name = :name"), {"name": name}).scalar_one_or_none() or 0


def save_progress(connection: Connection, name: str, position: int) -> None:
    """Keep how far a search through the trail has come."""
    connection.execute(
        text("INSERT INTO progress (name, position) VALUES (:name, :position) ON CONFLICT (name) DO UPDATE SET position = excluded.position"),
        {"name": name, "position": position},
    )


def add_finding(connection: Connection, finding: Finding, *, finding_id: str, found_at: datetime) -> bool:
    """Keep a finding; tell whether it is a new one."""
    result = connection.execute(
        text(
            "INSERT INTO findings (id, kind, key, position, stream, n, service, found_at)"
            " VALUES (:id, :kind, :key, :position, :stream, :n, :service, :found_at) ON CONFLICT (kind, key) DO NOTHING"
        ),
        {
            "id": finding_id,
            "kind": finding.kind,
            "key": finding.key,
            "position": finding.position,
            "stream": finding.stream,
            "n": finding.n,
            "service": finding.service,
            "found_at": found_at,
        },
    )
    return result.rowcount == 1
