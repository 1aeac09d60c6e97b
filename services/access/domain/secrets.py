"""Secrets of services, and digests of addresses: keyed, derived from one master secret, compared in constant time."""

from __future__ import annotations

import hashlib
import hmac

from services.access.contract import AUDIENCES
from services.chassis.keyed import parts_of

#: Who may ask for a service passport: the services, and the gateway for its own work.
SERVICES = frozenset(AUDIENCES) | {"gateway", "integrations"}


def service_secret(master: str, service: str) -> str:
    """Return the secret of one service. The master secret never leaves access and the operator's set-up."""
    return hmac.new(master.encode(), f"liaison service {service}".encode(), hashlib.sha256).hexdigest()


def is_service(masters: str, service: object, secret: object) -> bool:
    """Return whether the secret is that service's, under any master secret; for an unknown service False, after the same work."""
    name = service if isinstance(service, str) and service in SERVICES else ""
    shown = secret if isinstance(secret, str) and secret.isascii() else ""
    right = [hmac.compare_digest(service_secret(each, name), shown) for each in parts_of(masters)]
    return any(right) and bool(name)


def source_digest(masters: str, source: str) -> str:
    """Return the stored form of a client's address: it tells two apart, and reveals nothing without the key."""
    master, *_ = parts_of(masters) or [""]
    return hmac.new(master.encode(), f"liaison source {source}".encode(), hashlib.sha256).hexdigest()[:32]
