"""Derive keys of services for tests from their names, the same in every process."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from deploy.migrations import SERVICES
from deploy.secrets import public_key_of
from services.chassis.identity import ServiceKey, ServiceKeys
from services.chassis.translog.checkpoints import SigningKey


def pem_of(service: str) -> str:
    """Return the secret key of a service in the form of its settings."""
    private = Ed25519PrivateKey.from_private_bytes(sha256(b"tests " + service.encode()).digest())
    return private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def key_of(service: str) -> ServiceKey:
    """Return the secret key of a service."""
    return ServiceKey.parse(service, pem_of(service))


def public_keys(services: Iterable[str] = SERVICES) -> str:
    """Return the public keys of services in the form of audit's settings."""
    return "\n".join(key_of(service).line for service in services)


def service_keys() -> ServiceKeys:
    """Return the public keys of services."""
    return ServiceKeys.parse(public_keys())


def new_signing_key(name: str) -> SigningKey:
    """Return a new key for the checkpoints of a trail."""
    return SigningKey(name, Ed25519PrivateKey.generate().private_bytes_raw())


def pem_of_seed(key: SigningKey) -> str:
    """Return the private key of a trail in the form of audit's settings."""
    private = Ed25519PrivateKey.from_private_bytes(key.seed)
    return private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def public_pem_of(key: SigningKey) -> str:
    """Return the public key of a trail in the form of the settings."""
    return public_key_of(pem_of_seed(key))
