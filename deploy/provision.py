"""Prepare databases, roles and the broker before the first process starts."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy.engine import URL

from deploy import migrations
from deploy.secrets import Secrets

if TYPE_CHECKING:
    from services.chassis.transport.connection import Address


def read_address(environ: Mapping[str, str], name: str) -> str | None:
    """Return a setting, or the content of the file in NAME_FILE."""
    if environ.get(name):
        return environ[name]
    path = environ.get(f"{name}_FILE")
    return Path(path).read_text().strip() if path else None


def read_broker(environ: Mapping[str, str], *, known_as: str = "") -> Address | None:
    """Return the broker address from BROKER_URL and BROKER_AUTHORITY_FILE, or None."""
    from services.chassis.transport.connection import Address

    url = read_address(environ, "BROKER_URL")
    return Address(url=url, authority=environ.get("BROKER_AUTHORITY_FILE", ""), known_as=known_as) if url else None


def migrate(server: URL, secrets: Secrets, *, broker: Address | None = None, integrations: str = "", check: bool = False) -> Iterator[str]:
    """Upgrade the server's databases, and declare the topology if there is a broker; yield a line for each result.

    :param integrations: codes of the components with their own systems, such as `ICE,PSO` (T13).
    :param check: change nothing.
    :raises SchemaDiffers: with `check`, if a database differs from what is expected.
    """
    if check:
        migrations.check(server, secrets.password_of)
        yield "databases: as the code expects"
        return
    migrations.provision(server, secrets.password_of)
    for store, revision in migrations.upgrade(server, secrets.password_of).items():
        yield f"{migrations.database_of(store)}: at revision {revision}"
    migrations.check(server, secrets.password_of)
    if broker is not None:
        declare(broker, integrations=integrations)
        yield "broker: exchanges, queues and bindings are there"


def declare(broker: Address, *, integrations: str = "") -> None:
    """Declare all exchanges, queues and bindings, with an account that may configure the broker.

    :param integrations: codes of the components with their own systems, such as `ICE,PSO` (T13).
    """
    from services.chassis.runtime.process import declare_topology, topology_of
    from services.contacts.contract.integrations import components_of, topology

    declare_topology(broker, topology_of(service_classes().values()))
    if components := components_of(integrations):
        declare_topology(broker, topology(components))


def service_classes() -> dict[str, type[Any]]:
    """Return the service classes by name."""
    classes = {}
    for name in migrations.SERVICES:
        module = importlib.import_module(f"services.{name}.service")
        classes[name] = getattr(module, f"{name.capitalize()}Service")
    return classes
