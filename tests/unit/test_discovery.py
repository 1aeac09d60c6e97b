"""What a test runs on: the first backend there is, and a demanded backend or none."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support import Absent, Taken, discovery, take_broker, take_database
from tests.support.discovery import is_demanded


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without Docker, PostgreSQL or RabbitMQ."""
    for backend in ("_docker_database", "_docker_broker", "_own_node"):
        monkeypatch.setattr(discovery, backend, lambda: None)
    monkeypatch.setattr(discovery, "local_programs", lambda: None)
    monkeypatch.setattr(discovery, "embedded_programs", lambda: None)


def test_an_address_that_is_given_comes_before_everything_else() -> None:
    database = take_database({"DATABASE_URL": "postgresql://me:pw@db.example/postgres"})
    assert database.backend == "url"
    assert database.thing.url.drivername == "postgresql+psycopg"
    assert "pw" not in database.sentence
    assert take_broker({"BROKER_URL": "amqp://me:pw@mq.example//"}).thing == "amqp://me:pw@mq.example//"


@pytest.mark.usefixtures("bare")
def test_without_any_broker_the_one_in_this_process_is_taken_and_said() -> None:
    taken = take_broker({})
    assert (taken.backend, taken.thing, taken.sentence) == ("in-process", "embedded://", "in this process")


@pytest.mark.usefixtures("bare")
def test_a_required_backend_is_never_replaced_by_another() -> None:
    with pytest.raises(Absent, match=r"kind demanded \(rabbitmq\): url: not there; docker: not there; node: not there"):
        take_broker({"REQUIRE_BROKER": "rabbitmq"})
    with pytest.raises(Absent, match=r"kind demanded \(postgres\)"):
        take_database({"REQUIRE_DB": "postgres"})
    assert is_demanded("BROKER", {"REQUIRE_BROKER": "rabbitmq"})
    assert not is_demanded("DB", {"REQUIRE_BROKER": "rabbitmq"})


def test_an_unknown_backend_is_refused() -> None:
    with pytest.raises(Absent, match="unknown kind"):
        take_broker({"REQUIRE_BROKER": "kafka"})


def test_the_order_is_docker_then_a_node_of_our_own_then_in_process(monkeypatch: pytest.MonkeyPatch) -> None:
    def taken(backend: str) -> Any:
        return lambda: Taken(f"amqp://{backend}//", backend, backend)

    monkeypatch.setattr(discovery, "_docker_broker", taken("docker"))
    monkeypatch.setattr(discovery, "_own_node", taken("node"))
    assert take_broker({}).backend == "docker"
    assert take_broker({"REQUIRE_BROKER": "node"}).backend == "node"
    monkeypatch.setattr(discovery, "_docker_broker", lambda: None)
    assert take_broker({}).backend == "node"
