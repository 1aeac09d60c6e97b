"""The gateway behind nginx, configured exactly as the handbook says."""

from __future__ import annotations

import http.client
import re
import shutil
import signal
import socket
import ssl
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import eventlet
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from flask import Flask

from deploy.certificates import AUTHORITY, certificate_file, key_file
from deploy.certificates import certify as authority
from deploy.secrets import Secrets
from gateway import server
from gateway.app import create_app
from gateway.context import context_of
from services.access.contract import SessionRequired
from services.chassis.config import Settings
from tests.support import eventually
from tests.unit.gateway.fakes import TOKEN, FakeBus, heard, opened

HANDBOOK = Path(__file__).parents[2] / "docs" / "operating.md"
NGINX = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
NAME = "liaison.example.gov"


def free_port() -> int:
    """Return a free port on loopback."""
    with socket.socket() as probe:
        for port in range(21000, 32000, 7):
            with suppress(OSError):
                probe.bind(("127.0.0.1", port))
                return port
    raise AssertionError


def certify(folder: Path) -> None:
    """Write a certificate and its key, valid for an hour."""
    key = generate_private_key(SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    now = datetime.now(UTC)
    built = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
    built = built.not_valid_before(now - timedelta(minutes=5)).not_valid_after(now + timedelta(hours=1))
    built = built.add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME), x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
    (folder / "liaison.crt").write_bytes(built.sign(key, SHA256()).public_bytes(Encoding.PEM))
    (folder / "liaison.key").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


class Front:
    """The application behind nginx."""

    def __init__(self, app: Flask, bus: FakeBus, port: int, folder: Path) -> None:
        self.app = app
        self.bus = bus
        self.port = port
        self.folder = folder
        self.reload: Callable[[], None] = lambda: None
        self.context = ssl.create_default_context(cafile=str(folder / "liaison.crt"))

    def ask(self, method: str, path: str, *, client: str = "127.0.0.2", body: str | None = None, **headers: str) -> Any:
        """Send a request over TLS from a given address; the answer has its `text`."""
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, context=self.context, timeout=10, source_address=(client, 0))
        given = {"Host": NAME, **{name.replace("_", "-"): value for name, value in headers.items()}}
        connection.request(method, path, body=body, headers=given)
        answer: Any = connection.getresponse()
        answer.text = answer.read().decode()
        connection.close()
        return answer


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    """nginx with the handbook's configuration, before a gateway that trusts it as a proxy."""
    if NGINX is None:
        pytest.skip("There is no nginx on this machine: the handbook's configuration was not tried.")
    folder = tmp_path_factory.mktemp("nginx")
    certify(folder)

    def open_session(token: str) -> Any:
        if token != TOKEN:
            raise SessionRequired
        return opened()

    bus = FakeBus(
        {
            ("access", "open_session"): open_session,
            ("access", "sign_in"): {"token": TOKEN, **opened(acknowledged=False)["session"]},
            ("contacts", "list_individuals"): {"items": [], "next": None, "total": 0},
        }
    )
    authority(Secrets(folder / "inside"), {"gateway": ["gateway"]})
    (folder / "liaison-authority.crt").write_bytes((folder / "inside" / AUTHORITY).read_bytes())
    settings = Settings(
        service="gateway",
        hosts=NAME,
        trusted_proxies="127.0.0.1",
        listen_port=0,
        listen_certificate_file=str(folder / "inside" / certificate_file("gateway")),
        listen_key_file=str(folder / "inside" / key_file("gateway")),
    )
    app = create_app(bus, heard(), settings)
    listener = server.listen(settings)
    serving = eventlet.spawn(server.serve, app, listener)
    port = free_port()
    written = re.search(r"```nginx\n(.*?)```", HANDBOOK.read_text(), re.DOTALL)
    assert written
    ours = written[1]
    # Only where things are is another: a free port, a certificate of this test, a gateway of this test.
    for there, here in {
        "listen 443 ssl;": f"listen 127.0.0.1:{port} ssl;",
        "/etc/nginx/": f"{folder}/",
        "/var/log/nginx/": f"{folder}/",
        "server 127.0.0.1:8080;": f"server 127.0.0.1:{listener.getsockname()[1]};",
    }.items():
        assert there in ours
        ours = ours.replace(there, here)
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    paths = "".join(f"{kind}_temp_path {folder}/{kind};" for kind in kinds)
    (folder / "nginx.conf").write_text(f"daemon off; pid {folder}/pid; error_log {folder}/error.log; events {{}} http {{ {paths}\n{ours} }}")
    proxy = subprocess.Popen([NGINX, "-p", str(folder), "-c", str(folder / "nginx.conf")], stderr=subprocess.DEVNULL)
    front = Front(app, bus, port, folder)
    front.reload = lambda: proxy.send_signal(signal.SIGHUP)

    def answers() -> bool:
        assert proxy.poll() is None, (folder / "error.log").read_text()
        try:
            return bool(front.ask("GET", "/health/live", client="127.0.0.9").status == 200)
        except OSError:
            return False

    eventually(answers)
    yield front
    proxy.terminate()
    proxy.wait(10)
    serving.kill()
    listener.close()


def test_the_trail_names_the_client_and_not_the_proxy_or_what_the_client_says(front: Front) -> None:
    for said in ({}, {"X_Forwarded_For": "198.51.100.9"}, {"Forwarded": "for=198.51.100.9"}):
        front.bus.said.clear()
        assert front.ask("GET", "/api/v1/individuals", **said).status == 401
        (entry,) = front.bus.of("access", "record_refusal")
        assert entry.kwargs["source"] == "127.0.0.2"


def test_a_flood_through_the_proxy_locks_out_nobody_who_is_signed_in(front: Front) -> None:
    context_of(front.app).anonymous.limit = 5
    statuses = [front.ask("GET", "/api/v1/individuals", client="127.0.0.3").status for _ in range(8)]
    assert statuses == [401] * 5 + [429] * 3
    assert front.ask("GET", "/api/v1/individuals", client="127.0.0.3", Authorization=f"Bearer {TOKEN}").status == 200
    assert front.ask("GET", "/api/v1/individuals", client="127.0.0.3", Cookie=f"__Host-liaison_session={TOKEN}").status == 200
    assert front.ask("GET", "/api/v1/individuals", client="127.0.0.4").status == 401


def test_a_browser_signs_in_through_the_proxy(front: Front) -> None:
    shown = front.ask("GET", "/sign-in")
    assert shown.status == 200
    cookie = shown.headers["Set-Cookie"]
    assert cookie.startswith("__Host-liaison_visit=")
    assert "; Secure;" in cookie
    assert shown.headers["Strict-Transport-Security"]
    token = shown.text.partition('name="csrf_token" value="')[2].partition('"')[0]
    form = {"Content_Type": "application/x-www-form-urlencoded", "Cookie": cookie.partition(";")[0], "Origin": f"https://{NAME}"}
    came_in = front.ask("POST", "/sign-in", body=f"username=amina&password=right&csrf_token={token}", **form)
    assert came_in.status == 200
    assert came_in.headers["Set-Cookie"].startswith("__Host-liaison_session=")
    assert front.bus.of("access", "sign_in")[-1].kwargs["source"] == "127.0.0.2"
    # Where a page leads on to is said without a host, which the proxy would have to rewrite.
    leads = front.ask("GET", "/sign-in", Cookie=f"__Host-liaison_session={TOKEN}")
    assert (leads.status // 100, leads.headers["Location"]) == (3, "/")


@pytest.mark.requirement("R15")
def test_the_proxy_passes_nothing_on_to_somebody_else_in_the_gateways_place(front: Front, tmp_path: Path) -> None:
    another = Path(front.folder, "liaison-authority.crt")
    kept = another.read_bytes()
    authority(Secrets(tmp_path / "another"), {"gateway": ["gateway"]})
    another.write_bytes((tmp_path / "another" / AUTHORITY).read_bytes())
    front.reload()
    try:
        eventually(lambda: front.ask("GET", "/health/live").status == 502)
    finally:
        another.write_bytes(kept)
        front.reload()
    eventually(lambda: front.ask("GET", "/health/live").status == 200)
