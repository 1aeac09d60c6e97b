"""P3: slow down or break the line between every pair of parts: nothing is lost or stuck, and the system recovers."""

from __future__ import annotations

import os
import random
import re
import secrets
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from deploy.migrations import SERVICES
from tests.journeys.client import Person
from tests.reliability.ledger import Client, compare_settled, wait_drained
from tests.reliability.lines import Cell, Lined, cells
from tests.rows import figure
from tests.support import eventually

#: The number of pairs and faults to test: all, or three different ones.
CELLS = figure(1000, 3, given="CELLS")
#: A pattern for the names of pairs and faults to test.
ONLY = os.environ.get("LINES", "")
#: The time for which a line is broken: 30 s in `make soak`, else as long as heartbeats need to notice.
BROKEN = {"delay": figure(30, 8), "reset": figure(10, 2), "black hole": figure(30, 14), "sliced": figure(10, 4), "half open": figure(30, 4)}
STUCK, WELL_WITHIN, DRAINED_WITHIN = 35.0, 60.0, 120.0
CLIENTS = 4
#: Seconds between requests of a client, so that the machine is not overloaded.
_PACE = 0.5

pytestmark = [pytest.mark.rabbitmq, pytest.mark.row("P3"), pytest.mark.timeout(figure(0, 600))]


@pytest.fixture(scope="module")
def lined(rabbitmq_is_here: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lined]:
    """Run six processes over durable RabbitMQ, with a proxy on every line."""
    system = Lined(tmp_path_factory.mktemp("lines") / "state", environ={"LOOKUPS_OF_CONTRIBUTOR": "1000000000"})
    try:
        yield system.start()
    finally:
        system.stop()


class Patient(Client):
    """A client that measures the time of its answers."""

    def __init__(self, *given: Any, **more: Any) -> None:
        """Create a client without measurements."""
        super().__init__(*given, **more)
        self.longest = (0.0, "")

    def _ask(self, method: str, path: str, *given: Any, **more: Any) -> requests.Response | None:
        begun = time.monotonic()
        answer = super()._ask(method, path, *given, **more)
        self.longest = max(self.longest, (time.monotonic() - begun, f"{method} {path}: {answer.status_code if answer is not None else 'none'}"))
        self._stop_asked.wait(_PACE)
        return answer


def _is_well(lined: Lined, person: Person) -> bool:
    """Return whether every part answers and a command works."""
    if not all(map(lined.takes_calls, SERVICES)):
        return False
    try:
        if requests.get(f"{person.base}/api/v1/health/ready", timeout=5).status_code != requests.codes.ok:
            return False
        made = person.ask("POST", "/issues", json={"name": f"Well {secrets.token_hex(4)}", "priority": "immigration"})
        seen = person.ask("GET", "/individuals", params={"limit": 1})
    except requests.RequestException:
        return False
    return made.status_code == requests.codes.created and seen.status_code == requests.codes.ok


@pytest.mark.requirement("R118", "R119", "R120")
def test_a_slow_or_broken_line_loses_nothing_and_holds_nobody_and_is_well_again_by_itself(lined: Lined) -> None:
    seed = int(os.environ.get("SEED_OF_LINES") or secrets.randbelow(10**6))
    every = cells(random.Random(seed))
    chosen = [cell for cell in every if re.search(ONLY, str(cell))][:CELLS]
    print(f"P3: SEED_OF_LINES={seed}: {len(chosen)} of {len(every)} pairs and faults; broken for {BROKEN} s")
    pids = {name: process.pid for name, process in lined.processes.items()}
    first = Person(lined.base).sign_in(lined.account("ICE", "contributor"))
    issue = first.post("/issues", {"name": "Worksite enforcement", "priority": "immigration"})["id"]
    probe = {"first_name": "A", "last_name": "B", "issue_ids": [issue]}
    eventually(lambda: first.ask("POST", "/individuals", json=probe).status_code == 201, why="contacts hears of the issue")
    stop = threading.Event()
    people = [Person(lined.base).sign_in(account) for account in lined.contributors(CLIENTS)]
    workers = [Patient(person, issue, seed + n, stop) for n, person in enumerate(people)]
    for worker in workers:
        worker.start()
    try:
        for cell in chosen:
            print(f"P3: {cell}: {_broken(lined, cell, first, stop)}")
    finally:
        stop.set()
    for worker in workers:
        worker.join(150)
        assert not worker.is_alive(), "a client still waits for its answer"
    assert {name: process.pid for name, process in lined.processes.items() if process.poll() is None} == pids, "nothing ended"
    wait_drained(lined, DRAINED_WITHIN)
    ledgers = [worker.ledger for worker in workers]
    surprises = [surprise for ledger in ledgers for surprise in ledger.surprises]
    assert not surprises, surprises[:5]
    result = compare_settled(lined, ledgers, seconds=30)
    longest = max(worker.longest for worker in workers)
    print(f"P3: {result.acknowledged} acknowledged, {sum(ledger.again for ledger in ledgers)} tried again; {result.figures}; longest {longest}")
    assert result.problems == {}, f"seed {seed}"
    assert longest[0] <= STUCK, f"seed {seed}: {longest[1]} took {longest[0]:.0f} s"
    verified = subprocess.run(
        [sys.executable, "-m", "deploy.cli", "audit", "verify", *lined.audit_arguments], capture_output=True, text=True, timeout=120, check=False
    )
    assert verified.returncode == 0, verified.stdout + verified.stderr


def _broken(lined: Lined, cell: Cell, asks: Person, stop: threading.Event) -> str:
    """Break a line for its time and wait until the system recovers; return what the fault affected."""
    line = lined.lines.lines[cell.process, cell.to]
    with lined.lines.broken(line, cell.fault, cell.hits):
        # The time for which the line is broken is the tested case, not a wait.
        stop.wait(BROKEN[cell.fault])
        eventually(lambda: line.met, 30, why=f"something goes over the line: {cell}")
    begun = time.monotonic()
    eventually(lambda: _is_well(lined, asks), WELL_WITHIN, why=f"the system is well after {cell}")
    return f"met {line.met}, well after {time.monotonic() - begun:.1f} s"
