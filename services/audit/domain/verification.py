"""Verify the trail from outside: entries against signed checkpoints, naming the first bad entry.

Only public keys are trusted. The trail's signature proves the roots, the roots prove the witnessed leaves, and the
leaves name the entry that differs. The services' signatures prove the processes' keys, and those prove the lines. All
of it is pure: rows, notes and leaves are iterables.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal, NamedTuple

from services.audit.domain.genuine import Chain, certified, forged
from services.audit.domain.lines import Line, Unreadable, parse_body
from services.audit.domain.numbers import Numbers
from services.chassis.database.stream import Certificate
from services.chassis.identity import ServiceKeys
from services.chassis.translog import merkle
from services.chassis.translog.checkpoints import CheckpointRefused, VerifierKey

ProblemKind = Literal[
    "altered",
    "missing",
    "cut-off",
    "unreadable",
    "uncovered",
    "range",
    "two-contents",
    "hole",
    "jump",
    "forged",
    "chain",
    "checkpoint",
    "fork",
    "witness",
]
#: Further problems add nothing to what an investigation needs to begin.
MAX_PROBLEMS = 100
#: What overtook its predecessors on the way is waited for this long before it is a hole.
IN_FLIGHT = timedelta(seconds=120)
#: Lines whose signatures are looked at together.
TOGETHER = 2000


@dataclass(frozen=True, slots=True)
class Row:
    """One stored line: its position, its bytes, and the stored leaf hash."""

    position: int
    body: str
    leaf: bytes | None = None


@dataclass(frozen=True, slots=True)
class Note:
    """One checkpoint as it was found; `place` tells where, for the person who looks into it."""

    place: str
    text: str


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong; `position` is the first entry that it concerns."""

    kind: ProblemKind
    sentence: str
    position: int | None = None
    stream: str | None = None
    n: int | None = None
    service: str | None = None


class Unproven(NamedTuple):
    """A process that died, and the number from which nobody can prove what it wrote."""

    service: str
    stream: str
    n: int


@dataclass(slots=True)
class Report:
    """The result of a verification."""

    entries: int = 0
    size: int = 0
    root: str | None = None
    checkpoints: int = 0
    streams: int = 0
    in_flight: int = 0
    #: Numbers that crashed processes may have taken without committing: not problems, but worth knowing.
    excused: int = 0
    unproven: list[Unproven] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    more_problems: int = 0

    @property
    def ok(self) -> bool:
        """Return whether everything verified."""
        return not self.problems

    @property
    def first_bad(self) -> Problem | None:
        """The problem with the lowest position; of those without one, the first found."""
        placed = [problem for problem in self.problems if problem.position is not None]
        if placed:
            return min(placed, key=lambda problem: problem.position or 0)
        return self.problems[0] if self.problems else None

    def add(self, problem: Problem) -> None:
        """Add a problem; beyond a hundred they are only counted."""
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(problem)
        else:
            self.more_problems += 1


class _Roots:
    """The signed roots by size, and the place where each was found."""

    def __init__(self, key: VerifierKey, notes: Iterable[Note], report: Report) -> None:
        self.by_size: dict[int, dict[bytes, str]] = {}
        for note in notes:
            try:
                checkpoint = key.checkpoint(note.text)
            except CheckpointRefused as refused:
                report.add(Problem("checkpoint", f"{note.place}: {refused}"))
                continue
            report.checkpoints += 1
            self.by_size.setdefault(checkpoint.size, {}).setdefault(checkpoint.root, note.place)
        for size, roots in sorted(self.by_size.items()):
            if len(roots) > 1:
                places = " and ".join(roots.values())
                report.add(Problem("fork", f"Two signed checkpoints of {size} entries contradict each other: {places}."))

        self.largest = max(self.by_size, default=0)


def verify(
    rows: Iterable[Row],
    notes: Iterable[Note],
    *,
    key: VerifierKey,
    services: ServiceKeys,
    leaves: Sequence[bytes] | None = None,
    now: datetime | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> Report:
    """Verify all rows, in order of position, against all checkpoints, and each line against its process's signature.

    :param leaves: leaf hashes that a witness stored. They make the first bad entry exact even if somebody recomputed the
        whole stored tree.
    :param now: given when the trail is live; then what is missing for less than two minutes counts as in flight.
    """
    report = Report()
    roots = _Roots(key, notes, report)
    if not roots.by_size:
        report.add(Problem("checkpoint", "No checkpoint verifies: nothing proves any entry.", position=0))
        return report
    walk = _Walk(report, roots, leaves or ())
    streams = _Streams(report, services)
    for row in rows:
        walk.take(row)
        streams.take(row)
        if row.position % 1000 == 0:
            progress(row.position)
    walk.finish()
    streams.finish(now)
    return report


class _Walk:
    """Walks along the rows, grows the tree, and compares it with each signed root."""

    def __init__(self, report: Report, roots: _Roots, leaves: Sequence[bytes]) -> None:
        self._report = report
        self._roots = roots
        self._frontier = merkle.Frontier()
        self._good = 0
        self._first: int | None = None
        #: Whether every leaf so far is known, so that roots can be computed.
        self._whole = True
        #: Witnessed leaves, and how many of them a signed root proves.
        self._leaves = leaves
        self._proven = self._count_proven(leaves)
        self._compare()

    def _count_proven(self, leaves: Sequence[bytes]) -> int:
        proven = 0
        frontier = merkle.Frontier()
        for leaf in leaves:
            frontier.append(leaf)
            if frontier.size in self._roots.by_size and frontier.root() in self._roots.by_size[frontier.size]:
                proven = frontier.size
        if leaves and proven < self._roots.largest:
            self._report.add(Problem("witness", f"The witnessed leaves are proven up to {proven} of {self._roots.largest} entries only."))
        return proven

    def _problem(self, kind: ProblemKind, sentence: str, position: int) -> None:
        if self._first is None or position < self._first:
            self._first = position
        self._report.add(Problem(kind, sentence, position=position))

    def _skip(self) -> None:
        """Pass a position that has no row; its witnessed leaf continues the tree."""
        position = self._frontier.size
        self._problem("missing", f"Entry {position} is missing.", position)
        if position < self._proven:
            self._frontier.append(self._leaves[position])
            self._compare()
        else:
            self._whole = False

    def take(self, row: Row) -> None:
        while self._frontier.size < row.position and self._whole:
            self._skip()
        if row.position != self._frontier.size and self._whole:
            self._problem("altered", f"Entry {row.position} stands where entry {self._frontier.size} belongs.", self._frontier.size)
            self._whole = False
        self._report.entries += 1
        leaf = merkle.leaf_hash(row.body.encode())
        if row.position < self._proven and leaf != self._leaves[row.position]:
            self._problem("altered", f"Entry {row.position} is not what was witnessed.", row.position)
            leaf = self._leaves[row.position]
        elif row.leaf is not None and leaf != row.leaf:
            self._problem("altered", f"Entry {row.position} does not fit the hash stored with it.", row.position)
        if self._whole and row.position == self._frontier.size:
            self._frontier.append(leaf)
            self._compare()

    def _compare(self) -> None:
        size = self._frontier.size
        if size not in self._roots.by_size:
            return
        root = self._frontier.root()
        if root in self._roots.by_size[size]:
            self._good = size
            self._report.size, self._report.root = size, root.hex()
        elif self._first is None or self._first >= size:
            self._problem(
                "range",
                f"The entries from {self._good} up to {size - 1} are not those that were signed; the first of them that"
                " differs cannot be told without the witness's leaves.",
                self._good,
            )

    def finish(self) -> None:
        largest = self._roots.largest
        count = self._frontier.size
        if not self._whole:
            return
        if count < largest:
            # Without the witness's leaves, what lies between the last root that agreed and the end is not proven either.
            first = count if self._proven >= count or self._good == count else self._good
            self._problem("cut-off", f"A checkpoint covers {largest} entries, and there are only {count}.", first)
        elif count > largest:
            self._problem("uncovered", f"No checkpoint covers the entries from {largest} on.", largest)


class _Streams:
    """Follows numbers, signatures and chains of all streams through the trail."""

    def __init__(self, report: Report, services: ServiceKeys) -> None:
        self._report = report
        self._services = services
        self._numbers: dict[str, Numbers] = {}
        self._chains: dict[str, Chain] = {}
        self._certificates: dict[str, Certificate] = {}
        self._certified: set[str] = set()
        self._marked_at: dict[str, list[tuple[int, datetime | None]]] = {}
        self._waiting: list[tuple[int, Line]] = []

    def take(self, row: Row) -> None:
        try:
            line = parse_body(row.body)
        except Unreadable as unreadable:
            self._report.add(Problem("unreadable", f"Entry {row.position}: {unreadable}", position=row.position))
            return
        self._waiting.append((row.position, line))
        if len(self._waiting) >= TOGETHER:
            self._look()

    def _look(self) -> None:
        """Check collected lines: in a run of consecutive lines one signature."""
        waiting, self._waiting = self._waiting, []
        by_stream: dict[str, list[Line]] = {}
        for _, line in waiting:
            by_stream.setdefault(line.stream, []).append(line)
            if line.kind == "certificate" and line.stream not in self._certificates and (found := certified(line, self._services)):
                self._certificates[line.stream] = found
        bad: set[int] = set()
        for stream, lines in by_stream.items():
            certificate = self._certificates.get(stream)
            bad |= {id(line) for line in (forged(lines, certificate, self._certificates.get) if certificate else lines)}
        for position, line in waiting:
            if id(line) in bad:
                self._problem("forged", position, line, "is not signed by its process, under a key that its service certified")
            self._follow(position, line)

    def _follow(self, position: int, line: Line) -> None:
        numbers = self._numbers.setdefault(line.stream, Numbers())
        chain = self._chains.setdefault(line.stream, Chain())
        if line.kind == "mark":
            if not numbers.settled(line.n, closed=line.closed, highest=line.highest):
                sentence = f"Entry {position}: the mark {line.n} of stream {line.stream} is far beyond anything that came."
                self._report.add(Problem("jump", sentence, position=position, stream=line.stream, n=line.n, service=self._service(line.stream)))
                return
            if line.beat is not None:
                numbers.lives()
                if line.closed:
                    numbers.closed = True
                if not chain.holds(line):
                    self._problem("chain", position, line, "is not the one that a mark speaks of")
            self._marked_at.setdefault(line.stream, []).append((line.n, _instant(line)))
            return
        if line.kind == "certificate":
            if line.stream in self._certified:
                self._problem("two-contents", position, line, "came before, with another content")
            elif not chain.fits(line):
                self._problem("chain", position, line, "does not fit the line after it")
            self._certified.add(line.stream)
            return
        if line.n <= numbers.contiguous or line.n in numbers.ahead:
            self._problem("two-contents", position, line, "came before, with another content")
        elif not chain.fits(line):
            self._problem("chain", position, line, "does not fit the lines beside it")
        numbers.came(line.n)

    def _problem(self, kind: ProblemKind, position: int, line: Line, what: str) -> None:
        service = self._service(line.stream)
        sentence = f"Entry {position}: number {line.n} of stream {line.stream} of {service or 'nobody known'} {what}."
        self._report.add(Problem(kind, sentence, position=position, stream=line.stream, n=line.n, service=service))

    def _service(self, stream: str) -> str | None:
        certificate = self._certificates.get(stream)
        return certificate.service if certificate else None

    def finish(self, now: datetime | None) -> None:
        self._look()
        self._report.streams = len(self._numbers)
        for stream, numbers in sorted(self._numbers.items()):
            service = self._service(stream)
            self._report.excused += sum(len(gap) for gap in numbers.excused())
            if numbers.crashed is not None and numbers.closed:
                self._report.unproven.append(Unproven(service or "", stream, numbers.mark + 1))
            settled = self._long_settled(stream, numbers, now)
            for gap in numbers.missing():
                if gap.start > settled:
                    self._report.in_flight += len(gap)
                    continue
                many = f"number {gap.start} is" if len(gap) == 1 else f"numbers {gap.start} to {gap.stop - 1} are"
                sentence = f"Stream {stream} of {service or 'nobody known'}: {many} settled there and never came here."
                self._report.add(Problem("hole", sentence, stream=stream, n=gap.start, service=service))

    def _long_settled(self, stream: str, numbers: Numbers, now: datetime | None) -> int:
        if now is None:
            return numbers.mark
        return max((mark for mark, at in self._marked_at.get(stream, ()) if at is None or now - at > IN_FLIGHT), default=0)


def _instant(line: Line) -> datetime | None:
    # Marks say when they were set, in the only form that `wire_value` writes.
    start = line.body.find('"at":"')
    if start < 0:
        return None
    try:
        return datetime.fromisoformat(line.body[start + 6 : line.body.index('"', start + 6)]).astimezone(UTC)
    except ValueError:
        return None


def as_wire(report: Report) -> dict[str, object]:
    """Return the report for `--json`."""
    first = report.first_bad
    return {
        "ok": report.ok,
        **asdict(report),
        "unproven": [each._asdict() for each in report.unproven],
        "first_bad": asdict(first) if first else None,
    }
