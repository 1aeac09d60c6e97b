"""`liaison init`: write the secrets and certificates of an installation in containers, one file each.

Passwords and keys are made once and never replaced. Files that are derived from them (URLs with passwords, secrets of
services, the broker's users) are written again when they change. So the command can be repeated, and after an upgrade it
adds what is new.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import click
from sqlalchemy.engine import make_url

from deploy.broker import DEPLOYER, GATEWAY, VHOST, definitions, users
from deploy.certificates import AUTHORITY, GATEWAY_NAMES, CertificatesMissing, certify
from deploy.environment import PROCESSES
from deploy.migrations import SERVICES, STORES, database_of, runtime_of
from deploy.postgres import url_for
from deploy.secrets import Secrets
from services.access.domain.secrets import service_secret
from services.chassis.keyed import parts_of
from services.chassis.topology import OPERATOR
from services.contacts.contract.integrations import components_of

#: The user id of the processes if root installs.
CONTAINER_UID = 10001
#: The addresses of the two servers in compose.yaml.
POSTGRES = "postgres:5432"
BROKER = "broker:5671"
#: The path of the CA certificates in a container.
AUTHORITY_AT = f"/run/secrets/{AUTHORITY}"
_HERE = Path(__file__).resolve().parent
#: Readable for the broker's user: salted hashes of long random passwords need no secrecy, and the folder is closed.
_HASHES_MODE = 0o644


def password_file(user: str) -> str:
    """Return the file name of a broker user's password."""
    return f"broker_password_{user}"


def write_secrets(
    folder: Path, *, integrations: str = "", postgres: str = POSTGRES, broker: str = BROKER, authority: str = AUTHORITY_AT
) -> list[str]:
    """Write missing and changed files; return their names.

    All URLs use TLS, and PostgreSQL's also name the CA certificates.

    :param integrations: codes of the components with their own systems, such as `ICE,PSO` (T13).
    :param postgres: host and port, as seen by the containers.
    :param broker: likewise.
    :param authority: the path of the CA certificates in a container.
    :raises CertificatesMissing: a server has no certificate, and none can be made here.
    """
    secrets = Secrets(folder)
    components = components_of(integrations)
    everyone = users(SERVICES, components)
    written = [*secrets.make(), *secrets.make_passwords(password_file(user) for user in everyone)]
    written += certify(secrets, {"postgres": [_host(postgres)], "broker": [_host(broker)], "gateway": GATEWAY_NAMES})
    derived: dict[str, str] = {}
    server = make_url(f"postgresql://{postgres}/postgres").set(query={"sslmode": "verify-full", "sslrootcert": authority})
    derived["database_url"] = url_for(server, "postgres", "postgres", secrets["postgres_password"])
    for store in STORES:
        role = runtime_of(store)
        derived[f"database_url_{store}"] = "\n".join(url_for(server, database_of(store), role, each) for each in secrets.passwords_of(role))
    passwords = {user: secrets[password_file(user)] for user in everyone}
    for user in (*SERVICES, GATEWAY, DEPLOYER, OPERATOR):
        derived[f"broker_url_{user}"] = f"amqps://{user}:{quote(passwords[user], safe='')}@{broker}/{VHOST}"
    for process in PROCESSES:
        derived[f"service_secret_{process}"] = service_secret(parts_of(secrets["service_master_secret"])[0], process)
    written += [name for name, text in derived.items() if secrets.derive(name, text)]
    wanted = definitions(SERVICES, passwords, integrations=components, former=_hashes(folder))
    if secrets.derive("broker_definitions", json.dumps(wanted, indent=1), mode=_HASHES_MODE):
        written.append("broker_definitions")
    return written


def _host(where: str) -> str:
    return urlsplit(f"//{where}").hostname or where


def _hashes(folder: Path) -> dict[str, str]:
    file = folder / "broker_definitions"
    if not file.exists():
        return {}
    return {user["name"]: user["password_hash"] for user in json.loads(file.read_text())["users"]}


def read_env(file: Path) -> dict[str, str]:
    """Parse a file of `NAME=value` lines."""
    if not file.exists():
        return {}
    lines = (line.strip() for line in file.read_text().splitlines())
    pairs = (line.partition("=") for line in lines if line and not line.startswith("#"))
    return {name.strip(): value.strip() for name, _, value in pairs}


def write_env(file: Path, values: Mapping[str, str]) -> bool:
    """Set values in an .env file, which is copied from `.env.example` if missing; return whether it changed."""
    text = file.read_text() if file.exists() else (_HERE / ".env.example").read_text()
    lines = text.splitlines()
    for name, value in values.items():
        places = [n for n, line in enumerate(lines) if line.startswith(f"{name}=")]
        if places:
            lines[places[-1]] = f"{name}={value}"
        else:
            lines.append(f"{name}={value}")
    new = "\n".join(lines) + "\n"
    if file.exists() and new == text:
        return False
    file.write_text(new)
    return True


def _owner() -> int:
    return os.getuid() or CONTAINER_UID


def _hand_over(folder: Path, uid: int) -> None:
    # Docker keeps owner and mode of mounted files, so the containers' user must own them.
    if os.getuid() != 0:
        return
    for path in (folder, *folder.iterdir()):
        os.chown(path, uid, uid)


@click.command()
@click.option(
    "--secrets",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=_HERE / "secrets",
    help="The folder to write them into; deploy/secrets, where compose.yaml looks, unless given.",
)
@click.option("--env", "env_file", type=click.Path(dir_okay=False, path_type=Path), default=_HERE / ".env", help="deploy/.env unless given.")
@click.option("--integrations", help="Codes of components with a system of their own, such as ICE,PSO; as before unless given.")
@click.option("--postgres", default=POSTGRES, show_default=True, help="Host and port of PostgreSQL, as the containers see it.")
@click.option("--broker", default=BROKER, show_default=True, help="Host and port of RabbitMQ, as the containers see it.")
def init(folder: Path, env_file: Path, *, integrations: str | None, **where: Any) -> None:
    """Write the secrets of the full deployment, its certificates, and deploy/.env; nothing that is there is replaced.

    Only certificates of its own authority that soon expire are made anew: restart postgres, broker and gateway then.
    """
    uid = _owner()
    components = integrations if integrations is not None else read_env(env_file).get("INTEGRATIONS", "")
    try:
        written = write_secrets(folder, integrations=components, **where)
        _hand_over(folder, uid)
        changed = write_env(env_file, {"LIAISON_UID": str(uid), "INTEGRATIONS": ",".join(components_of(components))})
    except (OSError, CertificatesMissing) as failed:
        raise click.ClickException(str(failed)) from failed
    click.echo(f"{folder}: {len(written)} written, {len(list(folder.iterdir()))} in all." if written else f"{folder}: nothing was missing.")
    if changed:
        click.echo(f"{env_file}: written.")
