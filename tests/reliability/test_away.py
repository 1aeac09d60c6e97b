"""Take a broker or a database away for ten seconds: requests are refused with a code, and nothing is lost or half done."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterator

import pytest
import requests

from tests.journeys.client import Person
from tests.support import eventually
from tests.system import Full

pytestmark = [pytest.mark.rabbitmq, pytest.mark.timeout(300)]

#: The time for which the part is away. It is the tested case, not a wait.
AWAY = 10.0


@pytest.fixture(scope="module")
def full(rabbitmq_is_here: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Full]:
    """Run six processes over durable RabbitMQ."""
    system = Full(tmp_path_factory.mktemp("away") / "state")
    try:
        yield system.start()
    finally:
        system.stop()


def _broker_is_frozen(full: Full) -> Callable[[], None]:
    assert full.broker
    full.broker.freeze()
    return full.broker.thaw


def _database_is_stopped(full: Full) -> Callable[[], None]:
    assert full.postgres
    full.postgres.crash()
    return full.postgres.start  # type: ignore[return-value]  # what it returns is not asked for


@pytest.mark.parametrize("take_away", [_broker_is_frozen, _database_is_stopped])
def test_what_is_asked_meanwhile_is_refused_with_a_code_and_done_once_afterwards(full: Full, take_away: Callable[[Full], Callable[[], None]]) -> None:
    amina = Person(full.base).sign_in(full.account("ICE", "contributor"))
    known = amina.post("/individuals", {"first_name": "Ada", "last_name": f"Known{uuid.uuid4().hex}"})
    marker = f"Away{uuid.uuid4().hex}"
    bring_back = take_away(full)
    back = threading.Timer(AWAY, bring_back)
    back.start()
    begun = time.monotonic()
    answers: list[requests.Response] = []
    while time.monotonic() - begun < AWAY:
        answers.append(amina.ask("POST", "/individuals", json={"first_name": "Ada", "last_name": marker}, headers={"Idempotency-Key": marker}))
        answers.append(amina.ask("GET", f"/individuals/{known['id']}"))
    back.join()
    refused = [answer for answer in answers if answer.status_code == 503]
    assert refused
    assert {answer.status_code for answer in answers} <= {200, 201, 503}
    for answer in refused:
        problem = answer.json()
        assert answer.headers["Content-Type"].startswith("application/problem+json")
        assert problem["code"] in {"unavailable", "outcome-unknown", "session-uncertain"}, problem
        assert problem["detail"]
        assert marker not in answer.text
        assert ("operation_id" in problem) == (problem["code"] == "outcome-unknown")
    eventually(full.answers, 60, why="the system answers again by itself")
    done = eventually(
        lambda: (
            (a := amina.ask("POST", "/individuals", json={"first_name": "Ada", "last_name": marker}, headers={"Idempotency-Key": marker})).ok and a
        ),
        60,
        why="the same request is done",
    )
    assert done.status_code == 201
    unknown = [answer.json()["operation_id"] for answer in refused if "operation_id" in answer.json()]
    told = [amina.ask("GET", f"/operations/{operation}") for operation in unknown]
    # Of the requests with an unknown outcome at most one was done, and its record is the only one.
    was_done = [answer.json() for answer in told if answer.ok]
    assert [(each["status"], each["subject_id"]) for each in was_done] in ([], [(201, done.json()["id"])])
    assert {answer.json()["code"] for answer in told if not answer.ok} <= {"operation-unknown"}
    held = full.sql("contacts", f"SELECT id::text FROM individuals WHERE last_name = '{marker}'")
    assert held == [(done.json()["id"],)]


def test_a_service_that_is_stopped_is_missed_at_once_and_nothing_else_is(full: Full) -> None:
    amina = Person(full.base).sign_in(full.account("ICE", "contributor"))
    known = amina.post("/individuals", {"first_name": "Ada", "last_name": f"Stopped{uuid.uuid4().hex}"})
    full.processes["contacts"].terminate()
    assert full.processes["contacts"].wait(30) == 0
    try:
        for path in (f"/individuals/{known['id']}", "/individuals", f"/individuals/{known['id']}/notes"):
            refused = amina.ask("GET", path)
            assert (refused.status_code, refused.json()["code"]) == (503, "unavailable")
        refused = amina.ask("POST", "/individuals", json={"first_name": "Ada", "last_name": "Never"})
        assert (refused.status_code, refused.json()["code"]) == (503, "unavailable"), "it was not sent: nothing is unknown"
        assert amina.ask("GET", "/issues").status_code == 200, "the others answer"
    finally:
        full.spawn("contacts")
    eventually(lambda: full.takes_calls("contacts"), 60, why="contacts is back")
    assert amina.get(f"/individuals/{known['id']}")["last_name"] == known["last_name"]
    assert amina.get("/stakeholders", q="Never")["items"] == []


@pytest.mark.parametrize("take_away", [_broker_is_frozen, _database_is_stopped])
def test_asked_to_stop_every_process_ends_within_its_grace_though_what_it_waits_for_is_away(
    full: Full, take_away: Callable[[Full], Callable[[], None]]
) -> None:
    """Stop with open requests, entries to ship and calls to answer; everything continues afterwards."""
    amina = Person(full.base).sign_in(full.account("ICE", "contributor"))
    known = amina.post("/individuals", {"first_name": "Ada", "last_name": f"Grace{uuid.uuid4().hex}"})
    token = amina.token

    def ask() -> None:
        try:
            requests.get(f"{full.base}/api/v1/individuals/{known['id']}", headers={"Authorization": f"Bearer {token}"}, timeout=40)
        except requests.RequestException:
            return

    bring_back = take_away(full)
    try:
        asking = [threading.Thread(target=ask) for _ in range(5)]
        for thread in asking:
            thread.start()
        begun = time.monotonic()
        for process in full.processes.values():
            process.terminate()
        ended = {name: process.wait(40) for name, process in full.processes.items()}
        took = time.monotonic() - begun
        for thread in asking:
            thread.join()
    finally:
        bring_back()
    for name in full.processes:
        full.spawn(name)
    full.wait_ready()
    assert took < 30
    assert set(ended.values()) == {0}, ended
    amina = Person(full.base).sign_in(full.account("ICE", "contributor"))
    assert amina.get(f"/individuals/{known['id']}")["last_name"] == known["last_name"]
