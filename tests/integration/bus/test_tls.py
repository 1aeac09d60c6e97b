"""The broker of compose.yaml speaks only TLS; its certificate must name the dialed host and be of a trusted authority."""

from __future__ import annotations

import socket
import ssl
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import eventlet
import pytest

from deploy.certificates import AUTHORITY, certify
from deploy.provision import declare
from deploy.secrets import Secrets
from services.chassis.transport.connection import LOST, Address, _drop
from services.chassis.transport.publisher import Publisher
from tests.compose import closed_broker, lay_out, listening
from tests.support.rabbitmq import Node, start_node

pytestmark = [pytest.mark.rabbitmq, pytest.mark.requirement("R15")]


@dataclass
class Hop:
    node: Node
    secrets: Path
    another: Path

    def address(self, *, host: str = "127.0.0.1", authority: Path | None = None, scheme: str = "amqps") -> Address:
        url = self.node.url.replace("@127.0.0.1:", f"@{host}:").replace("amqps://", f"{scheme}://")
        return Address(url=url, authority=str((authority or self.secrets) / AUTHORITY))


@pytest.fixture(scope="module")
def hop(rabbitmq: str) -> Iterator[Hop]:
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        folder.chmod(0o755)
        for name in ("secrets", "another"):
            certify(Secrets(folder / name), {"broker": ["127.0.0.1"]})
        lay_out(folder / "secrets", "broker", folder / "tls")
        node = start_node(tls=folder / "tls", settings=closed_broker())
        yield Hop(node, folder / "secrets", folder / "another")
        node.stop()


def test_who_dials_its_name_and_believes_its_authority_is_connected_and_declares(hop: Hop) -> None:
    publisher = Publisher(hop.address(), identity="tests")
    publisher.start()
    try:
        assert publisher.wait_up(10)
        # Between the broker's heartbeats nothing comes: a reader with a deadline would hang up again and again.
        assert publisher._broker._inner._transport.sock.gettimeout() is None
    finally:
        publisher.stop()
    declare(hop.address())
    assert "contacts.inbox" in hop.node.control("list_queues", "name")


def test_one_that_says_nothing_any_more_is_let_go_at_once(hop: Hop) -> None:
    connection = hop.address().connection()
    connection.connect()
    hop.node.freeze()
    try:
        with eventlet.Timeout(3):
            _drop(connection.transport, connection.connection)
    finally:
        hop.node.thaw()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"host": "localhost"}, "Hostname mismatch"),
        ({"authority": "another"}, "certificate verify failed"),
    ],
    ids=["another name", "another authority"],
)
def test_whoever_it_cannot_prove_itself_to_sends_it_nothing(hop: Hop, wrong: dict[str, str], said: str) -> None:
    told = {**wrong, **({"authority": hop.another} if "authority" in wrong else {})}
    address = hop.address(**told)  # type: ignore[arg-type]  # a name or a folder
    connection = address.connection()
    with pytest.raises(ssl.SSLCertVerificationError, match=said):
        connection.connect()
    connection.collect()


def test_nothing_else_is_spoken_there_and_nothing_else_listens_to_the_network(hop: Hop) -> None:
    plain = hop.address(scheme="amqp").connection()
    with pytest.raises(LOST):
        plain.connect()
    plain.collect()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", hop.node.port), timeout=5)
    found = listening(hop.node.pids())
    assert hop.node.tls_port in {port for _, port in found}
    assert [where for where in found if not where[0].startswith("127.")] == [], "Erlang's own talk is loopback's"


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_a_version_that_is_too_old_is_refused(hop: Hop) -> None:
    context = ssl.create_default_context(cafile=str(hop.secrets / AUTHORITY))
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    with socket.create_connection(("127.0.0.1", hop.node.tls_port), timeout=5) as plain:
        old = context.wrap_socket(plain, server_hostname="127.0.0.1", do_handshake_on_connect=False)
        with pytest.raises(OSError):
            old.do_handshake()
        old.close()
