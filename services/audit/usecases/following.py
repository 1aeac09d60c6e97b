"""Following the streams: whose lines are believed, what is still missing of them, and which have fallen silent."""

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

#: What is settled at its sender and has not come after this long is a hole: longer than all retries on the way.
HOLE_AFTER = timedelta(seconds=150)
#: A process says every ten seconds that it lives.
SILENT_AFTER = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Sent:
    """A line as it came, and the account that the broker says sent it; None where nobody can say."""

    wire: object
    account: str | None


@dataclass(slots=True)
class Followed:
    """One stream, as far as it has come."""

    state: StreamState
    certificate: Certificate | None = None
    certified_by: bytes = b""
    heard_at: datetime | None = None
    chain: Chain = field(default_factory=Chain)

    @property
    def service(self) -> str | None:
        """Whose it is, when its certificate has come."""
        return self.certificate.service if self.certificate else None

    def copy(self) -> Followed:
        """Return one that can be changed while this one stays."""
        numbers = replace(self.state.numbers, ahead=set(self.state.numbers.ahead))
        state = StreamState(numbers, self.state.marked_at, self.state.beat)
        return replace(self, state=state, chain=self.chain.copy())

    def is_news(self, line: Line) -> bool:
        """Whether a mark says more of its stream than is known; one that does not is heard, and not kept."""
        numbers = self.state.numbers
        return line.n > numbers.mark or (line.closed and not numbers.closed)

    def hear(self, line: Line, now: datetime) -> None:
        """Note that its process lives, if a mark is newer than those before: an old one that comes again says nothing."""
        if line.beat is not None and line.beat > self.state.beat:
            self.state.beat, self.heard_at = line.beat, now
            self.state.numbers.lives()

    def note(self, line: Line, now: datetime) -> bool:
        """Note what a line says of its stream; return False for a mark that is not believed."""
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


class Following:
    """All streams that may say more."""

    def __init__(self, connection: Connection, keys: ServiceKeys, *, now: datetime, own: str | None, account_of: Callable[[str], str] | None) -> None:
        """Take up what is stored; call it inside a transaction.

        :param own: the stream of this process: while it does not hear itself, nobody else's silence means anything.
        :param account_of: gives the broker's account of a service; without it, no line is held against its sender.
        """
        self._connection = connection
        self.trust(keys, own=own)
        self._account_of = account_of
        self._listening_since = now
        self.streams: dict[str, Followed] = {}
        for name, state in trail.load_streams(connection).items():
            self.streams[name] = self._taken_up(name, state, now)

    def trust(self, keys: ServiceKeys, *, own: str | None) -> None:
        """Believe what these keys certify; a new stream under one that is retired is believed no more.

        :param own: the stream of this process, as above.
        """
        self._keys, self._present, self._own = keys, keys.present, own

    def find(self, name: str, changed: dict[str, Followed], now: datetime) -> Followed:
        """Return a stream to be changed, and keep it among those that are."""
        if name not in changed:
            known = self.streams.get(name)
            changed[name] = known.copy() if known else self._taken_up(name, trail.load_stream(self._connection, name), now)
        return changed[name]

    def admit(self, batch: Iterable[Sent], changed: dict[str, Followed], now: datetime) -> tuple[list[Line], list[Finding]]:
        """Return the lines that are genuine, in their order, and what is wrong with the others."""
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

    def keep(self, changed: dict[str, Followed]) -> None:
        """Keep what was changed, after it was committed."""
        self.streams |= {name: stream for name, stream in changed.items() if stream.certificate is not None}

    def forget_closed(self) -> None:
        """Leave alone the streams whose end has been looked at; what still comes of them is taken up from the trail."""
        self.streams = {name: stream for name, stream in self.streams.items() if not stream.state.numbers.closed or stream.state.marked_at}

    def overdue(self, now: datetime) -> Iterator[tuple[str, Followed, list[Finding]]]:
        """Yield a changed copy of each stream whose mark is old, with the holes in it, and with its end if that is unproven."""
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
        """Return the streams that are open, and whose process has not said for thirty seconds that it lives."""
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

    def _taken_up(self, name: str, state: StreamState, now: datetime) -> Followed:
        stream = Followed(state)
        body = trail.load_certificate(self._connection, name)
        if body is not None:
            # Whoever can write into the database may have put another one there.
            self._certify(stream, parse_body(body), now, self._keys)
        return stream

    def _certify(self, stream: Followed, line: Line, now: datetime, keys: ServiceKeys) -> bool:
        """Take a certificate; tell whether it is the first of its stream, and its service's."""
        if stream.certificate is not None:
            return False
        stream.certificate = certified(line, keys)
        if stream.certificate is not None:
            stream.certified_by, stream.heard_at = line.leaf, now
        return stream.certificate is not None

    def _forged(self, name: str, lines: Sequence[Line], changed: dict[str, Followed], now: datetime) -> list[Line]:
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
