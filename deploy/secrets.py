"""The secrets of an installation: one file each, readable only by the owner, written once and replaced only by `liaison keys`.

Files have the names of their settings (`VAULT_MASTER_KEY_FILE=…/vault_master_key`). Both deployments use the same folder.
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
#: Keys of 32 bytes, in base64.
KEYS = ("vault_master_key", "digest_key", "cursor_key", "form_key", "erased_ids_key")
#: The public keys of all services, which are not secret; `liaison audit verify` needs no others of theirs.
SERVICE_PUBLIC_KEYS = "service_public_keys"

#: Suffix of a file that is completely written and not yet in place.
_WHOLE = ".whole"


def service_key_file(service: str) -> str:
    """Return the file name of a service's identity key."""
    return f"service_key_{service}"


class Secrets:
    """A folder of secrets."""

    def __init__(self, folder: Path) -> None:
        """Set the folder; `make` fills it."""
        self.folder = folder

    def make(self) -> list[str]:
        """Write missing secrets; return their names."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.finish()
        made = [name for name, invent in WANTED.items() if self.make_if_missing(name, invent)]
        made += [
            f"{name}_public_key" for name in PAIRS if self.make_if_missing(f"{name}_public_key", partial(public_key_of, self[f"{name}_private_key"]))
        ]
        if self._write_service_public_keys():
            made.append(SERVICE_PUBLIC_KEYS)
        return made

    @staticmethod
    def names() -> list[str]:
        """Return the names of all secrets that `make` writes."""
        return [*WANTED, *(f"{name}_public_key" for name in PAIRS), SERVICE_PUBLIC_KEYS]

    def make_passwords(self, names: Iterable[str]) -> list[str]:
        """Write missing passwords of these names; return the names written."""
        return [name for name in names if self.make_if_missing(name, _password)]

    def make_if_missing(self, name: str, invent: Callable[[], str]) -> bool:
        """Write a secret unless it exists; return whether it was written."""
        if name in self:
            return False
        self._put(name, invent())
        return True

    def derive(self, name: str, text: str, *, mode: int = 0o600) -> bool:
        """Write a file that is derived from other secrets, if its text changed; return whether it was written."""
        path = self.folder / name
        if path.exists() and path.stat().st_mode & 0o777 == mode:
            if path.read_text() == text + "\n":
                return False
            self.replace(name, text)
            return True
        self._put(name, text, mode=mode)
        return True

    def replace(self, name: str, text: str) -> None:
        """Replace the text of a file in place, so that containers with a mount of the file see the change.

        The text is written to another file first, so that the next run finishes an interrupted replacement.
        """
        aside = self._put(f"{name}{_WHOLE}", text)
        self._copy(aside, name)

    def remove(self, name: str) -> None:
        """Remove a secret if it exists."""
        (self.folder / name).unlink(missing_ok=True)

    def finish(self) -> None:
        """Finish replacements of an interrupted run."""
        for aside in self.folder.glob(f"*{_WHOLE}"):
            self._copy(aside, aside.name.removesuffix(_WHOLE))

    def _copy(self, aside: Path, name: str) -> None:
        try:
            text = aside.read_bytes()
        except FileNotFoundError:
            # Another process has finished it.
            return
        with (self.folder / name).open("r+b") as file:
            file.write(text)
            file.truncate()
            file.flush()
            os.fsync(file.fileno())
        aside.unlink(missing_ok=True)

    def __contains__(self, name: str) -> bool:
        """Return whether there is a secret of that name."""
        return (self.folder / name).exists()

    def __getitem__(self, name: str) -> str:
        """Return a secret's text.

        :raises FileNotFoundError: there is none of that name.
        """
        return (self.folder / name).read_text().strip("\n")

    def password_of(self, role: str) -> str:
        """Return the current password of a database role."""
        return self.passwords_of(role)[0]

    def passwords_of(self, role: str) -> list[str]:
        """Return the passwords of a role, the current one first; there are two during a replacement."""
        return parts_of(self[f"{role}_password"])

    def _write_service_public_keys(self) -> bool:
        # Existing lines stay, because old signatures must still be verified.
        path = self.folder / SERVICE_PUBLIC_KEYS
        lines = path.read_text().splitlines() if path.exists() else []
        present = [ServiceKey.parse(service, self[service_key_file(service)]).line for service in SERVICES]
        return self.derive(SERVICE_PUBLIC_KEYS, "\n".join([*(line for line in present if line not in lines), *lines]))

    def _put(self, name: str, text: str, *, mode: int = 0o600) -> Path:
        # Written under another name and renamed, so that an existing file is always complete.
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
    """Return the public key of a private key, both in PEM."""
    key = load_pem_private_key(private.encode(), password=None)
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode().strip()


#: Functions that make the secrets that are not derived from others.
WANTED = _wanted()
