"""The sequencer: the one writer of the trail, which also signs its checkpoints and inspects what came.

It lives on one connection, which holds the advisory lock; when that connection is lost, so is the lead, and whoever
leads next takes everything up from what is stored.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from hashlib import sha256

import orjson
from sqlalchemy import Connection

from services.audit.domain.conflicts import judge
from services.audit.domain.lines import Kind, Line, Unreadable, digest_of, read_line
from services.audit.domain.numbers import Numbers
from services.audit.storage import trail
from services.audit.storage.trail import Finding, StoredTree
from services.audit.storage.witness import WitnessFile
from services.chassis import merkle
from services.chassis.checkpoints import Checkpoint, CheckpointRefused, SigningKey, write_proof

#: What is settled at its sender and has not come after this long is a hole: longer than all retries on the way.
HOLE_AFTER = timedelta(seconds=150)
#: Access's own entry that it issued a passport may come this much later than the passport's first use.
PASSPORT_AFTER = timedelta(seconds=150)
#: A new checkpoint is announced with proofs from so many before it.
PROVEN_FROM = 8
ISSUING = "access:passport:issue"


class TrailDisagrees(Exception):
    """What is stored is not what was signed or hashed; nothing may be signed until a person has looked into it."""

    def __init__(self, finding: Finding, sentence: str) -> None:
        """Say what was found, for the record and for the log."""
        self.finding = finding
        super().__init__(sentence)


@dataclass(frozen=True, slots=True)
class Signed:
    """A new checkpoint, and the proof that it continues the one before."""

    checkpoint: Checkpoint
    note: str
    previous: int
    proof: list[bytes]


@dataclass(slots=True)
class _Stream:
    numbers: Numbers = field(default_factory=Numbers)
    marked_at: datetime | None = None

    def copy(self) -> _Stream:
        return _Stream(replace(self.numbers, ahead=set(self.numbers.ahead)), self.marked_at)


class Sequencer:
    """Appends to the trail and signs it, as long as its connection lives."""

    def __init__(self, connection: Connection, *, key: SigningKey, witness: WitnessFile | None, now: datetime) -> None:
        """Take up the trail as it is stored.

        `connection` must hold the lead (`storage.trail.take_lead`).

        :raises TrailDisagrees: the stored trail is not the one of the last checkpoint, in the database or the witness's file.
        """
        self._connection = connection
        self._key = key
        self._witness = witness
        self._streams: dict[str, _Stream] = {}
        with connection.begin():
            size = trail.size_of(connection)
            tree = StoredTree(connection)
            self._frontier = merkle.Frontier.read(size, tree.subtree)
            self.signed = self._take_up_checkpoint(tree, now)
            # The leaves since the last checkpoint are kept here too: what is signed must be what was taken in.
            self._leaves = [leaf for _, leaf, _ in trail.read_rows(connection, self.signed.size if self.signed else 0, size)]
            for stream, (numbers, marked_at) in trail.load_streams(connection).items():
                self._streams[stream] = _Stream(numbers, marked_at)

    @property
    def size(self) -> int:
        """The number of lines in the trail."""
        return self._frontier.size

    @property
    def note(self) -> str:
        """The signed note of the last checkpoint (Ed25519 signs the same text to the same note)."""
        if self.signed is None:
            message = "nothing was signed yet"
            raise RuntimeError(message)
        return self._key.sign(self.signed.text())

    def unannounced(self) -> list[str] | None:
        """Return the proofs to announce the last checkpoint with; None when the witnesses were told of it."""
        if self.signed is None:
            return None
        size = self.signed.size
        with self._connection.begin():
            announced = trail.read_progress(self._connection, trail.ANNOUNCED)
            if announced == size:
                return None
            earlier = {announced, *trail.sizes_before(self._connection, size, most=PROVEN_FROM)} - {0, size}
            tree = StoredTree(self._connection)
            return [write_proof(first, merkle.consistency_proof(first, size, tree.subtree)) for first in sorted(earlier)]

    def take(self, batch: Iterable[object], *, now: datetime) -> list[Finding]:
        """Write what relays sent, each line once, and return what is wrong with it; when this returns, it is durable."""
        lines, findings = _read(batch)
        streams: dict[str, _Stream] = {}
        with self._connection.begin():
            present = trail.find_numbers(self._connection, lines) if lines else {}
            new: list[Line] = []
            for line in lines:
                others = present.setdefault((line.stream, trail.column_n(line)), [])
                stream = streams.get(line.stream) or streams.setdefault(line.stream, self._stream(line.stream))
                verdict = _judge(line, others)
                if verdict in {"known", "superfluous"}:
                    continue
                if verdict == "conflict":
                    findings.append(_conflict(line, self._frontier.size + len(new)))
                if line.kind == "malformed":
                    findings.append(Finding("malformed", line.leaf.hex(), self._frontier.size + len(new), line.stream, line.n))
                others.append((line.kind, line.leaf))
                new.append(line)
                if not _note(stream, line, now):
                    findings.append(Finding("jump", f"{line.stream}/{line.n}", self._frontier.size + len(new) - 1, line.stream, line.n))
            frontier = self._frontier.copy()
            if new:
                self._write(new, frontier)
                trail.save_streams(self._connection, ((name, stream.numbers, stream.marked_at) for name, stream in streams.items()))
        self._frontier = frontier
        self._leaves += [line.leaf for line in new]
        self._streams.update(streams)
        return findings

    def sign(self, *, now: datetime) -> Signed | None:
        """Sign a checkpoint over everything that was taken in, unless the last one covers it already.

        First the stored bytes are read again, and proven to continue the last checkpoint from the stored tree. The
        witness's file has the checkpoint before the database does, so that no signed size is ever unknown to it.

        :raises TrailDisagrees: the stored bytes are not the ones that were taken in.
        """
        size = self._frontier.size
        before = self.signed
        if size == (before.size if before else 0):
            return None
        with self._connection.begin():
            root = self._read_again(size)
            proof = self._prove(before, size, root)
        checkpoint = Checkpoint(self._key.name, size, root)
        note = self._key.sign(checkpoint.text())
        start = before.size if before else 0
        if self._witness is not None:
            self._witness.append_leaves(start, self._leaves[: size - start])
            self._witness.append(note, now)
        with self._connection.begin():
            trail.add_checkpoint(self._connection, size, root, note, now)
        self.signed = checkpoint
        del self._leaves[: size - start]
        return Signed(checkpoint, note, start, proof)

    def inspect(self, *, now: datetime) -> list[Finding]:
        """Look for what should have come and did not, and for entries under passports that were not issued to their actor."""
        findings: list[Finding] = []
        changed: dict[str, _Stream] = {}
        for name, known in self._streams.items():
            overdue = known.marked_at is not None and now - known.marked_at > HOLE_AFTER
            if not overdue:
                continue
            stream = known.copy()
            for gap in stream.numbers.missing():
                findings.append(Finding("hole", f"{name}/{gap.start}-{gap.stop - 1}", None, name, gap.start))
                stream.numbers.give_up(gap)
            for gap in stream.numbers.excused():
                stream.numbers.give_up(gap)
            changed[name] = stream
        with self._connection.begin():
            trail.save_streams(self._connection, ((name, stream.numbers, stream.marked_at) for name, stream in changed.items()))
            start = trail.read_progress(self._connection, "passports")
            unknown, reached = trail.unknown_passports(self._connection, start, now - PASSPORT_AFTER)
            if reached != start:
                trail.save_progress(self._connection, "passports", reached)
        findings += [Finding("unknown-passport", jti, position) for position, jti in unknown]
        for name, stream in changed.items():
            self._streams[name] = stream
            if stream.numbers.closed:
                del self._streams[name]
        return findings

    def _take_up_checkpoint(self, tree: StoredTree, now: datetime) -> Checkpoint | None:
        stored = trail.last_checkpoint(self._connection)
        kept = [self._open(stored.note, "the database")] if stored else []
        witnessed_note = self._witness.last_note() if self._witness else None
        if witnessed_note is not None:
            kept.append(self._open(witnessed_note, "the witness's file"))
        for checkpoint in kept:
            if checkpoint.size > self._frontier.size:
                raise TrailDisagrees(
                    Finding("cut-off", str(checkpoint.size), self._frontier.size),
                    f"A checkpoint covers {checkpoint.size} lines and the trail has {self._frontier.size}.",
                )
            if merkle.range_hash(0, checkpoint.size, tree.subtree) != checkpoint.root:
                raise TrailDisagrees(
                    Finding("altered", f"root {checkpoint.size}"), f"The stored tree is not the one that was signed at {checkpoint.size} lines."
                )
        if not kept:
            return None
        latest = max(kept, key=lambda checkpoint: checkpoint.size)
        if self._witness is not None:
            self._catch_up(self._witness, latest, witnessed_note, now)
        note = self._key.sign(latest.text())
        trail.add_checkpoint(self._connection, latest.size, latest.root, note, now)
        return latest

    def _catch_up(self, witness: WitnessFile, latest: Checkpoint, witnessed_note: str | None, now: datetime) -> None:
        """Give a witness's file that is new, or that a crash left behind, what it lacks."""
        start = witness.leaf_count()
        while start < latest.size:
            chunk = [leaf for _, leaf, _ in trail.read_rows(self._connection, start, min(latest.size, start + 10_000))]
            witness.append_leaves(start, chunk)
            start += len(chunk)
        note = self._key.sign(latest.text())
        if witnessed_note != note:
            witness.append(note, now)

    def _open(self, note: str, place: str) -> Checkpoint:
        try:
            return self._key.verifier.checkpoint(note)
        except CheckpointRefused as refused:
            raise TrailDisagrees(
                Finding("checkpoint", sha256(note.encode()).hexdigest()), f"The last checkpoint in {place} is not ours: {refused}"
            ) from refused

    def _stream(self, name: str) -> _Stream:
        known = self._streams.get(name)
        if known is not None:
            return known.copy()
        numbers, marked_at = trail.load_stream(self._connection, name)
        return _Stream(numbers, marked_at)

    def _write(self, new: Sequence[Line], frontier: merkle.Frontier) -> None:
        first = frontier.size
        nodes: list[tuple[int, int, bytes]] = []
        passports: list[tuple[str, int, str]] = []
        for position, line in enumerate(new, start=first):
            nodes += frontier.append(line.leaf)
            passports += ((jti, position, holder) for jti, holder in _issued(line))
        trail.append_lines(self._connection, first, new)
        trail.append_nodes(self._connection, nodes)
        trail.add_passports(self._connection, passports)

    def _read_again(self, size: int) -> bytes:
        """Return the root as the stored bytes give it; they must be those that were taken in."""
        start = self.signed.size if self.signed else 0
        tree = StoredTree(self._connection)
        frontier = merkle.Frontier.read(start, tree.subtree)
        if self.signed is not None and frontier.root() != self.signed.root:
            raise TrailDisagrees(Finding("altered", f"root {start}"), f"The stored tree is not the one that was signed at {start} lines.")
        for position, leaf, body in trail.read_rows(self._connection, start, size):
            read = merkle.leaf_hash(body.encode())
            if position != frontier.size or read != leaf or read != self._leaves[position - start]:
                raise TrailDisagrees(Finding("altered", str(frontier.size), frontier.size), f"Line {frontier.size} is not what was taken in.")
            frontier.append(read)
        if frontier.size != size:
            raise TrailDisagrees(Finding("cut-off", str(size), frontier.size), f"Line {frontier.size} is missing.")
        return frontier.root()

    def _prove(self, before: Checkpoint | None, size: int, root: bytes) -> list[bytes]:
        if before is None or before.size == 0:
            return []
        proof = merkle.consistency_proof(before.size, size, StoredTree(self._connection).subtree)
        if not merkle.verify_consistency(before.size, size, proof, before.root, root):
            raise TrailDisagrees(
                Finding("altered", f"proof {before.size}-{size}"), f"The trail of {size} lines does not continue the one of {before.size}."
            )
        return proof


def _read(batch: Iterable[object]) -> tuple[list[Line], list[Finding]]:
    lines: list[Line] = []
    findings: list[Finding] = []
    for wire in batch:
        try:
            lines.append(read_line(wire))
        except Unreadable:
            findings.append(Finding("unreadable", digest_of(_bytes(wire))))
    return lines, findings


def _judge(line: Line, others: Sequence[tuple[Kind, bytes]]) -> str:
    if line.kind == "mark":
        return "known" if any(leaf == line.leaf for _, leaf in others) else "new"
    return judge(line.kind, line.leaf, others)


def _conflict(line: Line, position: int) -> Finding:
    return Finding("two-contents", f"{line.stream}/{line.n}/{line.leaf.hex()[:16]}", position, line.stream, line.n)


def _note(stream: _Stream, line: Line, now: datetime) -> bool:
    """Note what a line says of its stream; return False for a mark that is not believed."""
    if line.kind == "mark":
        open_before = bool(stream.numbers.missing())
        if not stream.numbers.settled(line.n, closed=line.closed, highest=line.highest):
            return False
        # Counted from the first mark that leaves something open, so that a busy stream's holes grow old as well.
        if stream.marked_at is None or not open_before or line.highest is not None:
            stream.marked_at = now
    else:
        stream.numbers.came(line.n)
    return True


def _issued(line: Line) -> list[tuple[str, str]]:
    """Return the passports that this line says access issued, each with its holder."""
    if line.kind != "entry" or f'"action":"{ISSUING}"' not in line.body:
        return []
    wire = orjson.loads(line.body)
    if wire["action"] != ISSUING or wire["service"] != "access" or wire["outcome"] != "allowed":
        return []
    return [(jti, wire["actor"]) for jti in wire.get("subjects", ())]


def _bytes(wire: object) -> bytes:
    try:
        return orjson.dumps(wire)
    except (TypeError, ValueError):
        return repr(wire).encode(errors="replace")
