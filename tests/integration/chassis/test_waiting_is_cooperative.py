"""psycopg waits in C by default, and then one query blocks every greenlet."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time

import eventlet
import psycopg
import pytest
from eventlet import patcher, tpool

from services.chassis import green
from tests.support.postgres import Server

_EIGHT_AT_ONCE = """
import sys, time
if sys.argv[2] == "green":
    import services.chassis.green
else:
    import eventlet; eventlet.monkey_patch()
import eventlet, psycopg
begun = time.monotonic()
def ask(_):
    with psycopg.connect(sys.argv[1]) as connection:
        connection.execute("SELECT pg_sleep(0.4)")
list(eventlet.GreenPool(8).imap(ask, range(8)))
print(time.monotonic() - begun)
"""


def _seconds(server: Server, how: str) -> float:
    url = server.url.render_as_string(hide_password=False).replace("postgresql+psycopg", "postgresql")
    environ = {k: v for k, v in os.environ.items() if k != "PSYCOPG_WAIT_FUNC"}
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", _EIGHT_AT_ONCE, url, how], capture_output=True, check=True, timeout=60, env=environ)
    return float(done.stdout.decode().splitlines()[-1])


def test_eight_queries_wait_at_the_same_time(server: Server) -> None:
    assert _seconds(server, "green") < 1.6


def test_and_without_the_remedy_one_after_the_other(server: Server) -> None:
    assert _seconds(server, "patched only") > 2.8


def test_a_process_that_imported_psycopg_first_does_not_start() -> None:
    code = "import psycopg\nimport services.chassis.green"
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, check=False, timeout=60)
    assert done.returncode
    assert b"psycopg was imported before" in done.stderr


def test_the_check_notices_a_wait_in_c(monkeypatch: pytest.MonkeyPatch) -> None:
    green.check()
    monkeypatch.setattr(psycopg.waiting, "wait", psycopg.waiting.wait_epoll)
    with pytest.raises(RuntimeError, match="waits in C"):
        green.check()


def test_a_name_is_looked_up_beside_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    answered = patcher.original("threading").Event()

    def resolver(host: str, port: int, family: int, kind: int, proto: int, flags: int) -> list[str]:
        if flags & socket.AI_NUMERICHOST:
            raise socket.gaierror
        # It waits in C for what only the loop can do.
        assert answered.wait(30)
        return [host]

    monkeypatch.setattr(green, "_look_up", resolver)
    looking = eventlet.spawn(socket.getaddrinfo, "broker.example", 5672)
    eventlet.spawn(answered.set)
    with eventlet.Timeout(60):
        assert looking.wait() == ["broker.example"]


def test_an_address_is_not_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tpool, "execute", lambda *_: pytest.fail("an address needs no thread"))
    assert {found[4] for found in socket.getaddrinfo("127.0.0.1", 5672)} == {("127.0.0.1", 5672)}


def test_greenlets_go_on_while_a_query_runs(server: Server) -> None:
    url = server.url.render_as_string(hide_password=False).replace("postgresql+psycopg", "postgresql")
    ticks: list[float] = []

    def tick() -> None:
        while True:
            ticks.append(time.monotonic())
            eventlet.sleep(0.01)

    ticking = eventlet.spawn(tick)
    with psycopg.connect(url) as connection:
        connection.execute("SELECT pg_sleep(0.3)")
    ticking.kill()
    assert len(ticks) > 10
