"""The work of `liaison audit`: read the trail from its database or an exported file, and the checkpoints of all witnesses.

Nothing is written. The verifier trusts only the public keys of the trail and the services. The database, the witness file
and the services' copies are evidence, and contradictions between them are reported.
"""

from __future__ import annotations

import base64
import binascii
import json
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from deploy.postgres import as_url, connected
from services.audit.contract.answers import ConsistencyProof, InclusionProof
from services.audit.domain.verification import Note, Report, Row, verify
from services.audit.storage.trail import StoredTree
from services.audit.storage.witness import Leaves, WitnessFile
from services.chassis.identity import ServiceKeys
from services.chassis.translog import merkle
from services.chassis.translog.checkpoints import Checkpoint, CheckpointRefused, VerifierKey

#: Seconds between two queries for a checkpoint that covers the newest entry.
_ASK_EVERY = 0.2
_FETCH = 2000


class Unverifiable(Exception):
    """There is nothing to verify, or a proof failed."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """The locations of the trail and its witnesses, and the keys to trust."""

    key: VerifierKey
    #: The services' public keys; None if lines are not verified.
    lines: ServiceKeys | None = None
    witness: WitnessFile | None = None
    #: The URL of the audit database; None for entries from a file.
    database: str | None = None
    entries: Path | None = None
    #: Other services' databases, each a witness: (service, URL).
    services: tuple[tuple[str, str], ...] = field(default=())


class ProvenConsistency(ConsistencyProof):
    """Proves that a signed checkpoint continues an earlier one, with the notes of both."""

    first_note: str


def verify_trail(evidence: Evidence, *, wait: float, tell: Callable[[str], None], progress: Callable[[int, int], None]) -> Report:
    """Verify the whole trail against all available checkpoints.

    For a running system, this verifies the present entries, once a checkpoint covers them.

    :param wait: the most seconds to wait for that checkpoint.
    :raises Unverifiable: a file or database cannot be read, or the services' public keys are missing.
    """
    if evidence.lines is None:
        raise Unverifiable("There are no public keys of the services: give --services, or with --data a state folder.")
    with ExitStack() as stack:
        if evidence.entries is not None:
            rows, notes = _exported(evidence.entries), list(_witnessed(evidence))
            total, now = None, None
        else:
            reading = stack.enter_context(_opened(evidence))
            size = reading.size()
            covered = _wait_for_checkpoint(evidence, reading, size, wait, tell)
            # The witness is read before the snapshot, so that the snapshot has all entries of its checkpoints.
            notes = [*_witnessed(evidence), *_seen_by_services(evidence, tell)]
            reading.snapshot()
            notes += reading.notes()
            # Later entries are beyond the largest checkpoint. If none came in time, the uncovered entries are verified, too, and fail.
            total = (_largest(evidence.key, notes) or 0) if covered >= size else reading.size()
            rows = reading.rows(total)
            now = datetime.now(UTC)
        leaves: Leaves | None = None
        if evidence.witness is not None and evidence.witness.leaves_path.exists():
            leaves = stack.enter_context(Leaves(evidence.witness.leaves_path))
        tell(f"Verifying {total if total is not None else 'all'} entries against {len(notes)} checkpoints.")
        return verify(
            rows, notes, key=evidence.key, services=evidence.lines, leaves=leaves, now=now, progress=lambda done: progress(done, total or 0)
        )


def newest_checkpoint(evidence: Evidence, *, wait: float, tell: Callable[[str], None]) -> str:
    """Return the newest checkpoint's note, once it covers all present entries.

    :raises Unverifiable: there was none in time.
    """
    with _opened(evidence) as reading:
        size = reading.size()
        if _wait_for_checkpoint(evidence, reading, size, wait, tell) < max(size, 1):
            raise Unverifiable(f"No checkpoint covers the trail's {size} entries.")
        notes = [note for note in reading.notes() if _size(evidence.key, note) is not None]
        return max(notes, key=lambda note: _size(evidence.key, note) or 0).text


def prove(evidence: Evidence, *, position: int | None, first: int | None, second: int | None) -> InclusionProof | ProvenConsistency:
    """Return a verified proof: of the entry at `position`, or that the checkpoint of size `second` continues that of `first`.

    :raises Unverifiable: there is no such entry or checkpoint, or the proof is invalid.
    """
    with _opened(evidence) as reading:
        notes = {checkpoint.size: (checkpoint, note.text) for note in reading.notes() if (checkpoint := _checkpoint(evidence.key, note.text))}
        try:
            if position is not None:
                return _prove_inclusion(reading, notes, position)
            return _prove_consistency(reading, notes, first or 0, second or 0)
        except merkle.ProofImpossible as impossible:
            raise Unverifiable(str(impossible)) from impossible


def export(evidence: Evidence, lines: Callable[[str], Any]) -> int:
    """Pass each entry to `lines` as one line of JSON, for verification elsewhere; return their number."""
    count = 0
    with _opened(evidence) as reading:
        reading.snapshot()
        for row in reading.rows(None):
            leaf = base64.b64encode(row.leaf).decode() if row.leaf else None
            lines(json.dumps({"position": row.position, "leaf": leaf, "body": row.body}, ensure_ascii=False) + "\n")
            count += 1
    return count


class _Database:
    """Reads the audit database in a read-only session."""

    def __init__(self, connection: sa.Connection) -> None:
        self.connection = connection
        connection.exec_driver_sql("SET default_transaction_read_only = on")

    def snapshot(self) -> None:
        self.connection.rollback()
        self.connection.execution_options(isolation_level="REPEATABLE READ")

    def size(self) -> int:
        return int(self.connection.exec_driver_sql("SELECT coalesce(max(position) + 1, 0) FROM trail").scalar_one())

    def notes(self) -> Iterator[Note]:
        for size, note in self.connection.exec_driver_sql("SELECT size, note FROM checkpoints ORDER BY size").all():
            yield Note(f"database, checkpoint {size}", note)

    def rows(self, below: int | None) -> Iterator[Row]:
        statement = sa.text("SELECT position, body, leaf FROM trail WHERE position < :below ORDER BY position")
        # A server-side cursor, because a million entries may not fit into memory.
        found = self.connection.execute(statement, {"below": below if below is not None else 2**62}, execution_options={"yield_per": _FETCH})
        for position, body, leaf in found:
            yield Row(position, body, bytes(leaf))


@contextmanager
def _opened(evidence: Evidence) -> Iterator[_Database]:
    try:
        with connected(as_url(evidence.database or ""), autocommit=True) as connection:
            yield _Database(connection)
    except sa.exc.SQLAlchemyError as error:
        raise Unverifiable(f"The database cannot be read: {_first_line(error)}") from error


def _wait_for_checkpoint(evidence: Evidence, reading: _Database, size: int, wait: float, tell: Callable[[str], None]) -> int:
    """Wait for a signed checkpoint that covers `size` entries; return the largest size covered."""
    deadline = time.monotonic() + wait
    told = False
    while True:
        covered = _largest(evidence.key, reading.notes()) or 0
        if covered >= size or time.monotonic() >= deadline:
            return covered
        if not told:
            tell(f"Waiting for a checkpoint that covers the newest {size - covered} entries.")
            told = True
        time.sleep(_ASK_EVERY)


def _witnessed(evidence: Evidence) -> Iterator[Note]:
    if evidence.witness is None:
        return
    for number, text in evidence.witness.notes():
        yield Note(f"{evidence.witness.path.name}, line {number}", text)


def _seen_by_services(evidence: Evidence, tell: Callable[[str], None]) -> Iterator[Note]:
    for service, url in evidence.services:
        try:
            with connected(as_url(url)) as connection:
                for size, note in connection.exec_driver_sql("SELECT size, note FROM checkpoints_seen ORDER BY size").all():
                    yield Note(f"{service}, checkpoint {size}", note)
        except sa.exc.SQLAlchemyError as error:
            tell(f"{service} cannot be asked for the checkpoints that it saw: {_first_line(error)}")


def _exported(path: Path) -> Iterator[Row]:
    try:
        with path.open(encoding="utf-8") as file:
            for number, line in enumerate(file, start=1):
                try:
                    wire = json.loads(line)
                    leaf = base64.b64decode(wire["leaf"], validate=True) if wire.get("leaf") else None
                    yield Row(int(wire["position"]), str(wire["body"]), leaf)
                except (ValueError, KeyError, TypeError, AttributeError, binascii.Error) as error:
                    raise Unverifiable(f"{path.name}, line {number} is no exported entry.") from error
    except OSError as error:
        raise Unverifiable(f"{path} cannot be read: {error.strerror}.") from error


def _prove_inclusion(reading: _Database, signed: dict[int, tuple[Checkpoint, str]], position: int) -> InclusionProof:
    statement = sa.text("SELECT body FROM trail WHERE position = :position")
    body = reading.connection.execute(statement, {"position": position}).scalar_one_or_none()
    size = min((size for size in signed if size > position), default=None)
    if body is None or size is None:
        raise Unverifiable(f"No checkpoint covers an entry {position}.")
    checkpoint, note = signed[size]
    leaf = merkle.leaf_hash(body.encode())
    path = merkle.inclusion_proof(position, size, StoredTree(reading.connection).subtree)
    if not merkle.verify_inclusion(leaf, position, size, path, checkpoint.root):
        raise Unverifiable(f"Entry {position} is not proven by the checkpoint of {size} entries: run `liaison audit verify`.")
    (encoded,) = _encoded([leaf])
    return {"kind": "inclusion", "position": position, "leaf": encoded, "body": body, "size": size, "path": _encoded(path), "note": note}


def _prove_consistency(reading: _Database, signed: dict[int, tuple[Checkpoint, str]], first: int, second: int) -> ProvenConsistency:
    for size in (first, second):
        if size not in signed:
            raise Unverifiable(f"There is no checkpoint of {size} entries; there are of {', '.join(map(str, sorted(signed)[-10:])) or 'none'}.")
    path = merkle.consistency_proof(first, second, StoredTree(reading.connection).subtree)
    if not merkle.verify_consistency(first, second, path, signed[first][0].root, signed[second][0].root):
        raise Unverifiable(f"The trail of {second} entries is not proven to continue the one of {first}: run `liaison audit verify`.")
    return {"kind": "consistency", "first": first, "size": second, "path": _encoded(path), "first_note": signed[first][1], "note": signed[second][1]}


def _largest(key: VerifierKey, notes: Iterable[Note]) -> int | None:
    return max((size for note in notes if (size := _size(key, note)) is not None), default=None)


def _size(key: VerifierKey, note: Note) -> int | None:
    checkpoint = _checkpoint(key, note.text)
    return checkpoint.size if checkpoint else None


def _checkpoint(key: VerifierKey, note: str) -> Checkpoint | None:
    try:
        return key.checkpoint(note)
    except CheckpointRefused:
        return None


def _encoded(path: Iterable[bytes]) -> list[str]:
    return [base64.b64encode(step).decode() for step in path]


def _first_line(error: Exception) -> str:
    return str(getattr(error, "orig", None) or error).strip().partition("\n")[0]
