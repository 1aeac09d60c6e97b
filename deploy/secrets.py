"""The secrets of one installation: one file each, readable by their owner alone, written once and replaced by `liaison keys` alone.

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

from deploy.migrations import SERVICES, STORES, owner_of, runtime_of
from services.chassis.identity import ServiceKey
from services.chassis.keyed import parts_of

#: Pairs of Ed25519 keys, `<name>_private_key` and `<name>_public_key`.
PAIRS = ("passport", "checkpoint")
#: 32 bytes each, in base64.
KEYS = ("vault_master_key", "digest_key", "cursor_key", "form_key", "erased_ids_key")
#: The public keys of all services: they are no secret, and the verifier needs no other.
SERVICE_PUBLIC_KEYS = "service_public_keys"

#: What a text is called that is written whole and still has to take the place of another.
_WHOLE = ".whole"


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
        self.finish()
        made = [name for name, invent in WANTED.items() if self._write(name, invent)]
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
        return [*WANTED, *(f"{name}_public_key" for name in PAIRS), SERVICE_PUBLIC_KEYS]

    def make_passwords(self, names: Iterable[str]) -> list[str]:
        """Write passwords of these names where they are missing; return the names of those."""
        return [name for name in names if self._write(name, _password)]

    def make_if_missing(self, name: str, invent: Callable[[], str]) -> bool:
        """Write a secret of a name of its own, unless it is there; tell whether it was written."""
        return self._write(name, invent)

    def derive(self, name: str, text: str, *, mode: int = 0o600) -> bool:
        """Write what follows from other secrets, unless it says so already; tell whether it was written."""
        path = self.folder / name
        if path.exists() and path.stat().st_mode & 0o777 == mode:
            if path.read_text() == text + "\n":
                return False
            self.replace(name, text)
            return True
        self._put(name, text, mode=mode)
        return True

    def replace(self, name: str, text: str) -> None:
        """Write another text into a file, which stays the same file: containers that it is mounted into see it.

        The text is written aside first, whole, so that a run that was killed is finished by the next.
        """
        aside = self._put(f"{name}{_WHOLE}", text)
        self._copy(aside, name)

    def remove(self, name: str) -> None:
        """Remove a secret, if it is there."""
        (self.folder / name).unlink(missing_ok=True)

    def finish(self) -> None:
        """Finish what a killed run began to replace."""
        for aside in self.folder.glob(f"*{_WHOLE}"):
            self._copy(aside, aside.name.removesuffix(_WHOLE))

    def _copy(self, aside: Path, name: str) -> None:
        try:
            text = aside.read_bytes()
        except FileNotFoundError:
            # A system that started meanwhile has finished it.
            return
        with (self.folder / name).open("r+b") as file:
            file.write(text)
            file.truncate()
            file.flush()
            os.fsync(file.fileno())
        aside.unlink(missing_ok=True)

    def __contains__(self, name: str) -> bool:
        """Tell whether there is a secret of that name."""
        return (self.folder / name).exists()

    def __getitem__(self, name: str) -> str:
        """Return one secret.

        :raises FileNotFoundError: there is none of that name.
        """
        return (self.folder / name).read_text().strip("\n")

    def password_of(self, role: str) -> str:
        """Return the password of a role of the database."""
        return self.passwords_of(role)[0]

    def passwords_of(self, role: str) -> list[str]:
        """Return the passwords of a role: two while one is being replaced, the one in use first."""
        return parts_of(self[f"{role}_password"])

    def _public_key_of(self, private: str) -> str:
        return public_key_of(self[private])

    def _write_service_public_keys(self) -> bool:
        # Lines that are there stay: what a former key has signed is still to be verified.
        path = self.folder / SERVICE_PUBLIC_KEYS
        lines = path.read_text().splitlines() if path.exists() else []
        present = [ServiceKey.parse(service, self[service_key_file(service)]).line for service in SERVICES]
        return self.derive(SERVICE_PUBLIC_KEYS, "\n".join([*(line for line in present if line not in lines), *lines]))

    def _write(self, name: str, invent: Callable[[], str]) -> bool:
        if (self.folder / name).exists():
            return False
        self._put(name, invent())
        return True

    def _put(self, name: str, text: str, *, mode: int = 0o600) -> Path:
        # Written aside and moved: a file that is there is whole, whenever the process was killed.
        aside = self.folder / f".{name}"
        with open(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:  # noqa: PTH123 - the mode, from the start
            file.write(text + "\n")
            file.flush()
            os.fsync(file.fileno())
        aside.chmod(mode)
        return aside.rename(self.folder / name)


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


def public_key_of(private: str) -> str:
    """Return the public key of a private one, both in PEM."""
    key = load_pem_private_key(private.encode(), password=None)
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode().strip()


#: How each secret is made that follows from no other.
WANTED = _wanted()
