"""Before the first process starts: databases, roles, migrations, and what must exist on the broker."""

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
    """Return a setting, or what the file holds that NAME_FILE points to."""
    if environ.get(name):
        return environ[name]
    path = environ.get(f"{name}_FILE")
    return Path(path).read_text().strip() if path else None


def read_broker(environ: Mapping[str, str], *, known_as: str = "") -> Address | None:
    """Return where the broker is, and by whose certificates it is known, as BROKER_URL and BROKER_AUTHORITY_FILE say."""
    from services.chassis.transport.connection import Address

    url = read_address(environ, "BROKER_URL")
    return Address(url=url, authority=environ.get("BROKER_AUTHORITY_FILE", ""), known_as=known_as) if url else None


def migrate(server: URL, secrets: Secrets, *, broker: Address | None = None, integrations: str = "", check: bool = False) -> Iterator[str]:
    """Bring the server's databases to their newest revision, and declare the topology if there is a broker.

    :param integrations: codes of the components with a system of their own, such as `ICE,PSO` (T13).
    :raises SchemaDiffers: with `check`, when something is not as it should be; then nothing is changed.
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
    """Declare every exchange, queue and binding, as somebody who may.

    :param integrations: codes of the components with a system of their own, such as `ICE,PSO` (T13).
    """
    from services.chassis.runtime.process import declare_topology, topology_of
    from services.contacts.contract.integrations import components_of, topology

    declare_topology(broker, topology_of(service_classes().values()))
    if components := components_of(integrations):
        declare_topology(broker, topology(components))


def service_classes() -> dict[str, type[Any]]:
    """Return the class of each service by its name."""
    classes = {}
    for name in migrations.SERVICES:
        module = importlib.import_module(f"services.{name}.service")
        classes[name] = getattr(module, f"{name.capitalize()}Service")
    return classes
