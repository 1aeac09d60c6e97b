"""Tracking the streams: which lines are genuine, which are missing, and which processes are silent."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import orjson
from sqlalchemy import Connection

from services.audit.domain.genuine import Chain, certified, forged
from services.audit.domain.lines import Line, Unreadable, digest_of, parse_body, read_line
from services.audit.domain.records import Finding, StreamState
from services.audit.storage import trail
from services.chassis.database.stream import Certificate
from services.chassis.identity import ServiceKeys

#: A number that is settled at its sender and has not arrived after this long is a hole: longer than all retries on the way.
HOLE_AFTER = timedelta(seconds=150)
#: A process says every ten seconds that it lives.
SILENT_AFTER = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Sent:
    """A line as it arrived, and the account that sent it as the broker says; None if that is unknown."""

    wire: object
    account: str | None


@dataclass(slots=True)
class TrackedStream:
    """The state of one stream."""

    state: StreamState
    certificate: Certificate | None = None
    certified_by: bytes = b""
    heard_at: datetime | None = None
    chain: Chain = field(default_factory=Chain)

    @property
    def service(self) -> str | None:
        """Its service; None before its certificate has arrived."""
        return self.certificate.service if self.certificate else None

    def copy(self) -> TrackedStream:
        """Return an independent copy."""
        numbers = replace(self.state.numbers, ahead=set(self.state.numbers.ahead))
        state = StreamState(numbers, self.state.marked_at, self.state.beat)
        return replace(self, state=state, chain=self.chain.copy())

    def is_news(self, line: Line) -> bool:
        """Return whether a mark says more of its stream than is known; only such a mark is stored."""
        numbers = self.state.numbers
        return line.n > numbers.mark or (line.closed and not numbers.closed)

    def hear(self, line: Line, now: datetime) -> None:
        """Note that the process lives, if the mark is newer than those before; ignore a repeated one."""
        if line.beat is not None and line.beat > self.state.beat:
            self.state.beat, self.heard_at = line.beat, now
            self.state.numbers.lives()

    def note(self, line: Line, now: datetime) -> bool:
        """Note what a line says of its stream; return False for a mark that jumps."""
        numbers = self.state.numbers
        if line.kind != "mark":
            numbers.came(line.n)
            return True
        open_before = bool(numbers.missing())
        if not numbers.settled(line.n, closed=line.closed, highest=line.highest):
            return False
        # Counted from the first mark that leaves something open, so that a busy stream's holes grow old as well.
        if self.state.marked_at is None or not open_before or line.highest is not None:
            self.state.marked_at = now
        return True


class StreamTracker:
    """All streams that may still grow."""

    def __init__(self, connection: Connection, keys: ServiceKeys, *, now: datetime, own: str | None, account_of: Callable[[str], str] | None) -> None:
        """Load the stored state; call it inside a transaction.

        :param own: the stream of this process: while its own lines do not arrive, silence of others means nothing.
        :param account_of: returns the broker's account of a service; without it, senders are not checked.
        """
        self._connection = connection
        self.trust(keys, own=own)
        self._account_of = account_of
        self._listening_since = now
        self.streams: dict[str, TrackedStream] = {}
        for name, state in trail.load_streams(connection).items():
            self.streams[name] = self._taken_up(name, state, now)

    def trust(self, keys: ServiceKeys, *, own: str | None) -> None:
        """Trust what these keys certify; a retired key certifies no new stream.

        :param own: the stream of this process, as above.
        """
        self._keys, self._present, self._own = keys, keys.present, own

    def find(self, name: str, changed: dict[str, TrackedStream], now: datetime) -> TrackedStream:
        """Return a copy of a stream to change, and collect it in `changed`."""
        if name not in changed:
            known = self.streams.get(name)
            changed[name] = known.copy() if known else self._taken_up(name, trail.load_stream(self._connection, name), now)
        return changed[name]

    def admit(self, batch: Iterable[Sent], changed: dict[str, TrackedStream], now: datetime) -> tuple[list[Line], list[Finding]]:
        """Return the genuine lines, in their order, and findings about the others."""
        findings: list[Finding] = []
        admitted: list[Line] = []
        for line, account in _read(batch, findings):
            stream = self.find(line.stream, changed, now)
            service = stream.service or (line.service if line.kind == "certificate" else None)
            if line.kind == "certificate" and stream.certified_by == line.leaf:
                continue
            if service and self._account_of and account != self._account_of(service):
                findings.append(finding_of("sender", line, service, of=account or "nobody"))
            elif line.kind == "certificate" and not self._certify(stream, line, now, self._present):
                findings.append(finding_of("forged", line, service))
            elif stream.certificate is None:
                findings.append(finding_of("forged", line, line.service or account))
            else:
                admitted.append(line)
        bad = {id(line) for name, lines in _by_stream(admitted).items() for line in self._forged(name, lines, changed, now)}
        findings += [finding_of("forged", line, changed[line.stream].service) for line in admitted if id(line) in bad]
        return [line for line in admitted if id(line) not in bad], findings

    def keep(self, changed: dict[str, TrackedStream]) -> None:
        """Take over changed streams after the commit."""
        self.streams |= {name: stream for name, stream in changed.items() if stream.certificate is not None}

    def forget_closed(self) -> None:
        """Drop closed streams whose end was inspected; a late line loads its stream from the trail."""
        self.streams = {name: stream for name, stream in self.streams.items() if not stream.state.numbers.closed or stream.state.marked_at}

    def overdue(self, now: datetime) -> Iterator[tuple[str, TrackedStream, list[Finding]]]:
        """Yield a changed copy of each stream whose mark is old, with findings about its holes and an unproven end."""
        for name, stream in self.streams.items():
            if stream.state.marked_at is None or now - stream.state.marked_at <= HOLE_AFTER:
                continue
            changed = stream.copy()
            numbers = changed.state.numbers
            findings = []
            for gap in numbers.missing():
                findings.append(Finding("hole", f"{name}/{gap.start}-{gap.stop - 1}", None, name, gap.start, stream.service))
                numbers.give_up(gap)
            for gap in numbers.excused():
                numbers.give_up(gap)
            if numbers.closed:
                changed.state.marked_at = None
                if numbers.crashed is not None:
                    findings.append(Finding("unproven-tail", name, None, name, numbers.mark + 1, stream.service))
            yield name, changed, findings

    def silent(self, now: datetime) -> list[Finding]:
        """Return findings about open streams whose process has sent no sign of life for thirty seconds."""
        own = self.streams.get(self._own or "")
        if self._own is not None and (own is None or own.heard_at is None or now - own.heard_at > SILENT_AFTER):
            self._listening_since = now
            return []
        return [
            Finding("silent", f"{name}/{stream.state.beat}", None, name, stream.state.numbers.mark, stream.service)
            for name, stream in self.streams.items()
            if stream.certificate is not None
            and stream.certificate.beats
            and not stream.state.numbers.closed
            and now - max(stream.heard_at or self._listening_since, self._listening_since) > SILENT_AFTER
        ]

    def _taken_up(self, name: str, state: StreamState, now: datetime) -> TrackedStream:
        stream = TrackedStream(state)
        body = trail.load_certificate(self._connection, name)
        if body is not None:
            # Anybody who can write into the database may have replaced it.
            self._certify(stream, parse_body(body), now, self._keys)
        return stream

    def _certify(self, stream: TrackedStream, line: Line, now: datetime, keys: ServiceKeys) -> bool:
        """Accept a certificate; return False unless it is its stream's first and its service signed it."""
        if stream.certificate is not None:
            return False
        stream.certificate = certified(line, keys)
        if stream.certificate is not None:
            stream.certified_by, stream.heard_at = line.leaf, now
        return stream.certificate is not None

    def _forged(self, name: str, lines: Sequence[Line], changed: dict[str, TrackedStream], now: datetime) -> list[Line]:
        certificate = changed[name].certificate
        if certificate is None:
            return list(lines)
        return forged(lines, certificate, lambda other: self.find(other, changed, now).certificate)


def finding_of(kind: str, line: Line, service: str | None, *, of: str = "", position: int | None = None) -> Finding:
    """Return a finding about a line, by its number."""
    return Finding(kind, f"{of}{line.stream}/{line.n}/{digest_of(line.body.encode())[-16:]}", position, line.stream, line.n, service)


def _read(batch: Iterable[Sent], findings: list[Finding]) -> Iterator[tuple[Line, str | None]]:
    for sent in batch:
        try:
            yield read_line(sent.wire), sent.account
        except Unreadable:
            findings.append(Finding("unreadable", digest_of(_bytes(sent.wire)), service=sent.account))


def _by_stream(lines: Iterable[Line]) -> dict[str, list[Line]]:
    streams: dict[str, list[Line]] = {}
    for line in lines:
        streams.setdefault(line.stream, []).append(line)
    return streams


def _bytes(wire: object) -> bytes:
    try:
        return orjson.dumps(wire)
    except (TypeError, ValueError):
        return repr(wire).encode(errors="replace")
