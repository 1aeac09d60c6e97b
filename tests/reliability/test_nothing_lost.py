"""P1: whatever is killed, whatever was acknowledged is there once, was heard by everyone, and is in the trail."""

from __future__ import annotations

import os
import random
import secrets
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.chassis.testing import eventually
from tests.journeys.client import Person
from tests.reliability.faults import faults
from tests.reliability.ledger import Client, Comparison, compare, wait_drained
from tests.system import Full

pytestmark = [pytest.mark.rabbitmq, pytest.mark.timeout(900)]

_SOAK = bool(os.environ.get("SOAK"))
FAULTS = 500 if _SOAK else 20
OPERATIONS = 300_000 if _SOAK else 5_000
#: Between two faults the system works; a fault that hits a system that is still down proves little.
_BETWEEN = 3.0


@pytest.fixture
def full(rabbitmq_is_here: None, tmp_path: Path) -> Iterator[Full]:
    """Six processes over RabbitMQ, durable."""
    system = Full(tmp_path / "state")
    try:
        yield system.start()
    finally:
        system.stop()


def torment(system: Full, seed: int, *, count: int, operations: int, clients: int = 6) -> Comparison:
    """Let clients work while faults come; return the comparison, after everything is drained."""
    chance = random.Random(seed)
    stop = threading.Event()
    first = Person(system.base).sign_in(system.account("ICE", "contributor"))
    issue = first.post("/issues", {"name": "Worksite enforcement", "priority": "immigration"})["id"]
    people = [Person(system.base).sign_in(account) for account in system.contributors(clients)]
    eventually(
        lambda: first.ask("POST", "/individuals", json={"first_name": "A", "last_name": "B", "issue_ids": [issue]}).status_code == 201,
        why="contacts hears of the issue",
    )
    workers = [Client(person, issue, seed + n, stop) for n, person in enumerate(people)]
    for worker in workers:
        worker.start()
    brought_about: list[str] = []
    for name, bring_about in faults(system, chance):
        if len(brought_about) >= count and sum(w.ledger.acknowledged for w in workers) >= operations:
            break
        time.sleep(_BETWEEN * chance.uniform(0.5, 1.5))  # the length of calm between faults, not a wait for anything
        if len(brought_about) < count:
            bring_about()
            brought_about.append(name)
            eventually(system.answers, 60, why=f"the system answers again after: {name}")
    stop.set()
    for worker in workers:
        worker.join(90)
        assert not worker.is_alive()
    begun = time.monotonic()
    wait_drained(system, 120)
    ledgers = [worker.ledger for worker in workers]
    result = compare(system, ledgers)
    print(
        f"seed {seed}: {len(brought_about)} faults, {result.acknowledged} acknowledged, {sum(x.again for x in ledgers)} tried again, "
        f"drained in {time.monotonic() - begun:.1f} s; {result.problems or 'nothing lost, nothing twice'}"
    )
    surprises = [surprise for ledger in ledgers for surprise in ledger.surprises]
    assert not surprises, surprises[:5]
    return result


@pytest.mark.requirement("R118", "R119", "R120", "R126")
def test_nothing_acknowledged_is_lost_whatever_is_killed(full: Full) -> None:
    seed = int(os.environ.get("SEED_OF_FAULTS") or secrets.randbelow(10**6))
    result = torment(full, seed, count=FAULTS, operations=OPERATIONS)
    assert result.problems == {}, f"seed {seed}"
    assert result.acknowledged >= OPERATIONS
    verified = subprocess.run(
        [sys.executable, "-m", "deploy.cli", "audit", "verify", *full.audit_arguments], capture_output=True, text=True, timeout=120, check=False
    )
    assert verified.returncode == 0, verified.stdout + verified.stderr
