"""A test's own trail: a migrated database, a key, a witness's file, and lines as relays send them."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
import sqlalchemy as sa
from sqlalchemy import text

from services.audit.domain.records import Finding
from services.audit.domain.verification import Note, Report, Row, verify
from services.audit.storage import leadership
from services.audit.storage.witness import Leaves, WitnessFile
from services.audit.usecases.sequencing import Sequencer
from services.audit.usecases.stream_tracking import Sent
from services.chassis.database.stream import Stream, canonical, link_of
from services.chassis.identity import ServiceKey
from services.chassis.messages import wire_value
from services.chassis.translog.checkpoints import SigningKey
from tests.support import Databases, eventually
from tests.support.databases import Addresses
from tests.support.keys import key_of, new_signing_key, service_keys

ORIGIN = "liaison.test/audit"
NOWHERE = "0" * 64
START = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


#: The certificates of all senders: a relay puts them before the lines of their streams.
CERTIFICATES: dict[str, dict[str, Any]] = {}


class Sender:
    """One process that writes entries: its stream, and its signed lines."""

    def __init__(self, service: str = "contacts", *, key: ServiceKey | None = None, beats: bool = True) -> None:
        self.service = service
        self.signing = Stream(key or key_of(service), beats=beats)
        self.stream = self.signing.id
        self.n = 0
        self.at = START
        self.beat = 0
        self.links = {0: link_of(self.signing.certificate.encode())}
        CERTIFICATES[self.stream] = orjson.loads(self.signing.certificate)

    def entry(self, **changed: Any) -> dict[str, Any]:
        self.n += 1
        self.at += timedelta(milliseconds=7)
        line = {**self.does(), "stream": self.stream, "n": self.n, "prev": self.links.get(self.n - 1, NOWHERE)} | changed
        signed = self.sign(line)
        self.links[signed["n"]] = link_of(canonical(signed))
        return signed

    def does(self) -> dict[str, Any]:
        return {
            "at": wire_value(self.at),
            "service": self.service,
            "actor": "0190f3a4-0000-7000-8000-000000000001",
            "actor_kind": "user",
            "component": "ICE",
            "session": "s",
            "acknowledgement": "a",
            "jti": None,
            "action": "contacts:individual:read",
            "subjects": [f"subject-{self.n}"],
            "fields": ["first_name", "title"],
            "outcome": "allowed",
            "rule": None,
            "trace_id": f"trace-{self.n}",
            "operation": None,
        }

    def entries(self, count: int) -> list[dict[str, Any]]:
        return [self.entry() for _ in range(count)]

    def void(self, *, unknown: bool = False) -> dict[str, Any]:
        """Take a number whose commit fails."""
        return self.void_of(self.entry(), unknown=unknown)

    def void_of(self, entry: dict[str, Any], *, unknown: bool = False) -> dict[str, Any]:
        """Sign a void instead of an entry."""
        attempted = {name: value for name, value in entry.items() if name not in {"stream", "n", "prev", "signature"}}
        kept = {name: entry[name] for name in ("stream", "n", "prev")}
        void = kept | {"void": True, "replaced": link_of(canonical(entry)), "attempted": attempted}
        return self.sign(void | ({"unknown": True} if unknown else {}))

    def mark(self, mark: int | None = None, **more: Any) -> dict[str, Any]:
        mark = self.n if mark is None else mark
        self.beat += 1
        return self.sign(
            {"stream": self.stream, "mark": mark, "head": self.links.get(mark, NOWHERE), "beat": self.beat, "at": wire_value(self.at)} | more
        )

    def crash(self, mark: int, highest: int, by: "Sender | None" = None) -> dict[str, Any]:
        """Let another process of the service announce that this one is gone."""
        return (by or Sender(self.service)).signing.sign_crash(self.stream, mark=mark, highest=highest)

    def sign(self, line: dict[str, Any]) -> dict[str, Any]:
        unsigned = {name: value for name, value in line.items() if name != "signature"}
        return {**unsigned, "signature": self.signing._signature(unsigned)}


class Taking(Sequencer):
    """A sequencer that gets lines as relays send them: a certificate comes before the lines of its stream."""

    def take(self, batch: Iterable[Any], *, now: datetime, account: str | None = None) -> list[Finding]:
        sent: list[Any] = []
        for line in batch:
            if isinstance(line, dict):
                for stream in (line.get("stream"), line.get("by")):
                    known = self._tracker.streams.get(str(stream))
                    certificate = CERTIFICATES.get(str(stream))
                    if certificate is not None and (known is None or known.certificate is None) and certificate not in sent:
                        sent.append(certificate)
            sent.append(line)
        return super().take([Sent(line, account) for line in sent], now=now)

    def inspect(self, *, now: datetime, silence: bool = False) -> list[Finding]:
        """Inspect without findings of silence, unless asked for: most senders here send no sign of life."""
        return [finding for finding in super().inspect(now=now) if silence or finding.kind != "silent"]


@dataclass
class Trail:
    """One whole trail, for its sequencer, its verifier and its attacker."""

    addresses: Addresses
    folder: Path
    key: SigningKey = field(default_factory=lambda: new_signing_key(ORIGIN))
    now: datetime = START

    @property
    def witness(self) -> WitnessFile:
        return WitnessFile(self.folder / "checkpoints.jsonl")

    @contextmanager
    def leading(self, key: SigningKey | None = None, *, witnessed: bool = True, **given: Any) -> Iterator[Taking]:
        engine = sa.create_engine(with_driver(self.addresses.runtime), poolclass=sa.NullPool)
        with engine.connect() as connection:
            # The server frees the lock of a closed connection a moment later.
            eventually(lambda: leadership.take_lead(connection), why="the lead is free")
            connection.commit()
            witness = self.witness if witnessed else None
            yield Taking(connection, **{"key": key or self.key, "services": service_keys(), "witness": witness, "now": self.now} | given)

    @contextmanager
    def holding(self) -> Iterator[sa.Connection]:
        """Yield a superuser's connection."""
        engine = sa.create_engine(with_driver(self.addresses.superuser), poolclass=sa.NullPool)
        with engine.begin() as connection:
            yield connection

    def sql(self, *statements: str, **values: Any) -> list[Any]:
        """Run a statement as a superuser, with triggers off."""
        with self.holding() as connection:
            for table in ("trail", "trail_nodes", "checkpoints", "issued_passports", "findings"):
                connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER only_added"))
            rows: list[Any] = []
            for statement in statements:
                result = connection.execute(text(statement), values)
                rows = list(result) if result.returns_rows else []
            return rows

    def verify(self, **changed: Any) -> Report:
        with self.holding() as connection:
            rows = [Row(*row) for row in connection.execute(text("SELECT position, body, leaf FROM trail ORDER BY position"))]
            signed = connection.execute(text("SELECT size, note FROM checkpoints"))
            notes = [Note(f"database, size {row.size}", row.note) for row in signed]
        notes += [Note(f"witness, line {number}", note) for number, note in self.witness.notes()]
        given: dict[str, Any] = {"key": self.key.verifier, "services": service_keys(), "leaves": None} | changed
        if self.witness.leaves_path.exists() and "leaves" not in changed:
            with Leaves(self.witness.leaves_path) as leaves:
                return verify(rows, notes, **given | {"leaves": leaves})
        return verify(rows, notes, **given)


def with_driver(url: str) -> str:
    return url.replace("postgresql://", "postgresql+psycopg://", 1)


@pytest.fixture
def make_trail(databases: Databases, tmp_path: Path) -> Iterator[Callable[[], Trail]]:
    made: list[Trail] = []

    def make() -> Trail:
        folder = tmp_path / str(len(made))
        folder.mkdir()
        made.append(Trail(databases.make("audit"), folder))
        return made[-1]

    yield make
    for one in made:
        databases.drop(one.addresses)


@pytest.fixture
def own_trail(make_trail: Callable[[], Trail]) -> Trail:
    return make_trail()


@pytest.fixture
def sender() -> Sender:
    return Sender()
