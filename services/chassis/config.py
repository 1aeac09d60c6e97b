"""Settings of a process, read from the environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")


class SettingInvalid(Exception):
    """A setting is missing or invalid; the message names it and never quotes its value."""


_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off", ""})


def _number(default: T, *, least: float, most: float = 2**31 - 1) -> T:
    """Return a field for a number from `least` to `most`."""
    return field(default=default, metadata={"least": least, "most": most})


def _word(default: str, *others: str) -> str:
    """Return a field for one of several words, in any case."""
    word: str = field(default=default, metadata={"words": (default, *others)})
    return word


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings of one process.

    Each field is read from the environment variable with its name in upper case, or from the file named in NAME_FILE.
    `repr` leaves secrets out, so that they are not logged.
    """

    service: str
    database_url: str = field(default="", repr=False)
    keys_database_url: str = field(default="", repr=False)
    broker_url: str = field(default="embedded://", repr=False)
    #: File of CA certificates for `amqps://`; the system's own when empty.
    broker_authority_file: str = ""
    #: Ed25519 public keys (concatenated PEM) for verifying passports.
    passport_public_key: str = field(default="", repr=False)
    #: Ed25519 private key (PEM) for signing passports; only for access.
    passport_private_key: str = field(default="", repr=False)
    #: The secret with which this service gets its own passport from access.
    service_secret: str = field(default="", repr=False)
    #: Comma-separated keys from which access derives all services' secrets; only for access.
    service_master_secret: str = field(default="", repr=False)
    #: Ed25519 private key (PEM) of this service, which certifies the keys of its processes.
    service_key: str = field(default="", repr=False)
    #: All services' public keys, one per line (`chassis.identity`); only for audit.
    service_public_keys: str = field(default="", repr=False)
    #: Comma-separated keys (base64, 32 bytes) that encrypt the keys in the key store; only for contacts.
    vault_master_key: str = field(default="", repr=False)
    #: Likewise, for the digests for look-up, likeness and suppression; only for contacts.
    digest_key: str = field(default="", repr=False)
    #: Likewise, for cursors and entity tags.
    cursor_key: str = field(default="", repr=False)
    #: Likewise, for encrypting form fields and for digests of requests; only for the gateway.
    form_key: str = field(default="", repr=False)
    #: Ed25519 private key (PEM) for signing checkpoints; only for audit.
    checkpoint_private_key: str = field(default="", repr=False)
    #: Its public key, followed by former public keys.
    checkpoint_public_key: str = field(default="", repr=False)
    #: Origin line of checkpoints (C2SP tlog-checkpoint).
    checkpoint_origin: str = "liaison/audit"
    #: Append-only file of witnessed checkpoints, on another volume.
    audit_witness_file: str = ""
    #: Comma-separated keys (base64, 32 bytes) that authenticate the list of erased ids; only for retention.
    erased_ids_key: str = field(default="", repr=False)
    #: File with the list of erased ids, which a restored backup must not overwrite.
    erased_ids_file: str = ""
    listen_host: str = "127.0.0.1"
    listen_port: int = _number(8080, least=0, most=65_535)
    #: Files of the gateway's certificate and key, for HTTPS only; plain HTTP when empty.
    listen_certificate_file: str = ""
    listen_key_file: str = ""
    #: Host names of the gateway, such as `liaison.example.gov`; loopback is always one, and `*` is any.
    hosts: str = ""
    #: Comma-separated tokens for reading `/metrics`; nobody may when empty.
    metrics_token: str = field(default="", repr=False)
    #: Prefix of cookie names, because browsers share cookies between the ports of a host.
    cookie_name: str = "liaison"
    #: Addresses and networks of trusted proxies, such as `10.0.0.7, 192.0.2.0/28`.
    trusted_proxies: str = ""
    #: The header with the client's address: X-Forwarded-For (with -Proto and -Host), or Forwarded (RFC 7239).
    proxy_header: str = "X-Forwarded-For"
    #: Whether cookies have the Secure flag; without it only on loopback, in the embedded deployment.
    cookie_secure: bool = True
    ribbon: str = ""
    #: The file of demonstration accounts, which the sign-in page offers; none when empty.
    demo_accounts_file: str = ""
    #: Codes of the components with their own systems, such as `ICE,PSO`; only for contacts.
    integrations: str = ""
    #: Values per day that a user may look up in the suppression ledger by entering people (T35): a contributor, and a
    #: steward or a component's system. The privacy officer may allow more. Only for contacts.
    lookups_of_contributor: int = _number(10_000, least=0)
    lookups_of_steward: int = _number(400_000, least=0)
    #: File that is touched every few seconds while the service is connected and its database answers; none when empty.
    health_file: str = ""
    log_level: str = _word("INFO", "DEBUG", "WARNING", "ERROR", "CRITICAL")
    log_format: str = _word("json", "console")
    #: Concurrent calls of one process.
    workers: int = _number(20, least=1)
    pool_size: int = _number(10, least=1)
    #: The default deadline of a call, in seconds.
    call_deadline: float = _number(10.0, least=0.1, most=3600)
    #: Size in bytes from which glibc maps a block separately and returns it when it is freed; 0 changes nothing. Without it,
    #: access kept 280 MiB after password checks; it costs each check 15 ms of CPU.
    malloc_mmap_threshold: int = _number(131_072, least=0, most=32 * 1024 * 1024)
    #: Allocations between two garbage collections of a running process; a block of an import makes 100,000 objects without garbage.
    gc_threshold: int = _number(5_000, least=0)
    #: Seconds after which a computing thread must yield to the event loop. With Python's default of 0.005, a statement took
    #: eight milliseconds beside such a thread; with this, about one.
    switch_interval: float = _number(0.0002, least=0.00001, most=1)

    @classmethod
    def read(cls, environ: Mapping[str, str], **given: object) -> Settings:
        """Read the settings.

        :param given: values that take precedence over the environment.
        :raises SettingInvalid: the service is missing, a number is outside its limits, or a word is not one of its choices.
        """
        values: dict[str, object] = dict(given)
        for setting in fields(cls):
            if setting.name in values:
                continue
            text = _read(environ, setting.name.upper())
            if text is not None:
                values[setting.name] = _convert(setting, text)
        if "service" not in values:
            raise SettingInvalid("Set SERVICE.")
        return cls(**values)  # type: ignore[arg-type]  # each value was converted to its field's type


def _read(environ: Mapping[str, str], name: str) -> str | None:
    if name in environ:
        return environ[name]
    path = environ.get(f"{name}_FILE")
    return Path(path).read_text().strip("\n") if path else None


def _convert(setting: Field[Any], text: str) -> object:
    if words := setting.metadata.get("words"):
        meant = next((word for word in words if word.lower() == text.strip().lower()), None)
        if meant is None:
            raise SettingInvalid(f"Set {setting.name.upper()} to one of {', '.join(words)}.")
        return meant
    if setting.type == "bool":
        word = text.strip().lower()
        if word not in _TRUE | _FALSE:
            raise SettingInvalid(f"Set {setting.name.upper()} to true or false.")
        return word in _TRUE
    if setting.type not in {"int", "float"}:
        return text
    least, most = setting.metadata["least"], setting.metadata["most"]
    try:
        value = int(text) if setting.type == "int" else float(text)
    except ValueError:
        value = float("nan")
    if not least <= value <= most:
        kind = "whole number" if setting.type == "int" else "number"
        raise SettingInvalid(f"Set {setting.name.upper()} to a {kind} from {_written(least)} to {_written(most)}.")
    return value


def _written(number: float) -> str:
    return f"{number:,.5f}".rstrip("0").rstrip(".")
