"""A trail of one's own: a migrated database, a key, a witness's file, and lines as relays send them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import text

from services.audit.domain.verification import Note, Report, Row, verify
from services.audit.storage import trail
from services.audit.storage.witness import Leaves, WitnessFile
from services.audit.usecases.sequencing import Sequencer
from services.chassis.checkpoints import SigningKey
from services.chassis.messages import new_id, wire_value
from services.chassis.testing import Databases
from services.chassis.testing.databases import Addresses

ORIGIN = "liaison.test/audit"
START = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


class Sender:
    """One process that records: its stream, and the entries that it sends."""

    def __init__(self, service: str = "contacts") -> None:
        self.service = service
        self.stream = new_id()
        self.n = 0
        self.at = START

    def entry(self, **changed: Any) -> dict[str, Any]:
        self.n += 1
        self.at += timedelta(milliseconds=7)
        return {
            "stream": self.stream,
            "n": self.n,
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
        } | changed

    def entries(self, count: int) -> list[dict[str, Any]]:
        return [self.entry() for _ in range(count)]

    def void(self, *, unknown: bool = False) -> dict[str, Any]:
        self.n += 1
        return {"stream": self.stream, "n": self.n, "void": True} | ({"unknown": True} if unknown else {})

    def mark(self, mark: int | None = None, **more: Any) -> dict[str, Any]:
        return {"stream": self.stream, "mark": self.n if mark is None else mark, "at": wire_value(self.at)} | more


@dataclass
class Trail:
    """The whole of one trail, as its sequencer, its verifier and its attacker see it."""

    addresses: Addresses
    folder: Path
    key: SigningKey = field(default_factory=lambda: SigningKey.generate(ORIGIN))
    now: datetime = START

    @property
    def witness(self) -> WitnessFile:
        return WitnessFile(self.folder / "checkpoints.jsonl")

    @contextmanager
    def leading(self, key: SigningKey | None = None, *, witnessed: bool = True) -> Iterator[Sequencer]:
        engine = sa.create_engine(with_driver(self.addresses.runtime), poolclass=sa.NullPool)
        with engine.connect() as connection:
            assert trail.take_lead(connection)
            connection.commit()
            yield Sequencer(connection, key=key or self.key, witness=self.witness if witnessed else None, now=self.now)

    def sql(self, *statements: str, **values: Any) -> list[Any]:
        """Do what a superuser can do, triggers off."""
        engine = sa.create_engine(with_driver(self.addresses.superuser), poolclass=sa.NullPool)
        with engine.begin() as connection:
            for table in ("trail", "trail_nodes", "checkpoints", "issued_passports", "findings"):
                connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER only_added"))
            rows: list[Any] = []
            for statement in statements:
                result = connection.execute(text(statement), values)
                rows = list(result) if result.returns_rows else []
            return rows

    def verify(self, **changed: Any) -> Report:
        rows = [Row(*row) for row in self.sql("SELECT position, body, leaf FROM trail ORDER BY position")]
        notes = [Note(f"database, size {row.size}", row.note) for row in self.sql("SELECT size, note FROM checkpoints")]
        notes += [Note(f"witness, line {number}", note) for number, note in self.witness.notes()]
        given: dict[str, Any] = {"key": self.key.verifier, "leaves": None} | changed
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
