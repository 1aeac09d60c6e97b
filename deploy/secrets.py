"""The secrets of one installation: one file each, readable by their owner alone, written once and never replaced.

The files are named like the settings that read them (`VAULT_MASTER_KEY_FILE=…/vault_master_key`), and the same folder
serves the run in one process and the one in containers.
"""

from __future__ import annotations

import base64
import os
import secrets
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from services.chassis.identity import ServiceKey
from services.chassis.migrations import SERVICES, STORES, owner_of, runtime_of

#: Pairs of Ed25519 keys, `<name>_private_key` and `<name>_public_key`.
PAIRS = ("passport", "checkpoint")
#: 32 bytes each, in base64.
KEYS = ("vault_master_key", "digest_key", "cursor_key", "form_key")
#: The public keys of all services: they are no secret, and the verifier needs no other.
SERVICE_PUBLIC_KEYS = "service_public_keys"


def service_key_file(service: str) -> str:
    """Return the name of the file that holds the key by which a service is known."""
    return f"service_key_{service}"


class Secrets:
    """The folder of secrets."""

    def __init__(self, folder: Path) -> None:
        """Name the folder; `make` fills it."""
        self.folder = folder

    def make(self) -> list[str]:
        """Write those that are missing; return their names."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        made = [name for name, invent in _wanted().items() if self._write(name, invent)]
        for name in PAIRS:
            private = f"{name}_private_key"
            if self._write(f"{name}_public_key", partial(self._public_key_of, private)):
                made.append(f"{name}_public_key")
        if self._write_service_public_keys():
            made.append(SERVICE_PUBLIC_KEYS)
        return made

    @staticmethod
    def names() -> list[str]:
        """Return the names of all that `make` writes."""
        return [*_wanted(), *(f"{name}_public_key" for name in PAIRS), SERVICE_PUBLIC_KEYS]

    def make_passwords(self, names: Iterable[str]) -> list[str]:
        """Write passwords of these names where they are missing; return the names of those."""
        return [name for name in names if self._write(name, _password)]

    def derive(self, name: str, text: str, *, mode: int = 0o600) -> bool:
        """Write what follows from other secrets, unless it says so already; tell whether it was written."""
        path = self.folder / name
        if path.exists() and path.read_text() == text + "\n" and path.stat().st_mode & 0o777 == mode:
            return False
        self._put(name, text, mode=mode)
        return True

    def __getitem__(self, name: str) -> str:
        """Return one secret.

        :raises FileNotFoundError: there is none of that name.
        """
        return (self.folder / name).read_text().strip("\n")

    def password_of(self, role: str) -> str:
        """Return the password of a role of the database."""
        return self[f"{role}_password"]

    def _public_key_of(self, private: str) -> str:
        return _public_key(self[private])

    def _write_service_public_keys(self) -> bool:
        # Lines that are there stay: what a former key has signed is still to be verified.
        path = self.folder / SERVICE_PUBLIC_KEYS
        lines = path.read_text().splitlines() if path.exists() else []
        present = [ServiceKey.parse(service, self[service_key_file(service)]).line for service in SERVICES]
        return self.derive(SERVICE_PUBLIC_KEYS, "\n".join([*lines, *(line for line in present if line not in lines)]))

    def _write(self, name: str, invent: Callable[[], str]) -> bool:
        if (self.folder / name).exists():
            return False
        self._put(name, invent())
        return True

    def _put(self, name: str, text: str, *, mode: int = 0o600) -> None:
        # Written aside and moved: a file that is there is whole, whenever the process was killed.
        aside = self.folder / f".{name}"
        with open(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:  # noqa: PTH123 - the mode, from the start
            file.write(text + "\n")
            file.flush()
            os.fsync(file.fileno())
        aside.chmod(mode)
        aside.rename(self.folder / name)


def _wanted() -> dict[str, Callable[[], str]]:
    wanted: dict[str, Callable[[], str]] = dict.fromkeys(KEYS, _key)
    wanted["service_master_secret"] = _password
    wanted["postgres_password"] = _password
    wanted["metrics_token"] = _password
    for store in STORES:
        wanted[f"{owner_of(store)}_password"] = _password
        wanted[f"{runtime_of(store)}_password"] = _password
    for name in PAIRS:
        wanted[f"{name}_private_key"] = _private_key
    for service in SERVICES:
        wanted[service_key_file(service)] = _private_key
    return wanted


def _password() -> str:
    return secrets.token_urlsafe(32)


def _key() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode()


def _private_key() -> str:
    return Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode().strip()


def _public_key(private: str) -> str:
    key = load_pem_private_key(private.encode(), password=None)
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode().strip()
