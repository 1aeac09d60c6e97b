"""The sequencer: the one writer of the trail, which also signs its checkpoints and inspects the streams.

It works over one connection, which holds the advisory lock. When that connection is lost, so is the lead, and the next
leader loads the stored state.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from hashlib import sha256

import orjson
from sqlalchemy import Connection

from services.audit.domain.lines import Kind, Line
from services.audit.domain.records import Finding
from services.audit.storage import trail
from services.audit.storage.trail import StoredTree
from services.audit.storage.witness import WitnessFile
from services.audit.usecases.stream_tracking import Sent, StreamTracker, TrackedStream, finding_of
from services.chassis.identity import ServiceKeys
from services.chassis.translog import merkle
from services.chassis.translog.checkpoints import Checkpoint, CheckpointRefused, SigningKey, write_proof

#: Access's own entry that it issued a passport may come this much later than the passport's first use.
PASSPORT_AFTER = timedelta(seconds=150)
#: A new checkpoint is announced with proofs from so many before it.
PROVEN_FROM = 8
ISSUING = "access:passport:issue"


class TrailDisagrees(Exception):
    """The stored trail differs from what was signed or hashed; nothing may be signed until a person has looked into it."""

    def __init__(self, finding: Finding, sentence: str) -> None:
        """Take the finding to record and the sentence to log."""
        self.finding = finding
        super().__init__(sentence)


class Sequencer:
    """Appends to the trail and signs it while its connection lives."""

    def __init__(
        self,
        connection: Connection,
        *,
        key: SigningKey,
        services: ServiceKeys,
        witness: WitnessFile | None,
        now: datetime,
        own: str | None = None,
        account_of: Callable[[str], str] | None = None,
    ) -> None:
        """Load the stored trail.

        `connection` must hold the lead (`storage.leadership.take_lead`).

        :param services: the services' public keys, with which lines are verified.
        :param own: the stream of this process, and `account_of` the broker's account of a service; see `StreamTracker`.
        :raises TrailDisagrees: the stored trail is not the one of the last checkpoint, in the database or the witness's file.
        """
        self._connection = connection
        self._key = key
        self._witness = witness
        with connection.begin():
            size = trail.size_of(connection)
            tree = StoredTree(connection)
            self._frontier = merkle.Frontier.read(size, tree.subtree)
            self.signed = self._take_up_checkpoint(tree, now)
            # The leaves since the last checkpoint are kept here too: what is signed must be what was taken in.
            self._leaves = [leaf for _, leaf, _ in trail.read_rows(connection, self.signed.size if self.signed else 0, size)]
            self._tracker = StreamTracker(connection, services, now=now, own=own, account_of=account_of)

    @property
    def size(self) -> int:
        """The number of lines in the trail."""
        return self._frontier.size

    @property
    def note(self) -> str:
        """The signed note of the last checkpoint (Ed25519 signs the same text to the same note)."""
        if self.signed is None:
            raise RuntimeError("nothing was signed yet")
        return self._key.sign(self.signed.text())

    def unannounced(self) -> list[str] | None:
        """Return the proofs to announce the last checkpoint with; None if it was announced."""
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

    def take(self, batch: Iterable[Sent], *, now: datetime) -> list[Finding]:
        """Write the genuine lines of a batch, each once, and return findings about the others; the lines are durable on return."""
        changed: dict[str, TrackedStream] = {}
        with self._connection.begin():
            lines, findings = self._tracker.admit(batch, changed, now)
            present = trail.find_numbers(self._connection, lines) if lines else {}
            new: list[Line] = []
            for line in lines:
                stream = changed[line.stream]
                position = self._frontier.size + len(new)
                others = present.setdefault((line.stream, trail.column_n(line)), [])
                if _is_known(line, others, stream):
                    stream.hear(line, now)
                    continue
                findings += _look_at(line, others, stream, position, now)
                others.append((line.kind, line.leaf))
                new.append(line)
            frontier = self._frontier.copy()
            if new:
                self._write(new, frontier)
                trail.save_streams(self._connection, ((name, stream.state) for name, stream in changed.items() if stream.certificate))
        self._frontier = frontier
        self._leaves += [line.leaf for line in new]
        self._tracker.keep(changed)
        return findings

    def sign(self, *, now: datetime) -> Checkpoint | None:
        """Sign a checkpoint over all lines, unless the last one covers them already.

        First it reads the stored bytes again, and proves that they continue the last checkpoint. The witness's file gets
        the checkpoint before the database does, so that it knows every signed size.

        :raises TrailDisagrees: the stored bytes are not the ones that were written.
        """
        size = self._frontier.size
        before = self.signed
        if size == (before.size if before else 0):
            return None
        with self._connection.begin():
            root = self._read_again(size)
            self._check_continues(before, size, root)
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
        return checkpoint

    def inspect(self, *, now: datetime) -> list[Finding]:
        """Return findings about missing lines, silent processes, and entries under passports that were not issued to their actor."""
        findings = self._tracker.silent(now)
        changed: dict[str, TrackedStream] = {}
        for name, stream, found in self._tracker.overdue(now):
            changed[name] = stream
            findings += found
        with self._connection.begin():
            trail.save_streams(self._connection, ((name, stream.state) for name, stream in changed.items()))
            start = trail.read_progress(self._connection, "passports")
            unknown, reached = trail.unknown_passports(self._connection, start, now - PASSPORT_AFTER)
            if reached != start:
                trail.save_progress(self._connection, "passports", reached)
        findings += unknown
        self._tracker.keep(changed)
        self._tracker.forget_closed()
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
        """Append what a witness's file lacks that is new or that a crash interrupted."""
        start = witness.leaf_count()
        while start < latest.size:
            chunk = [leaf for _, leaf, _ in trail.read_rows(self._connection, start, min(latest.size, start + 10_000))]
            witness.append_leaves(start, chunk)
            start += len(chunk)
        note = self._key.sign(latest.text())
        if witnessed_note != note:
            witness.append(note, now)

    def go_on_under(self, key: SigningKey, services: ServiceKeys, *, own: str | None) -> None:
        """Sign with another key from the next checkpoint on, and trust what these keys certify from the next line on.

        :param own: the stream of this process.
        """
        self._key = key
        self._tracker.trust(services, own=own)

    def _open(self, note: str, place: str) -> Checkpoint:
        try:
            return self._key.verifier.checkpoint(note)
        except CheckpointRefused as refused:
            raise TrailDisagrees(
                Finding("checkpoint", sha256(note.encode()).hexdigest()), f"The last checkpoint in {place} is not ours: {refused}"
            ) from refused

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
        """Return the root over the stored bytes.

        :raises TrailDisagrees: they are not the ones that were written.
        """
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

    def _check_continues(self, before: Checkpoint | None, size: int, root: bytes) -> None:
        if before is None or before.size == 0:
            return
        proof = merkle.consistency_proof(before.size, size, StoredTree(self._connection).subtree)
        if not merkle.verify_consistency(before.size, size, proof, before.root, root):
            raise TrailDisagrees(
                Finding("altered", f"proof {before.size}-{size}"), f"The trail of {size} lines does not continue the one of {before.size}."
            )


def _is_known(line: Line, others: Sequence[tuple[Kind, bytes]], stream: TrackedStream) -> bool:
    return any(leaf == line.leaf for _, leaf in others) or (line.kind == "mark" and not stream.is_news(line))


def _look_at(line: Line, others: Sequence[tuple[Kind, bytes]], stream: TrackedStream, position: int, now: datetime) -> list[Finding]:
    """Note what a new line says of its stream, and return findings about it."""
    stream.hear(line, now)
    wrong = []
    if line.kind == "mark":
        # A jump is judged before its hash: it speaks of a line that nobody has.
        if not stream.note(line, now):
            return [Finding("jump", f"{line.stream}/{line.n}", position, line.stream, line.n, stream.service)]
        return [] if line.by or stream.chain.holds(line) else [finding_of("chain", line, stream.service, position=position)]
    # The line is kept as evidence. A void and its entry have one primary key at their sender, so even a void of unknown outcome
    # is a conflict; marks are indexed beside the lines of the same number, and speak of it.
    if any(kind != "mark" for kind, _ in others):
        wrong.append("two-contents")
    elif not stream.chain.fits(line):
        wrong.append("chain")
    if line.kind == "malformed":
        wrong.append("malformed")
    stream.note(line, now)
    return [finding_of(kind, line, stream.service, position=position) for kind in wrong]


def _issued(line: Line) -> list[tuple[str, str]]:
    """Return the passports that access issued according to this line, each with its holder."""
    if line.kind != "entry" or f'"action":"{ISSUING}"' not in line.body:
        return []
    wire = orjson.loads(line.body)
    if wire["action"] != ISSUING or wire["service"] != "access" or wire["outcome"] != "allowed":
        return []
    return [(jti, wire["actor"]) for jti in wire.get("subjects", ())]
