"""Over TLS the broker must be who we dialled, not only somebody with a certificate of the right authority."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from services.chassis.bus import Address, Publisher
from services.chassis.testing import eventually
from services.chassis.testing.rabbitmq import Node, start_node

pytestmark = pytest.mark.rabbitmq


def _authority(folder: Path, name: x509.GeneralName) -> None:
    """Write ca.pem, and cert.pem and key.pem for one name."""
    now = datetime.now(UTC)
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tests")])

    def builder(subject: x509.Name, public: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(ca_name)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
        )

    authority = builder(ca_name, ca_key.public_key()).add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "broker")])
    leaf = builder(subject, key.public_key()).add_extension(x509.SubjectAlternativeName([name]), critical=False)
    (folder / "ca.pem").write_bytes(authority.sign(ca_key, SHA256()).public_bytes(Encoding.PEM))
    (folder / "cert.pem").write_bytes(leaf.sign(ca_key, SHA256()).public_bytes(Encoding.PEM))
    (folder / "key.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    for file in folder.iterdir():
        file.chmod(0o644)


@pytest.fixture(params=[True, False], ids=["its own name", "another name"])
def node(request: pytest.FixtureRequest, rabbitmq: str) -> Iterator[tuple[Node, bool, Path]]:
    import tempfile

    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        folder.chmod(0o755)
        _authority(folder, x509.IPAddress(ip_address("127.0.0.1")) if request.param else x509.DNSName("elsewhere.example"))
        node = start_node(tls=folder)
        yield node, request.param, folder
        node.stop()


def test_the_brokers_certificate_must_bear_the_name_that_was_dialled(node: tuple[Node, bool, Path]) -> None:
    broker, is_right, folder = node
    url = broker.url.replace("amqp://", "amqps://").replace(f":{broker.port}/", f":{broker.tls_port}/")
    publisher = Publisher(Address(url=url, authority=str(folder / "ca.pem")), identity="tests")
    publisher.start()
    try:
        if is_right:
            assert publisher.wait_up(10)
        else:
            assert not publisher.wait_up(2)
            eventually(lambda: "certificate" in repr(publisher._link.last_error).lower())
    finally:
        publisher.stop()
