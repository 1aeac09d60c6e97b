"""deploy/compose.yaml as docker compose reads it: merged, interpolated, and what it says of one service."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from deploy.certificates import AUTHORITY, certificate_file, key_file
from deploy.postgres import Programs, ServerFailed, _unprivileged, local_programs

ROOT = Path(__file__).parents[1]
FILE = ROOT / "deploy" / "compose.yaml"
SECRETS = "/run/secrets/"
_VARIABLE = re.compile(r"\$(?:(\$)|\{([A-Z_]+)(?::-([^}]*))?\})")


def interpolate(text: str, values: Mapping[str, str]) -> str:
    """Replace `${NAME:-default}`; what compose would leave empty with a warning is an error here."""

    def value(match: re.Match[str]) -> str:
        if match[1]:
            return "$"
        found = values.get(match[2]) or match[3]
        if found is None:
            raise KeyError(match[2])
        return found

    return _VARIABLE.sub(value, text)


def settings_of(text: str) -> dict[str, str]:
    """Return what a file of RabbitMQ's settings says."""
    return dict(line.split(" = ", 1) for line in text.splitlines() if line and not line.startswith("#"))


def closed_broker() -> dict[str, str]:
    """Return what compose.yaml's broker is told of who may connect and how, but for where its files and ports are."""
    told = settings_of((ROOT / "deploy" / "rabbitmq" / "liaison.conf").read_text())
    kept = {name: value for name, value in told.items() if name.startswith(("listeners.", "ssl_options."))}
    return {name: value for name, value in kept.items() if not name.endswith("file") and name != "listeners.ssl.default"}


def closed_server(secrets: Path, into: Path) -> tuple[Programs, dict[str, str]]:
    """Return programs of a PostgreSQL with TLS, and what compose.yaml's is told of it; its files are laid out there.

    :raises ServerFailed: there is none here.
    """
    programs = local_programs()
    if programs is None:
        raise ServerFailed("this machine has no PostgreSQL but the embedded one, which was built without TLS")
    owner = _unprivileged().pw_uid if os.geteuid() == 0 else None
    lay_out(secrets, "postgres", into, owner=owner)
    hba = into / "pg_hba.conf"
    shutil.copyfile(ROOT / "deploy" / "postgres" / "pg_hba.conf", hba)
    hba.chmod(0o644)
    moved = {"/run/tls/certificate": into / "cert.pem", "/run/tls/key": into / "key.pem", "/etc/liaison/pg_hba.conf": hba}
    told = Composition().server_settings()
    return programs, {name: str(moved.get(value, value)) for name, value in told.items() if name.startswith(("ssl", "hba"))}


def lay_out(secrets: Path, server: str, into: Path, *, owner: int | None = None) -> None:
    """Put a server's certificates where it can read them, as deploy/own-tls.sh does: ca.pem, cert.pem and key.pem."""
    into.mkdir(mode=0o755)
    for name, file in ((AUTHORITY, "ca.pem"), (certificate_file(server), "cert.pem"), (key_file(server), "key.pem")):
        shutil.copyfile(secrets / name, into / file)
        (into / file).chmod(0o644 if owner is None else 0o600)
        if owner is not None:
            os.chown(into / file, owner, -1)


def listening(pids: Iterable[int]) -> set[tuple[str, int]]:
    """Return the addresses and ports on which these processes listen."""
    sockets = set()
    for pid in pids:
        for link in Path(f"/proc/{pid}/fd").iterdir():
            try:
                sockets.add(str(link.readlink()))
            except OSError:
                continue
    found = set()
    for family in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{family}").read_text().splitlines()[1:]:
            words = line.split()
            if words[3] == "0A" and f"socket:[{words[9]}]" in sockets:
                address, port = words[1].split(":")
                found.add((_dotted(address), int(port, 16)))
    return found


def _dotted(address: str) -> str:
    last = bytes.fromhex(address[-8:])[::-1]
    return ".".join(map(str, last)) if len(address) == 8 or address.startswith("0" * 16 + "FFFF") else f"[{address}]"


class Composition:
    """The file, with these variables."""

    def __init__(self, values: Mapping[str, str] | None = None) -> None:
        self.text = FILE.read_text()
        read: dict[str, Any] = yaml.safe_load(interpolate(self.text, values or {}))
        self.services: dict[str, dict[str, Any]] = read["services"]
        self.secrets: dict[str, dict[str, str]] = read["secrets"]
        self.networks: dict[str, dict[str, Any]] = read["networks"]
        self.volumes: dict[str, dict[str, Any]] = read["volumes"]

    @property
    def own(self) -> dict[str, dict[str, Any]]:
        """Services that run the image that is built."""
        return {name: service for name, service in self.services.items() if "build" in service}

    def processes(self) -> dict[str, dict[str, Any]]:
        """Services that go on running; not those that do one thing and end."""
        return {name: service for name, service in self.own.items() if service["restart"] != "no"}

    def server_settings(self) -> dict[str, str]:
        """Return what PostgreSQL is told on its command line."""
        command = self.services["postgres"]["command"]
        return dict(word.removeprefix("--").split("=", 1) for word in command[1:])

    def environment(self, name: str) -> dict[str, str]:
        """Return what a service's process finds in its environment."""
        # Compose puts variables in after it has read the file: what is left empty is an empty string.
        return {key: "" if value is None else str(value) for key, value in self.services[name].get("environment", {}).items()}

    def secret_file(self, name: str, secret: str) -> str:
        """Return which file a service finds under /run/secrets.

        :raises KeyError: it was not given that secret.
        """
        service = self.services[name]
        if {"./secrets:/run/secrets:ro", "./secrets:/run/secrets"} & set(service.get("volumes", ())):
            return secret
        if secret not in service.get("secrets", ()):
            message = f"{name} is not given {secret}"
            raise KeyError(message)
        return self.secrets[secret]["file"].removeprefix("./secrets/")

    def mapped(self, name: str, *, secrets: Path, moved: Callable[[str], str] = lambda text: text) -> dict[str, str]:
        """Return the environment with secrets in that folder, and whatever else is elsewhere moved there."""
        environment = {}
        for key, value in self.environment(name).items():
            if value.startswith(SECRETS):
                environment[key] = str(secrets / self.secret_file(name, value.removeprefix(SECRETS)))
            elif value + "/" == SECRETS:
                environment[key] = str(secrets)
            else:
                environment[key] = moved(value)
        return environment
