"""The HTTP server over a socket: what it accepts, how much of it, and for how long."""

from __future__ import annotations

import errno
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

import eventlet
import pytest
from eventlet.event import Event
from greenlet import GreenletExit

from gateway import connections, server
from gateway.app import create_app
from services.chassis.config import Settings
from tests.unit.gateway.fakes import TOKEN, FakeBus, heard, opened

ID = "0197f2a0-0000-7000-8000-0000000000b0"
PLACES = 20


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """A server on loopback, with deadlines short enough for a test."""
    monkeypatch.setattr(server, "HEADER_DEADLINE", 0.3)
    monkeypatch.setattr(server, "BODY_DEADLINE", 0.3)
    yield from _serving()


@pytest.fixture
def crowded(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """A server with a few places, and with the product's deadlines."""
    monkeypatch.setattr(server, "MAX_CONNECTIONS", PLACES)
    yield from _serving()


@pytest.fixture
def exhausted() -> Iterator[int]:
    """A server whose process cannot open more files when the first five connections come."""
    yield from _serving(lambda listener: Exhausted(listener, 5))


class Exhausted:
    """A listening socket of a process that cannot open more files for a while."""

    def __init__(self, listener: Any, times: int) -> None:
        self._listener, self._left = listener, times

    def accept(self) -> Any:
        taken = self._listener.accept()
        if self._left:
            self._left -= 1
            taken[0].close()
            raise OSError(errno.EMFILE, "Too many open files")
        return taken

    def __getattr__(self, name: str) -> Any:
        return getattr(self._listener, name)


def _serving(through: Callable[[Any], Any] = lambda listener: listener) -> Iterator[int]:
    bus = FakeBus(
        {
            ("access", "open_session"): opened(),
            ("contacts", "register_individual"): {"id": ID},
            ("contacts", "create_import"): {"id": ID, "state": "uploading"},
            ("contacts", "append_import"): {},
        }
    )
    with _served(create_app(bus, heard(), Settings(service="gateway", cookie_secure=False)), through) as port:
        yield port


@contextmanager
def _served(app: Any, through: Callable[[Any], Any] = lambda listener: listener) -> Iterator[int]:
    listener = eventlet.listen(("127.0.0.1", 0))
    serving = eventlet.spawn(server.serve, app, through(listener))
    yield listener.getsockname()[1]
    serving.kill()
    with suppress(GreenletExit):
        serving.wait()
    listener.close()


@pytest.fixture
def say(port: int) -> Callable[..., bytes]:
    """Send pieces one after the other; return everything received until the server closes or has answered."""

    def send(*pieces: bytes, pause: float = 0.0, until: bytes = b"\r\n\r\n") -> bytes:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            for piece in pieces:
                try:
                    connection.sendall(piece)
                except OSError:
                    break
                eventlet.sleep(pause)
            said = b""
            while until not in said:
                try:
                    more = connection.recv(65536)
                except ConnectionError:
                    break
                if not more:
                    break
                said += more
            return said

    return send


def head(*lines: str) -> bytes:
    """Return a request's head."""
    return ("\r\n".join([*lines, "Host: localhost", f"Authorization: Bearer {TOKEN}"]) + "\r\n\r\n").encode()


def test_it_says_neither_its_name_nor_its_version(say: Callable[..., bytes]) -> None:
    answer = say(head("GET /health/live HTTP/1.1"))
    assert answer.startswith(b"HTTP/1.1 200")
    assert b"\r\nserver:" not in answer.lower()
    assert b"python" not in answer.lower()


def test_a_line_that_is_too_long_is_refused(say: Callable[..., bytes]) -> None:
    assert say(b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\n\r\n").startswith(b"HTTP/1.0 414")


@pytest.mark.parametrize("header", [b"X-Long: " + b"a" * 20_000, b"\r\n".join(b"X-%d: %s" % (i, b"a" * 500) for i in range(60))])
def test_headers_that_are_too_long_or_too_many_are_refused(say: Callable[..., bytes], header: bytes) -> None:
    assert say(b"GET /health/live HTTP/1.1\r\n" + header + b"\r\n\r\n").split()[1] in {b"400", b"431"}


def test_headers_that_are_dripped_are_cut_off(say: Callable[..., bytes]) -> None:
    drips = [b"GET /health/live HTTP/1.1\r\n", *[b"X-%d: a\r\n" % i for i in range(20)]]
    assert say(*drips, pause=0.05) == b""


def test_a_body_that_is_dripped_is_answered_in_time_and_nothing_is_done(say: Callable[..., bytes]) -> None:
    request = head("POST /api/v1/individuals HTTP/1.1", "Content-Type: application/json", "Content-Length: 1000")
    answer = say(request, *[b" "] * 20, pause=0.05, until=b"}")
    assert answer.startswith(b"HTTP/1.1 503")
    assert b"request-too-slow" in answer


def test_a_body_that_is_announced_too_large_is_refused_before_it_comes(say: Callable[..., bytes]) -> None:
    request = head("POST /api/v1/individuals HTTP/1.1", "Content-Type: application/json", "Content-Length: 99999999999")
    answer = say(request, until=b"}")
    assert answer.startswith(b"HTTP/1.1 413")


def test_two_lengths_of_one_body_are_refused(say: Callable[..., bytes]) -> None:
    request = head("POST /api/v1/individuals HTTP/1.1", "Content-Length: 5", "Transfer-Encoding: chunked")
    assert say(request, b"0\r\n\r\n").split()[1] == b"400"


@pytest.mark.parametrize("path", ["/api/v1/individuals", "/api/v1/imports"])
def test_a_file_of_two_hundred_megabytes_is_refused_with_its_code(say: Callable[..., bytes], path: str) -> None:
    kind = "application/json" if path == "/api/v1/individuals" else "multipart/form-data; boundary=b"
    request = [f"POST {path} HTTP/1.1", f"Content-Type: {kind}"]
    part = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
    announced = say(head(*request, f"Content-Length: {200 << 20}"), part, *[b"x" * (1 << 20)] * 200, until=b"}")
    # Without a length the body is read as far as it may be; the rest of it is no longer wanted.
    chunks = [b"%x\r\n%s\r\n" % (len(piece), piece) for piece in (part, *[b" " * (1 << 20)] * 12)]
    dripped = say(head(*request, "Transfer-Encoding: chunked"), *chunks, b"0\r\n\r\n", until=b"}")
    for answer in (announced, dripped):
        assert answer.startswith(b"HTTP/1.1 413"), answer[:300]
        assert b'"code":"body-too-large"' in answer
        assert b'"detail":"The request is larger than allowed."' in answer


def test_a_body_in_chunks_is_taken_as_any_other(say: Callable[..., bytes]) -> None:
    request = head("POST /api/v1/individuals HTTP/1.1", "Content-Type: application/json", "Transfer-Encoding: chunked")
    assert say(request, b'8\r\n{"last_n\r\n', b'e\r\name": "Dorn"} \r\n', b"0\r\n\r\n", until=b"}").startswith(b"HTTP/1.1 201")


def test_a_connection_is_kept_for_the_next_request(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        for _ in range(3):
            connection.sendall(head("GET /health/live HTTP/1.1"))
            said: Any = b""
            while b'"live"}' not in said:
                said += connection.recv(65536)
            assert said.startswith(b"HTTP/1.1 200")


# More connections than there are places


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"G",
        b"GET /health/live HTT",
        b"GET /health/live HTTP/1.1\r\nHost: localhost\r\nX-A: ",
        b"POST /sign-in HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 1000\r\n\r\nu",
        b"POST /sign-in HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ],
    ids=["nothing", "a letter", "a line", "a header", "a body", "chunks", "a request"],
)
def test_whoever_holds_every_place_and_sends_nothing_more_shuts_nobody_out(crowded: int, said: bytes) -> None:
    with ExitStack() as stack:
        for _ in range(2 * PLACES):
            connection = stack.enter_context(socket.create_connection(("127.0.0.1", crowded), timeout=5))
            with suppress(OSError):
                connection.sendall(said)
            eventlet.sleep(0)
        for _ in range(3):
            with socket.create_connection(("127.0.0.1", crowded), timeout=5) as newcomer:
                newcomer.sendall(head("GET /health/live HTTP/1.1"))
                assert newcomer.recv(4096).startswith(b"HTTP/1.1 200")


def test_whose_request_is_being_answered_gives_way_to_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """While everybody is being answered, a newcomer is turned away, and no answer is cut off."""
    monkeypatch.setattr(server, "MAX_CONNECTIONS", 3)
    go_on = Event()

    def slow(_environ: Any, start: Callable[..., Any]) -> list[bytes]:
        go_on.wait()
        start("200 OK", [("Content-Length", "0")])
        return []

    with _served(slow) as port, ExitStack() as stack:
        three = [stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=5)) for _ in range(3)]
        for connection in three:
            connection.sendall(head("GET / HTTP/1.1"))
        eventlet.sleep(0.1)
        with socket.create_connection(("127.0.0.1", port), timeout=5) as newcomer:
            assert newcomer.recv(4096) == b""
        go_on.send()
        assert [connection.recv(4096)[:12] for connection in three] == [b"HTTP/1.1 200"] * 3


def test_a_process_that_can_open_nothing_more_goes_on_when_it_can(exhausted: int) -> None:
    answers = []
    for _ in range(7):
        with socket.create_connection(("127.0.0.1", exhausted), timeout=5) as newcomer, suppress(OSError):
            newcomer.sendall(head("GET /health/live HTTP/1.1"))
            answers.append(newcomer.recv(4096)[:12])
    assert answers[-2:] == [b"HTTP/1.1 200"] * 2


def test_a_process_asks_for_as_many_files_as_its_connections_need(monkeypatch: pytest.MonkeyPatch) -> None:
    limits, asked = [256, 4096], list[tuple[int, int]]()
    monkeypatch.setattr(connections.resource, "getrlimit", lambda _: tuple(limits))
    monkeypatch.setattr(connections.resource, "setrlimit", lambda _, wanted: asked.append(wanted))
    assert connections.connection_limit(1000) == 1000
    assert asked == [(1256, 4096)]
    limits[1] = 300
    assert connections.connection_limit(1000) == 44
    limits[:] = [1_000_000, 1_000_000]
    assert connections.connection_limit(1000) == 1000
    assert asked == [(1256, 4096), (300, 300)]


def test_a_line_that_is_dripped_is_cut_off_at_the_deadline(say: Callable[..., bytes]) -> None:
    begun = time.monotonic()
    assert say(*[b"G"] * 60, pause=0.1) == b""
    assert time.monotonic() - begun < 5
