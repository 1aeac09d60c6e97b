"""P1: whatever is killed, acknowledged work exists once, reaches all services, and is in the trail."""

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

from tests.journeys.client import Person
from tests.reliability.faults import faults
from tests.reliability.ledger import Client, Comparison, compare_settled, wait_drained
from tests.rows import figure
from tests.support import eventually
from tests.system import Full

FAULTS = figure(500, 50, given="FAULTS")
OPERATIONS = figure(300_000, 20_000, given="OPERATIONS")
CLIENTS = int(os.environ.get("CLIENTS") or 12)
#: The time limit: four times a run on two idle cores. A slower run ends with its seed and figures.
_SECONDS = figure(12 * 3600, 1800, given="SECONDS_OF_FAULTS")
#: The shortest and the longest time between two faults; within them, until the share of operations is done.
_CALM = (0.3, 1.5)
_CALM_AT_MOST = 20.0
_BACK_WITHIN = 90.0
_DRAINED_WITHIN = 120.0

pytestmark = [pytest.mark.rabbitmq, pytest.mark.timeout(_SECONDS + 400), pytest.mark.row("P1")]


@pytest.fixture
def full(rabbitmq_is_here: None, tmp_path: Path) -> Iterator[Full]:
    """Run six processes over durable RabbitMQ."""
    # Eight users enter in hours what real users enter in years.
    system = Full(tmp_path / "state", environ={"LOOKUPS_OF_CONTRIBUTOR": "1000000000"})
    try:
        yield system.start()
    finally:
        system.stop()


class Torment:
    """Clients that work during faults."""

    def __init__(self, system: Full, seed: int, *, clients: int) -> None:
        """Sign in all clients."""
        self._system = system
        self._chance = random.Random(seed)
        self._stop = threading.Event()
        first = Person(system.base).sign_in(system.account("ICE", "contributor"))
        issue = first.post("/issues", {"name": "Worksite enforcement", "priority": "immigration"})["id"]
        people = [Person(system.base).sign_in(account) for account in system.contributors(clients)]
        eventually(
            lambda: first.ask("POST", "/individuals", json={"first_name": "A", "last_name": "B", "issue_ids": [issue]}).status_code == 201,
            why="contacts hears of the issue",
        )
        self._workers = [Client(person, issue, seed + n, self._stop) for n, person in enumerate(people)]
        self.brought_about: list[str] = []
        self.drained_in = 0.0

    @property
    def acknowledged(self) -> int:
        """Return the number of operations acknowledged so far."""
        return sum(worker.ledger.acknowledged for worker in self._workers)

    @property
    def figures(self) -> str:
        """Return the figures so far."""
        ledgers = [worker.ledger for worker in self._workers]
        return (
            f"{len(self.brought_about)} faults, {self.acknowledged} operations acknowledged ({sum(len(x.created) for x in ledgers)} created, "
            f"{sum(len(x.logged) for x in ledgers)} logged, {sum(x.corrected for x in ledgers)} corrected, "
            f"{sum(len(x.imported) for x in ledgers)} imported, {sum(len(x.erased) for x in ledgers)} erased, "
            f"{sum(len(x.reads) for x in ledgers)} read), {sum(x.again for x in ledgers)} tried again"
        )

    def run(self, *, count: int, operations: int, seconds: float) -> Comparison:
        """Cause a number of faults during a number of acknowledged operations, and compare after everything is drained."""
        deadline = time.monotonic() + seconds
        for worker in self._workers:
            worker.start()
        try:
            for number, (name, bring_about) in enumerate(faults(self._system, self._chance), start=1):
                self._calm(operations * number // (count + 1))
                if number > count or time.monotonic() > deadline:
                    break
                bring_about()
                self.brought_about.append(name)
                self._wait_back(name)
            while self.acknowledged < operations and time.monotonic() < deadline:
                self._calm(operations)
        finally:
            self._stop.set()
        for worker in self._workers:
            worker.join(400)
            assert not worker.is_alive(), "a client still waits for its answer"
        begun = time.monotonic()
        wait_drained(self._system, _DRAINED_WITHIN)
        self.drained_in = time.monotonic() - begun
        surprises = [surprise for worker in self._workers for surprise in worker.ledger.surprises]
        assert not surprises, surprises[:5]
        return compare_settled(self._system, [worker.ledger for worker in self._workers], seconds=30)

    def _calm(self, share: int) -> None:
        # The calm time between faults is part of the test, not a wait.
        self._stop.wait(self._chance.uniform(*_CALM))
        end = time.monotonic() + _CALM_AT_MOST
        while self.acknowledged < share and time.monotonic() < end:
            self._stop.wait(0.1)

    def _wait_back(self, name: str) -> None:
        # Asked only a few times a second, because each question costs every service time.
        eventually(lambda: self._stop.wait(0.25) or self._system.answers(), _BACK_WITHIN, why=f"the system answers again after: {name}")


@pytest.mark.requirement("R118", "R119", "R120", "R126")
def test_nothing_acknowledged_is_lost_whatever_is_killed(full: Full) -> None:
    seed = int(os.environ.get("SEED_OF_FAULTS") or secrets.randbelow(10**6))
    print(f"SEED_OF_FAULTS={seed}")
    torment = Torment(full, seed, clients=CLIENTS)
    begun = time.monotonic()
    try:
        result = torment.run(count=FAULTS, operations=OPERATIONS, seconds=_SECONDS)
    finally:
        # The output has the seed and the figures, however the run ends.
        print(f"seed {seed}: {torment.figures}, in {time.monotonic() - begun:.0f} s; the last fault: {torment.brought_about[-1:]}")
    print(f"P1: {torment.figures}; drained in {torment.drained_in:.1f} s; {result.figures}")
    assert result.problems == {}, f"seed {seed}"
    assert len(torment.brought_about) >= FAULTS, f"seed {seed}: the time was up"
    assert result.acknowledged >= OPERATIONS, f"seed {seed}: the time was up"
    verified = subprocess.run(
        [sys.executable, "-m", "deploy.cli", "audit", "verify", *full.audit_arguments], capture_output=True, text=True, timeout=120, check=False
    )
    assert verified.returncode == 0, verified.stdout + verified.stderr
