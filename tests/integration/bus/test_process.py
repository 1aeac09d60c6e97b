"""A service in a process of its own: it starts, is asked to stop, finishes what is under way, and is gone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import Any, ClassVar

import eventlet
import pytest

from services.chassis.bus import DatabaseProvider, answers
from services.chassis.database import Database
from services.chassis.messages import Caller, Unavailable
from services.chassis.outbox import Stream
from services.chassis.testing import eventually
from tests.integration.bus.conftest import World

pytestmark = pytest.mark.rabbitmq

_PROCESS = """
import services.chassis.green
import os
from services.chassis import logs
from services.chassis.config import Settings
from services.chassis.process import compose, run
from tests.integration.bus.test_process import Probe
logs.configure(level="INFO", service="probe")
run([(Probe, compose(Settings.read(os.environ)))])
"""


class Probe:
    """Lingers."""

    name = "probe"
    database = DatabaseProvider()
    ran: ClassVar[list[str]] = []

    @answers("probe:thing:linger", identity="anonymous")
    def linger(self, caller: Caller, seconds: float) -> dict[str, Any]:
        with self.database.work(caller) as work:
            work.record("probe:thing:linger")
        eventlet.sleep(seconds)
        return {"pid": os.getpid()}


@pytest.mark.parametrize("broker_url", ["rabbitmq"], indirect=True)
def test_sigterm_lets_a_call_finish_ships_the_outbox_and_leaves_nothing_running(world: World) -> None:
    world.declare(Probe)
    url = world._make_database()
    environ = {
        **os.environ,
        "SERVICE": "probe",
        "BROKER_URL": world.url,
        "DATABASE_URL": url,
        "PASSPORT_PUBLIC_KEY": world.keys.public,
        "PYTHONPATH": ".",
    }
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
    database = Database(url, service="probe", stream=Stream())
    with database.plain() as connection:
        waiting = connection.exec_driver_sql("SELECT count(*) FROM entries WHERE NOT done").scalar_one()
        closed = connection.exec_driver_sql("SELECT count(*) FROM streams WHERE closed_at IS NULL").scalar_one()
    database.close()
    assert (waiting, closed) == (0, 0)


def test_a_process_that_cannot_start_ends_so_that_it_is_started_again() -> None:
    environ = {**os.environ, "SERVICE": "probe", "BROKER_URL": "amqp://nobody@127.0.0.1:1//", "PYTHONPATH": "."}
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", _PROCESS], env=environ, stderr=subprocess.PIPE, timeout=60, check=False)
    assert done.returncode == 1
    assert b"process.failed" in done.stderr
