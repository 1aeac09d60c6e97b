"""Statements of the sequencer: lines, subtrees, checkpoints, streams, findings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime

import orjson
from sqlalchemy import ColumnElement, Connection, and_, bindparam, func, insert, not_, or_, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.types import BigInteger, Uuid

from services.audit.domain.lines import Kind, Line
from services.audit.domain.numbers import Numbers
from services.audit.domain.records import Finding, StoredCheckpoint, StreamState
from services.audit.storage.tables import checkpoints, findings, issued_passports, progress, trail, trail_nodes, trail_streams
from services.chassis.database.rows import typed_or_none
from services.chassis.translog import merkle

# Text SQL: lines go in one statement for a batch, and streams are read with their gaps.

#: Rows that are read at a time; between two reads the event loop may turn to something else.
CHUNK = 500
#: Under this name the size of the last announced checkpoint is kept.
ANNOUNCED = "announced"
_TILE = 8

# As text, for it is one set operation over one JSON value: the driver quotes arrays of text one by one, with a regular expression.
_INSERT_LINES = text(
    "INSERT INTO trail (position, leaf, body)"
    " SELECT position, leaf, body FROM json_to_recordset(CAST(:lines AS json)) AS new (position bigint, leaf bytea, body text)"
)
# As text, for it is one set operation over two arrays, whose plan is the same for every size of a batch.
_FIND_LINES = text(
    "SELECT trail.stream::text AS stream, trail.n, trail.kind, trail.leaf FROM trail"
    " JOIN (SELECT DISTINCT * FROM unnest(:streams, :ns) AS given (stream, n)) AS wanted USING (stream, n)"
).bindparams(bindparam("streams", type_=ARRAY(Uuid(as_uuid=False))), bindparam("ns", type_=ARRAY(BigInteger)))
_NEW_STREAM = upsert(trail_streams)
_SAVE_STREAM = _NEW_STREAM.on_conflict_do_update(
    index_elements=["stream"],
    set_={name: _NEW_STREAM.excluded[name] for name in ("contiguous", "mark", "marked_at", "crashed", "closed", "beat")},
)
# As text, for the plan: the window is cut off before any passport is looked up.
_PASSPORT_USES = text(
    "SELECT position, jti, at, stream::text AS stream, n, service,"
    " EXISTS (SELECT FROM issued_passports i WHERE i.jti = w.jti AND i.holder = w.actor) AS known FROM"
    " (SELECT position, jti, at, actor, stream, n, service FROM trail"
    " WHERE position >= :start AND kind = 'entry' ORDER BY position LIMIT 5000) AS w"
    " ORDER BY position"
)


def size_of(connection: Connection) -> int:
    """Return how many lines the trail has."""
    size: int = connection.execute(select(func.coalesce(func.max(trail.c.position) + 1, 0))).scalar_one()
    return size


def append_lines(connection: Connection, first: int, lines: Sequence[Line]) -> None:
    """Append lines to the trail."""
    rows = [{"position": first + place, "leaf": f"\\x{line.leaf.hex()}", "body": line.body} for place, line in enumerate(lines)]
    connection.execute(_INSERT_LINES, {"lines": orjson.dumps(rows).decode()})


def append_nodes(connection: Connection, nodes: Iterable[tuple[int, int, bytes]]) -> None:
    """Insert completed subtrees, of every eighth level."""
    kept = [{"level": level, "index": index, "hash": value} for level, index, value in nodes if level % _TILE == 0]
    if kept:
        connection.execute(insert(trail_nodes), kept)


def find_numbers(connection: Connection, lines: Sequence[Line]) -> dict[tuple[str, int], list[tuple[Kind, bytes]]]:
    """Return the stored lines that have the numbers of these lines."""
    found: dict[tuple[str, int], list[tuple[Kind, bytes]]] = {}
    rows = connection.execute(_FIND_LINES, {"streams": [line.stream for line in lines], "ns": [column_n(line) for line in lines]})
    for row in rows:
        found.setdefault((row.stream, row.n), []).append((row.kind, bytes(row.leaf)))
    return found


def column_n(line: Line) -> int:
    """Return the number under which a line is indexed: marks have their own numbers."""
    return -line.n if line.kind == "mark" else line.n


def read_rows(connection: Connection, start: int, end: int) -> Iterator[tuple[int, bytes, str]]:
    """Yield the stored lines from `start` to `end`: position, leaf, body."""
    while start < end:
        lines = select(trail.c.position, trail.c.leaf, trail.c.body).where(trail.c.position >= start, trail.c.position < end)
        rows = connection.execute(lines.order_by(trail.c.position).limit(CHUNK)).all()
        yield from rows
        if len(rows) < CHUNK:
            return
        start = rows[-1].position + 1


class StoredTree:
    """Computes any perfect subtree of the trail from stored subtrees and leaves; each is read once."""

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
            column, place = trail_nodes.c.hash, trail_nodes.c.index
            statement = select(column).where(trail_nodes.c.level == stored)
        else:
            column, place = trail.c.leaf, trail.c.position
            statement = select(column)
        hashes = self._connection.execute(statement.where(place >= start, place < start + count).order_by(place)).scalars().all()
        if len(hashes) != count:
            raise merkle.ProofImpossible("The trail does not have that many lines.")
        return merkle.root_of(hashes)


def add_checkpoint(connection: Connection, size: int, root: bytes, note: str, signed_at: datetime) -> None:
    """Insert a signed checkpoint."""
    new = upsert(checkpoints).values(size=size, root=root, note=note, signed_at=signed_at)
    connection.execute(new.on_conflict_do_nothing(index_elements=["size"]))


def last_checkpoint(connection: Connection) -> StoredCheckpoint | None:
    """Return the newest checkpoint."""
    row = connection.execute(select(checkpoints).order_by(checkpoints.c.size.desc()).limit(1)).mappings().one_or_none()
    return typed_or_none(StoredCheckpoint, row)


def sizes_before(connection: Connection, size: int, *, most: int) -> list[int]:
    """Return the sizes of the last checkpoints before one, the newest first."""
    sizes = select(checkpoints.c.size).where(checkpoints.c.size < size).order_by(checkpoints.c.size.desc())
    return list(connection.execute(sizes.limit(most)).scalars())


_MAY_SAY_MORE = or_(not_(trail_streams.c.closed), trail_streams.c.contiguous < trail_streams.c.mark, trail_streams.c.marked_at.is_not(None))
_ABOVE = and_(trail.c.stream == trail_streams.c.stream, trail.c.n > trail_streams.c.contiguous)


def load_streams(connection: Connection) -> dict[str, StreamState]:
    """Return the state of each stream that may still grow, lacks numbers, or has an end that was not inspected."""
    return _load(connection, _MAY_SAY_MORE)


def load_stream(connection: Connection, stream: str) -> StreamState:
    """Return the state of one stream, closed or not."""
    return _load(connection, trail_streams.c.stream == stream).get(stream) or StreamState(Numbers())


def _load(connection: Connection, which: ColumnElement[bool]) -> dict[str, StreamState]:
    streams: dict[str, StreamState] = {}
    for row in connection.execute(select(trail_streams).where(which)):
        numbers = Numbers(contiguous=row.contiguous, mark=row.mark, crashed=row.crashed, closed=row.closed)
        streams[row.stream] = StreamState(numbers, row.marked_at, row.beat)
    for stream, n in connection.execute(select(trail.c.stream, trail.c.n).join(trail_streams, _ABOVE).where(which)):
        streams[stream].numbers.came(n)
    return streams


def load_certificate(connection: Connection, stream: str) -> str | None:
    """Return the certificate of a stream from the trail."""
    statement = select(trail.c.body).where(trail.c.stream == stream, trail.c.n == 0, trail.c.kind == "certificate")
    return connection.execute(statement).scalar_one_or_none()


def save_streams(connection: Connection, streams: Iterable[tuple[str, StreamState]]) -> None:
    """Insert or update the state of streams."""
    rows = [
        {
            "stream": stream,
            "contiguous": state.numbers.contiguous,
            "mark": state.numbers.mark,
            "marked_at": state.marked_at,
            "crashed": state.numbers.crashed,
            "closed": state.numbers.closed,
            "beat": state.beat,
        }
        for stream, state in streams
    ]
    if rows:
        connection.execute(_SAVE_STREAM, rows)


def add_passports(connection: Connection, passports: Iterable[tuple[str, int, str]]) -> None:
    """Insert the passports that access issued, each with the position of its entry and its holder; the first entry counts."""
    rows = [{"jti": jti, "position": position, "holder": holder} for jti, position, holder in passports]
    if rows:
        connection.execute(upsert(issued_passports).on_conflict_do_nothing(), rows)


def unknown_passports(connection: Connection, start: int, before: datetime) -> tuple[list[Finding], int]:
    """Return findings about entries from `start` on with a passport that access did not issue to their actor, and where the next search begins.

    Those younger than `before` are left for the next search: the issuing may still be on its way.
    """
    limit = before.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    unknown = []
    for row in connection.execute(_PASSPORT_USES, {"start": start}):
        if row.at >= limit:
            break
        start = row.position + 1
        if row.jti is not None and not row.known:
            unknown.append(Finding("unknown-passport", row.jti, row.position, row.stream, row.n, row.service))
    return unknown, start


def read_progress(connection: Connection, name: str) -> int:
    """Return how far a search through the trail has come."""
    return connection.execute(select(progress.c.position).where(progress.c.name == name)).scalar_one_or_none() or 0


def save_progress(connection: Connection, name: str, position: int) -> None:
    """Store how far a search through the trail has come."""
    new = upsert(progress).values(name=name, position=position)
    connection.execute(new.on_conflict_do_update(index_elements=["name"], set_={"position": position}))


def add_finding(connection: Connection, finding: Finding, *, finding_id: str, found_at: datetime) -> bool:
    """Insert a finding; return whether it is new."""
    new = upsert(findings).values(id=finding_id, found_at=found_at, **asdict(finding))
    kept = connection.execute(new.on_conflict_do_nothing(index_elements=["kind", "key"]).returning(findings.c.id))
    return kept.first() is not None
