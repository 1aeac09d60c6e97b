"""The gateway with a certificate: it speaks only TLS, proves its name, and is not blocked by a silent client."""

from __future__ import annotations

import http.client
import socket
import ssl
import struct
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import eventlet
import pytest

from deploy.certificates import AUTHORITY, GATEWAY_NAME, GATEWAY_NAMES, certificate_file, certify, key_file
from deploy.health import why_unwell
from deploy.secrets import Secrets
from gateway import server
from gateway.app import create_app
from gateway.connections import Connections
from services.chassis.config import Settings
from tests.support import eventually
from tests.unit.gateway.fakes import TOKEN, FakeBus, heard, opened

pytestmark = pytest.mark.requirement("R15")


@dataclass
class Running:
    folder: Path
    port: int

    def settings(self, authority: Path) -> dict[str, str]:
        return {
            "LISTEN_PORT": str(self.port),
            "LISTEN_CERTIFICATE_FILE": str(self.folder / certificate_file("gateway")),
            "BROKER_AUTHORITY_FILE": str(authority / AUTHORITY),
        }

    def connected(self, name: str = GATEWAY_NAME, **how: Any) -> ssl.SSLSocket:
        context = ssl.create_default_context(cafile=str(how.pop("authority", self.folder) / AUTHORITY))
        for setting, value in how.items():
            setattr(context, setting, value)
        plain = socket.create_connection(("127.0.0.1", self.port), timeout=5)
        connection = context.wrap_socket(plain, server_hostname=name, do_handshake_on_connect=False)
        try:
            connection.do_handshake()
        except OSError:
            connection.close()
            raise
        return connection


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    yield from serving(tmp_path)


def serving(tmp_path: Path) -> Iterator[Running]:
    certify(Secrets(tmp_path / "ours"), {"gateway": GATEWAY_NAMES})
    settings = Settings(
        service="gateway",
        listen_port=0,
        listen_certificate_file=str(tmp_path / "ours" / certificate_file("gateway")),
        listen_key_file=str(tmp_path / "ours" / key_file("gateway")),
        hosts="gateway",
    )
    bus = FakeBus({("access", "open_session"): opened(), ("contacts", "list_individuals"): {"items": ["x" * 200_000], "next": None, "total": 1}})
    listener = server.listen(settings)
    answering = eventlet.spawn(server.serve, create_app(bus, heard(), settings), listener)
    yield Running(tmp_path / "ours", listener.getsockname()[1])
    answering.kill()
    listener.close()


@pytest.fixture
def another(tmp_path: Path) -> Path:
    certify(Secrets(tmp_path / "another"), {"gateway": GATEWAY_NAMES})
    return tmp_path / "another"


def answer(connection: socket.socket, path: str = "/health/live", body: bytes = b"", **headers: str) -> http.client.HTTPResponse:
    head = [f"{'POST' if body else 'GET'} {path} HTTP/1.1", "Host: gateway", f"Content-Length: {len(body)}"]
    head += [f"{name}: {value}" for name, value in headers.items()]
    connection.sendall("\r\n".join([*head, "", ""]).encode() + body)
    response = http.client.HTTPResponse(connection)
    response.begin()
    return response


def test_who_dials_its_name_and_believes_its_authority_is_answered_again_and_again(running: Running) -> None:
    for name in GATEWAY_NAMES:
        with running.connected(name) as connection:
            assert connection.version() == "TLSv1.3"
            for _ in range(3):
                told = answer(connection)
                assert (told.status, bool(told.read())) == (200, True)
            # Cookies and redirections go by it; the Host of these requests is `gateway`.
            assert told.headers["Strict-Transport-Security"]


def test_large_bodies_go_both_ways(running: Running) -> None:
    with running.connected() as connection:
        told = answer(connection, "/api/v1/sessions", b"x" * 300_000, **{"Content-Type": "application/json"})
        assert told.status in {400, 413, 422}
        told.read()
    with running.connected() as connection:
        told = answer(connection, "/api/v1/individuals", Authorization=f"Bearer {TOKEN}")
        assert told.status == 200
        assert len(told.read()) > 200_000


@pytest.mark.parametrize("said", [b"", b"\x16\x03\x01\x02\x00\x01"], ids=["nothing", "the beginning of a hello"])
def test_whoever_holds_every_place_and_agrees_on_no_keys_shuts_nobody_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, said: bytes) -> None:
    monkeypatch.setattr(server, "MAX_CONNECTIONS", 10)
    with contextmanager(serving)(tmp_path) as running, ExitStack() as stack:
        for _ in range(20):
            connection = stack.enter_context(socket.create_connection(("127.0.0.1", running.port), timeout=5))
            with suppress(OSError):
                connection.sendall(said)
            eventlet.sleep(0)
        with running.connected() as newcomer:
            assert answer(newcomer).status == 200


@pytest.mark.parametrize("said", [b"", b"GET /health", b"GET /health/live HTTP/1.1\r\nX-A: "], ids=["nothing", "a line", "a header"])
def test_a_client_that_is_gone_in_the_middle_is_no_error(running: Running, monkeypatch: pytest.MonkeyPatch, said: bytes) -> None:
    ended, serve = list[object](), Connections._serve

    def served(*given: Any) -> None:
        try:
            ended.append(serve(*given))
        except BaseException as error:
            ended.append(error)
            raise

    monkeypatch.setattr(Connections, "_serve", served)
    with running.connected() as connection:
        connection.sendall(said)
        eventlet.sleep(0.05)
        # Reset, as a connection is that somebody pulled out.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    eventually(lambda: ended, 5, why="the connection has ended")
    assert ended == [None]


@pytest.mark.parametrize("name", ["postgres", "liaison.example.gov", "192.0.2.7"])
def test_a_client_that_dials_another_name_refuses_it(running: Running, name: str) -> None:
    with pytest.raises(ssl.SSLCertVerificationError, match="mismatch|not valid for"):
        running.connected(name)


def test_a_client_of_another_authority_refuses_it(running: Running, another: Path) -> None:
    with pytest.raises(ssl.SSLCertVerificationError, match=r"unable to get local issuer|signature failure|certificate verify failed"):
        running.connected(authority=another)


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_old_versions_are_not_spoken(running: Running) -> None:
    with pytest.raises(ssl.SSLError):
        running.connected(maximum_version=ssl.TLSVersion.TLSv1_1, minimum_version=ssl.TLSVersion.TLSv1)


def test_plain_http_is_not_spoken(running: Running) -> None:
    with socket.create_connection(("127.0.0.1", running.port), timeout=5) as plain:
        plain.sendall(b"GET /health/live HTTP/1.1\r\nHost: gateway\r\n\r\n")
        said = b""
        with suppress(ConnectionError):
            while piece := plain.recv(4096):
                said += piece
        assert b"HTTP" not in said


def test_whoever_says_nothing_holds_up_nobody_and_is_cut_off(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "HANDSHAKE_DEADLINE", 2.0)
    silent = [socket.create_connection(("127.0.0.1", running.port), timeout=5) for _ in range(20)]
    # The beginning of a record that never ends.
    for each in silent[:10]:
        each.sendall(b"\x16\x03\x01\x02\x00")
    with running.connected() as connection:
        assert answer(connection).status == 200
    for each in silent:
        with suppress(ConnectionError):
            while each.recv(64):
                pass
        each.close()


def test_the_health_check_goes_by_the_name_and_the_authority(running: Running, another: Path) -> None:
    assert why_unwell(running.settings(running.folder)) is None
    refused = why_unwell(running.settings(another))
    assert refused is not None
    assert "CERTIFICATE_VERIFY_FAILED" in refused
