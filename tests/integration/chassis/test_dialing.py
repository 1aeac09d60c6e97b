"""A database with an open connection that sends nothing: the client gives up, and the connection is closed."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from services.chassis.database import Database, DatabaseUnavailable
from services.chassis.database.connecting import Dialed, waiting_longer
from tests.support import Databases

SERVICES = Path(__file__).parents[3] / "services"
#: The server is silent for a minute: nobody here waits so long.
SILENCE = text("SELECT pg_sleep(60)")


@pytest.fixture
def database(databases: Databases, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    with databases.opened("interactions") as opened:
        monkeypatch.setattr(Dialed, "patience", 0.3)
        yield opened


def test_whoever_hears_nothing_from_the_database_is_told_that_it_is_away_and_the_next_is_connected_anew(database: Database) -> None:
    with pytest.raises(DatabaseUnavailable), database.system_transaction() as connection:
        (first,) = connection.execute(text("SELECT pg_backend_pid()")).scalars()
        connection.execute(SILENCE)
    with database.system_transaction() as connection:
        assert connection.execute(text("SELECT pg_backend_pid()")).scalar_one() != first


def test_what_may_take_long_is_waited_for(database: Database) -> None:
    with database.system_transaction() as connection:
        with waiting_longer(connection, 20.0):
            connection.execute(text("SELECT pg_sleep(0.6)"))
        with pytest.raises(DatabaseUnavailable), database.system_transaction() as other:
            other.execute(SILENCE)


def test_nobody_in_a_service_is_connected_otherwise() -> None:
    """`Logins` makes every engine's connections; nothing else in a service calls psycopg's own `connect`."""
    wrong = []
    for path in SERVICES.rglob("*.py"):
        if {"migrations", "migrations.py", "testing"} & set(path.parts):
            continue
        called = {ast.unparse(node.func) for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)}
        if "psycopg.connect" in called or ("create_engine" in called and not any(name.endswith(".attach_to") for name in called)):
            wrong.append(str(path))
    assert wrong == []
