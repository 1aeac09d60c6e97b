"""deploy/compose.yaml as docker compose reads it: merged, interpolated, and what it says of one service."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml

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
