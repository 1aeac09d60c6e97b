"""A service in its own process: it starts, is asked to stop, finishes what is under way, and exits."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import Any, ClassVar

import eventlet
import pytest

from services.chassis.database import Database
from services.chassis.database.stream import Stream
from services.chassis.entrypoints import DatabaseProvider, announcement_handler, rpc, timer
from services.chassis.messages import Announcement, Caller, Unavailable
from services.chassis.outbox.store import Outbox
from services.chassis.signals import is_asked_to_stop
from tests.integration.bus.conftest import World
from tests.support import eventually
from tests.support.keys import key_of, pem_of

pytestmark = pytest.mark.rabbitmq

_PROCESS = """
import services.chassis.green
import dataclasses
import os
from services.chassis import logs
from services.chassis.config import Settings
from services.chassis.runtime.process import compose, run
from tests.integration.bus.test_process import Probe
logs.configure(level="INFO", service="probe")
process = compose(Settings.read(os.environ))
# Here the services share the account of the tests.
run([(Probe, dataclasses.replace(process, account_of=lambda _: process.address.account))])
"""


class Probe:
    """Lingers."""

    name = "probe"
    database = DatabaseProvider()
    ran: ClassVar[list[str]] = []

    @rpc("probe:thing:linger", identity="anonymous")
    def linger(self, caller: Caller, seconds: float) -> dict[str, Any]:
        with self.database.work(caller) as work:
            work.record("probe:thing:linger")
        eventlet.sleep(seconds)
        return {"pid": os.getpid()}


def environ_of(world: World, database_url: str) -> dict[str, str]:
    """Return the environment of a process of the probe."""
    return {
        **os.environ,
        "SERVICE": "probe",
        "BROKER_URL": world.url,
        "DATABASE_URL": database_url,
        "PASSPORT_PUBLIC_KEY": world.keys.public,
        "SERVICE_KEY": pem_of("probe"),
        "PYTHONPATH": ".",
    }


@pytest.mark.parametrize("broker_url", ["rabbitmq"], indirect=True)
def test_sigterm_lets_a_call_finish_ships_the_outbox_and_leaves_nothing_running(world: World) -> None:
    world.declare(Probe)
    url = world._make_database()
    environ = environ_of(world, url)
    client = world.client()
    process = subprocess.Popen([sys.executable, "-W", "ignore", "-c", _PROCESS], env=environ, stderr=subprocess.PIPE)
    try:

        def first_answer() -> int:
            try:
                return int(client.call("probe", "linger", {"seconds": 0}, deadline=1)["pid"])
            except Unavailable:
                return 0

        assert eventually(first_answer, seconds=30) == process.pid
        under_way = eventlet.spawn(client.call, "probe", "linger", {"seconds": 1.0})
        eventlet.sleep(0.3)
        process.send_signal(signal.SIGTERM)
        begun = time.monotonic()
        assert under_way.wait() == {"pid": process.pid}
        assert process.wait(20) == 0
        assert time.monotonic() - begun < 15
    finally:
        process.kill()
        _, errors = process.communicate()
    assert b"process.stopped" in errors
    assert b'"level": "error"' not in errors, errors.decode()
    database = Database(url, service="probe", stream=Stream(key_of("probe")))
    with database.system_transaction() as connection:
        waiting = connection.exec_driver_sql("SELECT count(*) FROM entries WHERE NOT done").scalar_one()
        closed = connection.exec_driver_sql("SELECT count(*) FROM streams WHERE closed_at IS NULL").scalar_one()
    database.close()
    assert (waiting, closed) == (0, 0)


def test_a_process_that_cannot_start_ends_so_that_it_is_started_again() -> None:
    environ = {**os.environ, "SERVICE": "probe", "BROKER_URL": "amqp://nobody@127.0.0.1:1//", "PYTHONPATH": "."}
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", _PROCESS], env=environ, stderr=subprocess.PIPE, timeout=60, check=False)
    assert done.returncode == 1
    assert b"process.failed" in done.stderr


@dataclass(frozen=True, slots=True)
class ProbeTold(Announcement):
    """Something to be worked off for a long time."""

    name: ClassVar[str] = "probe:thing:told"
    thing: str


class Busy:
    """Runs the task named by TASK for ever, and never asks whether to stop."""

    name = "probe"
    database = DatabaseProvider()

    def _begin(self, task: str) -> bool:
        if os.environ.get("TASK") == task:
            print("begun", file=sys.stderr, flush=True)
            return True
        return False

    def _work(self, caller: Caller) -> None:
        while True:
            with self.database.work(caller) as work:
                work.record("probe:thing:work")
                eventlet.sleep(0.02)

    @timer(seconds=0.2, action="probe:thing:tick", eager=True)
    def tick(self, caller: Caller) -> None:
        if os.environ.get("TASK") == "gather":
            with self.database.work(caller) as work:
                work.record("probe:thing:tick")
        if self._begin("tick"):
            self._work(caller)

    @timer(seconds=0.2, action="probe:thing:look", eager=True)
    def look(self, caller: Caller) -> None:
        if self._begin("look"):
            while not is_asked_to_stop():
                with self.database.work(caller) as work:
                    work.record("probe:thing:look")
                eventlet.sleep(0.02)

    @timer(seconds=0.2, action="probe:thing:spin", eager=True)
    def spin(self, _caller: Caller) -> None:
        if self._begin("spin"):
            while True:
                pass

    @timer(seconds=0.2, action="probe:thing:query", eager=True)
    def query(self, _caller: Caller) -> None:
        if self._begin("query"):
            with self.database.system_transaction() as connection:
                connection.exec_driver_sql("SELECT pg_sleep(600)")

    @timer(seconds=0.2, action="probe:thing:tell", eager=True)
    def tell(self, caller: Caller) -> None:
        if os.environ.get("TASK") == "told":
            with self.database.work(caller) as work:
                work.announce(ProbeTold(thing="x"))
            eventlet.sleep(600)

    @announcement_handler(ProbeTold)
    def told(self, work: Any, _told: ProbeTold) -> None:
        if self._begin("told"):
            eventlet.sleep(600)


_BUSY = _PROCESS.replace("import Probe", "import Busy").replace("(Probe,", "(Busy,")
#: Supervisors kill after thirty seconds.
_GRACE = 30


@pytest.mark.timeout(180)
@pytest.mark.parametrize("broker_url", ["rabbitmq"], indirect=True)
@pytest.mark.parametrize("task", ["look", "tick", "query", "told", "spin"])
def test_asked_to_stop_a_process_ends_within_its_grace_whatever_it_is_doing(world: World, task: str) -> None:
    world.declare(Busy)
    environ = {
        **os.environ,
        "SERVICE": "probe",
        "BROKER_URL": world.url,
        "DATABASE_URL": world._make_database(),
        "PASSPORT_PUBLIC_KEY": world.keys.public,
        "SERVICE_KEY": pem_of("probe"),
        "PYTHONPATH": ".",
        "TASK": task,
    }
    process = subprocess.Popen([sys.executable, "-W", "ignore", "-c", _BUSY], env=environ, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr
        ready = begun = False
        for line in process.stderr:
            # A loop that never yields keeps its process from saying that it is ready.
            ready, begun = ready or "process.ready" in line or task == "spin", begun or line == "begun\n"
            if ready and begun:
                break
        asked_at = time.monotonic()
        process.send_signal(signal.SIGTERM)
        status = process.wait(_GRACE + 10)
        took = time.monotonic() - asked_at
    finally:
        process.kill()
        _, errors = process.communicate()
    assert took < _GRACE, errors
    if task == "spin":
        assert status == -signal.SIGALRM, "nothing in the process can end this but the system"
        return
    assert status == 0, errors
    assert "process.stopped" in errors
    if task == "look":
        assert took < 8, "whoever looks ends at the next step"
        assert "work.ended" not in errors


@pytest.mark.timeout(300)
@pytest.mark.parametrize("broker_url", ["rabbitmq"], indirect=True)
def test_a_backlog_in_the_outbox_keeps_no_process_from_ending_and_the_next_one_ships_the_rest(world: World) -> None:
    world.declare(Busy)
    url = world._make_database()
    database = Database(url, service="probe", stream=Stream(key_of("probe")))
    Outbox(database).open_stream()
    for part in range(10):
        with database.work(Caller.service("probe")) as work:
            for n in range(200):
                work.announce(ProbeTold(thing=f"{part}-{n}"))
            work.record("probe:thing:tell")

    def count(condition: str) -> int:
        with database.system_transaction() as connection:
            return int(connection.exec_driver_sql(f"SELECT count(*) FROM {condition}").scalar_one())

    environ = environ_of(world, url)
    try:
        for is_last in (False, True):
            process = subprocess.Popen([sys.executable, "-W", "ignore", "-c", _BUSY], env=environ, stderr=subprocess.PIPE, text=True)
            try:
                # Some are shipped, and of these some are worked off, when it is asked; the second one has the rest.
                enough = 2_000 if is_last else 1
                eventually(lambda enough=enough: count("inbox") >= enough, seconds=120, why="announcements are worked off")
                process.send_signal(signal.SIGTERM)
                status = process.wait(_GRACE)
            finally:
                process.kill()
                _, errors = process.communicate()
            assert status == 0, errors
        # Each once, by its id; what was shipped twice was known.
        assert (count("outbox WHERE NOT done"), count("inbox"), count("entries WHERE NOT done")) == (0, 2_000, 0)
    finally:
        database.close()
