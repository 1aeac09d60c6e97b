"""Child processes that compute: limited, replaced when they end, and ended with their parent."""

from __future__ import annotations

import fractions
import math
import operator
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import eventlet
import pytest

from services.chassis.messages import Invalid, Refusal, TooLarge, Unavailable
from services.chassis.sandbox.pool import _CHILDREN, Pool
from tests.support.waiting import eventually


class TooCostly(TooLarge):
    """It takes too much."""

    code = "too-costly-here"


@pytest.fixture
def pool() -> Iterator[Pool]:
    pool = Pool(seconds=1, waited=20.0)
    yield pool
    pool.end()
    assert pool.pids == []


def is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    try:
        said = Path(f"/proc/{pid}/stat").read_text(encoding="ascii")
    except (FileNotFoundError, ProcessLookupError):
        return False
    return said.rpartition(")")[2].split()[0] != "Z"


def pid_of(pool: Pool) -> int:
    return int(pool.run(os.getpid, refusal=TooCostly))


def test_it_computes_in_another_process_and_the_next_question_goes_to_the_same(pool: Pool) -> None:
    assert pid_of(pool) == pid_of(pool) != os.getpid()
    assert pool.pids == [pid_of(pool)]


def test_nothing_of_the_environment_goes_along(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIAISON_SECRET", "x")
    assert pool.run(os.getenv, "LIAISON_SECRET", refusal=TooCostly) is None


def killed(pool: Pool) -> None:
    eventlet.spawn_after(0.05, lambda: [os.kill(pid, signal.SIGKILL) for pid in pool.pids])
    pool.run(time.sleep, 15, refusal=TooCostly)


def late(pool: Pool) -> None:
    pool.waited = 0.2
    try:
        pool.run(time.sleep, 15, refusal=TooCostly)
    finally:
        pool.waited = 20.0


@pytest.mark.parametrize(
    "asked",
    [
        killed,
        late,
        lambda pool: pool.run(math.factorial, 3_000_000, refusal=TooCostly),
        lambda pool: pool.run(operator.mul, "a", 2 << 30, refusal=TooCostly),
        lambda pool: pool.run(math.sqrt, -1.0, refusal=TooCostly),
        lambda pool: pool.run(os._exit, 0, refusal=TooCostly),
        lambda pool: pool.run(os.abort, refusal=TooCostly),
        lambda pool: pool.run(fractions.Fraction, 1, refusal=TooCostly),
    ],
    ids=["killed", "late", "time", "memory", "mistake", "exit", "abort", "an answer that is no plain value"],
)
def test_what_cannot_be_done_is_refused_and_the_next_question_is_answered(pool: Pool, asked) -> None:
    with pytest.raises(TooCostly):
        asked(pool)
    assert pid_of(pool) != os.getpid()


def test_who_waits_when_the_pool_is_ended_is_told_that_it_is_unavailable_and_not_that_it_costs_too_much(pool: Pool) -> None:
    eventlet.spawn_after(0.05, pool.end)
    with pytest.raises(Unavailable):
        pool.run(time.sleep, 15, refusal=TooCostly)
    assert pid_of(pool) != os.getpid()


def test_a_refusal_comes_back_as_what_it_was(pool: Pool) -> None:
    from services.contacts.contract.imports import NotAWorkbook
    from services.contacts.domain.imports.reading import read
    from services.contacts.domain.imports.tables import check_columns

    assert issubclass(NotAWorkbook, Invalid)
    with pytest.raises(NotAWorkbook, match="can't be read as one"):
        pool.run(read, "a.xlsx", b"hello", refusal=TooCostly)
    with pytest.raises(Refusal) as refused:
        pool.run(check_columns, 200, refusal=TooCostly)
    assert refused.value.code == "too-many-columns"


def test_the_loop_goes_on_while_it_computes(pool: Pool) -> None:
    pid_of(pool)
    seen = []
    asking = eventlet.spawn(pool.run, time.sleep, 0.3, refusal=TooCostly)
    while not asking.dead:
        seen.append(1)
        eventlet.sleep(0.01)
    assert len(seen) > 3


def test_one_child_at_most_rests_and_a_large_one_never(pool: Pool) -> None:
    for asking in [eventlet.spawn(pool.run, time.sleep, 0.2, refusal=TooCostly) for _ in range(2 * _CHILDREN)]:
        asking.wait()
    assert len(pool.pids) == 1
    resting = pool.pids[0]
    pool.run(operator.mul, "a", 120 << 20, refusal=TooCostly)
    eventually(lambda: not is_there(resting))


def test_a_child_that_has_nothing_to_do_is_let_go() -> None:
    pool = Pool(idle=0.05)
    resting = pid_of(pool)
    eventually(lambda: not is_there(resting))
    assert pool.pids == []


def test_whoever_gives_up_leaves_no_child_at_work(pool: Pool) -> None:
    asking = eventlet.spawn(pool.run, time.sleep, 15, refusal=TooCostly)
    eventually(lambda: pool.pids)
    (at_work,) = pool.pids
    asking.kill()
    eventually(lambda: not is_there(at_work))
    assert pool.pids == []


STARTED = """
import services.chassis.green
import os, signal, sys, time
from services.chassis.sandbox.pool import Pool
from services.chassis.messages import TooLarge
import eventlet
# Whoever runs the tests in the background has this one ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)
pool = Pool()
print(pool.run(os.getpid, refusal=TooLarge), flush=True)
eventlet.spawn(pool.run, time.sleep, 60, refusal=TooLarge)
eventlet.sleep(0)
sys.stdin.read()
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_child_ends_with_whoever_started_it(number: signal.Signals) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", STARTED], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert parent.stdout is not None
    assert parent.stdin is not None
    child = int(parent.stdout.readline())
    assert is_there(child)
    parent.send_signal(number)
    parent.wait(20)
    eventually(lambda: not is_there(child))
    parent.stdin.close()
    parent.stdout.close()
