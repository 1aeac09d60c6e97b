"""Keys of services for tests: the same in every process, made from the service's name."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from deploy.migrations import SERVICES
from services.chassis.identity import ServiceKey, ServiceKeys


def pem_of(service: str) -> str:
    """Return a service's secret key, as its settings have it."""
    private = Ed25519PrivateKey.from_private_bytes(sha256(b"tests " + service.encode()).digest())
    return private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def key_of(service: str) -> ServiceKey:
    """Return a service's secret key."""
    return ServiceKey.parse(service, pem_of(service))


def public_keys(services: Iterable[str] = SERVICES) -> str:
    """Return the services' public keys, as the settings of audit have them."""
    return "\n".join(key_of(service).line for service in services)


def service_keys() -> ServiceKeys:
    """Return the services' public keys."""
    return ServiceKeys.parse(public_keys())
