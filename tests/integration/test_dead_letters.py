"""`liaison dead-letters`: what was put aside is seen without its content, and whatever an operator does is recorded first."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import kombu
import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result

from deploy.dead_letters import dead_letters
from deploy.migrations import runtime_of
from deploy.postgres import OwnServer, url_for
from deploy.provision import declare, migrate
from deploy.state import StateFolder
from services.chassis.transport import embedded
from services.chassis.transport.connection import Address
from services.chassis.transport.embedded import Broker
from tests.support.postgres import FAST


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A stopped system in whose broker one message of contacts is dead-lettered."""
    for name in ("DATABASE_URL", "BROKER_URL", "SECRETS"):
        monkeypatch.delenv(name, raising=False)
    folder = tmp_path / "data"
    embedded.register()
    with StateFolder(folder) as state:
        with OwnServer(state.postgres, state.secrets["postgres_password"], settings=FAST) as server:
            list(migrate(server.url, state.secrets))
        broker = f"embedded://dead-letters/{quote(str(state.journal))}"
        declare(Address(url=broker))
        with kombu.Connection(broker) as connection:
            kombu.Producer(connection).publish(
                {"secret": "Dov Quillfeather"}, exchange="", routing_key="contacts.dead-letters", delivery_mode=2, message_id="m-1", serializer="json"
            )
    yield folder
    Broker.by_name.pop("dead-letters", None)


def run(data: Path, *words: str) -> Result:
    return CliRunner().invoke(dead_letters, [*words, "--data", str(data), "--operator", "olga"])


def test_dead_letters_are_listed_without_its_content(data: Path) -> None:
    told = run(data, "list", "--json")
    assert told.exit_code == 0, told.output
    (message,) = json.loads(told.stdout)
    assert (message["queue"], message["id"]) == ("contacts.inbox", "m-1")
    assert "Quillfeather" not in told.output
    assert "Quillfeather" not in run(data, "show", "contacts.inbox", "m-1").output


@pytest.mark.requirement("R125")
def test_what_is_discarded_is_gone_and_in_the_trail_under_the_operators_name(data: Path) -> None:
    told = run(data, "discard", "contacts.inbox", "m-1", "--yes")
    assert (told.exit_code, told.stdout) == (0, "1 discarded.\n"), told.output
    assert run(data, "list").stdout == "There are no dead letters.\n"
    with StateFolder(data) as state, OwnServer(state.postgres, state.secrets["postgres_password"], settings=FAST) as server:
        role = runtime_of("contacts")
        engine = sa.create_engine(url_for(server.url, "liaison_contacts", role, state.secrets.password_of(role)), poolclass=sa.NullPool)
        with engine.connect() as connection:
            entries = connection.execute(sa.text("SELECT body FROM entries WHERE n > 0")).scalars().all()
    assert [(e["action"], e["actor"], e["actor_kind"], e["subjects"]) for e in entries] == [
        ("contacts:dead-letter:discard", "olga", "operator", ["m-1"])
    ]


def test_a_system_that_runs_is_not_disturbed(data: Path) -> None:
    with StateFolder(data):
        told = run(data, "list")
    assert told.exit_code == 1
    assert "stop that one first" in told.output
