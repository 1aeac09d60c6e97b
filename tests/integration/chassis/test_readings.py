"""The autocommit reader: each statement stands by itself, and an entry is durable before anything leaves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import pytest
import sqlalchemy as sa
from sqlalchemy import event, text

from services.chassis.database import Database, DatabaseUnavailable, audited_calls
from services.chassis.messages import Announcement
from services.chassis.outbox.store import Outbox
from tests.support import Databases, a_caller


@dataclass(frozen=True, slots=True)
class Moved(Announcement):
    """Somebody moved."""

    name: ClassVar[str] = "tests:somebody:moved"
    somebody_id: str


@pytest.fixture
def database(databases: Databases) -> Iterator[Database]:
    with databases.opened("contacts") as opened:
        Outbox(opened).open_stream()
        yield opened


def _entries(database: Database) -> list[Any]:
    with database.system_transaction() as connection:
        return [row.body for row in connection.execute(text("SELECT body FROM entries ORDER BY n"))]


@pytest.mark.requirement("R119")
def test_it_is_recorded_without_a_transaction_around_it(database: Database) -> None:
    statements: list[str] = []
    event.listen(database.engine, "before_cursor_execute", lambda *told: statements.append(told[2]))
    event.listen(database.engine, "commit", lambda _: statements.append("COMMIT"))
    amina = a_caller("ICE")
    with audited_calls() as audited, database.reading(amina) as work:
        assert work.execute(text("SELECT 41 + 1")).scalar_one() == 42
        work.record("tests:somebody:read", subjects=["1"])
    assert audited()
    assert len(statements) - statements.count("COMMIT") == 2
    (entry,) = _entries(database)
    assert (entry["actor"], entry["subjects"], entry["n"]) == (amina.id, ["1"], 1)


@pytest.mark.requirement("R119")
def test_without_its_entry_nothing_is_answered(database: Database) -> None:
    def refuse(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if "INSERT INTO entries" in statement:
            raise OSError

    with audited_calls() as audited:
        event.listen(database.engine, "before_cursor_execute", refuse)
        with pytest.raises(OSError), database.reading(a_caller()) as work:
            work.record("tests:somebody:read")
        event.remove(database.engine, "before_cursor_execute", refuse)
    assert not audited()
    assert [(void.n, void.unknown) for void in database.stream.take_voids()] == [(1, False)]


@pytest.mark.requirement("R154", "T5")
def test_it_sees_nothing_of_what_row_level_security_guards_whoever_reads(database: Database) -> None:
    shown = text("SELECT current_setting('app.component', true) AS component")
    with database.work(a_caller("ICE")) as work:
        assert work.execute(shown).scalar_one() == "ICE"
    with database.reading(a_caller("ICE")) as work:
        assert not work.execute(shown).scalar_one(), "the connection is the same one, and the former transaction's setting is gone"


def test_it_changes_nothing_that_is_announced(database: Database) -> None:
    with pytest.raises(RuntimeError, match="does not announce"), database.reading(a_caller()) as work:
        work.announce(Moved("1"))


def test_a_connection_that_died_while_it_lay_idle_is_replaced_once(databases: Databases, database: Database) -> None:
    superuser = sa.create_engine(databases.server.url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)

    def kill() -> None:
        with superuser.connect() as connection:
            connection.execute(
                text("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = :name"), {"name": database.engine.url.database}
            )

    with database.reading(a_caller()) as work:
        work.execute(text("SELECT 1"))
    kill()
    answered: list[int] = []
    with pytest.raises(DatabaseUnavailable), database.reading(a_caller()) as work:
        answered.append(work.execute(text("SELECT 1")).scalar_one())
        kill()
        answered.append(work.execute(text("SELECT 2")).scalar_one())
    assert answered == [1]
